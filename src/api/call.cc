#include "api/call.h"

#include <algorithm>
#include <cctype>

namespace zhitui::api {
namespace {

constexpr std::array<std::pair<Scope, const char*>, 4> kScopes = {
    {{Scope::kEventsWrite, "events:write"},
     {Scope::kRecommendationsRead, "recommendations:read"},
     {Scope::kEvaluate, "evaluate"},
     {Scope::kAdmin, "admin"}}};

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::vector<std::string> Split(std::string_view path) {
  std::vector<std::string> out;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    out.emplace_back(path.substr(0, slash));
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
    if (path.empty()) out.emplace_back();
  }
  return out;
}

bool IsParameter(const std::string& segment) { return segment.starts_with('{'); }

}  // namespace

const char* ScopeName(Scope scope) { return kScopes[static_cast<std::size_t>(scope)].second; }

std::optional<Scope> ParseScope(std::string_view name) {
  for (const auto& [scope, known] : kScopes) {
    if (name == known) return scope;
  }
  return std::nullopt;
}

std::vector<std::string> ScopeNames() {
  std::vector<std::string> out;
  out.reserve(std::size(kScopes));
  for (const auto& [scope, name] : kScopes) out.emplace_back(name);
  return out;
}

std::string Call::MediaType() const {
  std::string type = Header("content-type");
  type = type.substr(0, type.find(';'));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.pop_back();
  std::transform(type.begin(), type.end(), type.begin(), [](unsigned char c) { return std::tolower(c); });
  return type;
}

const char* StatusTitle(int status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 422:
      return "Unprocessable Content";
    case 503:
      return "Service Unavailable";
    default:
      return status >= 500 ? "Internal Server Error" : "Bad Request";
  }
}

Reply Problem(int status, std::string_view code, std::string_view detail, std::string_view extra) {
  Reply reply;
  reply.status = status;
  reply.content_type = "application/problem+json";
  reply.body = R"({"type":)" + JsonQuote("urn:zhitui:problem:" + std::string(code)) + R"(,"title":)" +
               JsonQuote(StatusTitle(status)) + R"(,"status":)" + std::to_string(status) + R"(,"detail":)" +
               JsonQuote(detail);
  if (!extra.empty()) reply.body.append(",").append(extra);
  reply.body += "}";
  if (status == 503) reply.headers.emplace_back("Retry-After", "5");
  return reply;
}

Reply ProblemOf(const Error& error) {
  switch (error.kind) {
    case ErrorKind::kUnavailable:
    case ErrorKind::kDeadline:
      return Problem(503, "unavailable", "the store or the event log does not answer; try again");
    case ErrorKind::kInvalid:
      return Problem(400, "invalid", "the request cannot be carried out as it is");
    case ErrorKind::kDuplicate:
    case ErrorKind::kFatal:
      break;
  }
  return Problem(500, "internal", "the service failed; its log has the reason under this request id");
}

std::optional<std::string> DecodeSegment(std::string_view raw) {
  std::string out;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    char c = raw[i];
    if (c == '%') {
      if (i + 2 >= raw.size()) return std::nullopt;
      const int high = HexDigit(raw[i + 1]);
      const int low = HexDigit(raw[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (c == '\0') return std::nullopt;
    out += c;
  }
  if (!IsValidUtf8(out)) return std::nullopt;
  return out;
}

void Router::Add(const Route& route, Handler handler) {
  entries_.push_back({route, Split(std::string_view(route.path).substr(1)), std::move(handler)});
}

Router::Match Router::Find(std::string_view method, std::string_view target) const {
  Match match;
  const std::string_view path = target.substr(0, target.find_first_of("?#"));
  if (!path.starts_with('/')) return match;
  const std::vector<std::string> segments = Split(path.substr(1));
  if (method == "HEAD") method = "GET";
  for (const Entry& entry : entries_) {
    if (entry.segments.size() != segments.size()) continue;
    std::vector<std::string> params;
    bool same = true;
    for (std::size_t i = 0; i < segments.size() && same; ++i) {
      std::optional<std::string> value = DecodeSegment(segments[i]);
      if (!value) {
        same = false;
      } else if (IsParameter(entry.segments[i])) {
        same = !value->empty();
        params.push_back(*std::move(value));
      } else {
        same = *value == entry.segments[i];
      }
    }
    if (!same) continue;
    if (entry.route.method == method) {
      match.entry = &entry;
      match.params = std::move(params);
      return match;
    }
    match.allow += (match.allow.empty() ? "" : ", ") + entry.route.method;
    if (entry.route.method == "GET") match.allow += ", HEAD";
  }
  return match;
}

Keys::Keys(const std::vector<ApiKey>& keys) {
  for (const ApiKey& key : keys) keys_.emplace_back(Sha256(key.secret), key);
}

const ApiKey* Keys::Find(const Call& call) const {
  std::string presented = call.Header("x-api-key");
  if (const std::string authorization = call.Header("authorization"); !authorization.empty()) {
    constexpr std::string_view kBearer = "bearer ";
    const bool bearer = authorization.size() > kBearer.size() &&
                        std::equal(kBearer.begin(), kBearer.end(), authorization.begin(), [](char a, char b) {
                          return a == static_cast<char>(std::tolower(static_cast<unsigned char>(b)));
                        });
    if (!bearer) return nullptr;
    presented = authorization.substr(kBearer.size());
  }
  if (presented.empty()) return nullptr;
  const std::array<std::uint8_t, 32> digest = Sha256(presented);
  const ApiKey* found = nullptr;
  for (const auto& [known, key] : keys_) {
    std::uint8_t difference = 0;
    for (std::size_t i = 0; i < digest.size(); ++i)
      difference = static_cast<std::uint8_t>(difference | (digest[i] ^ known[i]));
    if (difference == 0) found = &key;
  }
  return found;
}

bool Keys::Allows(const ApiKey& key, Scope scope) {
  return std::any_of(key.scopes.begin(), key.scopes.end(),
                     [scope](Scope s) { return s == scope || s == Scope::kAdmin; });
}

}  // namespace zhitui::api
