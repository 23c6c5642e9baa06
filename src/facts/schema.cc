// rules/facts/<kind>.yaml -> Schema.

#include <algorithm>
#include <set>
#include <utility>

#include "facts/tree.h"

namespace zhitui::facts {
namespace {

constexpr std::size_t kMaxFacts = 2000;
constexpr std::size_t kMaxValues = 1000;
constexpr std::size_t kMaxFields = 64;
constexpr std::size_t kMaxSegments = 8;
constexpr std::size_t kMaxNameBytes = 100;
constexpr int kMaxRecordDepth = 4;
constexpr std::int64_t kMaxItems = 10'000;

struct TypeWord {
  const char* word;
  FactType type;
};
constexpr TypeWord kTypes[] = {
    {"bool", FactType::kBool},       {"int", FactType::kInt},
    {"decimal", FactType::kDecimal}, {"money", FactType::kMoney},
    {"string", FactType::kString},   {"code", FactType::kCode},
    {"date", FactType::kDate},       {"timestamp", FactType::kTimestamp},
    {"list", FactType::kList},       {"record", FactType::kRecord},
};

const char* WordOf(FactType type) {
  for (const TypeWord& t : kTypes) {
    if (t.type == type) return t.word;
  }
  return "";
}

bool IsSegment(std::string_view s) {
  if (s.empty() || s[0] < 'a' || s[0] > 'z') return false;
  return std::all_of(s.begin(), s.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

// A word that an expression could not use as a name after the dot.
bool IsKeyword(std::string_view s) { return s == "true" || s == "false" || s == "null" || s == "in"; }

std::string Suggest(std::string_view word, const std::vector<std::string>& names) {
  const std::string_view nearest = NearestName(word, names);
  if (!nearest.empty()) return "did you mean " + std::string(nearest) + "?";
  std::string out = "write one of: ";
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i == 12) return out + ", …";
    out += (i == 0 ? "" : ", ") + names[i];
  }
  return names.empty() ? "" : out;
}

void Describe(const FactDef& def, std::string* out) {
  const auto add = [out](std::string_view s) { *out += std::to_string(s.size()) + ":" + std::string(s) + ";"; };
  add(def.name);
  add(WordOf(def.type));
  add(def.source);
  add(def.nullable ? "nullable" : "");
  add(def.sensitive ? "sensitive" : "");
  if (def.fixed) *out += "fixed;";  // without a length, so it cannot be taken for a text
  add(std::to_string(def.max_items));
  add(def.label.zh);
  add(def.label.en);
  for (const std::string& v : def.values) add(v);
  if (def.min) *out += "min=" + def.min->ToString() + ";";
  if (def.max) *out += "max=" + def.max->ToString() + ";";
  *out += "[";
  for (const FactDef& e : def.element) Describe(e, out);
  *out += "]{";
  for (const FactDef& f : def.fields) Describe(f, out);
  *out += "}";
}

value::Type TypeOf(const FactDef& def, const std::string& path) {
  value::Type type = value::Dyn();
  switch (def.type) {
    case FactType::kBool:
      type = value::Primitive(value::Kind::kBool);
      break;
    case FactType::kInt:
      type = value::Primitive(value::Kind::kInt);
      break;
    case FactType::kDecimal:
    case FactType::kMoney:
      type = value::Primitive(value::Kind::kDecimal);
      break;
    case FactType::kString:
    case FactType::kCode:
      type = value::Primitive(value::Kind::kString);
      break;
    case FactType::kDate:
      type = value::Primitive(value::Kind::kDate);
      break;
    case FactType::kTimestamp:
      type = value::Primitive(value::Kind::kTimestamp);
      break;
    case FactType::kList:
      type = value::ListOf(def.element.front().value_type);
      break;
    case FactType::kRecord: {
      std::vector<std::pair<std::string, value::Type>> fields;
      std::string shape;
      for (const FactDef& field : def.fields) {
        fields.emplace_back(field.name, field.value_type);
        Describe(field, &shape);
      }
      // Types are interned by name for the life of the process; a changed record of a reloaded schema is another type.
      type = value::Record(path + "#" + Sha256Hex(shape).substr(0, 8), std::move(fields));
      break;
    }
  }
  return def.nullable ? value::Nullable(type) : type;
}

}  // namespace

struct SchemaBuilder {
  const yaml::Document& document;
  Diagnostics* diagnostics;
  std::shared_ptr<Schema> schema = std::make_shared<Schema>();
  std::vector<std::string> source_names = {};

  void Report(const yaml::Node& node, std::string code, std::string message, std::string hint = "") {
    diagnostics->push_back(node.Fault(std::move(code), std::move(message), std::move(hint)));
  }

  bool CheckName(const yaml::Node& key, bool dotted) {
    const std::string& name = key.text();
    std::size_t segments = 0;
    std::size_t begin = 0;
    bool good = name.size() <= kMaxNameBytes;
    while (good && begin <= name.size()) {
      const std::size_t dot = std::min(name.find('.', begin), name.size());
      const std::string_view segment = std::string_view(name).substr(begin, dot - begin);
      good = IsSegment(segment) && ++segments <= kMaxSegments;
      if (good && IsKeyword(segment)) {
        Report(key, "bad-name", "\"" + std::string(segment) + "\" is a word of the expression language",
               "choose another name");
        return false;
      }
      begin = dot + 1;
    }
    if (good && (dotted || segments == 1)) return true;
    Report(key, "bad-name", "\"" + name + "\" cannot be a name here",
           dotted ? "use small letters, digits and _, starting with a letter; dots group names: hukou.city"
                  : "use small letters, digits and _, starting with a letter");
    return false;
  }

  std::optional<FactType> ReadType(const yaml::Node& node) {
    if (node.IsScalar()) {
      for (const TypeWord& t : kTypes) {
        if (node.text() == t.word) return t.type;
      }
    }
    std::vector<std::string> words;
    for (const TypeWord& t : kTypes) words.emplace_back(t.word);
    if (node.IsScalar()) {
      Report(node, "unknown-type", "\"" + node.text() + "\" is not a type", Suggest(node.text(), words));
    } else {
      Report(node, "unknown-type", "expected a type", Suggest("", words));
    }
    return std::nullopt;
  }

  void ReadFields(const yaml::Node& node, const std::string& path, int depth, FactDef* record) {
    if (depth > kMaxRecordDepth) {
      return Report(node, "too-deep", "records nest deeper than " + std::to_string(kMaxRecordDepth) + " levels",
                    "make the record flatter");
    }
    if (!node.IsMapping() || node.entries().empty()) {
      return Report(node, "wrong-type", "expected the record's fields", "write of: {name: {type: …, label: …}}");
    }
    if (node.entries().size() > kMaxFields) {
      return Report(node, "too-many", "more than " + std::to_string(kMaxFields) + " fields in one record");
    }
    for (const auto& [key, value] : node.entries()) {
      if (!CheckName(key, false)) continue;
      record->fields.push_back(ReadDef(key, value, path, depth + 1));
    }
    CheckIds(node, record->fields);
  }

  // A fact (depth 0) or a field of a record.
  FactDef ReadDef(const yaml::Node& key, const yaml::Node& node, const std::string& parent, int depth) {
    FactDef def;
    def.name = key.text();
    def.at = key.at();
    const std::string path = parent + "." + def.name;
    yaml::Reader reader(node, diagnostics);
    if (!reader.valid()) return def;
    const yaml::Node* type_node = reader.Required("type");
    const std::optional<FactType> type = type_node == nullptr ? std::nullopt : ReadType(*type_node);
    def.type = type.value_or(FactType::kString);
    def.label = reader.LocalText("label", true);
    def.nullable = reader.Bool("nullable", false);
    def.sensitive = reader.Bool("sensitive", false);
    if (depth == 0) {
      def.fixed = reader.Bool("fixed", false);
      ReadSource(reader, &def);
    }
    const yaml::Node* of = reader.Optional("of");
    const yaml::Node* values = reader.Optional("values");
    const yaml::Node* max_items = reader.Optional("max_items");
    const yaml::Node* min = reader.Optional("min");
    const yaml::Node* max = reader.Optional("max");
    reader.Done();
    if (!type) return def;
    def.min = ReadBound(min, def.type);
    def.max = ReadBound(max, def.type);
    if (def.min && def.max && value::Decimal::Compare(*def.min, *def.max) > 0) {
      Report(*max, "bad-range", "no number is at least " + def.min->ToString() + " and at most " + def.max->ToString(),
             "write the smaller number as min");
    }

    FactType element = def.type;  // what `values` restricts
    if (def.type == FactType::kList) {
      if (max_items != nullptr) ReadMaxItems(*max_items, &def);
      FactDef item;
      item.name = "";
      item.label = def.label;
      item.at = def.at;
      item.sensitive = def.sensitive;
      item.type = FactType::kString;
      if (of == nullptr) {
        Report(key, "missing-key", "a list must say what it holds",
               "add of: date, or of: {field: {type: …, label: …}}");
      } else if (of->IsMapping()) {
        item.type = FactType::kRecord;
        ReadFields(*of, path, depth, &item);
      } else if (const std::optional<FactType> t = ReadType(*of)) {
        if (*t == FactType::kList || *t == FactType::kRecord) {
          Report(*of, "unknown-type", "a list cannot hold items of type " + of->text(),
                 "write the fields of the items: of: {field: {type: …, label: …}}");
        } else {
          item.type = *t;
        }
      }
      element = item.type;
      if (values != nullptr) item.values = ReadValues(*values, element);
      item.value_type = TypeOf(item, path);
      def.element.push_back(std::move(item));
    } else {
      if (max_items != nullptr) Report(*max_items, "wrong-key", "max_items is for lists only", "delete it");
      if (def.type == FactType::kRecord) {
        if (of == nullptr) {
          Report(key, "missing-key", "a record must declare its fields", "add of: {field: {type: …, label: …}}");
        } else {
          ReadFields(*of, path, depth, &def);
        }
      } else if (of != nullptr) {
        Report(*of, "wrong-key", "of is for lists and records only", "delete it");
      }
      if (values != nullptr) def.values = ReadValues(*values, element);
    }
    def.value_type = TypeOf(def, path);
    return def;
  }

  void ReadMaxItems(const yaml::Node& node, FactDef* def) {
    const std::optional<std::int64_t> n = yaml::ToInt(node, diagnostics);
    if (!n) return;
    if (*n < 1 || *n > kMaxItems) {
      return Report(node, "out-of-range", "max_items must be from 1 to " + std::to_string(kMaxItems));
    }
    def->max_items = static_cast<std::uint32_t>(*n);
  }

  std::optional<value::Decimal> ReadBound(const yaml::Node* node, FactType type) {
    if (node == nullptr) return std::nullopt;
    if (type != FactType::kInt && type != FactType::kDecimal && type != FactType::kMoney) {
      Report(*node, "wrong-key", "min and max are for int, decimal and money only", "delete it");
      return std::nullopt;
    }
    if (type == FactType::kInt) {
      const std::optional<std::int64_t> whole = yaml::ToInt(*node, diagnostics);
      return whole ? std::optional<value::Decimal>({*whole, 0}) : std::nullopt;
    }
    const std::optional<value::Decimal> bound =
        node->IsScalar() && !node->quoted() ? value::Decimal::Parse(node->text()) : std::nullopt;
    if (!bound)
      Report(*node, "wrong-type", "expected a number such as 12.50", "write it without quotes and separators");
    return bound;
  }

  void ReadSource(yaml::Reader& reader, FactDef* def) {
    const yaml::Node* node = reader.Required("source");
    if (node == nullptr) return;
    if (!node->IsScalar()) return Report(*node, "wrong-type", "expected the name of a source");
    def->source = node->text();
    if (std::find(source_names.begin(), source_names.end(), def->source) == source_names.end()) {
      Report(*node, "unknown-source", "\"" + def->source + "\" is not declared under sources",
             Suggest(def->source, source_names));
    }
  }

  std::vector<std::string> ReadValues(const yaml::Node& node, FactType type) {
    std::vector<std::string> out;
    if (type != FactType::kCode) {
      Report(node, "wrong-key", "values is for codes only", "write type: code, or delete values");
      return out;
    }
    if (!node.IsSequence() || node.items().empty() || node.items().size() > kMaxValues) {
      Report(node, "wrong-type", "expected a list of 1 to " + std::to_string(kMaxValues) + " values",
             "write values: [a, b]");
      return out;
    }
    std::set<std::string> seen;
    for (const yaml::Node& item : node.items()) {
      if (!item.IsScalar() || item.text().empty()) {
        Report(item, "wrong-type", "expected a value");
      } else if (!seen.insert(item.text()).second) {
        Report(item, "duplicate", "the value \"" + item.text() + "\" is here twice", "keep one of them");
      } else {
        out.push_back(item.text());
      }
    }
    return out;
  }

  // Stored records know names by a hash; two names of one schema must not share it.
  void CheckIds(const yaml::Node& node, const std::vector<FactDef>& defs) {
    std::map<std::uint32_t, std::string> seen;
    for (const FactDef& def : defs) {
      const auto [it, fresh] = seen.emplace(StoredId(def.name), def.name);
      if (!fresh)
        Report(node, "bad-name", def.name + " and " + it->second + " cannot be told apart when they are stored",
               "rename one of them");
    }
  }

  // `hukou` cannot be a fact and the group of hukou.city.
  void CheckCollisions(const yaml::Node& facts) {
    for (const auto& [key, value] : facts.entries()) {
      const std::string& name = key.text();
      for (std::size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1)) {
        const yaml::Node* other = facts.Find(name.substr(0, dot));
        if (other == nullptr) continue;
        Report(key, "name-collision", name + " needs " + name.substr(0, dot) + " to be a group, but it is a fact",
               "rename one of them");
        break;
      }
    }
  }

  void ReadFacts(const yaml::Node* facts) {
    if (facts == nullptr) return;
    if (!facts->IsMapping() || facts->entries().empty()) {
      return Report(*facts, "wrong-type", "expected at least one fact",
                    "write facts: {name: {type: …, source: …, label: …}}");
    }
    if (facts->entries().size() > kMaxFacts) {
      return Report(*facts, "too-many", "more than " + std::to_string(kMaxFacts) + " facts of one kind");
    }
    for (const auto& [key, value] : facts->entries()) {
      if (!CheckName(key, true)) continue;
      schema->by_name_.emplace(key.text(), static_cast<std::uint32_t>(schema->facts_.size()));
      schema->facts_.push_back(ReadDef(key, value, schema->kind_, 0));
    }
    CheckIds(*facts, schema->facts_);
    CheckCollisions(*facts);
  }

  const FactDef* FactAt(const yaml::Node* node, std::optional<std::uint32_t>* slot) {
    if (node == nullptr) return nullptr;
    if (!node->IsScalar()) {
      Report(*node, "wrong-type", "expected the name of a fact");
      return nullptr;
    }
    const auto it = schema->by_name_.find(node->text());
    if (it == schema->by_name_.end()) {
      std::vector<std::string> names;
      for (const auto& [name, index] : schema->by_name_) names.push_back(name);
      const std::string_view nearest = NearestName(node->text(), names);
      Report(*node, "unknown-fact", "\"" + node->text() + "\" is not a fact of this file",
             nearest.empty() ? "declare it under facts" : "did you mean " + std::string(nearest) + "?");
      return nullptr;
    }
    *slot = it->second;
    return &schema->facts_[it->second];
  }

  void ReadRoles(const yaml::Node* alive_unless, const yaml::Node* recipients) {
    const FactDef* death = FactAt(alive_unless, &schema->alive_unless_);
    if (death != nullptr && death->type != FactType::kDate && death->type != FactType::kTimestamp) {
      Report(*alive_unless, "wrong-type",
             "alive_unless must name a date or a timestamp, " + death->name + " is a " + WordOf(death->type));
    }
    const FactDef* list = FactAt(recipients, &schema->recipients_);
    if (list == nullptr) return;
    const bool has_id = list->type == FactType::kList && !list->element.empty() &&
                        std::any_of(list->element[0].fields.begin(), list->element[0].fields.end(),
                                    [](const FactDef& f) { return f.name == "id" && f.type == FactType::kString; });
    if (!has_id) {
      Report(*recipients, "wrong-type", "recipients must name a list of records with a string field id",
             "write of: {id: {type: string, label: …}} at " + list->name);
    }
  }

  std::shared_ptr<const Schema> Build() {
    const std::size_t before = diagnostics->size();
    yaml::Reader reader(document.root(), diagnostics);
    if (!reader.valid()) return nullptr;
    schema->kind_ = reader.String("kind");
    const yaml::Node* kind = document.root().Find("kind");
    if (kind != nullptr && kind->IsScalar()) CheckName(*kind, false);
    const yaml::Node* sources = reader.Required("sources");
    const yaml::Node* alive_unless = reader.Optional("alive_unless");
    const yaml::Node* recipients = reader.Optional("recipients");
    schema->recipient_kind_ = reader.String("recipients_are", schema->kind_);
    const yaml::Node* facts = reader.Required("facts");
    if (const yaml::Node* allow = reader.Optional("allow")) schema->allow_ = yaml::ToAllows(*allow, diagnostics);
    reader.Done();
    if (sources != nullptr) {
      if (!sources->IsMapping() || sources->entries().empty()) {
        Report(*sources, "wrong-type", "expected at least one source", "write sources: {police: {zh: …, en: …}}");
      } else {
        for (const auto& [key, value] : sources->entries()) {
          source_names.push_back(key.text());
          if (CheckName(key, false)) schema->sources_.emplace(key.text(), yaml::ToText(value, diagnostics));
        }
      }
    }
    ReadFacts(facts);
    ReadRoles(alive_unless, recipients);
    if (diagnostics->size() != before) return nullptr;
    return Finish();
  }

  std::shared_ptr<const Schema> Finish() {
    auto tree = std::make_shared<SchemaTree>();
    for (const auto& [id, label] : schema->sources_) tree->sources.push_back(id);
    for (std::uint32_t slot = 0; slot < schema->facts_.size(); ++slot) tree->AddName(schema->facts_[slot].name, slot);
    tree->Finish(schema->facts_);
    schema->tree_ = std::move(tree);
    const auto role = [&](std::optional<std::uint32_t> slot) {
      return slot ? schema->facts_[*slot].name : std::string();
    };
    std::string description = schema->kind_ + "\n" + role(schema->alive_unless_) + "\n" + role(schema->recipients_) +
                              "\n" + schema->recipient_kind_ + "\n";
    for (const auto& [id, label] : schema->sources_) description += id + "\n" + label.zh + "\n" + label.en + "\n";
    for (const FactDef& def : schema->facts_) Describe(def, &description);
    schema->hash_ = Sha256Hex(description);
    return schema;
  }
};

std::optional<std::uint32_t> Schema::Find(std::string_view name) const {
  const auto it = by_name_.find(name);
  if (it == by_name_.end()) return std::nullopt;
  return it->second;
}

std::shared_ptr<const Schema> ParseSchema(const yaml::Document& document, Diagnostics* diagnostics) {
  return SchemaBuilder{document, diagnostics}.Build();
}

}  // namespace zhitui::facts
