#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace zhitui {

// A small binary codec for stored records: LEB128 varints, zigzag for signed, strings by length. Both sides are
// versioned by a leading byte that the record's owner writes.
class ByteWriter {
 public:
  void U64(std::uint64_t v);
  void I64(std::int64_t v) { U64((static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63)); }
  void Bool(bool v) { U64(v ? 1 : 0); }
  void Str(std::string_view v) {
    U64(v.size());
    out_.append(v);
  }
  std::string Take() { return std::move(out_); }
  const std::string& bytes() const { return out_; }

 private:
  std::string out_;
};

// Reads what ByteWriter wrote. After the first fault every read gives zero or empty and ok() is false: check once at
// the end. Never reads past the input; Str views the input.
class ByteReader {
 public:
  explicit ByteReader(std::string_view in) : in_(in) {}
  std::uint64_t U64();
  std::int64_t I64() {
    const std::uint64_t v = U64();
    return static_cast<std::int64_t>(v >> 1) ^ -static_cast<std::int64_t>(v & 1);
  }
  bool Bool() { return U64() != 0; }
  std::string_view Str();
  // A count of elements that each take at least `min_bytes`; a larger count than the input can hold is a fault.
  std::size_t Count(std::size_t min_bytes = 1);
  bool ok() const { return ok_; }
  bool AtEnd() const { return in_.empty(); }

 private:
  std::string_view in_;
  bool ok_ = true;
};

}  // namespace zhitui
