#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace zhitui {

struct Header {
  std::string name;
  std::string value;
  bool operator==(const Header&) const = default;
};

// One message of a topic, as a Source gives it and a Sink takes it.
struct Record {
  std::string topic;
  std::int32_t partition = -1;       // -1 when produced: the sink's partitioner chooses by key
  std::int64_t offset = -1;          // -1 when produced
  std::string key;                   // subject id; empty = none
  std::optional<std::string> value;  // nullopt = tombstone
  std::vector<Header> headers;
  Instant timestamp{};               // when it was appended
  std::uint64_t oversize_bytes = 0;  // > 0: the original was larger than the source's limit and `value` is a prefix

  // The first header of that name (exact case), or nullptr.
  const std::string* FindHeader(std::string_view name) const {
    for (const Header& h : headers) {
      if (h.name == name) return &h.value;
    }
    return nullptr;
  }
};

}  // namespace zhitui
