#pragma once

// A small validator of JSON Schema 2020-12: the keywords that the product's schemas use. Any other keyword fails the
// test. Independent of src/editor.

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <string>

#include "yaml/yaml.h"

namespace zhitui::editor {

// YAML 1.2's core schema, as validators in editors read files.
inline nlohmann::json JsonOf(const yaml::Node& node) {
  using nlohmann::json;
  switch (node.kind()) {
    case yaml::NodeKind::kNull:
      return nullptr;
    case yaml::NodeKind::kScalar: {
      const std::string& text = node.text();
      if (node.quoted()) return text;
      if (text == "true" || text == "false") return text == "true";
      static const std::regex integer("[-+]?[0-9]+");
      static const std::regex number(R"([-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?)");
      if (std::regex_match(text, integer) && text.size() < 18) return std::stoll(text);
      if (std::regex_match(text, number)) return std::stod(text);
      return text;
    }
    case yaml::NodeKind::kSequence: {
      json out = json::array();
      for (const yaml::Node& item : node.items()) out.push_back(JsonOf(item));
      return out;
    }
    case yaml::NodeKind::kMapping: {
      json out = json::object();
      for (const auto& [key, value] : node.entries()) out[key.text()] = JsonOf(value);
      return out;
    }
  }
  return nullptr;
}

class JsonChecker {
 public:
  using Json = nlohmann::json;
  explicit JsonChecker(const std::string& schema) : schema_(Json::parse(schema)) {}

  // Empty: valid. Otherwise the place and the keyword that refused.
  std::string Check(const Json& value) const { return Check(schema_, value, ""); }

 private:
  static bool Matches(const std::string& text, const std::string& pattern) {
    static std::map<std::string, std::regex> compiled;
    const auto it = compiled.find(pattern);
    return std::regex_search(text,
                             it != compiled.end() ? it->second : compiled.emplace(pattern, pattern).first->second);
  }

  static bool Is(const std::string& type, const Json& v) {
    if (type == "object") return v.is_object();
    if (type == "array") return v.is_array();
    if (type == "string") return v.is_string();
    if (type == "boolean") return v.is_boolean();
    if (type == "null") return v.is_null();
    if (type == "integer") return v.is_number_integer();
    return type == "number" && v.is_number();
  }

  std::string Check(const Json& s, const Json& v, const std::string& at) const {
    static const std::set<std::string> known = {"$schema",     "$defs",         "$ref",          "title",
                                                "description", "type",          "properties",    "additionalProperties",
                                                "required",    "items",         "enum",          "pattern",
                                                "anyOf",       "propertyNames", "minProperties", "maxProperties",
                                                "minItems",    "maxItems",      "minLength",     "minimum",
                                                "maximum"};
    if (s.is_boolean()) return s.get<bool>() ? "" : at + ": false";
    for (const auto& [keyword, unused] : s.items()) {
      if (!known.contains(keyword)) return "unknown keyword " + keyword;
    }
    if (s.contains("$ref")) {
      const std::string fault = Check(schema_.at(Json::json_pointer(s["$ref"].get<std::string>().substr(1))), v, at);
      if (!fault.empty()) return fault;
    }
    if (s.contains("type")) {
      const Json types = s["type"].is_array() ? s["type"] : Json::array({s["type"]});
      bool any = false;
      for (const Json& type : types) any = any || Is(type.get<std::string>(), v);
      if (!any) return at + ": type";
    }
    if (s.contains("enum") && std::find(s["enum"].begin(), s["enum"].end(), v) == s["enum"].end()) return at + ": enum";
    if (s.contains("anyOf")) {
      std::string faults;
      bool any = false;
      for (const Json& part : s["anyOf"]) {
        const std::string fault = Check(part, v, at);
        any = any || fault.empty();
        faults += " | " + fault;
      }
      if (!any) return at + ": anyOf" + faults;
    }
    if (v.is_string()) {
      const std::string text = v.get<std::string>();
      if (s.contains("pattern") && !Matches(text, s["pattern"].get<std::string>())) return at + ": pattern";
      if (s.contains("minLength") && text.size() < s["minLength"]) return at + ": minLength";
    }
    if (v.is_number()) {
      if (s.contains("minimum") && v < s["minimum"]) return at + ": minimum";
      if (s.contains("maximum") && v > s["maximum"]) return at + ": maximum";
    }
    if (v.is_array()) {
      if (s.contains("minItems") && v.size() < s["minItems"]) return at + ": minItems";
      if (s.contains("maxItems") && v.size() > s["maxItems"]) return at + ": maxItems";
      for (std::size_t i = 0; s.contains("items") && i < v.size(); ++i) {
        const std::string fault = Check(s["items"], v[i], at + "/" + std::to_string(i));
        if (!fault.empty()) return fault;
      }
    }
    if (v.is_object()) {
      if (s.contains("minProperties") && v.size() < s["minProperties"]) return at + ": minProperties";
      if (s.contains("maxProperties") && v.size() > s["maxProperties"]) return at + ": maxProperties";
      for (const Json& key : s.value("required", Json::array())) {
        if (!v.contains(key.get<std::string>())) return at + ": required " + key.get<std::string>();
      }
      for (const auto& [key, value] : v.items()) {
        if (s.contains("propertyNames")) {
          const std::string fault = Check(s["propertyNames"], Json(key), at + "/" + key);
          if (!fault.empty()) return fault;
        }
        std::string fault;
        if (s.contains("properties") && s["properties"].contains(key)) {
          fault = Check(s["properties"][key], value, at + "/" + key);
        } else if (s.contains("additionalProperties")) {
          fault = Check(s["additionalProperties"], value, at + "/" + key);
        }
        if (!fault.empty()) return fault;
      }
    }
    return "";
  }

  Json schema_;
};

}  // namespace zhitui::editor
