// Internet addresses and blocks, the network extension of CEL (cel-spec, tests/simple/testdata/network_ext.textproto).
#include <arpa/inet.h>

#include <array>
#include <cstring>

#include "cel/functions.h"

namespace zhitui::cel {
namespace {

using value::Kind;
using value::Network;

constexpr int kV4Bits = 32;
constexpr int kV6Bits = 128;

enum class Parsed : std::uint8_t { kOk, kBad, kZone, kMapped };

Parsed ParseAddress(std::string_view text, Network& out) {
  constexpr std::size_t kLongest = 45;  // INET6_ADDRSTRLEN without its end
  out = Network{};
  if (text.find('%') != std::string_view::npos) return Parsed::kZone;
  if (text.size() > kLongest || text.find('\0') != std::string_view::npos) return Parsed::kBad;
  const std::string terminated(text);
  if (text.find(':') == std::string_view::npos) {
    out.family = 4;
    out.prefix = kV4Bits;
    out.bytes[10] = out.bytes[11] = 0xff;
    return inet_pton(AF_INET, terminated.c_str(), out.bytes.data() + 12) == 1 ? Parsed::kOk : Parsed::kBad;
  }
  out.family = 6;
  out.prefix = kV6Bits;
  if (inet_pton(AF_INET6, terminated.c_str(), out.bytes.data()) != 1) return Parsed::kBad;
  return text.find('.') == std::string_view::npos ? Parsed::kOk : Parsed::kMapped;
}

Value Keep(const Call& c, Kind kind, const Network& network) {
  auto* copy = c.arena.NewArray<Network>(1);
  *copy = network;
  return Value::OfNetwork(kind, copy);
}

Value Refuse(const Call& c, Parsed why, std::string_view text) {
  switch (why) {
    case Parsed::kZone:
      return c.Fail("IP Address with zone value is not allowed");
    case Parsed::kMapped:
      return c.Fail("IPv4-mapped IPv6 address is not allowed");
    default:
      return c.Fail(c.arena.Copy("IP Address '" + std::string(text.substr(0, 64)) +
                                 "' parse error during conversion from string"));
  }
}

Value IpOfString(const Call& c, const Value* a, std::size_t) {
  Network network;
  const Parsed parsed = ParseAddress(a[0].AsString(), network);
  return parsed == Parsed::kOk ? Keep(c, Kind::kIp, network) : Refuse(c, parsed, a[0].AsString());
}

Value Same(const Call&, const Value* a, std::size_t) { return a[0]; }

Value IsIp(const Call&, const Value* a, std::size_t) {
  Network network;
  return Value::Bool(ParseAddress(a[0].AsString(), network) == Parsed::kOk);
}

Value IsCanonical(const Call& c, const Value* a, std::size_t) {
  Network network;
  const Parsed parsed = ParseAddress(a[0].AsString(), network);
  if (parsed != Parsed::kOk) return Refuse(c, parsed, a[0].AsString());
  return Value::Bool(network.ToString(Kind::kIp) == a[0].AsString());
}

// nullptr: it is one.
const char* ParseCidr(std::string_view text, Network& out) {
  constexpr const char* kBad = "network address parse error during conversion from string";
  const std::size_t slash = text.rfind('/');
  if (slash == std::string_view::npos) return kBad;
  switch (ParseAddress(text.substr(0, slash), out)) {
    case Parsed::kOk:
      break;
    case Parsed::kZone:
      return "CIDR with zone value is not allowed";
    case Parsed::kMapped:
      return "IPv4-mapped IPv6 address is not allowed";
    case Parsed::kBad:
      return kBad;
  }
  const std::string_view digits = text.substr(slash + 1);
  if (digits.empty() || digits.size() > 3 || (digits.size() > 1 && digits[0] == '0')) return kBad;
  int bits = 0;
  for (const char d : digits) {
    if (d < '0' || d > '9') return kBad;
    bits = bits * 10 + (d - '0');
  }
  if (bits > (out.family == 4 ? kV4Bits : kV6Bits)) return kBad;
  out.prefix = static_cast<std::uint8_t>(bits);
  return nullptr;
}

Value CidrOfString(const Call& c, const Value* a, std::size_t) {
  Network network;
  if (const char* wrong = ParseCidr(a[0].AsString(), network)) return c.Fail(wrong);
  return Keep(c, Kind::kCidr, network);
}

Value IsCidr(const Call&, const Value* a, std::size_t) {
  Network network;
  return Value::Bool(ParseCidr(a[0].AsString(), network) == nullptr);
}

Value StringOf(const Call& c, const Value* a, std::size_t) {
  return Value::String(c.arena.Copy(a[0].AsNetwork().ToString(a[0].kind())));
}

Value Family(const Call&, const Value* a, std::size_t) { return Value::Int(a[0].AsNetwork().family); }

const std::uint8_t* V4(const Network& n) { return n.IsV4() ? n.bytes.data() + 12 : nullptr; }

bool AllZero(const std::uint8_t* from, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if (from[i] != 0) return false;
  }
  return true;
}

bool Unspecified(const Network& n) { return V4(n) != nullptr ? AllZero(V4(n), 4) : AllZero(n.bytes.data(), 16); }
bool Loopback(const Network& n) {
  if (const std::uint8_t* v4 = V4(n)) return v4[0] == 127;
  return AllZero(n.bytes.data(), 15) && n.bytes[15] == 1;
}
bool Multicast(const Network& n) {
  if (const std::uint8_t* v4 = V4(n)) return (v4[0] & 0xf0) == 0xe0;
  return n.bytes[0] == 0xff;
}
bool LinkLocalMulticast(const Network& n) {
  if (const std::uint8_t* v4 = V4(n)) return v4[0] == 224 && v4[1] == 0 && v4[2] == 0;
  return n.bytes[0] == 0xff && (n.bytes[1] & 0x0f) == 0x02;
}
bool LinkLocalUnicast(const Network& n) {
  if (const std::uint8_t* v4 = V4(n)) return v4[0] == 169 && v4[1] == 254;
  return n.bytes[0] == 0xfe && (n.bytes[1] & 0xc0) == 0x80;
}
bool GlobalUnicast(const Network& n) {
  if (const std::uint8_t* v4 = V4(n); v4 != nullptr && v4[0] == 255 && v4[1] == 255 && v4[2] == 255 && v4[3] == 255) {
    return false;
  }
  return !Unspecified(n) && !Loopback(n) && !Multicast(n) && !LinkLocalUnicast(n);
}

template <bool (*test)(const Network&)>
Value Is(const Call&, const Value* a, std::size_t) {
  return Value::Bool(test(a[0].AsNetwork()));
}

void Mask(Network& n) {
  int bits = n.prefix + (n.family == 4 ? kV6Bits - kV4Bits : 0);
  for (std::uint8_t& byte : n.bytes) {
    const int keep = std::min(std::max(bits, 0), 8);
    byte = static_cast<std::uint8_t>(byte & (0xff00U >> keep));
    bits -= 8;
  }
}

bool Contains(const Network& block, Network other) {
  if (block.IsV4() != other.IsV4() || other.prefix < block.prefix) return false;
  Network masked = block;
  Mask(masked);
  other.family = block.family;
  other.prefix = block.prefix;
  Mask(other);
  return masked.bytes == other.bytes;
}

Value ContainsIp(const Call&, const Value* a, std::size_t) {
  return Value::Bool(Contains(a[0].AsNetwork(), a[1].AsNetwork()));
}
Value ContainsIpText(const Call& c, const Value* a, std::size_t) {
  Network network;
  const Parsed parsed = ParseAddress(a[1].AsString(), network);
  if (parsed != Parsed::kOk) return Refuse(c, parsed, a[1].AsString());
  return Value::Bool(Contains(a[0].AsNetwork(), network));
}
Value ContainsCidrText(const Call& c, const Value* a, std::size_t) {
  Network network;
  if (const char* wrong = ParseCidr(a[1].AsString(), network)) return c.Fail(wrong);
  return Value::Bool(Contains(a[0].AsNetwork(), network));
}

Value AddressOf(const Call& c, const Value* a, std::size_t) {
  Network network = a[0].AsNetwork();
  network.prefix = network.family == 4 ? kV4Bits : kV6Bits;
  return Keep(c, Kind::kIp, network);
}
Value Masked(const Call& c, const Value* a, std::size_t) {
  Network network = a[0].AsNetwork();
  Mask(network);
  return Keep(c, Kind::kCidr, network);
}
Value PrefixLength(const Call&, const Value* a, std::size_t) { return Value::Int(a[0].AsNetwork().prefix); }

constexpr std::array kRows{
    FunctionRow{"ip(string) -> net_ip", IpOfString, "", "IP 地址", "An IP address"},
    FunctionRow{"ip(net_ip) -> net_ip", Same, "", "", ""},
    FunctionRow{"net_cidr.ip() -> net_ip", AddressOf, "", "", ""},
    FunctionRow{"isIP(string) -> bool", IsIp, "", "文字是 IP 地址", "The text is an IP address"},
    FunctionRow{"ip.isCanonical(string) -> bool", IsCanonical, "", "IP 地址的规范写法",
                "The text is an IP address in its canonical form"},
    FunctionRow{"cidr(string) -> net_cidr", CidrOfString, "", "IP 网段", "A block of IP addresses"},
    FunctionRow{"cidr(net_cidr) -> net_cidr", Same, "", "", ""},
    FunctionRow{"isCIDR(string) -> bool", IsCidr, "", "文字是 IP 网段", "The text is a block of IP addresses"},
    FunctionRow{"string(net_ip) -> string", StringOf, "", "", ""},
    FunctionRow{"string(net_cidr) -> string", StringOf, "", "", ""},
    FunctionRow{"net_ip.family() -> int", Family, "", "4 或 6", "4 or 6"},
    FunctionRow{"net_ip.isUnspecified() -> bool", Is<Unspecified>, "", "未指定地址", "The unspecified address"},
    FunctionRow{"net_ip.isLoopback() -> bool", Is<Loopback>, "", "本机地址", "A loopback address"},
    FunctionRow{"net_ip.isGlobalUnicast() -> bool", Is<GlobalUnicast>, "", "全局单播地址", "A global unicast address"},
    FunctionRow{"net_ip.isLinkLocalMulticast() -> bool", Is<LinkLocalMulticast>, "", "链路本地组播地址",
                "A link-local multicast address"},
    FunctionRow{"net_ip.isLinkLocalUnicast() -> bool", Is<LinkLocalUnicast>, "", "链路本地单播地址",
                "A link-local unicast address"},
    FunctionRow{"net_cidr.containsIP(net_ip) -> bool", ContainsIp, "", "地址在网段内", "The address lies in the block"},
    FunctionRow{"net_cidr.containsIP(string) -> bool", ContainsIpText, "", "", ""},
    FunctionRow{"net_cidr.containsCIDR(net_cidr) -> bool", ContainsIp, "", "网段在网段内",
                "The block lies in the block"},
    FunctionRow{"net_cidr.containsCIDR(string) -> bool", ContainsCidrText, "", "", ""},
    FunctionRow{"net_cidr.masked() -> net_cidr", Masked, "", "主机位清零的网段",
                "The block with its host bits cleared"},
    FunctionRow{"net_cidr.prefixLength() -> int", PrefixLength, "", "前缀长度", "The length of the prefix"},
};

}  // namespace

std::span<const FunctionRow> NetworkFunctions() { return kRows; }

}  // namespace zhitui::cel
