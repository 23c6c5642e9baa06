#include "sms/kannel_wire.h"

#include <charconv>

#include "sms/kannel_codes.h"
#include "sms/mainland.h"

namespace zhitui::sms {
namespace {

using delivery::PercentEncode;
using delivery::Verdict;

constexpr std::size_t kMaxId = 256;
// Delivered, failed, refused by the SMSC. The states between say nothing that the ledger keeps.
constexpr char kDlrMask[] = "19";

// The only value of a parameter; empty: none, or several.
std::string One(const std::multimap<std::string, std::string>& query, const char* name) {
  const auto found = query.find(name);
  return query.count(name) == 1 ? found->second : std::string();
}

// Encoded for a URL in which smsbox replaces %x: a percent sign is written twice.
std::string Literal(std::string_view text) {
  std::string out;
  for (const char c : PercentEncode(text)) out.append(c == '%' ? 2 : 1, c);
  return out;
}

std::string Field(std::string_view text, std::string_view key) {
  const std::size_t at = text.find(key);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = text.substr(at + key.size());
  std::string value(rest.substr(0, rest.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")));
  constexpr std::size_t kMaxField = 10;
  return value.size() <= kMaxField ? value : std::string();
}

void AppendUtf8(char32_t c, std::string& out) {
  const auto put = [&](char32_t byte) { out.push_back(static_cast<char>(static_cast<unsigned char>(byte))); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | c >> 6), put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12), put(0x80 | (c >> 6 & 0x3F)), put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | c >> 18), put(0x80 | (c >> 12 & 0x3F)), put(0x80 | (c >> 6 & 0x3F)), put(0x80 | (c & 0x3F));
  }
}

}  // namespace

std::string DlrUrl(const KannelOptions& options, const std::string& attempt_id) {
  const auto key = options.callback_key.Get();
  std::string url = options.callback_url + "?";
  if (!key->text.empty()) url += "key=" + Literal(key->text) + "&";
  return url + "attempt=" + Literal(attempt_id) + "&type=%d&answer=%A&time=%T";
}

delivery::HttpCall SendsmsCall(const KannelOptions& options, const std::string& number,
                               const delivery::SendRequest& request) {
  delivery::HttpCall call;
  call.method = "GET";
  call.target = options.path;
  const auto add = [&](const char* name, std::string_view value) {
    call.target += (call.target.size() == options.path.size() ? "?" : "&") + std::string(name) + "=";
    call.target += PercentEncode(value);
  };
  add("username", options.username);
  add("password", options.password.Get()->text);
  add("from", options.from);
  add("to", options.number_prefix + number);
  add("text", request.content.body);
  add("coding", "2");
  add("charset", "UTF-8");
  if (!options.smsc.empty()) add("smsc", options.smsc);
  if (!options.callback_url.empty()) {
    add("dlr-mask", kDlrMask);
    add("dlr-url", DlrUrl(options, request.attempt_id));
  }
  return call;
}

delivery::SendResult ParseSendsmsAnswer(const delivery::HttpAnswer& answer) {
  delivery::SendResult result;
  result.verdict = KannelVerdictFor(answer.status, answer.body);
  result.code = "http " + std::to_string(answer.status);
  if (result.verdict == Verdict::kAccepted) {
    const bool told = answer.body.size() > 1 && answer.body[0] >= '0' && answer.body[0] <= '9' && answer.body[1] == ':';
    if (told) result.code = answer.body.substr(0, 1);
  }
  return result;
}

std::string DlrCode(std::string_view type, std::string_view text) {
  const std::string stat = Field(text, "stat:");
  const std::string err = Field(text, "err:");
  if (stat.empty()) return "dlr " + std::string(type);
  return err.empty() ? stat : stat + "/" + err;
}

std::optional<std::string> ReplyUtf8(std::string_view bytes, std::string_view charset) {
  std::string out;
  if (charset != "UTF-16BE") {
    out = bytes;
  } else {
    if (bytes.size() % 2 != 0) return std::nullopt;
    const auto unit = [&](std::size_t i) {
      return static_cast<char32_t>(static_cast<unsigned char>(bytes[i]) << 8 |
                                   static_cast<unsigned char>(bytes[i + 1]));
    };
    for (std::size_t i = 0; i < bytes.size(); i += 2) {
      char32_t c = unit(i);
      if (c >= 0xD800 && c < 0xDC00 && i + 2 < bytes.size()) {
        const char32_t low = unit(i + 2);
        if (low < 0xDC00 || low > 0xDFFF) return std::nullopt;
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
        i += 2;
      }
      AppendUtf8(c, out);
    }
  }
  if (!IsValidUtf8(out)) return std::nullopt;
  return out;
}

std::optional<KannelPush> ParseKannelPush(const std::multimap<std::string, std::string>& query,
                                          const std::set<std::string>& dead_codes) {
  KannelPush push;
  std::int64_t seconds = 0;
  const std::string time = One(query, "time");
  std::from_chars(time.data(), time.data() + time.size(), seconds);
  constexpr std::int64_t kYear9999 = 253'402'300'799;
  if (seconds < 0 || seconds > kYear9999) seconds = 0;
  const Instant at{std::chrono::seconds(seconds)};
  if (query.contains("attempt")) {
    const std::string attempt = One(query, "attempt");
    const std::string type = One(query, "type");
    if (attempt.empty() || attempt.size() > kMaxId || type.empty() ||
        type.find_first_not_of("0123456789") != std::string::npos || type.size() > 2) {
      return std::nullopt;
    }
    const auto state = KannelStateOf(type);
    if (!state) return push;
    delivery::Receipt receipt;
    receipt.attempt_id = attempt;
    receipt.state = *state;
    receipt.code = DlrCode(type, One(query, "answer"));
    receipt.at = at;
    receipt.contact_dead = receipt.state == delivery::ReceiptState::kUndelivered && dead_codes.contains(receipt.code);
    push.receipt = std::move(receipt);
    return push;
  }
  const std::string from = One(query, "from");
  if (from.empty() || !query.contains("text")) return std::nullopt;
  auto text = ReplyUtf8(One(query, "text"), One(query, "charset"));
  if (!text) return std::nullopt;
  delivery::Signal signal;
  signal.kind = delivery::SignalKind::kReply;
  signal.contact = MainlandNumber(from).value_or(std::string());
  signal.provider_id = One(query, "id");
  signal.answered = One(query, "to");
  signal.text = ReplyText(*std::move(text));
  signal.at = at;
  if (signal.provider_id.size() > kMaxId || signal.answered.size() > kMaxId) return std::nullopt;
  // From abroad nobody has been written to.
  if (!signal.contact.empty()) push.signal = std::move(signal);
  return push;
}

}  // namespace zhitui::sms
