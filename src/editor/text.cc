#include "editor/text.h"

#include <algorithm>

namespace zhitui::editor {
namespace {

std::size_t LengthOf(char lead) {
  const auto c = static_cast<unsigned char>(lead);
  return c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
}

std::size_t UnitsOf(char lead, Encoding encoding) {
  const std::size_t bytes = LengthOf(lead);
  if (encoding == Encoding::kUtf8) return bytes;
  return encoding == Encoding::kUtf16 && bytes == 4 ? 2 : 1;
}

int Hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

}  // namespace

Lines::Lines(std::string_view text) : text_(text), starts_{0} {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') starts_.push_back(i + 1);
  }
}

std::size_t Lines::LineEnd(std::size_t line) const {
  std::size_t end = line + 1 < starts_.size() ? starts_[line + 1] - 1 : text_.size();
  if (end > starts_[line] && text_[end - 1] == '\r') --end;
  return end;
}

std::size_t Lines::OffsetOf(Position position, Encoding encoding) const {
  if (position.line >= starts_.size()) return text_.size();
  const std::size_t end = LineEnd(position.line);
  std::size_t at = starts_[position.line];
  std::size_t units = 0;
  while (at < end) {
    const std::size_t next = units + UnitsOf(text_[at], encoding);
    if (next > position.character) break;
    units = next;
    at = std::min(at + LengthOf(text_[at]), end);
  }
  return at;
}

Position Lines::PositionOf(std::size_t offset, Encoding encoding) const {
  offset = std::min(offset, text_.size());
  const auto it = std::upper_bound(starts_.begin(), starts_.end(), offset);
  Position out;
  out.line = static_cast<std::size_t>(it - starts_.begin()) - 1;
  for (std::size_t at = starts_[out.line]; at < offset; at += LengthOf(text_[at])) {
    out.character += UnitsOf(text_[at], encoding);
  }
  return out;
}

std::size_t Lines::OffsetOf(const Location& at) const {
  if (at.line == 0) return 0;
  return OffsetOf({at.line - 1, at.column == 0 ? 0 : at.column - 1}, Encoding::kUtf32);
}

std::size_t Lines::Advance(std::size_t offset, std::size_t points) const {
  while (points > 0 && offset < text_.size() && text_[offset] != '\n' && text_[offset] != '\r') {
    offset = std::min(offset + LengthOf(text_[offset]), text_.size());
    --points;
  }
  return offset;
}

std::string PathOfUri(std::string_view uri) {
  if (!uri.starts_with("file://")) return "";
  uri.remove_prefix(7);
  const std::size_t slash = uri.find('/');
  if (slash == std::string_view::npos) return "";
  uri.remove_prefix(slash);  // a host's name
  std::string out;
  for (std::size_t i = 0; i < uri.size(); ++i) {
    if (uri[i] == '%' && i + 2 < uri.size() && Hex(uri[i + 1]) >= 0 && Hex(uri[i + 2]) >= 0) {
      out += static_cast<char>(Hex(uri[i + 1]) * 16 + Hex(uri[i + 2]));
      i += 2;
    } else {
      out += uri[i];
    }
  }
  return out.find('\0') == std::string::npos ? out : "";
}

std::string UriOfPath(std::string_view path) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out = "file://";
  for (const char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("/-._~").find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
  return out;
}

}  // namespace zhitui::editor
