#include "editor/names.h"

#include <algorithm>
#include <array>
#include <utility>

#include "editor/shape.h"
#include "value/value.h"

namespace zhitui::editor {
namespace {

using cel::Lexeme;
using facts::FactDef;
using facts::FactType;

// Macros whose first argument is a name for an element of what stands before the dot; and those that may have two.
constexpr std::array<std::string_view, 11> kMacros = {
    "exists",        "all",          "exists_one",        "existsOne", "filter",    "map",
    "transformList", "transformMap", "transformMapEntry", "optMap",    "optFlatMap"};
constexpr std::array<std::string_view, 7> kTwoNames = {"exists",        "all",          "exists_one",       "existsOne",
                                                       "transformList", "transformMap", "transformMapEntry"};

template <class List>
bool Has(const List& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

class Walker {
 public:
  Walker(const File& file, const Schemas& schemas) : file_(file), schemas_(schemas) {
    kind_ = file.ValueOf(FileKind(file.path) == "facts" ? "kind" : "about");
    const auto it = schemas.find(kind_);
    schema_ = it == schemas.end() ? nullptr : it->second.get();
    if (const Syntax* let = Find(file.text, file.root, "let"); let != nullptr && let->kind == SyntaxKind::kMap) {
      for (const Syntax& key : let->keys) lets_.push_back(Decode(file.text, key).text);
    }
  }

  std::vector<Name> Run() {
    const Shape* shape = ShapeOf(FileKind(file_.path));
    path_.clear();
    Visit(file_.root, *shape);
    return std::move(out_);
  }

 private:
  void Visit(const Syntax& node, const Shape& root) {
    if (node.kind == SyntaxKind::kMap) {
      if (IsFacts()) return TestFacts(node, "");
      for (std::size_t i = 0; i < node.keys.size(); ++i) {
        const std::string key = Decode(file_.text, node.keys[i]).text;
        Key(node.keys[i], key);
        path_.push_back(key);
        Visit(node.values[i], root);
        path_.pop_back();
      }
    } else if (node.kind == SyntaxKind::kList) {
      path_.emplace_back("[]");
      for (const Syntax& item : node.values) Visit(item, root);
      path_.pop_back();
    } else if (node.kind == SyntaxKind::kScalar) {
      Scalar(node, root);
    }
  }

  bool IsFacts() const {
    return FileKind(file_.path) == "rule" && path_.size() == 3 && path_[0] == "tests" && path_[2] == "facts";
  }

  void Add(Thing thing, std::string scope, std::string name, const Syntax& at, bool declared) {
    const Decoded decoded = Decode(file_.text, at);
    Name out{thing, std::move(scope), std::move(name), decoded.at.front(), decoded.at.back(), declared, ""};
    out_.push_back(std::move(out));
  }

  void Key(const Syntax& key, const std::string& name) {
    if (path_.size() != 1) return;
    const std::string_view kind = FileKind(file_.path);
    const std::string& in = path_.front();
    if (kind == "rule") {
      if (in == "params") Add(Thing::kParam, file_.path, name, key, true);
      if (in == "let") Add(Thing::kLet, file_.path, name, key, true);
      if (in == "law") Add(Thing::kLaw, file_.path, name, key, true);
      if (in == "criteria") Add(Thing::kCriterion, file_.path, name, key, true);
    } else if (kind == "facts") {
      if (in == "facts") Add(Thing::kFact, kind_, name, key, true);
      if (in == "sources") Add(Thing::kSource, file_.path, name, key, true);
    }
  }

  void Scalar(const Syntax& node, const Shape& root) {
    const std::string text = Decode(file_.text, node).text;
    if (path_.size() == 1) {
      if (FileKind(file_.path) == "facts" && path_[0] == "kind") return Add(Thing::kKind, "", text, node, true);
      if (FileKind(file_.path) == "message" && path_[0] == "message") return Add(Thing::kMessage, "", text, node, true);
      if (FileKind(file_.path) == "calendar" && path_[0] == "calendar") {
        return Add(Thing::kCalendar, "", text, node, true);
      }
    }
    for (const Shape* shape : ShapesAt(root, path_)) {
      switch (shape->role) {
        case Role::kExpression:
          return Expressions(node);
        case Role::kLawRef:
          return Add(Thing::kLaw, file_.path, text, node, false);
        case Role::kCriterionRef:
          return Add(Thing::kCriterion, file_.path, text, node, false);
        case Role::kMessageRef:
          return Add(Thing::kMessage, "", text, node, false);
        case Role::kCalendarRef:
          return Add(Thing::kCalendar, "", text, node, false);
        case Role::kKindRef:
          return Add(Thing::kKind, "", text, node, false);
        case Role::kFactRef:
        case Role::kOwnFactRef:
          return Add(Thing::kFact, kind_, text, node, false);
        case Role::kSourceRef:
          return Add(Thing::kSource, file_.path, text, node, false);
        case Role::kRecipient:
          if (text != "subject") Add(Thing::kFact, kind_, text, node, false);
          return;
        case Role::kPlaceholders:
        case Role::kNone:
          break;
      }
    }
  }

  void Expressions(const Syntax& node) {
    const Decoded decoded = Decode(file_.text, node);
    for (Name& name : Expression(decoded.text, kind_, schema_).Names()) {
      if (name.thing == Thing::kLet && !Has(lets_, name.name)) continue;
      if (name.thing == Thing::kFact) name.scope = kind_;
      if (name.thing == Thing::kLet || name.thing == Thing::kParam) name.scope = file_.path;
      name.begin = decoded.at[name.begin];
      name.end = decoded.at[name.end - 1] + 1;
      out_.push_back(std::move(name));
    }
  }

  // Facts of a test, dotted or nested.
  void TestFacts(const Syntax& node, const std::string& above) {
    for (std::size_t i = 0; i < node.keys.size(); ++i) {
      const std::string name = above + Decode(file_.text, node.keys[i]).text;
      const bool fact = schema_ != nullptr && schema_->Find(name).has_value();
      if (!fact && node.values[i].kind == SyntaxKind::kMap) {
        TestFacts(node.values[i], name + ".");
      } else {
        Add(Thing::kFact, kind_, name, node.keys[i], false);
        out_.back().above = above;
      }
    }
  }

  const File& file_;
  const Schemas& schemas_;
  std::string kind_;
  const facts::Schema* schema_ = nullptr;
  std::vector<std::string> lets_;
  std::vector<std::string> path_;
  std::vector<Name> out_;
};

const FactDef* FieldOf(const FactDef& fact, std::string_view name) {
  for (const FactDef& field : fact.fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

std::optional<value::Value> ParamValue(const File& file, const Syntax& node) {
  if (node.kind == SyntaxKind::kMap) {
    if (const Syntax* is = Find(file.text, node, "is")) return ParamValue(file, *is);
    for (const Syntax& value : node.values) {
      if (std::optional<value::Value> v = ParamValue(file, value)) return v;
    }
    return std::nullopt;
  }
  if (node.kind == SyntaxKind::kList) {
    return node.values.empty() ? std::nullopt : ParamValue(file, node.values.front());
  }
  if (node.kind != SyntaxKind::kScalar) return std::nullopt;
  const std::string text = Decode(file.text, node).text;
  if (node.style != 0) return value::Value::String("");
  if (text == "true" || text == "false") return value::Value::Bool(text == "true");
  if (const std::optional<value::Decimal> d = value::Decimal::Parse(text)) {
    return text.find('.') == std::string::npos ? value::Value::Int(d->coefficient) : value::Value::OfDecimal(*d);
  }
  if (const Result<Date> day = ParseDate(text)) return value::Value::OfDate(*day);
  return std::nullopt;
}

}  // namespace

std::string File::ValueOf(std::string_view key) const {
  const Syntax* value = Find(text, root, key);
  return value == nullptr || value->kind != SyntaxKind::kScalar ? std::string() : Decode(text, *value).text;
}

std::shared_ptr<const File> MakeFile(std::string path, std::string text) {
  auto file = std::make_shared<File>();
  file->path = std::move(path);
  file->text = std::move(text);
  file->root = ParseSyntax(file->text);
  return file;
}

std::vector<Name> NamesOf(const File& file, const Schemas& schemas) { return Walker(file, schemas).Run(); }

Expression::Expression(std::string_view text, std::string kind, const facts::Schema* schema)
    : tokens_(cel::Lex(text)), kind_(std::move(kind)), schema_(schema) {
  FindLocals();
}

bool Expression::Sign(std::size_t i, std::string_view text) const {
  return i < tokens_.size() && tokens_[i].kind == Lexeme::Kind::kSign && tokens_[i].text == text;
}

bool Expression::IsName(std::size_t i) const { return i < tokens_.size() && tokens_[i].kind == Lexeme::Kind::kName; }

std::size_t Expression::Matching(std::size_t open) const {
  int depth = 0;
  for (std::size_t i = open; i < tokens_.size(); ++i) {
    if (Sign(i, "(") || Sign(i, "[") || Sign(i, "{")) ++depth;
    if ((Sign(i, ")") || Sign(i, "]") || Sign(i, "}")) && --depth == 0) return i;
  }
  return tokens_.size();
}

void Expression::FindLocals() {
  for (std::size_t i = 1; i + 2 < tokens_.size(); ++i) {
    if (!IsName(i) || !Sign(i + 1, "(") || !IsName(i + 2) || !Sign(i - 1, ".")) continue;
    const std::string& method = tokens_[i].text;
    const bool bind = method == "bind" && i >= 2 && tokens_[i - 2].text == "cel";
    if (!bind && !Has(kMacros, method)) continue;
    // The name may still be without its comma, at the end of what is written.
    const std::size_t to = Matching(i + 1);
    const FactDef* list = bind ? nullptr : FactBefore(i - 1);
    const FactDef* element = list != nullptr && !list->element.empty() ? &list->element.front() : nullptr;
    const bool two = Has(kTwoNames, method) && Sign(i + 3, ",") && IsName(i + 4) && Sign(i + 5, ",");
    locals_.push_back({tokens_[i + 2].text, i + 2, to, two ? nullptr : element});
    if (two) locals_.push_back({tokens_[i + 4].text, i + 4, to, element});
  }
}

const Local* Expression::LocalAt(std::size_t token) const {
  for (auto local = locals_.rbegin(); local != locals_.rend(); ++local) {
    if (local->name == tokens_[token].text && token >= local->from && token < local->to) return &*local;
  }
  return nullptr;
}

const FactDef* Expression::FactBefore(std::size_t end) const {
  if (end == 0 || end > tokens_.size()) return nullptr;
  if (Sign(end - 1, "]")) {
    for (std::size_t open = end - 1; open-- > 0;) {
      if (!Sign(open, "[") || Matching(open) != end - 1) continue;
      const FactDef* list = FactBefore(open);
      return list != nullptr && !list->element.empty() ? &list->element.front() : nullptr;
    }
    return nullptr;
  }
  if (!IsName(end - 1)) return nullptr;
  std::size_t first = end - 1;
  while (first >= 2 && Sign(first - 1, ".") && IsName(first - 2)) first -= 2;
  if (first >= 1 && Sign(first - 1, ".")) {  // a field of something in brackets
    const FactDef* base = FactBefore(first - 1);
    for (std::size_t i = first; base != nullptr && i < end; i += 2) base = FieldOf(*base, tokens_[i].text);
    return base;
  }
  const FactDef* fact = nullptr;
  std::size_t next = first + 2;
  if (const Local* local = LocalAt(first)) {
    fact = local->fact;
  } else if (tokens_[first].text == kind_ && schema_ != nullptr) {
    std::string name;
    std::size_t found = 0;
    for (std::size_t i = first + 2; i < end; i += 2) {
      name += (name.empty() ? "" : ".") + tokens_[i].text;
      if (const std::optional<std::uint32_t> slot = schema_->Find(name)) {
        fact = &schema_->facts()[*slot];
        found = i;
      }
    }
    next = found + 2;
  }
  for (std::size_t i = next; fact != nullptr && i < end; i += 2) fact = FieldOf(*fact, tokens_[i].text);
  return fact;
}

std::vector<Name> Expression::Names() const {
  std::vector<Name> out;
  const auto add = [&](Thing thing, std::string name, std::size_t from, std::size_t to) {
    out.push_back({thing, "", std::move(name), tokens_[from].start, tokens_[to].end, false, ""});
  };
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    if (!IsName(i)) continue;
    if (i > 0 && (Sign(i - 1, ".") || Sign(i - 1, "?"))) {
      if (Sign(i + 1, "(")) add(Thing::kFunction, tokens_[i].text, i, i);
      continue;
    }
    std::size_t last = i;
    while (Sign(last + 1, ".") && IsName(last + 2)) last += 2;
    const std::string& first = tokens_[i].text;
    if (LocalAt(i) != nullptr) continue;
    if (first == "params" && last > i) {
      add(Thing::kParam, tokens_[i + 2].text, i + 2, i + 2);
    } else if (first == kind_ && schema_ != nullptr && last > i) {
      std::string name;
      std::string longest;
      std::size_t end = 0;
      for (std::size_t j = i + 2; j <= last; j += 2) {
        name += (name.empty() ? "" : ".") + tokens_[j].text;
        if (!schema_->Find(name)) continue;
        longest = name;
        end = j;
      }
      if (end > 0) add(Thing::kFact, longest, i + 2, end);
    } else if (last == i && Sign(i + 1, "(")) {
      add(Thing::kFunction, first, i, i);
    } else if (last > i && Sign(last + 1, "(") &&
               (first == "math" || first == "optional" || first == "base64" || first == "strings" || first == "ip" ||
                first == "cel")) {
      std::string name;
      for (std::size_t j = i; j <= last; j += 2) name += (name.empty() ? "" : ".") + tokens_[j].text;
      add(Thing::kFunction, name, i, last);
      i = last;
    } else {
      add(Thing::kLet, first, i, i);
    }
  }
  return out;
}

cel::Env EnvOf(const File& rule, const facts::Schema* schema) {
  cel::Env env;
  env.SetCalendar(cel::Calendar::Make("any", 2000, 2000, {}, {}));
  if (schema != nullptr) {
    for (std::uint32_t slot = 0; slot < schema->facts().size(); ++slot) {
      env.AddVariable(schema->kind() + "." + schema->facts()[slot].name, schema->facts()[slot].value_type, slot);
    }
  }
  const Syntax* params = Find(rule.text, rule.root, "params");
  for (std::size_t i = 0; params != nullptr && i < params->keys.size(); ++i) {
    const std::optional<value::Value> v = ParamValue(rule, params->values[i]);
    if (!v) continue;
    env.AddDated("params." + Decode(rule.text, params->keys[i]).text, value::Primitive(v->kind()),
                 {{MakeDate(1, 1, 1), *v}});
  }
  const Syntax* lets = Find(rule.text, rule.root, "let");
  for (std::size_t i = 0; lets != nullptr && i < lets->keys.size(); ++i) {
    if (lets->values[i].kind != SyntaxKind::kScalar) continue;
    cel::Source source;
    source.text = Decode(rule.text, lets->values[i]).text;
    Diagnostics unread;
    env.AddLet(Decode(rule.text, lets->keys[i]).text, source, &unread);
  }
  return env;
}

std::string TypeOf(const std::string& expression, const cel::Env& env) {
  cel::Source source;
  source.text = expression;
  Diagnostics unread;
  const std::optional<cel::Program> program = cel::Compile(source, env, nullptr, &unread);
  if (!program || program->type()->tag == value::TypeRep::Tag::kError) return "";
  return value::TypeName(program->type());
}

}  // namespace zhitui::editor
