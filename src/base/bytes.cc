#include "base/bytes.h"

namespace zhitui {

void ByteWriter::U64(std::uint64_t v) {
  while (v >= 0x80) {
    out_ += static_cast<char>(v | 0x80);
    v >>= 7;
  }
  out_ += static_cast<char>(v);
}

std::uint64_t ByteReader::U64() {
  std::uint64_t v = 0;
  for (unsigned shift = 0; shift < 64 && !in_.empty(); shift += 7) {
    const auto b = static_cast<unsigned char>(in_.front());
    in_.remove_prefix(1);
    v |= static_cast<std::uint64_t>(b & 0x7f) << shift;
    if (b < 0x80) return v;
  }
  ok_ = false;
  in_ = {};
  return 0;
}

std::string_view ByteReader::Str() {
  const std::uint64_t n = U64();
  if (n > in_.size()) {
    ok_ = false;
    in_ = {};
    return {};
  }
  const std::string_view s = in_.substr(0, n);
  in_.remove_prefix(n);
  return s;
}

std::size_t ByteReader::Count(std::size_t min_bytes) {
  const std::uint64_t n = U64();
  if (n > in_.size() / min_bytes) {
    ok_ = false;
    in_ = {};
    return 0;
  }
  return static_cast<std::size_t>(n);
}

}  // namespace zhitui
