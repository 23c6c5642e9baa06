#include "sms/cmpp_pdu.h"

#include <openssl/evp.h>

#include <algorithm>
#include <initializer_list>

namespace zhitui::sms {
namespace {

constexpr std::size_t kSingleUnits = 70;
constexpr std::size_t kPartUnits = 67;
constexpr std::size_t kMaxParts = 255;
constexpr std::size_t kShortNumber = 21;
constexpr std::size_t kLongNumber = 32;
constexpr std::size_t kReport20 = 60;
constexpr std::size_t kReport30 = 71;

std::string Md5(std::string_view bytes) {
  std::array<unsigned char, 16> digest{};
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_md5(), nullptr) != 1) return {};
  return std::string(reinterpret_cast<const char*>(digest.data()), size);
}

void PutU32(std::uint32_t v, std::string* out) {
  for (int shift = 24; shift >= 0; shift -= 8) out->push_back(static_cast<char>(v >> shift));
}
void PutU64(std::uint64_t v, std::string* out) {
  PutU32(static_cast<std::uint32_t>(v >> 32), out);
  PutU32(static_cast<std::uint32_t>(v), out);
}
void PutU8(std::uint8_t v, std::string* out) { out->push_back(static_cast<char>(v)); }
void PutText(std::string_view text, std::size_t size, std::string* out) {
  const std::string_view cut = text.substr(0, size);
  out->append(cut);
  out->append(size - cut.size(), '\0');
}
void PutHeader(std::size_t length, std::uint32_t command, std::uint32_t sequence, std::string* out) {
  PutU32(static_cast<std::uint32_t>(length), out);
  PutU32(command, out);
  PutU32(sequence, out);
}

// Reads fields one after another. Whoever uses it has checked the whole length.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : rest_(bytes) {}
  std::string_view Bytes(std::size_t n) {
    const std::string_view out = rest_.substr(0, n);
    rest_.remove_prefix(out.size());
    return out;
  }
  std::uint64_t Number(std::size_t n) {
    std::uint64_t v = 0;
    for (const char c : Bytes(n)) v = v << 8 | static_cast<unsigned char>(c);
    return v;
  }
  std::uint32_t U32() { return static_cast<std::uint32_t>(Number(4)); }
  std::uint8_t U8() { return static_cast<std::uint8_t>(Number(1)); }
  std::string Text(std::size_t n) {
    const std::string_view all = Bytes(n);
    return std::string(all.substr(0, all.find('\0')));
  }

 private:
  std::string_view rest_;
};

std::size_t NumberSize(CmppVersion version) { return version == CmppVersion::k30 ? kLongNumber : kShortNumber; }

void PutUtf8(char32_t c, std::string* out) {
  const auto put = [&](char32_t byte) { out->push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xc0 | c >> 6);
    put(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    put(0xe0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3f));
    put(0x80 | (c & 0x3f));
  } else {
    put(0xf0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3f));
    put(0x80 | (c >> 6 & 0x3f));
    put(0x80 | (c & 0x3f));
  }
}

char32_t UnitAt(std::string_view ucs2, std::size_t unit) {
  return static_cast<char32_t>(static_cast<unsigned char>(ucs2[2 * unit]) << 8 |
                               static_cast<unsigned char>(ucs2[2 * unit + 1]));
}
bool IsHigh(char32_t unit) { return unit >= 0xd800 && unit < 0xdc00; }
bool IsLow(char32_t unit) { return unit >= 0xdc00 && unit < 0xe000; }

}  // namespace

std::optional<CmppHeader> ReadCmppHeader(std::string_view pdu) {
  if (pdu.size() < kCmppHeader) return std::nullopt;
  Fields in(pdu);
  if (in.U32() != pdu.size()) return std::nullopt;
  CmppHeader header;
  header.command = in.U32();
  header.sequence = in.U32();
  return header;
}

void AppendCmppBare(std::uint32_t command, std::uint32_t sequence, std::string* out) {
  PutHeader(kCmppHeader, command, sequence, out);
}

void AppendCmppActiveTestResp(std::uint32_t sequence, std::string* out) {
  PutHeader(kCmppHeader + 1, kCmppActiveTest | kCmppResponse, sequence, out);
  PutU8(0, out);
}

std::string CmppAuthenticator(std::string_view source_addr, std::string_view secret, std::uint32_t timestamp) {
  std::string digits = std::to_string(timestamp);
  digits.insert(0, digits.size() < 10 ? 10 - digits.size() : 0, '0');
  std::string text(source_addr);
  text.append(9, '\0');
  text += secret;
  text += digits;
  return Md5(text);
}

std::string CmppGatewayAuthenticator(CmppVersion version, std::uint32_t status, std::string_view authenticator,
                                     std::string_view secret) {
  std::string text;
  if (version == CmppVersion::k30) {
    PutU32(status, &text);
  } else {
    PutU8(static_cast<std::uint8_t>(status), &text);
  }
  text += authenticator;
  text += secret;
  return Md5(text);
}

void AppendCmppConnect(const CmppConnect& connect, std::uint32_t sequence, std::string* out) {
  PutHeader(kCmppHeader + 6 + 16 + 1 + 4, kCmppConnect, sequence, out);
  PutText(connect.source_addr, 6, out);
  PutText(connect.authenticator, 16, out);
  PutU8(connect.version, out);
  PutU32(connect.timestamp, out);
}

std::optional<CmppConnectResp> ReadCmppConnectResp(std::string_view pdu) {
  const bool long_status = pdu.size() == kCmppHeader + 4 + 16 + 1;
  if (!long_status && pdu.size() != kCmppHeader + 1 + 16 + 1) return std::nullopt;
  Fields in(pdu.substr(kCmppHeader));
  CmppConnectResp resp;
  resp.form = long_status ? CmppVersion::k30 : CmppVersion::k20;
  resp.status = long_status ? in.U32() : in.U8();
  resp.authenticator = in.Bytes(16);
  resp.version = in.U8();
  return resp;
}

void AppendCmppSubmit(CmppVersion version, const CmppSubmit& s, std::uint32_t sequence, std::string* out) {
  const bool v3 = version == CmppVersion::k30;
  const std::size_t number = NumberSize(version);
  const std::string_view content = std::string_view(s.content).substr(0, kCmppMaxContent);
  const std::size_t length = v3 ? kCmppHeader + 129 + number + 1 + 1 + content.size() + 20
                                : kCmppHeader + 117 + number + 1 + content.size() + 8;
  out->reserve(out->size() + length);
  PutHeader(length, kCmppSubmit, sequence, out);
  PutU64(0, out);
  PutU8(s.pk_total, out);
  PutU8(s.pk_number, out);
  PutU8(s.registered_delivery, out);
  PutU8(s.msg_level, out);
  PutText(s.service_id, 10, out);
  PutU8(s.fee_user_type, out);
  PutText(s.fee_terminal_id, number, out);
  if (v3) PutU8(0, out);  // Fee_terminal_type: a true number
  PutU8(s.tp_pid, out);
  PutU8(s.tp_udhi, out);
  PutU8(s.msg_fmt, out);
  PutText(s.msg_src, 6, out);
  PutText(s.fee_type, 2, out);
  PutText(s.fee_code, 6, out);
  PutText(s.valid_time, 17, out);
  PutText(s.at_time, 17, out);
  PutText(s.src_id, 21, out);
  PutU8(1, out);
  PutText(s.dest, number, out);
  if (v3) PutU8(0, out);  // Dest_terminal_type: a true number
  PutU8(static_cast<std::uint8_t>(content.size()), out);
  out->append(content);
  out->append(v3 ? 20 : 8, '\0');
}

std::optional<CmppSubmitResp> ReadCmppSubmitResp(CmppVersion version, std::string_view pdu) {
  const std::size_t result = version == CmppVersion::k30 ? 4 : 1;
  if (pdu.size() != kCmppHeader + 8 + result) return std::nullopt;
  Fields in(pdu.substr(kCmppHeader));
  CmppSubmitResp resp;
  resp.msg_id = in.Number(8);
  resp.result = static_cast<std::uint32_t>(in.Number(result));
  return resp;
}

std::optional<CmppDeliver> ReadCmppDeliver(CmppVersion version, std::string_view pdu) {
  const bool v3 = version == CmppVersion::k30;
  const std::size_t before = 8 + 21 + 10 + 3 + NumberSize(version) + (v3 ? 1 : 0) + 1;
  const std::size_t after = v3 ? 20 : 8;
  if (pdu.size() < kCmppHeader + before + 1 + after) return std::nullopt;
  const std::size_t content = static_cast<unsigned char>(pdu[kCmppHeader + before]);
  if (pdu.size() != kCmppHeader + before + 1 + content + after) return std::nullopt;
  Fields in(pdu.substr(kCmppHeader));
  CmppDeliver d;
  d.msg_id = in.Number(8);
  d.dest_id = in.Text(21);
  d.service_id = in.Text(10);
  d.tp_pid = in.U8();
  d.tp_udhi = in.U8();
  d.msg_fmt = in.U8();
  d.src_terminal_id = in.Text(NumberSize(version));
  if (v3) in.U8();
  d.is_report = in.U8() == 1;
  in.U8();
  d.content = in.Bytes(content);
  return d;
}

void AppendCmppDeliverResp(CmppVersion version, std::uint64_t msg_id, std::uint32_t result, std::uint32_t sequence,
                           std::string* out) {
  const bool v3 = version == CmppVersion::k30;
  PutHeader(kCmppHeader + 8 + (v3 ? 4 : 1), kCmppDeliver | kCmppResponse, sequence, out);
  PutU64(msg_id, out);
  if (v3) {
    PutU32(result, out);
  } else {
    PutU8(static_cast<std::uint8_t>(result), out);
  }
}

std::optional<CmppReport> ReadCmppReport(std::string_view content) {
  if (content.size() != kReport20 && content.size() != kReport30) return std::nullopt;
  Fields in(content);
  CmppReport r;
  r.msg_id = in.Number(8);
  r.stat = in.Text(7);
  r.submit_time = in.Text(10);
  r.done_time = in.Text(10);
  r.dest = in.Text(content.size() == kReport30 ? kLongNumber : kShortNumber);
  r.smsc_sequence = in.U32();
  return r;
}

std::optional<std::string> Ucs2FromUtf8(std::string_view utf8) {
  if (!IsValidUtf8(utf8)) return std::nullopt;
  std::string out;
  out.reserve(utf8.size());
  const auto put = [&](char32_t unit) {
    out.push_back(static_cast<char>(unit >> 8));
    out.push_back(static_cast<char>(unit));
  };
  for (std::size_t i = 0; i < utf8.size();) {
    const auto lead = static_cast<unsigned char>(utf8[i]);
    const std::size_t more = lead < 0x80 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    char32_t c = more == 0 ? lead : lead & (0x3f >> more);
    for (std::size_t k = 1; k <= more; ++k) c = c << 6 | (static_cast<unsigned char>(utf8[i + k]) & 0x3f);
    i += more + 1;
    if (c < 0x10000) {
      put(c);
    } else {
      put(0xd800 + ((c - 0x10000) >> 10));
      put(0xdc00 + ((c - 0x10000) & 0x3ff));
    }
  }
  return out;
}

std::string Utf8FromUcs2(std::string_view ucs2) {
  constexpr char32_t kNoText = 0xfffd;
  std::string out;
  const std::size_t units = ucs2.size() / 2;
  for (std::size_t i = 0; i < units; ++i) {
    const char32_t unit = UnitAt(ucs2, i);
    if (IsHigh(unit) && i + 1 < units && IsLow(UnitAt(ucs2, i + 1))) {
      PutUtf8(0x10000 + ((unit - 0xd800) << 10) + (UnitAt(ucs2, i + 1) - 0xdc00), &out);
      ++i;
    } else {
      PutUtf8(IsHigh(unit) || IsLow(unit) ? kNoText : unit, &out);
    }
  }
  return out;
}

std::vector<std::string> CmppSegments(std::string_view ucs2, std::uint8_t reference) {
  const std::size_t units = ucs2.size() / 2;
  if (units <= kSingleUnits) return {std::string(ucs2)};
  std::vector<std::string> parts;
  for (std::size_t at = 0; at < units;) {
    std::size_t n = std::min(kPartUnits, units - at);
    if (at + n < units && IsHigh(UnitAt(ucs2, at + n - 1))) --n;
    if (parts.size() == kMaxParts) return {};
    std::string part;
    for (const int byte : {5, 0, 3, static_cast<int>(reference), 0, static_cast<int>(parts.size() + 1)}) {
      part.push_back(static_cast<char>(byte));
    }
    part += ucs2.substr(2 * at, 2 * n);
    parts.push_back(std::move(part));
    at += n;
  }
  for (std::string& part : parts) part[4] = static_cast<char>(parts.size());
  return parts;
}

std::optional<std::string_view> BehindUserDataHeader(std::string_view content) {
  if (content.empty()) return std::nullopt;
  const std::size_t header = static_cast<unsigned char>(content[0]) + 1U;
  if (header > content.size()) return std::nullopt;
  return content.substr(header);
}

std::optional<CmppPart> ReadCmppPart(std::string_view content) {
  const auto text = BehindUserDataHeader(content);
  if (!text) return std::nullopt;
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(content[i]); };
  CmppPart part;
  part.text = *text;
  if (content.size() >= 6 && byte(0) == 5 && byte(1) == 0 && byte(2) == 3) {
    part.reference = byte(3);
    part.total = byte(4);
    part.number = byte(5);
  } else if (content.size() >= 7 && byte(0) == 6 && byte(1) == 8 && byte(2) == 4) {
    part.reference = static_cast<std::uint16_t>(byte(3) << 8 | byte(4));
    part.total = byte(5);
    part.number = byte(6);
  } else {
    return std::nullopt;
  }
  if (part.number < 1 || part.number > part.total) return std::nullopt;
  return part;
}

}  // namespace zhitui::sms
