// The table of shapes as JSON Schema 2020-12. YAML without quotes is a number, true, false or null to a validator,
// where the readers take it as text: so text may be any of them.

#include <map>
#include <nlohmann/json.hpp>

#include "editor/editor.h"
#include "editor/shape.h"

namespace zhitui::editor {
namespace {

using Json = nlohmann::ordered_json;
using Kind = Shape::Kind;

constexpr const char* kNumber = "^-?[0-9]+([.][0-9]+)?$";
constexpr const char* kDate = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$";

class Writer {
 public:
  Json Run(const Shape& root, std::string_view file_kind) {
    Json out = Node(root);
    Json head = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                 {"title", "zhitui " + std::string(file_kind)}};
    head.update(out);
    if (!defs_.empty()) head["$defs"] = defs_;
    return head;
  }

 private:
  // Where a shape was seen before it is named, so that records in lists of lists do not multiply.
  Json Node(const Shape& shape) {
    if (shape.kind != Kind::kRecord && shape.kind != Kind::kEither) return Body(shape);
    Json body = Body(shape);
    const std::string text = body.dump();
    if (text.size() < 400) return body;
    const auto [it, fresh] = names_.emplace(text, "part" + std::to_string(names_.size() + 1));
    if (fresh) defs_[it->second] = body;
    return {{"$ref", "#/$defs/" + it->second}};
  }

  Json Body(const Shape& shape) {
    switch (shape.kind) {
      case Kind::kAny:
        return {{"type", {"object", "null"}}};
      case Kind::kBool:
        return {{"type", "boolean"}};
      case Kind::kInt:
        return {{"type", "integer"}, {"minimum", shape.min}, {"maximum", shape.max}};
      case Kind::kNumber:
        return {{"type", {"number", "string"}}, {"pattern", kNumber}};
      case Kind::kDate:
        return {{"type", "string"}, {"pattern", kDate}};
      case Kind::kChoice:
        return {{"type", "string"}, {"enum", shape.choices}};
      case Kind::kText: {
        Json out = {{"type", {"string", "number", "boolean"}}};
        if (shape.min > 0) out["minLength"] = shape.min;
        if (!shape.pattern.empty()) out["pattern"] = shape.pattern;
        return out;
      }
      case Kind::kList: {
        Json out = {{"type", "array"}, {"items", Node(*shape.parts.front())}};
        if (shape.min > 0) out["minItems"] = shape.min;
        if (shape.max > 0) out["maxItems"] = shape.max;
        return out;
      }
      case Kind::kTable: {
        Json out = {{"type", "object"}, {"additionalProperties", Node(*shape.parts.front())}};
        if (!shape.pattern.empty()) out["propertyNames"] = {{"pattern", shape.pattern}};
        if (shape.min > 0) out["minProperties"] = shape.min;
        if (shape.max > 0) out["maxProperties"] = shape.max;
        return out;
      }
      case Kind::kEither: {
        Json parts = Json::array();
        for (const ShapeRef& part : shape.parts) parts.push_back(Node(*part));
        return {{"anyOf", std::move(parts)}};
      }
      case Kind::kRecord:
        break;
    }
    Json properties = Json::object();
    Json required = Json::array();
    for (const Key& key : shape.keys) {
      Json value = Node(*key.shape);
      value["description"] = key.meaning.en + "\n" + key.meaning.zh;
      properties[key.name] = std::move(value);
      if (key.required) required.push_back(key.name);
    }
    Json out = {{"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
    if (!required.empty()) out["required"] = std::move(required);
    return out;
  }

  Json defs_ = Json::object();
  std::map<std::string, std::string> names_;
};

}  // namespace

std::string JsonSchema(std::string_view file_kind) {
  const Shape* shape = ShapeOf(file_kind);
  return shape == nullptr ? std::string() : Writer().Run(*shape, file_kind).dump(2) + "\n";
}

}  // namespace zhitui::editor
