#include "sms/smpp_pdu.h"

#include <algorithm>
#include <array>
#include <utility>

namespace zhitui::sms::smpp {
namespace {

// The longest C-octet strings, the NUL not counted.
constexpr std::size_t kMaxSystemId = 15;
constexpr std::size_t kMaxPassword = 8;
constexpr std::size_t kMaxSystemType = 12;
constexpr std::size_t kMaxRange = 40;
constexpr std::size_t kMaxServiceType = 5;
constexpr std::size_t kMaxAddress = 20;
constexpr std::size_t kMaxTime = 16;
constexpr std::size_t kMaxMessageId = 64;
constexpr std::size_t kMaxTlvs = 64;

constexpr std::array kCommands = {
    Command::kBindReceiver,     Command::kBindTransmitter,     Command::kSubmitSm,        Command::kDeliverSm,
    Command::kUnbind,           Command::kBindTransceiver,     Command::kEnquireLink,     Command::kGenericNack,
    Command::kBindReceiverResp, Command::kBindTransmitterResp, Command::kSubmitSmResp,    Command::kDeliverSmResp,
    Command::kUnbindResp,       Command::kBindTransceiverResp, Command::kEnquireLinkResp,
};

enum class Shape { kEmpty, kBind, kMessage, kNamedSystem, kNamedMessage };

Shape ShapeOf(Command command) {
  switch (command) {
    case Command::kBindReceiver:
    case Command::kBindTransmitter:
    case Command::kBindTransceiver:
      return Shape::kBind;
    case Command::kSubmitSm:
    case Command::kDeliverSm:
      return Shape::kMessage;
    case Command::kBindReceiverResp:
    case Command::kBindTransmitterResp:
    case Command::kBindTransceiverResp:
      return Shape::kNamedSystem;
    case Command::kSubmitSmResp:
    case Command::kDeliverSmResp:
      return Shape::kNamedMessage;
    default:
      return Shape::kEmpty;
  }
}

// Lengths that the specification fixes for the parameters that are looked at.
bool GoodTlvLength(std::uint16_t tag, std::size_t size) {
  switch (tag) {
    case kReceiptedMessageId:
      return size >= 1 && size <= kMaxMessageId + 1;
    case kSarRefNum:
      return size == 2;
    case kSarTotal:
    case kSarNumber:
    case kScInterfaceVersion:
    case kMessageState:
      return size == 1;
    case kNetworkErrorCode:
      return size == 3;
    default:
      return true;
  }
}

// Reads a body. After the first fault every read gives zero or empty: look at fault() at the end.
class Reader {
 public:
  explicit Reader(std::string_view in) : in_(in) {}

  std::uint8_t U8() { return static_cast<std::uint8_t>(Number(1)); }
  std::uint16_t U16() { return static_cast<std::uint16_t>(Number(2)); }
  std::uint32_t U32() { return Number(4); }

  // Up to its NUL, which must come after at most `max` characters.
  std::string CString(std::size_t max) {
    const std::size_t end = in_.substr(0, max + 1).find('\0');
    if (end == std::string_view::npos) {
      Fail(kInvalidCommandLength, "string");
      return {};
    }
    std::string out(in_.substr(0, end));
    in_.remove_prefix(end + 1);
    return out;
  }

  std::string Octets(std::size_t size) {
    if (size > in_.size()) {
      Fail(kInvalidCommandLength, "truncated");
      return {};
    }
    std::string out(in_.substr(0, size));
    in_.remove_prefix(size);
    return out;
  }

  std::vector<Tlv> Tlvs() {
    std::vector<Tlv> out;
    while (!in_.empty()) {
      if (out.size() == kMaxTlvs || in_.size() < 4) {
        Fail(kInvalidTlvStream, "tlv");
        return {};
      }
      Tlv tlv;
      tlv.tag = U16();
      const std::size_t size = U16();
      if (size > in_.size()) {
        Fail(kInvalidTlvStream, "tlv");
        return {};
      }
      if (!GoodTlvLength(tlv.tag, size)) {
        Fail(kInvalidTlvLength, "tlv_length");
        return {};
      }
      tlv.value = Octets(size);
      out.push_back(std::move(tlv));
    }
    return out;
  }

  void Fail(std::uint32_t status, std::string_view what) {
    if (!fault_) fault_ = Fault{status, what};
    in_ = {};
  }
  bool AtEnd() const { return in_.empty(); }
  const std::optional<Fault>& fault() const { return fault_; }

 private:
  std::uint32_t Number(std::size_t size) {
    if (size > in_.size()) {
      Fail(kInvalidCommandLength, "truncated");
      return 0;
    }
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value = value << 8 | static_cast<std::uint8_t>(in_[i]);
    in_.remove_prefix(size);
    return value;
  }

  std::string_view in_;
  std::optional<Fault> fault_;
};

Bind ReadBind(Reader& in) {
  Bind bind;
  bind.system_id = in.CString(kMaxSystemId);
  bind.password = in.CString(kMaxPassword);
  bind.system_type = in.CString(kMaxSystemType);
  bind.interface_version = in.U8();
  bind.range.ton = in.U8();
  bind.range.npi = in.U8();
  bind.range.digits = in.CString(kMaxRange);
  return bind;
}

Address ReadAddress(Reader& in) {
  Address address;
  address.ton = in.U8();
  address.npi = in.U8();
  address.digits = in.CString(kMaxAddress);
  return address;
}

std::string ReadTime(Reader& in) {
  std::string time = in.CString(kMaxTime);
  if (!time.empty() && time.size() != kMaxTime) in.Fail(kInvalidCommandLength, "time");
  return time;
}

ShortMessage ReadMessage(Reader& in) {
  ShortMessage message;
  message.service_type = in.CString(kMaxServiceType);
  message.source = ReadAddress(in);
  message.destination = ReadAddress(in);
  message.esm_class = in.U8();
  message.protocol_id = in.U8();
  message.priority = in.U8();
  message.schedule = ReadTime(in);
  message.validity = ReadTime(in);
  message.registered_delivery = in.U8();
  message.replace = in.U8();
  message.data_coding = in.U8();
  message.default_message = in.U8();
  const std::size_t size = in.U8();
  if (size > kMaxShortMessage) in.Fail(kInvalidMessageLength, "sm_length");
  message.text = in.Octets(size);
  for (Tlv& tlv : in.Tlvs()) {
    if (tlv.tag != kMessagePayload) {
      message.tlvs.push_back(std::move(tlv));
    } else if (size != 0 || message.in_payload) {
      in.Fail(kInvalidMessageLength, "two_texts");
    } else {
      message.text = std::move(tlv.value);
      message.in_payload = true;
    }
  }
  return message;
}

class Writer {
 public:
  void U8(std::uint8_t value) { out_.push_back(static_cast<char>(value)); }
  void U16(std::uint16_t value) {
    U8(static_cast<std::uint8_t>(value >> 8));
    U8(static_cast<std::uint8_t>(value));
  }
  void U32(std::uint32_t value) {
    U16(static_cast<std::uint16_t>(value >> 16));
    U16(static_cast<std::uint16_t>(value));
  }
  void CString(std::string_view text, std::size_t max, const char* field) {
    if (text.size() > max) Fail(field, "is too long");
    if (text.find('\0') != std::string_view::npos) Fail(field, "holds a NUL");
    out_.append(text);
    out_.push_back('\0');
  }
  void Octets(std::string_view bytes) { out_.append(bytes); }
  void WriteTlv(std::uint16_t tag, std::string_view value) {
    if (value.size() > 0xffff) Fail("an optional parameter", "is too long");
    if (!GoodTlvLength(tag, value.size())) Fail("an optional parameter", "has a wrong length");
    U16(tag);
    U16(static_cast<std::uint16_t>(value.size()));
    out_.append(value);
  }
  void WriteTlvs(const std::vector<Tlv>& tlvs) {
    if (tlvs.size() > kMaxTlvs) Fail("the list of optional parameters", "is too long");
    for (const Tlv& tlv : tlvs) WriteTlv(tlv.tag, tlv.value);
  }
  void Fail(const char* field, const char* what) {
    if (problem_.empty()) problem_ = std::string(field) + " " + what;
  }
  const std::string& problem() const { return problem_; }
  std::string& out() { return out_; }

 private:
  std::string out_;
  std::string problem_;
};

void WriteBind(const Bind& bind, Writer& out) {
  out.CString(bind.system_id, kMaxSystemId, "system_id");
  out.CString(bind.password, kMaxPassword, "password");
  out.CString(bind.system_type, kMaxSystemType, "system_type");
  out.U8(bind.interface_version);
  out.U8(bind.range.ton);
  out.U8(bind.range.npi);
  out.CString(bind.range.digits, kMaxRange, "address_range");
}

void WriteAddress(const Address& address, const char* field, Writer& out) {
  out.U8(address.ton);
  out.U8(address.npi);
  out.CString(address.digits, kMaxAddress, field);
}

void WriteTime(const std::string& time, const char* field, Writer& out) {
  if (!time.empty() && time.size() != kMaxTime) out.Fail(field, "is neither empty nor of 16 characters");
  out.CString(time, kMaxTime, field);
}

void WriteMessage(const ShortMessage& message, Writer& out) {
  out.CString(message.service_type, kMaxServiceType, "service_type");
  WriteAddress(message.source, "source_addr", out);
  WriteAddress(message.destination, "destination_addr", out);
  out.U8(message.esm_class);
  out.U8(message.protocol_id);
  out.U8(message.priority);
  WriteTime(message.schedule, "schedule_delivery_time", out);
  WriteTime(message.validity, "validity_period", out);
  out.U8(message.registered_delivery);
  out.U8(message.replace);
  out.U8(message.data_coding);
  out.U8(message.default_message);
  if (message.in_payload) {
    out.U8(0);
    out.WriteTlv(kMessagePayload, message.text);
  } else {
    if (message.text.size() > kMaxShortMessage) out.Fail("short_message", "is too long");
    out.U8(static_cast<std::uint8_t>(message.text.size()));
    out.Octets(message.text);
  }
  for (const Tlv& tlv : message.tlvs) {
    if (tlv.tag == kMessagePayload) out.Fail("message_payload", "is among the other parameters");
  }
  out.WriteTlvs(message.tlvs);
}

}  // namespace

bool IsResponse(std::uint32_t command) { return (command & 0x80000000U) != 0; }

Command ResponseTo(Command command) { return static_cast<Command>(static_cast<std::uint32_t>(command) | 0x80000000U); }

std::optional<Header> PeekHeader(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes) return std::nullopt;
  Reader in(bytes);
  Header header;
  header.length = in.U32();
  header.command = in.U32();
  header.status = in.U32();
  header.sequence = in.U32();
  return header;
}

std::expected<std::size_t, Fault> FrameLength(std::string_view bytes) {
  if (bytes.size() < 4) return 0;
  const std::uint32_t length = Reader(bytes).U32();
  if (length < kHeaderBytes || length > kMaxPduBytes) return std::unexpected(Fault{kInvalidCommandLength, "length"});
  return bytes.size() < kHeaderBytes ? 0 : length;
}

std::expected<Pdu, Fault> Decode(std::string_view frame) {
  const std::optional<Header> header = PeekHeader(frame);
  if (!header || header->length != frame.size() || frame.size() > kMaxPduBytes) {
    return std::unexpected(Fault{kInvalidCommandLength, "length"});
  }
  Pdu pdu;
  pdu.command = static_cast<Command>(header->command);
  pdu.status = header->status;
  pdu.sequence = header->sequence;
  if (std::find(kCommands.begin(), kCommands.end(), pdu.command) == kCommands.end()) {
    return std::unexpected(Fault{kInvalidCommandId, "command"});
  }
  Reader in(frame.substr(kHeaderBytes));
  // A refusal has no body (4.1.2, 4.4.2). Some peers send one all the same; it says nothing that the status does not.
  if (IsResponse(header->command) && pdu.status != kOk) return pdu;
  switch (ShapeOf(pdu.command)) {
    case Shape::kEmpty:
      break;
    case Shape::kBind:
      pdu.body = ReadBind(in);
      break;
    case Shape::kMessage:
      pdu.body = ReadMessage(in);
      break;
    case Shape::kNamedSystem:
    case Shape::kNamedMessage: {
      Named named;
      named.id = in.CString(ShapeOf(pdu.command) == Shape::kNamedSystem ? kMaxSystemId : kMaxMessageId);
      named.tlvs = in.Tlvs();
      pdu.body = std::move(named);
      break;
    }
  }
  if (!in.AtEnd()) in.Fail(kInvalidCommandLength, "trailing");
  if (in.fault()) return std::unexpected(*in.fault());
  return pdu;
}

Result<std::string> Encode(const Pdu& pdu) {
  Writer out;
  out.U32(0);
  out.U32(static_cast<std::uint32_t>(pdu.command));
  out.U32(pdu.status);
  out.U32(pdu.sequence);
  const Shape shape = ShapeOf(pdu.command);
  const bool named = shape == Shape::kNamedSystem || shape == Shape::kNamedMessage;
  bool fits = false;
  if (std::holds_alternative<std::monostate>(pdu.body)) {
    fits = shape == Shape::kEmpty || (named && pdu.status != kOk);
  } else if (const auto* bind = std::get_if<Bind>(&pdu.body)) {
    fits = shape == Shape::kBind;
    WriteBind(*bind, out);
  } else if (const auto* message = std::get_if<ShortMessage>(&pdu.body)) {
    fits = shape == Shape::kMessage;
    WriteMessage(*message, out);
  } else if (const auto* answer = std::get_if<Named>(&pdu.body)) {
    fits = named;
    out.CString(answer->id, shape == Shape::kNamedSystem ? kMaxSystemId : kMaxMessageId, "the id of an answer");
    out.WriteTlvs(answer->tlvs);
  }
  if (!fits) return Invalid("the body is not that of the command");
  if (!out.problem().empty()) return Invalid(out.problem());
  std::string bytes = std::move(out.out());
  if (bytes.size() > kMaxPduBytes) return Invalid("the unit is too long");
  const auto length = static_cast<std::uint32_t>(bytes.size());
  for (std::size_t i = 0; i < 4; ++i) bytes[i] = static_cast<char>(length >> (24 - 8 * i) & 0xff);
  return bytes;
}

const std::string* FindTlv(const std::vector<Tlv>& tlvs, std::uint16_t tag) {
  const auto at = std::find_if(tlvs.begin(), tlvs.end(), [&](const Tlv& tlv) { return tlv.tag == tag; });
  return at == tlvs.end() ? nullptr : &at->value;
}

}  // namespace zhitui::sms::smpp
