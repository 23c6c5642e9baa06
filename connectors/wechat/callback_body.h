#pragma once

// Reads the body of a call-back, XML or JSON, into one small tree. Of XML only what the platforms send: a root element
// `xml` with elements that hold text, CDATA or elements. No DOCTYPE, entities (but the five of XML itself), attributes,
// comments or processing instructions. Pure.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace zhitui::wechat {

struct BodyNode {
  std::string name;
  std::string text;  // numbers and booleans of JSON as they are written
  std::vector<BodyNode> children;

  const BodyNode* Find(std::string_view child) const;  // the first of that name; nullptr: none
  std::string Text(std::string_view child) const;      // its text, or empty
};

// The root. A JSON array is as many children of its name. nullopt: not such a document, a child of the root twice (but
// List), more than 256 elements, or deeper than 8.
std::optional<BodyNode> ParseCallbackBody(std::string_view body);

}  // namespace zhitui::wechat
