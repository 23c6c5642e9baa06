#pragma once

// The protocol data units of SMPP 3.4 that a sender of short messages needs (SMPP Protocol Specification v3.4
// Issue 1.2, chapters 4 and 5). Pure and strict: a unit is read whole or refused with the status that the specification
// has for it, every length has its limit, and nothing that does not fit is written.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/base.h"

namespace zhitui::sms::smpp {

inline constexpr std::size_t kHeaderBytes = 16;
inline constexpr std::size_t kMaxShortMessage = 254;       // of the field short_message
inline constexpr std::size_t kMaxPduBytes = 70'000;        // a whole message_payload, the longest fields, some TLVs
inline constexpr std::uint32_t kMaxSequence = 0x7fffffff;  // they count from 1

enum class Command : std::uint32_t {
  kBindReceiver = 0x1,
  kBindTransmitter = 0x2,
  kSubmitSm = 0x4,
  kDeliverSm = 0x5,
  kUnbind = 0x6,
  kBindTransceiver = 0x9,
  kEnquireLink = 0x15,
  kGenericNack = 0x80000000,
  kBindReceiverResp = 0x80000001,
  kBindTransmitterResp = 0x80000002,
  kSubmitSmResp = 0x80000004,
  kDeliverSmResp = 0x80000005,
  kUnbindResp = 0x80000006,
  kBindTransceiverResp = 0x80000009,
  kEnquireLinkResp = 0x80000015,
};
bool IsResponse(std::uint32_t command);
// Of a request; of a response itself.
Command ResponseTo(Command command);

// command_status values that are written or looked at by name; the table of all is in smpp_codes.h.
inline constexpr std::uint32_t kOk = 0x0;
inline constexpr std::uint32_t kInvalidMessageLength = 0x1;
inline constexpr std::uint32_t kInvalidCommandLength = 0x2;
inline constexpr std::uint32_t kInvalidCommandId = 0x3;
inline constexpr std::uint32_t kSystemError = 0x8;
inline constexpr std::uint32_t kInvalidTlvStream = 0xc0;
inline constexpr std::uint32_t kInvalidTlvLength = 0xc2;

// Optional parameters.
inline constexpr std::uint16_t kReceiptedMessageId = 0x001e;
inline constexpr std::uint16_t kSarRefNum = 0x020c;
inline constexpr std::uint16_t kSarTotal = 0x020e;
inline constexpr std::uint16_t kSarNumber = 0x020f;
inline constexpr std::uint16_t kScInterfaceVersion = 0x0210;
inline constexpr std::uint16_t kNetworkErrorCode = 0x0423;
inline constexpr std::uint16_t kMessagePayload = 0x0424;
inline constexpr std::uint16_t kMessageState = 0x0427;
struct Tlv {
  std::uint16_t tag = 0;
  std::string value;
  bool operator==(const Tlv&) const = default;
};

struct Address {
  std::uint8_t ton = 0;
  std::uint8_t npi = 0;
  std::string digits;  // at most 20, in a bind at most 40
  bool operator==(const Address&) const = default;
};

struct Bind {
  std::string system_id;    // at most 15
  std::string password;     // at most 8
  std::string system_type;  // at most 12
  std::uint8_t interface_version = 0x34;
  Address range;
  bool operator==(const Bind&) const = default;
};

// esm_class
inline constexpr std::uint8_t kTypeMask = 0x3c;
inline constexpr std::uint8_t kTypeReceipt = 0x04;
inline constexpr std::uint8_t kUdhi = 0x40;

// submit_sm and deliver_sm.
struct ShortMessage {
  std::string service_type;  // at most 5
  Address source;
  Address destination;
  std::uint8_t esm_class = 0;
  std::uint8_t protocol_id = 0;
  std::uint8_t priority = 0;
  std::string schedule;  // none or 16 characters, like validity
  std::string validity;
  std::uint8_t registered_delivery = 0;
  std::uint8_t replace = 0;
  std::uint8_t data_coding = 0;
  std::uint8_t default_message = 0;
  std::string text;         // the bytes of short_message or of message_payload, a user data header included
  bool in_payload = false;  // they are in message_payload
  std::vector<Tlv> tlvs;    // the others, in their order
  bool operator==(const ShortMessage&) const = default;
};

// The answer to a bind (the other side's system_id, at most 15) or to a message (message_id, at most 64).
struct Named {
  std::string id;
  std::vector<Tlv> tlvs;
  bool operator==(const Named&) const = default;
};

struct Pdu {
  Command command = Command::kGenericNack;
  std::uint32_t status = kOk;
  std::uint32_t sequence = 0;
  // By command: Bind, ShortMessage, Named; nothing for the rest. Decode gives none for a refusal, Encode needs none.
  std::variant<std::monostate, Bind, ShortMessage, Named> body;
};

struct Header {
  std::uint32_t length = 0;
  std::uint32_t command = 0;
  std::uint32_t status = 0;
  std::uint32_t sequence = 0;
};
// nullopt: fewer bytes than a header has.
std::optional<Header> PeekHeader(std::string_view bytes);

// Why a unit is refused.
struct Fault {
  std::uint32_t status = kOk;  // what to answer
  std::string_view what;       // one word for logs
};
// The length of the first unit in `bytes`, 0 while its header is not there yet.
std::expected<std::size_t, Fault> FrameLength(std::string_view bytes);
// `frame` is one whole unit.
std::expected<Pdu, Fault> Decode(std::string_view frame);
// kInvalid: a field is too long or holds a NUL, the body is not the command's, or the unit is too long.
Result<std::string> Encode(const Pdu& pdu);

// The first with that tag.
const std::string* FindTlv(const std::vector<Tlv>& tlvs, std::uint16_t tag);

}  // namespace zhitui::sms::smpp
