#pragma once

// Reads the flat XML of WeChat's call-backs: a root element `xml` with elements that hold text or CDATA. Nothing else
// of XML: no DOCTYPE, entities (but the five of XML itself), attributes, comments or processing instructions. Pure.

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace zhitui::wechat {

// The text of each child of the root; children of children are read over. nullopt: not such a document, an element
// twice, more than 64 elements, or deeper than 8.
std::optional<std::map<std::string, std::string>> ParseFlatXml(std::string_view xml);

}  // namespace zhitui::wechat
