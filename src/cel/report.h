#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cel/cel.h"

namespace zhitui::cel {

// A stretch of an expression's text, in bytes.
struct Span {
  std::uint32_t start = 0;
  std::uint32_t end = 0;
};

// Turns byte positions of one expression into Diagnostics with a place in its file.
class Reporter {
 public:
  Reporter(const Source& source, Diagnostics* out);

  // Says `message` about `at`. A second mistake that starts at the same byte is not reported: it is a consequence.
  void Report(Span at, std::string code, std::string message, std::string hint = {});
  Location Locate(std::uint32_t offset) const;
  std::string_view Text(Span at) const;
  // The text at `at` when it is short enough to be repeated in a hint, otherwise `fallback`.
  std::string Quote(Span at, const std::string& fallback) const;
  std::size_t count() const { return count_; }

 private:
  std::size_t LineOf(std::uint32_t offset) const;

  const Source& source_;
  Diagnostics* out_;
  std::vector<std::uint32_t> line_starts_;
  std::vector<std::uint32_t> reported_;
  std::size_t count_ = 0;
};

}  // namespace zhitui::cel
