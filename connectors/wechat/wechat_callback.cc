#include "wechat/wechat_callback.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "wechat/wechat_aes.h"

namespace zhitui::wechat {
namespace {

constexpr std::size_t kMaxBody = 64 << 10;
constexpr std::size_t kMaxEcho = 512;
constexpr std::size_t kMaxParameter = 128;

delivery::CallbackReply Reply(int status, std::string body) {
  delivery::CallbackReply reply;
  reply.status = status;
  reply.body = std::move(body);
  return reply;
}

delivery::CallbackReply Forged() { return Reply(401, "wrong signature"); }

// The one value of a query parameter; empty when it is missing, repeated or too long.
std::string One(const delivery::CallbackRequest& request, const std::string& name, std::size_t max = kMaxParameter) {
  if (request.query.count(name) != 1) return {};
  const std::string& value = request.query.find(name)->second;
  return value.size() > max ? std::string() : value;
}

bool Fresh(const std::string& timestamp, std::chrono::seconds max_age, Instant now) {
  if (max_age.count() == 0) return true;
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(timestamp.data(), timestamp.data() + timestamp.size(), seconds);
  if (error != std::errc() || end != timestamp.data() + timestamp.size() || timestamp.size() > 11) return false;
  return std::chrono::abs(now - Instant(std::chrono::seconds(seconds))) <= max_age;
}

delivery::CallbackReply Answer(std::optional<Heard> heard, std::string good) {
  if (!heard) return Reply(400, "not an event of the documented form");
  delivery::CallbackReply reply = Reply(200, std::move(good));
  reply.receipts = std::move(heard->receipts);
  reply.signals = std::move(heard->signals);
  return reply;
}

}  // namespace

CallbackCheck CheckOf(const CallbackOptions& options, const std::string& receiver) {
  return {options.token.Get()->text, options.aes_key.Get()->text, receiver, options.max_age, false};
}

delivery::CallbackReply AnswerCallback(const CallbackCheck& check, const delivery::CallbackRequest& request,
                                       const TemplateNames& names, Instant now) {
  if (request.method != "GET" && request.method != "POST") return Reply(405, "GET or POST only");
  const std::string timestamp = One(request, "timestamp");
  const std::string nonce = One(request, "nonce");
  if (check.token.empty() || timestamp.empty() || nonce.empty() || !Fresh(timestamp, check.max_age, now)) {
    return Forged();
  }
  const auto genuine = [&] {
    const std::string signature = One(request, "signature");
    return !signature.empty() &&
           delivery::ConstantTimeEqual(signature, CallbackSignature(check.token, timestamp, nonce));
  };
  const auto decrypt = [&](const std::string& encrypted) -> std::optional<std::string> {
    const std::string signature = One(request, "msg_signature");
    if (encrypted.empty() || signature.empty() ||
        !delivery::ConstantTimeEqual(signature, MessageSignature(check.token, timestamp, nonce, encrypted))) {
      return std::nullopt;
    }
    return DecryptMessage(check.aes_key, check.receiver, encrypted);
  };

  if (request.method == "GET") {
    const std::string echo = One(request, "echostr", kMaxEcho);
    if (check.always_encrypted) {
      const auto plain = decrypt(echo);
      return plain ? Reply(200, *plain) : Forged();
    }
    if (!genuine()) return Forged();
    return echo.empty() ? Reply(400, "echostr is missing") : Reply(200, echo);
  }

  const bool encrypted_mode = check.always_encrypted || !check.aes_key.empty();
  if (!encrypted_mode && !genuine()) return Forged();
  if (request.body.size() > kMaxBody) return Reply(413, "too large");
  const std::optional<BodyNode> outer = ParseCallbackBody(request.body);
  if (encrypted_mode) {
    // The plain text that compatible mode sends along is not covered by the signature and is not read.
    const auto plain = outer ? decrypt(outer->Text("Encrypt")) : std::nullopt;
    const auto inner = plain ? ParseCallbackBody(*plain) : std::nullopt;
    std::optional<Heard> heard = inner ? ReadEvent(*inner, names) : std::nullopt;
    // An empty answer needs no encryption.
    return heard ? Answer(std::move(heard), {}) : Forged();
  }
  if (!outer) return Reply(400, "not the XML or JSON of a call-back");
  if (outer->Find("MsgType") == nullptr && outer->Find("Encrypt") != nullptr) {
    return Reply(400, "encrypted only: set encoding_aes_key, or the account's message mode to plain");
  }
  return Answer(ReadEvent(*outer, names), "success");
}

}  // namespace zhitui::wechat
