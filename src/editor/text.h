#pragma once

// Offsets of a text and positions as the protocol counts them. Private to editor.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"

namespace zhitui::editor {

enum class Encoding : std::uint8_t { kUtf8, kUtf16, kUtf32 };

struct Position {
  std::size_t line = 0;       // from 0
  std::size_t character = 0;  // units of the encoding
  bool operator==(const Position&) const = default;
};

// The line starts of a text that lives elsewhere.
class Lines {
 public:
  explicit Lines(std::string_view text);
  // Past the end of a line is its end, past the last line the end of the text.
  std::size_t OffsetOf(Position position, Encoding encoding) const;
  Position PositionOf(std::size_t offset, Encoding encoding) const;
  // Of a line and column of a diagnostic, which count code points from 1.
  std::size_t OffsetOf(const Location& at) const;
  // `points` code points further, not past the end of the line.
  std::size_t Advance(std::size_t offset, std::size_t points) const;

 private:
  std::size_t LineEnd(std::size_t line) const;  // without the line end
  std::string_view text_;
  std::vector<std::size_t> starts_;
};

// "file:///a%20b" -> "/a b"; empty for another scheme. And back.
std::string PathOfUri(std::string_view uri);
std::string UriOfPath(std::string_view path);

}  // namespace zhitui::editor
