#pragma once

// What the files of a rules folder are made of: for each kind of file the keys, what they mean and what their values
// look like. Schemas, completion and hover are made from it. It repeats what the readers in facts, rules and message
// know; tests/editor/schema_test.cc feeds both the same files. Private to editor.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"

namespace zhitui::editor {

// What a scalar names or holds, beyond being text.
enum class Role : std::uint8_t {
  kNone,
  kExpression,    // CEL
  kCriterionRef,  // ids of criteria, laws …
  kLawRef,
  kMessageRef,
  kCalendarRef,
  kKindRef,
  kFactRef,      // a fact of the rule's kind
  kOwnFactRef,   // a fact of the same fact file
  kSourceRef,    // an agency of the same fact file
  kRecipient,    // `subject`, or the fact that holds the recipients
  kPlaceholders  // a text with {{…}}
};

struct Key;
struct Shape;
using ShapeRef = std::shared_ptr<const Shape>;

struct Shape {
  enum class Kind : std::uint8_t {
    kText,    // any scalar
    kChoice,  // one of `choices`
    kBool,
    kInt,     // whole, without quotes
    kNumber,  // 12, 12.50
    kDate,    // 2026-03-01
    kRecord,  // fixed keys
    kTable,   // keys of the author's, values of one shape
    kList,
    kEither,  // one of `parts`
    kAny,
  };
  Kind kind = Kind::kText;
  Role role = Role::kNone;
  std::string pattern;  // kText: of the text; kTable: of the keys. ECMA-262
  std::size_t min = 0;  // kText: bytes; kTable, kList: entries; kInt: the value
  std::size_t max = 0;  // kTable, kList, kInt; 0: no limit
  std::vector<std::string> choices;
  std::vector<Key> keys;        // kRecord
  std::vector<ShapeRef> parts;  // kList, kTable: one, the item; kEither
  std::string name;             // of a shape that holds itself: its place in $defs
};

struct Key {
  std::string name;
  bool required = false;
  ShapeRef shape;
  Text meaning;
};

// "rule", "facts", "message", "calendar"; nullptr for another name.
const Shape* ShapeOf(std::string_view file_kind);
// The kind of a file by its path in the rules folder.
std::string_view FileKind(std::string_view path);

// The shapes that can stand at `path` (keys, "[]" for items) below `root`.
std::vector<const Shape*> ShapesAt(const Shape& root, const std::vector<std::string>& path);
// The keys of all records among the shapes, each name once.
std::vector<const Key*> KeysOf(const std::vector<const Shape*>& shapes);

}  // namespace zhitui::editor
