// Parameters: values that the law changes on known days.

#include <algorithm>

#include "rules/rule_parser.h"
#include "rules/vocabulary.h"

namespace zhitui::rules {
namespace {

using value::Kind;
using value::Value;

bool LooksLikeInt(const std::string& text) {
  const std::size_t from = text.starts_with('-') ? 1 : 0;
  return text.size() > from && std::all_of(text.begin() + static_cast<std::ptrdiff_t>(from), text.end(),
                                           [](char c) { return c >= '0' && c <= '9'; });
}

// nullopt and a diagnostic when the scalar is none of the types a parameter may have.
std::optional<Value> ParseScalar(const yaml::Node& node, const std::string& name, Diagnostics* diagnostics) {
  if (!node.IsScalar()) {
    diagnostics->push_back(node.Fault("bad-param", "`" + name + "` needs a value",
                                      "write one value, or dated ones: {2008-01-01: 80, 2019-10-01: 70}"));
    return std::nullopt;
  }
  const std::string& text = node.text();
  if (node.quoted()) return Value::String(text);
  if (text == "true" || text == "false") return Value::Bool(text == "true");
  if (LooksLikeInt(text)) {
    if (const std::optional<std::int64_t> n = yaml::ToInt(node, diagnostics)) return Value::Int(*n);
    return std::nullopt;
  }
  if (const std::optional<value::Decimal> d = value::Decimal::Parse(text)) return Value::OfDecimal(*d);
  if (const Result<Date> day = ParseDate(text)) return Value::OfDate(*day);
  diagnostics->push_back(node.Fault("bad-param", "`" + text + "` is not a number, a date, true or false",
                                    "write text in quotes: \"" + text + "\""));
  return std::nullopt;
}

// All values of a parameter have one type; whole numbers beside decimals are decimals.
void Unify(Param& param, const std::vector<const yaml::Node*>& nodes, Diagnostics* diagnostics) {
  const auto is_number = [](const Value& v) { return v.is(Kind::kInt) || v.is(Kind::kDecimal); };
  const bool any_decimal = std::any_of(param.values.begin(), param.values.end(),
                                       [](const cel::DatedValue& d) { return d.value.is(Kind::kDecimal); });
  const Value first = param.values.front().value;
  for (std::size_t i = 0; i < param.values.size(); ++i) {
    Value& v = param.values[i].value;
    if (v.is(first.kind()) || (is_number(v) && is_number(first))) {
      if (any_decimal && v.is(Kind::kInt)) v = Value::OfDecimal({v.AsInt(), 0});
      continue;
    }
    diagnostics->push_back(nodes[i]->Fault("bad-param",
                                           "`" + param.name + "` is " + value::KindName(first.kind()) +
                                               " elsewhere and " + value::KindName(v.kind()) + " here",
                                           "give all values of a parameter one type"));
    return;
  }
  param.type = value::Primitive(param.values.front().value.kind());
}

// The value of a day: plain, or {is: 300, entered: 2025-09-10} where it is entered after the fact.
void ParseEntry(const yaml::Node& node, Date from, Param& param, std::vector<const yaml::Node*>& nodes,
                Diagnostics* diagnostics) {
  const yaml::Node* is = &node;
  std::optional<Date> entered;
  if (node.IsMapping()) {
    yaml::Reader reader(node, diagnostics);
    is = reader.Required("is");
    const yaml::Node* day = reader.Required("entered");
    reader.Done();
    if (is == nullptr || day == nullptr) return;
    entered = yaml::ToDate(*day, diagnostics);
    if (!entered) return;
    if (*entered <= from) {
      diagnostics->push_back(
          day->Fault("bad-param",
                     "it is entered by " + FormatDate(*entered) + ", before it counts from " + FormatDate(from) + " on",
                     "write only the value: `entered` is for one that comes after the fact"));
      return;
    }
  }
  const bool again = !param.values.empty() && param.values.back().from == from;
  if (again && (!entered || (param.values.back().entered && *entered <= *param.values.back().entered))) {
    diagnostics->push_back(node.Fault("bad-param", "a later value of one day needs a later `entered`",
                                      "write for example `2025-07-01: [250, {is: 300, entered: 2025-09-10}]`"));
    return;
  }
  const std::optional<Value> v = ParseScalar(*is, param.name, diagnostics);
  if (!v) return;
  param.values.push_back({from, *v, entered});
  nodes.push_back(is);
}

}  // namespace

std::vector<Param> ParseParams(const yaml::Node& node, Diagnostics* diagnostics) {
  std::vector<Param> out;
  if (!node.IsMapping()) {
    diagnostics->push_back(
        node.Fault("bad-param", "params maps names to values", "for example `min_age: {2008-01-01: 80}`"));
    return out;
  }
  if (!CheckCount(node, node.entries().size(), kMaxParams, "params", diagnostics)) return out;
  for (const auto& [key, value] : node.entries()) {
    Param param;
    param.name = key.text();
    param.at = key.at();
    param.key = &key;
    if (!IsName(param.name)) {
      diagnostics->push_back(key.Fault("bad-name", "`" + param.name + "` cannot be used in an expression",
                                       "use lower-case words joined by _, such as min_age"));
      continue;
    }
    std::vector<const yaml::Node*> nodes;
    if (!value.IsMapping()) {
      param.constant = true;
      if (const std::optional<Value> v = ParseScalar(value, param.name, diagnostics)) {
        param.values.push_back({MakeDate(1, 1, 1), *v});
        nodes.push_back(&value);
      }
    } else if (value.entries().empty()) {
      diagnostics->push_back(value.Fault("bad-param", "`" + param.name + "` has no value"));
    } else if (CheckCount(value, value.entries().size(), kMaxDatedValues, "dated values", diagnostics)) {
      param.first_day = &value.entries().front().first;
      for (const auto& [from, dated] : value.entries()) {
        const std::optional<Date> day = yaml::ToDate(from, diagnostics);
        if (!day) continue;
        if (!param.values.empty() && *day <= param.values.back().from) {
          diagnostics->push_back(
              from.Fault("bad-param", "the days of `" + param.name + "` are not in order", "write the earliest first"));
          continue;
        }
        if (!dated.IsSequence()) {
          ParseEntry(dated, *day, param, nodes, diagnostics);
          continue;
        }
        if (dated.items().empty()) ParseScalar(dated, param.name, diagnostics);
        for (const yaml::Node& item : dated.items()) ParseEntry(item, *day, param, nodes, diagnostics);
      }
      if (param.values.size() > kMaxDatedValues)
        CheckCount(value, param.values.size(), kMaxDatedValues, "dated values", diagnostics);
    }
    if (!param.values.empty()) Unify(param, nodes, diagnostics);
    out.push_back(std::move(param));
  }
  return out;
}

}  // namespace zhitui::rules
