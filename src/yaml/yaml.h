#pragma once

// yaml: a strict reader of YAML 1.2 files that people write. Every node knows its place. Duplicate keys, anchors and
// aliases, tags, several documents, tabs in indentation and merge keys are errors; plain scalars keep their text: 010
// is not 8, `no` is not false, until the caller asks for a type. Limits: 1 MiB a file, depth 32, 100,000 nodes. Pure:
// the caller hands over the text. Thread-compatible.

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/base.h"

namespace zhitui::yaml {

class Node;
struct SourceText;  // the file's text and its line table

// One parsed file: owns the text and the nodes. Nodes point into it.
class Document {
 public:
  Document();
  ~Document();
  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;

  const Node& root() const;
  const std::string& file() const;
  std::string_view SourceLine(std::uint32_t line) const;  // without the line end; empty when out of range

 private:
  friend std::optional<Document> Parse(std::string file, std::string text, Diagnostics* diagnostics);
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// nullopt (with at least one diagnostic, at most 100) when the text is not acceptable YAML. An empty file is a null
// root. A UTF-8 byte order mark at the start is skipped.
std::optional<Document> Parse(std::string file, std::string text, Diagnostics* diagnostics);

enum class NodeKind : std::uint8_t { kNull, kScalar, kSequence, kMapping };

class Node {
 public:
  NodeKind kind() const { return kind_; }
  bool IsNull() const { return kind_ == NodeKind::kNull; }  // an empty value, `null` (Null, NULL) or `~`, unquoted
  bool IsScalar() const { return kind_ == NodeKind::kScalar; }
  bool IsSequence() const { return kind_ == NodeKind::kSequence; }
  bool IsMapping() const { return kind_ == NodeKind::kMapping; }

  const std::string& text() const { return text_; }  // scalar, after unescaping and folding
  bool quoted() const { return quoted_; }            // '…', "…", | or >

  // Where the node starts; for a scalar its first character (inside the quotes; for | and > the first content line);
  // for an empty value its key, or the dash of its list item.
  Location at() const;
  std::uint32_t length() const;  // code points on that line, for underlining
  // For each line of a scalar's text(): where it stands in the file and the file's whole line. Exact for plain, quoted
  // (without escapes before it) and literal (|) scalars; for folded (>) ones each source line counts as one.
  struct Line {
    std::uint32_t line = 1;
    std::uint32_t column = 1;
    std::string source_line;
  };
  std::vector<Line> Lines() const;
  // text() with the line breaks that folding took out and without line ends at its end: line i of it stands at
  // Lines()[i]. For text in which a line break means no more than a space, such as an expression, so that faults in it
  // can be placed.
  std::string Unfolded() const;

  const std::vector<Node>& items() const { return items_; }                       // sequence
  const std::vector<std::pair<Node, Node>>& entries() const { return entries_; }  // mapping, file order
  const Node* Find(std::string_view key) const;                                   // mapping; nullptr: no such key

  // A mapping of `entries` that stands where `place` does, for what is put together from several files: its nodes keep
  // their own places. The documents of all of them have to stay.
  static Node Mapping(const Node& place, std::vector<std::pair<Node, Node>> entries);

  // A diagnostic at this node.
  Diagnostic Fault(std::string code, std::string message, std::string hint = "") const;

 private:
  friend class Builder;
  NodeKind kind_ = NodeKind::kNull;
  bool quoted_ = false;
  char style_ = 0;  // scalar: ' " | > or 0 for plain
  std::uint32_t line_ = 0;
  std::uint32_t column_ = 0;
  std::uint32_t length_ = 1;
  std::uint32_t offset_ = 0;  // bytes from the start of the text
  std::string text_;
  std::vector<Node> items_;
  std::vector<std::pair<Node, Node>> entries_;
  const SourceText* source_ = nullptr;
};

// Reads one mapping with a fixed set of keys and reports everything that is wrong with it: unknown keys (with the
// nearest known one), missing keys, wrong types. Getters of absent optional keys return the default; after a fault they
// return the fallback or an empty value. Each getter names its key once; Done() reports the keys nobody asked for. Does
// not own the node.
class Reader {
 public:
  Reader(const Node& node, Diagnostics* diagnostics);  // a node that is not a mapping is reported, then acts as empty
  bool valid() const { return valid_; }

  const Node* Required(std::string_view key);
  const Node* Optional(std::string_view key);
  std::string String(std::string_view key,
                     std::optional<std::string> fallback = std::nullopt);        // no fallback: required
  bool Bool(std::string_view key, std::optional<bool> fallback = std::nullopt);  // true, false
  std::int64_t Int(std::string_view key, std::optional<std::int64_t> fallback, std::int64_t min, std::int64_t max);
  double Double(std::string_view key, std::optional<double> fallback, double min, double max);
  std::optional<Date> DateAt(std::string_view key, bool required);
  std::vector<std::string> Strings(std::string_view key, bool required);  // a sequence of scalars, or one scalar
  std::string OneOf(std::string_view key, std::optional<std::string> fallback,
                    std::initializer_list<std::string_view> values);
  Text LocalText(std::string_view key, bool required);  // {zh: …, en: …} or one zh string
  void Done();

 private:
  const Node& node_;
  Diagnostics* diagnostics_;
  bool valid_ = false;
  std::vector<std::string> seen_;
};

// Scalars by type; nullopt and a diagnostic when the text is not one.
std::optional<std::int64_t> ToInt(const Node& node,
                                  Diagnostics* diagnostics);  // decimal digits, optional minus, no leading 0
std::optional<Date> ToDate(const Node& node, Diagnostics* diagnostics);
std::optional<bool> ToBool(const Node& node, Diagnostics* diagnostics);
Text ToText(const Node& node, Diagnostics* diagnostics);

// What an author lets stand although a lint finds it, and why. Rule, fact and message files have a list of them:
// `allow: [{lint: unused-fact, at: facts.name, because: …}]`.
struct Allow {
  std::string lint;     // its code
  std::string at;       // keys and numbers of entries (from 1) joined by dots; empty: the whole file
  std::string because;  // one line, not empty, at most 600 bytes
  Location place;
  std::uint32_t length = 1;  // of the code, for underlining
  std::string source_line;
};
// At most 200 of them. Reports what is not one (`bad-allow`); whether the lint exists is for those who have lints.
std::vector<Allow> ToAllows(const Node& node, Diagnostics* diagnostics);

}  // namespace zhitui::yaml
