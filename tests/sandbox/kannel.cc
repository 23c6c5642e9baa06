#include "sandbox/kannel.h"

#include <algorithm>
#include <cstdlib>

#include "sandbox/aliyun.h"
#include "sandbox/crypto.h"
#include "sandbox/text.h"

namespace sandbox {
namespace {

constexpr size_t kMaxSeen = 1'000'000;
constexpr int kDelivered = 1;
constexpr int kFailed = 2;
constexpr int kSmscAccepted = 8;

std::string Value(const Pairs& query, const char* name) {
  const std::string* found = Find(query, name);
  return found == nullptr ? std::string() : *found;
}

}  // namespace

std::string FillDlrUrl(const std::string& url, int state, const std::string& answer, int64_t seconds) {
  std::string out;
  for (size_t i = 0; i < url.size(); ++i) {
    if (url[i] != '%' || i + 1 == url.size()) {
      out += url[i];
      continue;
    }
    switch (url[++i]) {
      case 'd':
        out += std::to_string(state);
        break;
      case 'A':
        out += PercentEncode(answer);
        break;
      case 'T':
        out += std::to_string(seconds);
        break;
      case '%':
        out += '%';
        break;
      default:
        out += '%';
        out += url[i];
    }
  }
  return out;
}

Reply Kannel::Refuse(int status, const std::string& text) {
  tally_.Error(std::to_string(status));
  Reply out;
  out.status = status;
  out.body = text;
  return out;
}

void Kannel::Report(Fate fate, int mask, const std::string& url) {
  if (around_.courier == nullptr || url.empty() || fate == Fate::kSilent) return;
  // Reports go to the receiver of call-backs and nowhere else.
  const std::string& base = around_.options.callback_base;
  if (base.empty() || !url.starts_with(base + "/")) return;
  const std::string target = url.substr(base.size());
  const int64_t now = around_.Now() / 1000;
  const bool good = fate == Fate::kDelivered || fate == Fate::kReportFirst;
  const std::string id = "id:" + std::to_string(ids_.Next()) + " sub:001 dlvrd:00" + (good ? "1" : "0");
  const std::string text = id + (good                  ? " stat:DELIVRD err:000 text:"
                                 : fate == Fate::kDead ? " stat:UNDELIV err:001 text:"
                                                       : " stat:EXPIRED err:021 text:");
  const int last = good ? kDelivered : kFailed;
  if (fate == Fate::kReportFirst) {
    // What the phone says overtakes what the SMSC said.
    if ((mask & last) != 0) around_.courier->Deliver(FillDlrUrl(target, last, text, now));
    if ((mask & kSmscAccepted) != 0) around_.courier->Add(FillDlrUrl(target, kSmscAccepted, "ACK/", now));
    return;
  }
  if ((mask & kSmscAccepted) != 0) around_.courier->Add(FillDlrUrl(target, kSmscAccepted, "ACK/", now));
  if ((mask & last) != 0) around_.courier->Add(FillDlrUrl(target, last, text, now));
}

Reply Kannel::Handle(const Call& call) {
  tally_.Request();
  if (call.path != "/cgi-bin/sendsms") return Refuse(404, "Unknown request.");
  if (call.method != "GET") return Refuse(405, "GET only.");
  const auto query = ParseQuery(call.query);
  if (!query) return Refuse(400, "The query is not well-formed.");
  const KannelSim& mine = around_.options.kannel;
  if (Value(*query, "username") != mine.username || !SameSecret(Value(*query, "password"), mine.password)) {
    return Refuse(403, "Authorization failed for sendsms");
  }
  if (Find(*query, "to") == nullptr) return Refuse(400, "Missing receiver number, rejected");
  const std::string to = Value(*query, "to");
  if (to.empty()) return Refuse(400, "Empty receiver number not allowed, rejected");
  if (to.find_first_not_of("0123456789 +-") != std::string::npos) return Refuse(400, "Garbage 'to' field, rejected.");
  if (Value(*query, "from").empty()) return Refuse(400, "Sender missing and no global set, rejected");
  const auto text = DecodeUtf8(Value(*query, "text"));
  if (!text || Value(*query, "coding") != "2" || Value(*query, "charset") != "UTF-8") {
    return Refuse(400, "Charset or body misformed, rejected");
  }
  const std::string dlr_url = Value(*query, "dlr-url");
  const int mask = std::atoi(Value(*query, "dlr-mask").c_str());
  if (!dlr_url.empty() && (mask < 1 || mask > 63)) return Refuse(400, "DLR mask misformed, rejected");
  const std::string number = MainlandNumber(to).value_or(to);
  // The product's own name of the message, where its report URL tells it.
  std::string key;
  if (const size_t at = dlr_url.find("attempt="); at != std::string::npos) {
    const std::string rest = dlr_url.substr(at + 8);
    key = rest.substr(0, rest.find('&'));
  }
  Reply reply;
  int nth = 0;
  switch (around_.faults.Decide("kannel", number, key, key, &nth)) {
    case Verdict::kThrottle:
    case Verdict::kServerError:
      return Refuse(503, "Temporal failure, try again later.");
    case Verdict::kContactRefused:
      return Refuse(404, "Number(s) has/have been denied by white- and/or black-lists.");
    case Verdict::kOutOfQuota:
    case Verdict::kTokenExpired:
      return Refuse(403, "Authorization failed for sendsms");
    case Verdict::kDropBefore:
      tally_.Dropped();
      reply.abort = true;
      return reply;
    case Verdict::kAcceptSlow:
      reply.delay_ms = around_.options.slow_ms;
      break;
    case Verdict::kAcceptThenDrop:
      reply.abort = true;
      break;
    case Verdict::kAcceptMalformed:
      reply.garble = true;
      break;
    case Verdict::kAccept:
      break;
  }
  Entry entry;
  entry.at_ms = around_.Now();
  entry.provider = "kannel";
  entry.message_id = entry.attempt_id = entry.key = key;
  entry.provider_id = std::to_string(ids_.Next());
  entry.recipient_sha256 = ContactHash(number);
  entry.fate = around_.faults.FateOf(number);
  entry.content = {
      {"from", Value(*query, "from")}, {"text", Value(*query, "text")}, {"segments", SmsSegments(Utf16Length(*text))}};
  {
    const std::lock_guard lock(mutex_);
    if (seen_.size() >= kMaxSeen) seen_.clear();
    const auto [at, fresh] = seen_.try_emplace(entry.recipient_sha256 + "|" + key, entry.provider_id);
    if (!fresh && !key.empty()) entry.duplicate_of = at->second;
    if (!around_.journal.Append(entry)) return Refuse(503, "Temporal failure, try again later.");
  }
  tally_.Accepted();
  if (reply.abort) tally_.Dropped();
  Report(entry.fate, mask, dlr_url);
  reply.status = reply.garble ? 200 : 202;
  reply.body = "0: Accepted for delivery";
  return reply;
}

bool Kannel::PushReply(const std::string& contact, const std::string& text) {
  const auto number = MainlandNumber(contact);
  const auto units = DecodeUtf8(text);
  if (!number || !units || around_.replies == nullptr) return false;
  // What is not plain Latin comes in UCS-2, and smsbox hands it on as it is.
  const bool plain = std::all_of(units->begin(), units->end(), [](char32_t c) { return c < 0x80; });
  std::string bytes = text;
  if (!plain) {
    bytes.clear();
    const auto put = [&](char32_t unit) {
      bytes += static_cast<char>(static_cast<unsigned char>(unit >> 8));
      bytes += static_cast<char>(static_cast<unsigned char>(unit & 0xFF));
    };
    for (const char32_t c : *units) {
      if (c < 0x10000) {
        put(c);
      } else {
        put(0xD800 + ((c - 0x10000) >> 10));
        put(0xDC00 + ((c - 0x10000) & 0x3FF));
      }
    }
  }
  const KannelSim& mine = around_.options.kannel;
  std::string target = mine.reply_path + "?";
  if (!mine.callback_key.empty()) target += "key=" + PercentEncode(mine.callback_key) + "&";
  around_.replies->Add(target + "from=%2B86" + *number + "&to=" + PercentEncode(mine.port) +
                       "&text=" + PercentEncode(bytes) + "&charset=" + (plain ? "UTF-8" : "UTF-16BE") +
                       "&time=" + std::to_string(around_.Now() / 1000) + "&id=" + RandomUuid());
  return true;
}

void Kannel::Restore(const Entry& entry) {
  ids_.Skip(entry.provider_id);
  around_.faults.Restore("kannel", entry.recipient_sha256, entry.key);
  const std::lock_guard lock(mutex_);
  seen_.try_emplace(entry.recipient_sha256 + "|" + entry.key, entry.provider_id);
}

void Kannel::Reset() {
  const std::lock_guard lock(mutex_);
  seen_.clear();
  tally_.Reset();
}

Courier::Config KannelCourier(const Options& options) {
  Courier::Config config;
  config.base = options.callback_base;
  config.mode = options.receipts;
  config.delay_ms = options.receipt_delay_ms;
  config.retry_ms = {options.receipt_retry_ms, 5 * options.receipt_retry_ms, 10 * options.receipt_retry_ms};
  config.render = [](const std::vector<std::string>& items) { return Courier::Post{items.front(), "", "", true}; };
  config.acknowledged = [](int status, const std::string&) { return status == 200 || status == 202; };
  return config;
}

Courier::Config KannelReplyCourier(const Options& options) { return KannelCourier(options); }

}  // namespace sandbox
