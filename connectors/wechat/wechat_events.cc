#include "wechat/wechat_events.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "base/base.h"
#include "wechat/wechat_codes.h"

namespace zhitui::wechat {
namespace {

using delivery::Receipt;
using delivery::ReceiptState;
using delivery::Signal;
using delivery::SignalKind;

constexpr std::size_t kMaxCode = 64;
constexpr std::size_t kMaxContact = 128;
constexpr std::size_t kMaxId = 20;  // digits of 64 bits

bool Decimal(std::string_view text, std::size_t max) {
  return !text.empty() && text.size() <= max &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string_view Trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

Instant TimeOf(const BodyNode& message) {
  const std::string created = message.Text("CreateTime");
  std::int64_t seconds = 0;
  if (Decimal(created, 11)) std::from_chars(created.data(), created.data() + created.size(), seconds);
  return Instant(std::chrono::seconds(seconds));
}

// MsgID in receipts, MsgId in messages; either is taken in both.
std::string IdOf(const BodyNode& node) {
  std::string id = node.Text("MsgID");
  return id.empty() ? node.Text("MsgId") : id;
}

// An event has no id of its own; WeChat says to tell repeats by sender and time.
std::string EventId(const BodyNode& message, std::string_view about) {
  std::string text = message.Text("FromUserName") + '\n' + message.Text("CreateTime") + '\n' + message.Text("Event");
  text += '\n';
  text += about;
  return Sha256Hex(text).substr(0, 32);
}

std::string Cut(std::string text, std::size_t max) {
  if (text.size() <= max) return text;
  while (max > 0 && (static_cast<unsigned char>(text[max]) & 0xC0U) == 0x80) --max;
  text.resize(max);
  return text;
}

std::optional<Receipt> TemplateReceipt(const BodyNode& message) {
  Receipt receipt;
  receipt.provider_id = IdOf(message);
  receipt.at = TimeOf(message);
  if (!Decimal(receipt.provider_id, kMaxId)) return std::nullopt;
  const std::string status = message.Text("Status");
  if (status == "success") {
    receipt.state = ReceiptState::kDelivered;
    receipt.code = status;
  } else if (status.starts_with("failed")) {
    // "failed:user block", "failed: system failed"
    const std::size_t colon = status.find(':');
    receipt.state = ReceiptState::kUndelivered;
    receipt.code = colon == std::string::npos ? status : std::string(Trim(std::string_view(status).substr(colon + 1)));
    receipt.code = Cut(std::move(receipt.code), kMaxCode);
  } else {
    return std::nullopt;
  }
  return receipt;
}

std::optional<Receipt> SentReceipt(const BodyNode& item, Instant at) {
  Receipt receipt;
  receipt.provider_id = IdOf(item);
  receipt.at = at;
  const std::string code = item.Text("ErrorCode");
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(code.data(), code.data() + code.size(), number);
  if (!Decimal(receipt.provider_id, kMaxId) || code.empty() || error != std::errc() ||
      end != code.data() + code.size()) {
    return std::nullopt;
  }
  receipt.state = number == 0 ? ReceiptState::kDelivered : ReceiptState::kUndelivered;
  receipt.code = number == 0 ? "success" : code;
  receipt.contact_dead = IsGone(number);
  return receipt;
}

// The entries of the three subscription events: List within the event's element, within the element of another event
// (the published sample of the change event), or at the root (JSON).
std::vector<const BodyNode*> Entries(const BodyNode& message) {
  std::vector<const BodyNode*> entries;
  const auto lists = [&](const BodyNode& in) {
    for (const BodyNode& child : in.children) {
      if (child.name == "List") entries.push_back(&child);
    }
  };
  lists(message);
  for (const char* wrapper : {"SubscribeMsgPopupEvent", "SubscribeMsgChangeEvent", "SubscribeMsgSentEvent"}) {
    if (const BodyNode* const inner = message.Find(wrapper)) lists(*inner);
  }
  return entries;
}

}  // namespace

std::optional<Heard> ReadEvent(const BodyNode& message, const TemplateNames& names) {
  Heard heard;
  const std::string type = message.Text("MsgType");
  const std::string event = message.Text("Event");
  const std::string from = message.Text("FromUserName");
  const Instant at = TimeOf(message);
  const auto signal = [&](SignalKind kind, std::string id, std::string text) -> Signal& {
    Signal& s = heard.signals.emplace_back();
    s.kind = kind;
    s.contact = from;
    s.provider_id = std::move(id);
    s.text = std::move(text);
    s.at = at;
    return s;
  };
  const bool known = !from.empty() && from.size() <= kMaxContact;

  if (type == "text") {
    const std::string id = IdOf(message);
    if (!known || !Decimal(id, kMaxId)) return std::nullopt;
    signal(SignalKind::kReply, id, Cut(message.Text("Content"), delivery::kMaxReplyBytes)).answered =
        Cut(message.Text("ToUserName"), kMaxContact);
    return heard;
  }
  if (type != "event") return heard;

  if (event == "TEMPLATESENDJOBFINISH") {
    std::optional<Receipt> receipt = TemplateReceipt(message);
    if (!receipt) return std::nullopt;
    heard.receipts.push_back(*std::move(receipt));
  } else if (event == "subscribe_msg_sent_event") {
    for (const BodyNode* const entry : Entries(message)) {
      std::optional<Receipt> receipt = SentReceipt(*entry, at);
      if (!receipt) return std::nullopt;
      heard.receipts.push_back(*std::move(receipt));
    }
  } else if (event == "subscribe_msg_popup_event" || event == "subscribe_msg_change_event") {
    if (!known) return std::nullopt;
    for (const BodyNode* const entry : Entries(message)) {
      const std::string id = entry->Text("TemplateId");
      const std::string wish = entry->Text("SubscribeStatusString");
      if (id.empty() || wish.empty()) return std::nullopt;
      std::string name = names(id);
      if (name.empty()) continue;
      if (wish == "reject") {
        signal(SignalKind::kRefusal, EventId(message, id), std::move(name));
      } else if (wish == "accept" && event == "subscribe_msg_popup_event") {
        // Switching a template on again in the settings is no permission to send one more.
        signal(SignalKind::kGrant, EventId(message, id), std::move(name));
      }
    }
  } else if (event == "unsubscribe") {
    if (!known) return std::nullopt;
    signal(SignalKind::kGone, EventId(message, {}), {});
  } else if (event == "subscribe") {
    if (!known) return std::nullopt;
    signal(SignalKind::kBack, EventId(message, {}), {});
  }
  return heard;
}

}  // namespace zhitui::wechat
