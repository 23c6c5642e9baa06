#pragma once

// The syntax of a YAML file with the place of every part, for text that may be unfinished: nothing is a mistake here,
// what cannot be read becomes a scalar or a key without a value. yaml::Parse says what is acceptable; this says where
// things are. Private to editor.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace zhitui::editor {

enum class SyntaxKind : std::uint8_t { kEmpty, kScalar, kMap, kList };

// Offsets are bytes from the start of the text.
struct Syntax {
  SyntaxKind kind = SyntaxKind::kEmpty;
  char style = 0;      // scalar: ' " | > or 0
  bool flow = false;   // map, list: {…} or […]
  bool closed = true;  // quotes and brackets have their end
  bool plain = true;   // flow: nothing inside that one line could not hold, such as a comment
  std::size_t begin = 0;
  std::size_t end = 0;              // behind the last character, quotes and brackets included
  std::size_t column = 0;           // block map, list: where its entries begin; | and >: of the content
  std::vector<Syntax> keys;         // map; as many as values
  std::vector<Syntax> values;       // map, list
  std::vector<std::size_t> starts;  // of each entry: its key or its dash
  std::vector<char> colons;         // map: whether the entry has its colon
};

Syntax ParseSyntax(std::string_view text);

// A scalar's value and where its bytes stand: byte i at offset at[i]; at has one more for the end.
struct Decoded {
  std::string text;
  std::vector<std::size_t> at;
};
Decoded Decode(std::string_view text, const Syntax& scalar);

// The value of `map`'s key; nullptr: no such key.
const Syntax* Find(std::string_view text, const Syntax& map, std::string_view key);

// What stands at an offset.
struct Cursor {
  // Keys from the root; "[]" stands for an item of a list. For a key that is being written: the path of its map.
  std::vector<std::string> path;
  bool key = false;                  // at a key, or where one may be written
  const Syntax* scalar = nullptr;    // the scalar there
  const Syntax* map = nullptr;       // the map of the key, or that the value stands in; nullptr: none
  std::vector<const Syntax*> above;  // maps and lists from the root to there
};
Cursor At(std::string_view text, const Syntax& root, std::size_t offset);

}  // namespace zhitui::editor
