#include <algorithm>

#include "yaml/document.h"

namespace zhitui::yaml {

Location Node::at() const {
  Location at;
  if (source_ != nullptr) at.file = source_->file;
  at.line = line_;
  at.column = column_;
  return at;
}

std::uint32_t Node::length() const { return length_; }

std::vector<Node::Line> Node::Lines() const {
  std::vector<Line> lines;
  if (kind_ != NodeKind::kScalar || source_ == nullptr) return lines;
  for (const Piece& piece : TraceScalar(*source_, style_, offset_, text_)) {
    Line line;
    line.line = source_->LineOf(piece.offset);
    line.column = source_->ColumnOf(piece.offset);
    line.source_line = source_->Line(line.line);
    lines.push_back(std::move(line));
  }
  return lines;
}

std::string Node::Unfolded() const {
  if (kind_ != NodeKind::kScalar || source_ == nullptr) return text_;
  std::string out;
  for (const Piece& piece : TraceScalar(*source_, style_, offset_, text_)) {
    out += piece.text;
    out += '\n';
  }
  if (!out.empty()) out.pop_back();
  return out;
}

const Node* Node::Find(std::string_view key) const {
  for (const auto& [name, value] : entries_) {
    if (name.text_ == key) return &value;
  }
  return nullptr;
}

Node Node::Mapping(const Node& place, std::vector<std::pair<Node, Node>> entries) {
  Node out;
  out.kind_ = NodeKind::kMapping;
  out.line_ = place.line_;
  out.column_ = place.column_;
  out.length_ = place.length_;
  out.offset_ = place.offset_;
  out.source_ = place.source_;
  out.entries_ = std::move(entries);
  return out;
}

Diagnostic Node::Fault(std::string code, std::string message, std::string hint) const {
  Diagnostic out;
  out.at = at();
  out.length = length_;
  out.code = std::move(code);
  out.message = std::move(message);
  out.hint = std::move(hint);
  if (source_ != nullptr) out.source_line = source_->Line(line_);
  return out;
}

}  // namespace zhitui::yaml
