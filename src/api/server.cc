#include <httplib.h>
#include <sys/random.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <thread>

#include "api/api.h"
#include "api/call.h"
#include "api/connection.h"
#include "api/handlers.h"

namespace zhitui::api {
namespace {

constexpr std::size_t kAdminThreads = 4;
constexpr std::size_t kMaxRequestId = 64;
constexpr std::size_t kReadOnFactor = 4;  // of a body over its limit
constexpr const char* kRequestIdHeader = "X-Request-Id";

// The request's own id when it is a plain word, else a random one.
std::string RequestId(const httplib::Request& request) {
  std::string id = request.get_header_value(kRequestIdHeader);
  const auto plain = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.'; };
  if (!id.empty() && id.size() <= kMaxRequestId && std::all_of(id.begin(), id.end(), plain)) return id;
  std::array<char, 8> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) < 0) return "none";
  return HexLower(std::string_view(bytes.data(), bytes.size()));
}

std::multimap<std::string, std::string> LowerHeaders(const httplib::Request& request) {
  std::multimap<std::string, std::string> out;
  for (const auto& [name, value] : request.headers) {
    std::string lower = name;
    std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
    out.emplace(std::move(lower), value);
  }
  return out;
}

// The library reads a body of any other encoding as if it had none.
bool IsKnownEncoding(const std::string& encoding) {
  return encoding.empty() || encoding == "identity" || encoding == "gzip" || encoding == "deflate" || encoding == "br";
}

Reply Plain(int status, std::string body, std::string type = "text/plain; charset=utf-8") {
  Reply reply;
  reply.status = status;
  reply.content_type = std::move(type);
  reply.body = std::move(body);
  return reply;
}

}  // namespace

struct Server::Impl {
  // One port: a server, its routes and its thread.
  struct Port {
    Port(const ConnectionLimits& limits, bool admin_port) : http(limits), admin(admin_port) {}
    LimitedServer http;
    Router router;
    std::thread thread;
    std::atomic<bool> ended{false};
    const bool admin;
    int number = 0;
  };

  Impl(Options o, Deps d)
      : options(std::move(o)),
        deps(std::move(d)),
        keys(options.keys),
        open(Limits(true), false),
        admin(Limits(false), true) {
    if (deps.logger == nullptr) deps.logger = &NullLogger();
    if (deps.metrics == nullptr) deps.metrics = &NullMetrics();
    if (!deps.ready) deps.ready = [p = deps.pipeline] { return p->Ready(); };
    if (!deps.live) deps.live = [] { return true; };
    if (!deps.metrics_text) deps.metrics_text = [] { return std::string(); };
    for (const Route& route : Routes()) (route.admin ? admin : open).router.Add(route, HandlerOf(route));
    Register(open);
    Register(admin);
  }

  ConnectionLimits Limits(bool open_port) const {
    ConnectionLimits limits;
    limits.threads = open_port ? options.threads : kAdminThreads;
    limits.header_bytes = options.max_header_bytes;
    limits.body_bytes = std::max<std::size_t>(options.max_body_bytes * 4, 8 << 20);
    limits.idle = options.keep_alive;
    limits.request = options.request_timeout;
    return limits;
  }

  Router::Handler HandlerOf(const Route& route) {
    if (route.path == "/v1/events") return [this](const Call& c) { return PostEvents(options, deps, c); };
    if (route.path == "/v1/evaluate") return [this](const Call& c) { return PostEvaluate(options, deps, c); };
    if (route.path == "/v1/receipts/{connector}") return [this](const Call& c) { return Receipts(options, deps, c); };
    if (route.path == "/livez") {
      return [this](const Call&) { return deps.live() ? Plain(200, "ok\n") : Plain(503, "not live\n"); };
    }
    if (route.path == "/readyz") {
      return [this](const Call&) { return deps.ready() ? Plain(200, "ok\n") : Plain(503, "not ready\n"); };
    }
    if (route.path == "/metrics") {
      return
          [this](const Call&) { return Plain(200, deps.metrics_text(), "text/plain; version=0.0.4; charset=utf-8"); };
    }
    if (route.path == "/version") {
      return [this](const Call&) {
        return Plain(200,
                     R"({"version":)" + JsonQuote(options.version) + R"(,"ruleset":)" +
                         JsonQuote(deps.pipeline->ruleset()->hash()) + "}",
                     "application/json");
      };
    }
    return [this](const Call& c) { return GetRecommendations(options, deps, c); };
  }

  void Register(Port& port) {
    port.http.set_payload_max_length(options.max_body_bytes);
    port.http.set_pre_routing_handler([this, &port](const httplib::Request& request, httplib::Response& response) {
      return Framing(port, request, response);
    });
    const auto with_body = [this, &port](const httplib::Request& request, httplib::Response& response,
                                         const httplib::ContentReader& reader) {
      WithBody(port, request, response, reader);
    };
    port.http.Post(".*", with_body);
    // What the library answers itself: a broken request line, a URI that is too long.
    port.http.set_error_handler([](const httplib::Request&, httplib::Response& response) {
      if (response.body.empty())
        Write(Problem(response.status, "bad-request", "the request is not acceptable HTTP"), response);
    });
    port.http.set_exception_handler(
        [this](const httplib::Request& request, httplib::Response& response, const std::exception_ptr&) {
          deps.logger->Error("http_exception", {{"request_id", RequestId(request)}});
          Write(Problem(500, "internal", "the service failed"), response);
        });
  }

  static void Write(const Reply& reply, httplib::Response& response) {
    response.status = reply.status;
    response.set_header("Cache-Control", "no-store");
    response.set_header("X-Content-Type-Options", "nosniff");
    for (const auto& [name, value] : reply.headers) response.set_header(name, value);
    response.set_content(reply.body, reply.content_type);
  }

  // Answers what needs no body, or whose body cannot be read safely; the connection then ends when a body was sent.
  httplib::Server::HandlerResponse Framing(Port& port, const httplib::Request& request, httplib::Response& response) {
    const bool chunked = request.has_header("Transfer-Encoding");
    const bool sized = request.has_header("Content-Length");
    if (chunked && sized) {
      Refuse(port, request, response,
             Problem(400, "bad-framing", "Content-Length and Transfer-Encoding exclude each other"));
    } else if (request.method != "POST" || (!chunked && !sized)) {
      Answer(port, request, response, "");
    } else if (!IsKnownEncoding(request.get_header_value("Content-Encoding"))) {
      Refuse(port, request, response, Problem(415, "unsupported-encoding", "send gzip, deflate, br or no encoding"));
    } else if (request.is_multipart_form_data()) {
      Refuse(port, request, response, Problem(415, "unsupported-media-type", "multipart bodies are not taken here"));
    } else {
      return httplib::Server::HandlerResponse::Unhandled;
    }
    return httplib::Server::HandlerResponse::Handled;
  }

  void WithBody(Port& port, const httplib::Request& request, httplib::Response& response,
                const httplib::ContentReader& reader) {
    std::string body;
    std::size_t total = 0;  // after decompression
    bool over = false;
    const bool whole = reader([&](const char* data, std::size_t n) {
      total += n;
      over = total > options.max_body_bytes;
      if (!over) body.append(data, n);
      // A little too much is read to its end, so that the connection stays usable.
      return total <= options.max_body_bytes * kReadOnFactor;
    });
    if (over || response.status == 413) {
      Refuse(port, request, response,
             Problem(413, "too-large", "a body holds at most " + std::to_string(options.max_body_bytes) + " bytes"));
    } else if (!whole) {
      Refuse(port, request, response, Problem(400, "bad-framing", "the body did not arrive whole"));
    } else {
      Answer(port, request, response, std::move(body));
    }
  }

  void Refuse(Port& port, const httplib::Request& request, httplib::Response& response, const Reply& reply) {
    const Router::Match match = port.router.Find(request.method, request.target);
    Finish(request, response, reply, match.entry, RequestId(request), "", std::chrono::steady_clock::now());
  }

  void Answer(Port& port, const httplib::Request& request, httplib::Response& response, std::string body) {
    const auto started = std::chrono::steady_clock::now();
    Router::Match match = port.router.Find(request.method, request.target);
    Call call;
    call.method = request.method;
    call.request_id = RequestId(request);
    std::string client;
    const Reply reply = [&] {
      if (match.entry == nullptr && match.allow.empty()) return Problem(404, "unknown-path", "there is nothing here");
      if (match.entry == nullptr) {
        Reply wrong = Problem(405, "wrong-method", "use one of: " + match.allow);
        wrong.headers.emplace_back("Allow", match.allow);
        return wrong;
      }
      call.params = std::move(match.params);
      call.headers = LowerHeaders(request);
      for (const auto& [name, value] : request.params) call.query.emplace(name, value);
      call.body = std::move(body);
      if (const std::optional<Scope> scope = match.entry->route.scope) {
        const ApiKey* key = keys.Find(call);
        if (key == nullptr) {
          Reply unknown = Problem(401, "no-key", "send a known key as Authorization: Bearer <key> or X-API-Key");
          unknown.headers.emplace_back("WWW-Authenticate", "Bearer");
          return unknown;
        }
        client = key->name;
        if (!Keys::Allows(*key, *scope)) {
          return Problem(403, "no-scope", std::string("this key lacks the scope ") + ScopeName(*scope));
        }
      }
      return match.entry->handler(call);
    }();
    Finish(request, response, reply, match.entry, call.request_id, client, started);
  }

  void Finish(const httplib::Request& request, httplib::Response& response, const Reply& reply,
              const Router::Entry* entry, const std::string& request_id, const std::string& client,
              std::chrono::steady_clock::time_point started) {
    Write(reply, response);
    response.set_header(kRequestIdHeader, request_id);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
    const std::string route = entry == nullptr ? "unmatched" : entry->route.path;
    const std::string method = entry == nullptr ? "other" : entry->route.method;
    const std::string status = std::to_string(reply.status);
    deps.metrics
        ->GetCounter("zhitui_http_requests_total", "HTTP requests answered",
                     {{"route", route}, {"method", method}, {"status", status}})
        .Add();
    deps.metrics->GetHistogram("zhitui_http_request_seconds", "Time to answer a request", {{"route", route}})
        .Observe(took.count());
    const bool probe = entry != nullptr && entry->route.admin;
    deps.logger->Log(probe ? LogLevel::kDebug : LogLevel::kInfo, "http_request",
                     {{"route", route},
                      {"method", method},
                      {"status", reply.status},
                      {"client", client},
                      {"request_id", request_id},
                      {"request_bytes", request.get_header_value<std::uint64_t>("Content-Length")},
                      {"response_bytes", reply.body.size()},
                      {"duration_ms", took.count() * 1000.0}});
  }

  Status Listen(Port& port, int number, const char* key) {
    port.number = port.http.Bind(options.host, number);
    if (port.number == 0) {
      return Unavailable("cannot listen on " + options.host + ":" + std::to_string(number) +
                         "; stop what listens there or set " + key + " to another port");
    }
    port.thread = std::thread([&port] {
      port.http.listen_after_bind();
      port.ended = true;
    });
    while (!port.http.is_running() && !port.ended) std::this_thread::yield();
    return {};
  }

  void Stop() {
    for (Port* port : {&open, &admin}) {
      if (!port->thread.joinable()) continue;
      port->http.stop();
      port->thread.join();
    }
  }

  Options options;
  Deps deps;
  Keys keys;
  Port open;
  Port admin;
};

Server::Server(Options options, Deps deps) : impl_(std::make_unique<Impl>(std::move(options), std::move(deps))) {}
Server::~Server() { Stop(); }

Result<int> Server::Start() {
  if (Status s = impl_->Listen(impl_->open, impl_->options.port, "api.port"); !s) return std::unexpected(s.error());
  if (Status s = impl_->Listen(impl_->admin, impl_->options.admin_port, "api.admin_port"); !s) {
    impl_->Stop();
    return std::unexpected(s.error());
  }
  return impl_->open.number;
}

int Server::admin_port() const { return impl_->admin.number; }

void Server::Stop() { impl_->Stop(); }

std::vector<Route> Server::Routes() {
  return {{"POST", "/v1/events", false, Scope::kEventsWrite},
          {"GET", "/v1/subjects/{kind}/{id}/recommendations", false, Scope::kRecommendationsRead},
          {"POST", "/v1/evaluate", false, Scope::kEvaluate},
          {"GET", "/v1/receipts/{connector}", false, std::nullopt},
          {"POST", "/v1/receipts/{connector}", false, std::nullopt},
          {"GET", "/livez", true, std::nullopt},
          {"GET", "/readyz", true, std::nullopt},
          {"GET", "/metrics", true, std::nullopt},
          {"GET", "/version", true, std::nullopt}};
}

}  // namespace zhitui::api
