#include "rules/test_facts.h"

#include <algorithm>
#include <set>
#include <vector>

#include "rules/vocabulary.h"

namespace zhitui::rules {
namespace {

using facts::FactDef;
using facts::FactType;

class Converter {
 public:
  Converter(const facts::Schema& schema, Diagnostics* diagnostics) : schema_(schema), diagnostics_(diagnostics) {
    for (const FactDef& fact : schema.facts()) names_.push_back(fact.name);
  }

  std::string Run(const yaml::Node& node) {
    json_ = "{";
    if (!node.IsNull()) Mapping(node, "");
    return json_ + "}";
  }

 private:
  void Fault(const yaml::Node& node, const char* code, std::string message, std::string hint = "") {
    diagnostics_->push_back(node.Fault(code, std::move(message), std::move(hint)));
  }

  bool IsPrefix(const std::string& name) const {
    const std::string prefix = name + ".";
    return std::any_of(names_.begin(), names_.end(), [&](const std::string& n) { return n.starts_with(prefix); });
  }

  void Mapping(const yaml::Node& node, const std::string& prefix) {
    if (!node.IsMapping()) {
      Fault(node, "bad-fact", "facts are written as `name: value`", "for example `birth_date: 1955-03-02`");
      return;
    }
    for (const auto& [key, value] : node.entries()) {
      const std::string name = prefix.empty() ? key.text() : prefix + "." + key.text();
      const std::optional<std::uint32_t> slot = schema_.Find(name);
      if (!slot) {
        if (IsPrefix(name)) {
          Mapping(value, name);
          continue;
        }
        const std::string_view near = NearestName(name, names_);
        Fault(key, "unknown-fact", "`" + name + "` is not a fact of " + schema_.kind(),
              near.empty() ? "facts are declared in facts/" + schema_.kind() + ".yaml"
                           : "did you mean `" + std::string(near) + "`?");
        continue;
      }
      if (!seen_.insert(*slot).second) {
        Fault(key, "duplicate-fact", "`" + name + "` is given twice", "keep one of them");
        continue;
      }
      if (json_.size() > 1) json_ += ",";
      json_ += JsonQuote(name) + ":";
      Value(value, schema_.facts()[*slot], name);
    }
  }

  void Wrong(const yaml::Node& node, const std::string& name, const char* expected) {
    Fault(node, "bad-fact", "`" + name + "` takes " + expected);
    json_ += "null";
  }

  void Value(const yaml::Node& node, const FactDef& fact, const std::string& name) {
    if (node.IsNull()) {
      if (!fact.nullable) {
        Fault(node, "bad-fact", "`" + name + "` cannot be null", "leave the fact out when it is not known");
      }
      json_ += "null";
      return;
    }
    if (fact.type == FactType::kList) return List(node, fact, name);
    if (fact.type == FactType::kRecord) return Record(node, fact, name);
    if (!node.IsScalar()) return Wrong(node, name, "one value");
    const std::string& text = node.text();
    switch (fact.type) {
      case FactType::kBool:
        if (node.quoted() || (text != "true" && text != "false")) return Wrong(node, name, "true or false");
        json_ += text;
        return;
      case FactType::kInt: {
        const std::optional<std::int64_t> n = yaml::ToInt(node, diagnostics_);
        json_ += std::to_string(n.value_or(0));
        return;
      }
      case FactType::kDecimal:
      case FactType::kMoney:
        if (!value::Decimal::Parse(text)) return Wrong(node, name, "a decimal number such as 12.50");
        json_ += JsonQuote(text);
        return;
      case FactType::kDate:
        if (!ParseDate(text)) return Wrong(node, name, "a date such as 1955-03-02");
        json_ += JsonQuote(text);
        return;
      case FactType::kTimestamp:
        if (!ParseInstant(text)) return Wrong(node, name, "a time such as 2026-03-01T08:00:00+08:00");
        json_ += JsonQuote(text);
        return;
      case FactType::kCode:
        if (!fact.values.empty() && std::find(fact.values.begin(), fact.values.end(), text) == fact.values.end()) {
          const std::string_view near = NearestName(text, fact.values);
          Fault(node, "bad-fact", "`" + text + "` is not a value of `" + name + "`",
                near.empty() ? "" : "did you mean `" + std::string(near) + "`?");
        }
        json_ += JsonQuote(text);
        return;
      default:
        json_ += JsonQuote(text);
        return;
    }
  }

  // "2025-03 to 2026-02" as the first day of each month.
  static std::optional<std::vector<Date>> Months(const std::string& text) {
    const std::size_t to = text.find(" to ");
    if (to == std::string::npos) return std::nullopt;
    const std::optional<Date> first = ParseMonth(std::string_view(text).substr(0, to));
    const std::optional<Date> last = ParseMonth(std::string_view(text).substr(to + 4));
    if (!first || !last || *last < *first) return std::nullopt;
    std::vector<Date> days;
    for (int i = 0; days.size() < kMaxListItems; ++i) {
      const std::optional<Date> day = value::AddPeriod(*first, {i, 0});
      if (!day || *day > *last) break;
      days.push_back(*day);
    }
    return days;
  }

  void List(const yaml::Node& node, const FactDef& fact, const std::string& name) {
    const FactDef& element = fact.element.front();
    std::size_t count = 0;
    json_ += "[";
    const auto item = [&](const yaml::Node& value) {
      if (element.type == FactType::kDate && value.IsScalar() && !ParseDate(value.text())) {
        const std::optional<std::vector<Date>> months = Months(value.text());
        if (!months) {
          Fault(value, "bad-fact", "`" + name + "` takes dates", "write 2025-03-01, or months as 2025-03 to 2026-02");
          return;
        }
        for (const Date day : *months) {
          if (count++ > 0) json_ += ",";
          json_ += JsonQuote(FormatDate(day));
        }
        return;
      }
      if (count++ > 0) json_ += ",";
      Value(value, element, name);
    };
    if (node.IsSequence()) {
      for (const yaml::Node& value : node.items()) item(value);
    } else if (node.IsScalar() && element.type == FactType::kDate) {
      item(node);
    } else {
      Fault(node, "bad-fact", "`" + name + "` takes a list", "write [one, two], or [] for none");
    }
    if (count > fact.max_items) {
      Fault(node, "too-many", "`" + name + "` takes at most " + std::to_string(fact.max_items) + " items");
    }
    json_ += "]";
  }

  void Record(const yaml::Node& node, const FactDef& fact, const std::string& name) {
    if (!node.IsMapping()) return Wrong(node, name, "fields in braces, such as {id: G1}");
    std::vector<std::string> fields;
    for (const FactDef& field : fact.fields) fields.push_back(field.name);
    json_ += "{";
    bool first = true;
    for (const auto& [key, value] : node.entries()) {
      const auto field =
          std::find_if(fact.fields.begin(), fact.fields.end(), [&](const FactDef& f) { return f.name == key.text(); });
      if (field == fact.fields.end()) {
        const std::string_view near = NearestName(key.text(), fields);
        Fault(key, "unknown-fact", "`" + key.text() + "` is not a field of `" + name + "`",
              near.empty() ? "" : "did you mean `" + std::string(near) + "`?");
        continue;
      }
      if (!first) json_ += ",";
      first = false;
      json_ += JsonQuote(key.text()) + ":";
      Value(value, *field, name + "." + field->name);
    }
    json_ += "}";
  }

  const facts::Schema& schema_;
  Diagnostics* diagnostics_;
  std::vector<std::string> names_;
  std::set<std::uint32_t> seen_;
  std::string json_;
};

}  // namespace

std::string FactsToJson(const yaml::Node& node, const facts::Schema& schema, Diagnostics* diagnostics) {
  return Converter(schema, diagnostics).Run(node);
}

}  // namespace zhitui::rules
