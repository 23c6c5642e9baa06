#include "sandbox/gorush.h"

#include "sandbox/crypto.h"

namespace sandbox {
namespace {

using nlohmann::json;

constexpr size_t kMaxNotifications = 100;
constexpr const char* kPlatforms[] = {"", "ios", "android", "huawei"};

std::string Text(const json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

// What the push service behind says of a token that is no more.
std::string DeadToken(int platform) {
  switch (platform) {
    case 1:
      return "Unregistered";
    case 2:
      return "Requested entity was not found.";
    default:
      return "80300007";
  }
}

}  // namespace

Courier::Config GorushCourier(const Options& options) {
  Courier::Config config;
  config.base = options.callback_base;
  config.mode = options.receipts;
  config.delay_ms = options.receipt_delay_ms;
  config.retry_ms = {};  // gorush posts once
  config.batch = 1;
  config.render = [path = options.gorush.callback_path,
                   key = options.gorush.callback_key](const std::vector<std::string>& items) {
    return Courier::Post{key.empty() ? path : path + "?key=" + PercentEncode(key), items.front(),
                         "application/json; charset=utf-8"};
  };
  config.acknowledged = [](int status, const std::string&) { return status == 200; };
  return config;
}

Reply Gorush::Error(int status, const std::string& message) {
  tally_.Error(std::to_string(status));
  Reply out;
  out.status = status;
  out.body = json({{"code", status}, {"message", message}}).dump();
  return out;
}

Reply Gorush::Handle(const Call& call) {
  tally_.Request();
  if (call.path != "/api/push") return Error(404, "404 page not found");
  if (call.method != "POST") return Error(405, "POST only");
  const json body = json::parse(call.body, nullptr, false);
  const auto list = body.is_object() ? body.find("notifications") : body.end();
  if (!body.is_object() || list == body.end() || !list->is_array()) return Error(400, "Missing notifications field.");
  if (list->empty()) return Error(400, "Notifications field is empty.");
  if (list->size() > kMaxNotifications) {
    return Error(400, "Number of notifications(" + std::to_string(list->size()) + ") over limit(100)");
  }
  json logs = json::array();
  int counts = 0;
  Reply reply;
  for (const json& one : *list) {
    const auto tokens = one.is_object() ? one.find("tokens") : one.end();
    const auto platform = one.is_object() ? one.find("platform") : one.end();
    if (!one.is_object() || tokens == one.end() || !tokens->is_array() || platform == one.end() ||
        !platform->is_number_integer() || (one.contains("data") && !one["data"].is_object())) {
      return Error(400, "Missing notifications field.");
    }
    const int number = platform->get<int>();
    // Platforms that are not enabled are left out without a word.
    if (number < 1 || number > 3 || !around_.options.gorush.platforms.contains(number)) continue;
    for (const json& token : *tokens) {
      if (!token.is_string()) return Error(400, "Missing notifications field.");
      const std::string to = token.get<std::string>();
      const std::string attempt = Text(one, "notif_id");
      ++counts;
      int nth = 0;
      const Verdict verdict = around_.faults.Decide(name(), to, attempt, attempt, &nth);
      std::string error;
      switch (verdict) {
        case Verdict::kDropBefore:
          tally_.Dropped();
          reply.abort = true;
          return reply;
        case Verdict::kThrottle:
          error = "max capacity reached";
          break;
        case Verdict::kContactRefused:
          error = DeadToken(number);
          break;
        case Verdict::kServerError:
          error = "InternalServerError";
          break;
        case Verdict::kOutOfQuota:
          error = "please enable iOS, Android or Huawei config in yml config";
          break;
        case Verdict::kTokenExpired:
          error = "ExpiredProviderToken";
          break;
        default:
          break;
      }
      const Fate fate = around_.faults.FateOf(to);
      const auto log = [&](const std::string& text) {
        return json({{"notif_id", attempt},
                     {"type", "failed-push"},
                     {"platform", kPlatforms[number]},
                     {"token", to},
                     {"message", Text(one, "message")},
                     {"error", text}});
      };
      if (!error.empty()) {
        tally_.Error(error);
        // Without core.sync gorush has answered before it knows, unless its queue is full.
        if (around_.options.gorush.sync || verdict == Verdict::kThrottle) logs.push_back(log(error));
        if (verdict != Verdict::kThrottle && around_.courier != nullptr) around_.courier->Add(log(error).dump());
        continue;
      }
      Entry entry;
      entry.at_ms = around_.Now();
      entry.provider = name();
      entry.message_id = one.contains("data") ? Text(one["data"], "notification_id") : std::string();
      entry.attempt_id = attempt;
      entry.key = attempt;
      entry.provider_id = std::to_string(ids_.Next());
      entry.recipient_sha256 = ContactHash(to);
      entry.fate = fate;
      entry.content = one;
      if (!around_.journal.Append(entry)) return Error(500, "the log cannot be written");
      tally_.Accepted();
      // What a later try of gorush's finds out goes to the hook only.
      if ((fate == Fate::kDead || fate == Fate::kFailed) && around_.courier != nullptr) {
        around_.courier->Add(log(fate == Fate::kDead ? DeadToken(number) : "TopicDisallowed").dump());
      }
      if (verdict == Verdict::kAcceptThenDrop) {
        tally_.Dropped();
        reply.abort = true;
      }
      if (verdict == Verdict::kAcceptSlow) reply.delay_ms = around_.options.slow_ms;
      if (verdict == Verdict::kAcceptMalformed) reply.garble = true;
    }
  }
  reply.body = json({{"success", "ok"}, {"counts", counts}, {"logs", logs}}).dump();
  return reply;
}

void Gorush::Restore(const Entry& entry) {
  ids_.Skip(entry.provider_id);
  around_.faults.Restore(name(), entry.recipient_sha256, entry.attempt_id);
}

}  // namespace sandbox
