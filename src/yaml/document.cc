#include "yaml/document.h"

#include <algorithm>
#include <utility>

namespace zhitui::yaml {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::size_t CountInk(std::string_view s) {
  return static_cast<std::size_t>(std::count_if(s.begin(), s.end(), [](char c) { return !IsSpace(c); }));
}

// The shortest prefix of `s` with `ink` characters that are not spaces.
std::string_view CutAfterInk(std::string_view s, std::size_t ink) {
  std::size_t i = 0;
  while (i < s.size() && ink > 0) ink -= IsSpace(s[i++]) ? 0 : 1;
  return s.substr(0, i);
}

// Plain and folded scalars: folding changes spaces only, so the characters that are not spaces tell where the scalar
// ends.
std::vector<Piece> TraceFolded(const SourceText& d, std::size_t offset, const std::string& value, bool block) {
  std::vector<Piece> pieces;
  std::size_t left = CountInk(value);
  const std::uint32_t first = d.LineOf(offset);
  const std::size_t indent = offset - d.LineStart(first);
  for (std::uint32_t line = first; line <= d.line_count(); ++line) {
    const std::string_view whole = d.Line(line);
    std::size_t begin = line == first || block ? std::min(indent, whole.size()) : 0;
    std::string_view text = whole.substr(begin);
    if (!block) {
      while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1), ++begin;
    }
    while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
    const std::size_t ink = CountInk(text);
    if (ink >= left) {
      pieces.push_back({d.LineStart(line) + begin, std::string(CutAfterInk(text, left))});
      break;
    }
    left -= ink;
    pieces.push_back({d.LineStart(line) + begin, std::string(text)});
  }
  return pieces;
}

std::vector<Piece> TraceLiteral(const SourceText& d, std::size_t offset, const std::string& value) {
  std::vector<Piece> pieces;
  const std::size_t blank = std::min(value.find_first_not_of('\n'), value.size());
  const std::uint32_t content = d.LineOf(offset);
  const std::size_t indent = offset - d.LineStart(content);
  std::uint32_t line = content - std::min(content - 1, static_cast<std::uint32_t>(blank));
  std::size_t i = 0;
  while (i < value.size() && line <= d.line_count()) {
    const std::size_t end = std::min(value.find('\n', i), value.size());
    const std::size_t begin = std::min(indent, d.Line(line).size());
    pieces.push_back({d.LineStart(line) + begin, value.substr(i, end - i)});
    i = end + 1;
    ++line;
  }
  while (!pieces.empty() && pieces.back().text.empty()) pieces.pop_back();
  return pieces;
}

// Walks source and value side by side: an escape stands for one code point of the value, a line break for what folding
// made of it.
std::vector<Piece> TraceQuoted(const SourceText& d, char quote, std::size_t offset, const std::string& value) {
  const std::string& s = d.text;
  std::vector<Piece> pieces{{offset, ""}};
  std::size_t v = 0;
  const auto take = [&] {  // one code point of the value
    std::string taken;
    do {
      if (v < value.size()) taken += value[v++];
    } while (v < value.size() && (static_cast<unsigned char>(value[v]) & 0xC0) == 0x80);
    return taken;
  };
  std::size_t i = offset;
  while (i < s.size()) {
    const char c = s[i];
    if (c == quote) {
      if (quote == '"' || i + 1 >= s.size() || s[i + 1] != quote) break;
      i += 2;
      pieces.back().text += take();
    } else if (quote == '"' && c == '\\' && i + 1 < s.size()) {
      const char e = s[i + 1];
      i += 2;
      if (e == '\n' || e == '\r') {  // the break is not part of the value
        while (i < s.size() && IsSpace(s[i])) ++i;
        continue;
      }
      i += e == 'x' ? 2 : e == 'u' ? 4 : e == 'U' ? 8 : 0;
      const std::string taken = take();
      if (taken == "\n") {
        pieces.push_back({i, ""});
      } else {
        pieces.back().text += taken;
      }
    } else if (c == '\n' || c == '\r') {
      std::size_t breaks = 0;
      for (; i < s.size() && IsSpace(s[i]); ++i) {
        if (s[i] == '\n' && ++breaks > 1) pieces.push_back({i, ""});
      }
      pieces.push_back({i, ""});
      v += breaks == 1 ? 1 : breaks - 1;
    } else {
      const std::size_t ink = std::min(s.find_first_not_of(" \t", i), s.size());
      if (ink > i && ink < s.size() && (s[ink] == '\n' || s[ink] == '\r')) {
        i = ink;  // spaces before a line break are not part of the value
        continue;
      }
      const std::string taken = take();
      i += std::max<std::size_t>(taken.size(), 1);
      pieces.back().text += taken;
    }
  }
  return pieces;
}

}  // namespace

std::uint32_t CodePoints(std::string_view utf8) {
  return static_cast<std::uint32_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string Quote(std::string_view text) {
  std::string out = "\"";
  std::size_t points = 0;
  for (const char c : text) {
    const bool starts = (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    if (starts && ++points > 40) return out + "…\"";
    out += c == '\n' || c == '\r' || c == '\t' ? ' ' : c;
  }
  return out + '"';
}

void SourceText::IndexLines() {
  line_starts = {0};
  for (std::size_t i = text.find('\n'); i < text.size(); i = text.find('\n', i + 1)) {
    if (i + 1 < text.size()) line_starts.push_back(static_cast<std::uint32_t>(i + 1));
  }
}

std::uint32_t SourceText::LineOf(std::size_t offset) const {
  const auto it = std::upper_bound(line_starts.begin(), line_starts.end(), offset);
  return static_cast<std::uint32_t>(it - line_starts.begin());
}

std::uint32_t SourceText::ColumnOf(std::size_t offset) const {
  const std::size_t start = LineStart(LineOf(offset));
  return CodePoints(std::string_view(text).substr(start, std::min(offset, text.size()) - start)) + 1;
}

std::size_t SourceText::LineEnd(std::uint32_t line) const {
  std::size_t end = line < line_count() ? line_starts[line] : text.size();
  while (end > LineStart(line) && (text[end - 1] == '\n' || text[end - 1] == '\r')) --end;
  return end;
}

std::string_view SourceText::Line(std::uint32_t line) const {
  if (line == 0 || line > line_count()) return {};
  return std::string_view(text).substr(LineStart(line), LineEnd(line) - LineStart(line));
}

std::vector<Piece> TraceScalar(const SourceText& source, char style, std::size_t offset, const std::string& value) {
  if (CountInk(value) == 0 && style != '"' && style != '\'') return {{offset, ""}};
  switch (style) {
    case '"':
    case '\'':
      return TraceQuoted(source, style, offset, value);
    case '|':
      return TraceLiteral(source, offset, value);
    default:
      return TraceFolded(source, offset, value, style == '>');
  }
}

Document::Document() : impl_(std::make_unique<Impl>()) { impl_->source.IndexLines(); }
Document::~Document() = default;
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
const Node& Document::root() const { return impl_->root; }
const std::string& Document::file() const { return impl_->source.file; }
std::string_view Document::SourceLine(std::uint32_t line) const { return impl_->source.Line(line); }

}  // namespace zhitui::yaml
