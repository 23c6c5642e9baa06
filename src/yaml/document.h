#pragma once

// The text of one file with its line table, and the positions of scalars in it. Inside the yaml room only.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "yaml/yaml.h"

namespace zhitui::yaml {

struct SourceText {
  std::string file;
  std::string text;  // without a byte order mark
  std::vector<std::uint32_t> line_starts;

  void IndexLines();
  std::uint32_t LineOf(std::size_t offset) const;  // from 1; past the end is the last line
  std::uint32_t ColumnOf(std::size_t offset) const;
  std::size_t LineStart(std::uint32_t line) const { return line_starts[line - 1]; }
  std::size_t LineEnd(std::uint32_t line) const;  // without the line end
  std::string_view Line(std::uint32_t line) const;
  std::uint32_t line_count() const { return static_cast<std::uint32_t>(line_starts.size()); }
};

struct Document::Impl {
  SourceText source;
  Node root;
};

std::uint32_t CodePoints(std::string_view utf8);
// `text` as it goes into a message: in double quotes, shortened to 40 code points.
std::string Quote(std::string_view text);

// A line of a scalar as it stands in the file: `text` begins at byte `offset`.
struct Piece {
  std::size_t offset = 0;
  std::string text;
};
// The pieces of a plain (style 0), quoted or block scalar whose first character is at `offset`, see Node::Lines.
std::vector<Piece> TraceScalar(const SourceText& source, char style, std::size_t offset, const std::string& value);

}  // namespace zhitui::yaml
