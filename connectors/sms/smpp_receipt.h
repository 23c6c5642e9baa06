#pragma once

// Delivery receipts of SMPP 3.4: a deliver_sm whose text says what became of a message (Appendix B, "id:… stat:…
// err:…", vendor specific), and the optional parameters that say it without a text. Pure.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "delivery/delivery.h"
#include "sms/smpp_pdu.h"

namespace zhitui::sms::smpp {

// What a centre wrote, with "?" for all that is no printable ASCII: it is stored and shown.
std::string Printable(std::string_view text);

// How the message_id of submit_sm_resp and the id in a receipt's text are written. Some centres use hexadecimal for the
// one and decimal for the other.
enum class IdForm : std::uint8_t {
  kText,            // the same characters in both
  kDecimal,         // decimal in both, one of them perhaps with zeros in front
  kHexThenDecimal,  // hexadecimal in the answer, decimal in the receipt
  kDecimalThenHex,  // decimal in the answer, hexadecimal in the receipt
};
// The id under which a message is remembered: from the answer to its submit, and from the text of its receipt. An id
// that is not a number of the form's kind stays as it is, but for what is no printable ASCII, which becomes "?".
std::string AnswerId(IdForm form, std::string_view id);
std::string ReceiptId(IdForm form, std::string_view id);

// What the text says; a field it does not have is empty. Keys in any case and order, values up to the next blank; the
// first of a key counts.
struct ReceiptText {
  std::string id;
  std::string stat;  // upper case
  std::string err;
  std::string done;  // YYMMDDhhmm or YYMMDDhhmmss
};
ReceiptText ParseReceiptText(std::string_view text);

struct ReceiptRules {
  IdForm ids = IdForm::kText;
  std::chrono::minutes offset{480};      // of the centre's clock from UTC
  std::vector<std::string> dead_stats;   // upper case: undelivered because there is no such subscriber
  std::vector<std::string> dead_errors;  // likewise, by `err`
};

// True for a deliver_sm that is a receipt: esm_class says so, or it names a message and its state in parameters.
bool IsReceipt(const ShortMessage& message);
// The receipt, parameters before text. nullopt: nothing that names a message, or a state that is not final (ENROUTE,
// ACCEPTD) or says nothing (UNKNOWN). `now` stands in for a date that is missing or cannot be read.
std::optional<delivery::Receipt> ToReceipt(const ShortMessage& message, const ReceiptRules& rules, Instant now);

}  // namespace zhitui::sms::smpp
