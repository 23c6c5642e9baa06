#include "base/hash.h"

#include <openssl/evp.h>

#include <cstdlib>
#include <cstring>

namespace zhitui {

std::uint32_t Murmur2(std::string_view bytes) {
  constexpr std::uint32_t kM = 0x5bd1e995;
  const auto length = static_cast<std::uint32_t>(bytes.size());
  std::uint32_t h = 0x9747b28c ^ length;
  const auto* p = reinterpret_cast<const unsigned char*>(bytes.data());
  for (std::uint32_t i = 0; i + 4 <= length; i += 4) {
    std::uint32_t k = static_cast<std::uint32_t>(p[i]) | static_cast<std::uint32_t>(p[i + 1]) << 8 |
                      static_cast<std::uint32_t>(p[i + 2]) << 16 | static_cast<std::uint32_t>(p[i + 3]) << 24;
    k *= kM;
    k ^= k >> 24;
    k *= kM;
    h *= kM;
    h ^= k;
  }
  const unsigned char* tail = p + (length & ~3U);
  switch (length & 3U) {
    case 3:
      h ^= static_cast<std::uint32_t>(tail[2]) << 16;
      [[fallthrough]];
    case 2:
      h ^= static_cast<std::uint32_t>(tail[1]) << 8;
      [[fallthrough]];
    case 1:
      h ^= tail[0];
      h *= kM;
      break;
    default:
      break;
  }
  h ^= h >> 13;
  h *= kM;
  h ^= h >> 15;
  return h;
}

std::array<std::uint8_t, 32> Sha256(std::string_view bytes) {
  std::array<std::uint8_t, 32> digest{};
  unsigned int size = 0;
  // Fails only without memory or without the algorithm; neither can be repaired here.
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1 ||
      size != digest.size()) {
    std::abort();
  }
  return digest;
}

std::string HexLower(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto b = static_cast<unsigned char>(c);
    out += kDigits[b >> 4];
    out += kDigits[b & 15];
  }
  return out;
}

std::string Sha256Hex(std::string_view bytes) {
  const auto digest = Sha256(bytes);
  return HexLower({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

StableId& StableId::Add(std::string_view part) {
  bytes_ += std::to_string(part.size());
  bytes_ += ':';
  bytes_ += part;
  return *this;
}

StableId& StableId::Add(std::int64_t part) { return Add(std::to_string(part)); }

std::string StableId::Hex() const { return Sha256Hex(bytes_).substr(0, 32); }

}  // namespace zhitui
