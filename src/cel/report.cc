#include "cel/report.h"

#include <algorithm>

namespace zhitui::cel {
namespace {

std::uint32_t CodePoints(std::string_view utf8) {
  std::uint32_t n = 0;
  for (const char c : utf8) n += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1 : 0;
  return n;
}

}  // namespace

Reporter::Reporter(const Source& source, Diagnostics* out) : source_(source), out_(out), line_starts_{0} {
  for (std::size_t i = 0; i < source.text.size(); ++i) {
    if (source.text[i] == '\n') line_starts_.push_back(static_cast<std::uint32_t>(i) + 1);
  }
}

std::size_t Reporter::LineOf(std::uint32_t offset) const {
  const auto it = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  return static_cast<std::size_t>(it - line_starts_.begin()) - 1;
}

std::string_view Reporter::Text(Span at) const {
  const std::size_t start = std::min<std::size_t>(at.start, source_.text.size());
  const std::size_t end = std::clamp<std::size_t>(at.end, start, source_.text.size());
  return std::string_view(source_.text).substr(start, end - start);
}

std::string Reporter::Quote(Span at, const std::string& fallback) const {
  const std::string_view text = Text(at);
  constexpr std::size_t kLongest = 60;
  if (text.empty() || text.size() > kLongest || text.find('\n') != std::string_view::npos) return fallback;
  return std::string(text);
}

Location Reporter::Locate(std::uint32_t offset) const {
  const auto size = static_cast<std::uint32_t>(source_.text.size());
  offset = std::min(offset, size);
  const std::size_t index = LineOf(offset);
  const std::uint32_t before = CodePoints(Text({line_starts_[index], offset}));
  Location at;
  at.file = source_.file;
  if (source_.lines.empty()) {
    at.line = static_cast<std::uint32_t>(index) + 1;
    at.column = 1 + before;
  } else {
    const Source::Line& line = source_.lines[std::min(index, source_.lines.size() - 1)];
    at.line = line.line;
    at.column = line.column + before;
  }
  return at;
}

void Reporter::Report(Span at, std::string code, std::string message, std::string hint) {
  ++count_;
  if (out_ == nullptr || std::find(reported_.begin(), reported_.end(), at.start) != reported_.end()) return;
  reported_.push_back(at.start);
  const auto size = static_cast<std::uint32_t>(source_.text.size());
  const std::uint32_t start = std::min(at.start, size);
  const std::size_t index = LineOf(start);
  const std::uint32_t line_end = index + 1 < line_starts_.size() ? line_starts_[index + 1] - 1 : size;
  Diagnostic d;
  d.at = Locate(start);
  d.length = std::max<std::uint32_t>(1, CodePoints(Text({start, std::clamp(at.end, start, line_end)})));
  d.code = std::move(code);
  d.message = std::move(message);
  d.hint = std::move(hint);
  if (source_.lines.empty()) {
    d.source_line = std::string(Text({line_starts_[index], line_end}));
  } else {
    d.source_line = source_.lines[std::min(index, source_.lines.size() - 1)].source_line;
  }
  out_->push_back(std::move(d));
}

}  // namespace zhitui::cel
