#include "sms/smpp_receipt.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <utility>

namespace zhitui::sms::smpp {
namespace {

using delivery::Receipt;
using delivery::ReceiptState;

constexpr std::size_t kMaxText = 1024;  // of a receipt; the rest is not looked at
constexpr std::size_t kMaxValue = 64;   // of one of its fields
constexpr std::size_t kMaxCode = 32;

char Lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }
char Upper(char c) { return static_cast<char>(std::toupper(static_cast<unsigned char>(c))); }
bool Blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

std::optional<std::uint64_t> Number(std::string_view text, int base) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

std::string Written(std::uint64_t value, int base) {
  std::array<char, 24> out{};
  const auto [end, error] = std::to_chars(out.data(), out.data() + out.size(), value, base);
  return error == std::errc() ? std::string(out.data(), end) : std::string();
}

std::string Rewritten(std::string_view id, int from, int to) {
  const auto value = Number(id, from);
  return value ? Written(*value, to) : Printable(id);
}

// The value after `key` ("done date:"), which begins a word.
std::string Field(std::string_view text, std::string_view key) {
  for (std::size_t at = 0; at + key.size() <= text.size(); ++at) {
    if (at > 0 && !Blank(text[at - 1])) continue;
    const std::string_view here = text.substr(at, key.size());
    if (!std::equal(here.begin(), here.end(), key.begin(), [](char a, char b) { return Lower(a) == b; })) continue;
    std::string_view value = text.substr(at + key.size());
    value = value.substr(0, static_cast<std::size_t>(std::find_if(value.begin(), value.end(), Blank) - value.begin()));
    return std::string(value.substr(0, kMaxValue));
  }
  return {};
}

// message_state, 5.2.28.
std::string_view StateName(std::uint8_t state) {
  constexpr std::array<std::string_view, 9> kNames = {"",        "ENROUTE", "DELIVRD", "EXPIRED", "DELETED",
                                                      "UNDELIV", "ACCEPTD", "UNKNOWN", "REJECTD"};
  return state < kNames.size() ? kNames[state] : std::string_view();
}

std::optional<ReceiptState> StateOf(std::string_view stat) {
  if (stat == "DELIVRD") return ReceiptState::kDelivered;
  // Not final, or a final state that leaves open whether it was delivered.
  for (const std::string_view open : {"", "ENROUTE", "ACCEPTD", "UNKNOWN"}) {
    if (stat == open) return std::nullopt;
  }
  return ReceiptState::kUndelivered;  // EXPIRED, DELETED, UNDELIV, REJECTD and a centre's own words for a failure
}

std::optional<Instant> DateOf(std::string_view digits, std::chrono::minutes offset) {
  if (digits.size() != 10 && digits.size() != 12) return std::nullopt;
  if (!std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  const std::string second(digits.size() == 12 ? digits.substr(10) : "00");
  const auto two = [&](std::size_t at) { return std::string(digits.substr(at, 2)); };
  const auto utc =
      ParseInstant("20" + two(0) + "-" + two(2) + "-" + two(4) + "T" + two(6) + ":" + two(8) + ":" + second + "Z");
  if (!utc) return std::nullopt;
  return *utc - offset;
}

bool Among(const std::vector<std::string>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

// As a code for the ledger.
std::string Code(std::string_view stat, std::string_view err) {
  std::string code(stat);
  if (!err.empty()) code.append("/").append(err);
  return Printable(std::string_view(code).substr(0, kMaxCode));
}

}  // namespace

std::string Printable(std::string_view text) {
  std::string out(text);
  std::replace_if(out.begin(), out.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return out;
}

std::string AnswerId(IdForm form, std::string_view id) {
  switch (form) {
    case IdForm::kText:
      return Printable(id);
    case IdForm::kDecimal:
    case IdForm::kDecimalThenHex:
      return Rewritten(id, 10, 10);
    case IdForm::kHexThenDecimal:
      return Rewritten(id, 16, 16);
  }
  return Printable(id);
}

std::string ReceiptId(IdForm form, std::string_view id) {
  switch (form) {
    case IdForm::kText:
      return Printable(id);
    case IdForm::kDecimal:
      return Rewritten(id, 10, 10);
    case IdForm::kHexThenDecimal:
      return Rewritten(id, 10, 16);
    case IdForm::kDecimalThenHex:
      return Rewritten(id, 16, 10);
  }
  return Printable(id);
}

ReceiptText ParseReceiptText(std::string_view text) {
  text = text.substr(0, kMaxText);
  ReceiptText receipt;
  receipt.id = Field(text, "id:");
  receipt.stat = Field(text, "stat:");
  std::transform(receipt.stat.begin(), receipt.stat.end(), receipt.stat.begin(), Upper);
  receipt.err = Field(text, "err:");
  receipt.done = Field(text, "done date:");
  return receipt;
}

bool IsReceipt(const ShortMessage& message) {
  if ((message.esm_class & kTypeMask) == kTypeReceipt) return true;
  return (message.esm_class & kTypeMask) == 0 && FindTlv(message.tlvs, kReceiptedMessageId) != nullptr &&
         FindTlv(message.tlvs, kMessageState) != nullptr;
}

std::optional<Receipt> ToReceipt(const ShortMessage& message, const ReceiptRules& rules, Instant now) {
  ReceiptText text = ParseReceiptText(message.text);
  Receipt receipt;
  if (const std::string* id = FindTlv(message.tlvs, kReceiptedMessageId)) {
    // A C-octet string, though some centres leave the NUL out. It is the id of the answer, whatever the text writes.
    receipt.provider_id = AnswerId(rules.ids, std::string_view(*id).substr(0, id->find('\0')));
  }
  if (receipt.provider_id.empty()) receipt.provider_id = ReceiptId(rules.ids, text.id);
  if (receipt.provider_id.empty()) return std::nullopt;

  std::string stat = text.stat;
  if (const std::string* value = FindTlv(message.tlvs, kMessageState)) {
    const std::string_view name = StateName(static_cast<std::uint8_t>((*value)[0]));
    // "UNDELIV" and a centre's own word for it are not at odds: the word tells more.
    if (!name.empty() && (stat.empty() || StateOf(name) != StateOf(stat))) stat = name;
  }
  if (const std::string* value = FindTlv(message.tlvs, kNetworkErrorCode); value != nullptr) {
    const auto high = static_cast<std::uint8_t>((*value)[1]);
    const auto low = static_cast<std::uint8_t>((*value)[2]);
    text.err = std::to_string(high << 8 | low);
    text.err.insert(0, text.err.size() < 3 ? 3 - text.err.size() : 0, '0');  // as the text writes it
  }
  const std::optional<ReceiptState> state = StateOf(stat);
  if (!state) return std::nullopt;
  receipt.state = *state;
  receipt.code = Code(stat, text.err);
  receipt.at = DateOf(text.done, rules.offset).value_or(now);
  receipt.contact_dead =
      *state == ReceiptState::kUndelivered && (Among(rules.dead_stats, stat) || Among(rules.dead_errors, text.err));
  return receipt;
}

}  // namespace zhitui::sms::smpp
