// Completion: keys and values of the YAML, and what an expression may say.

#include <algorithm>
#include <set>
#include <utility>

#include "editor/features.h"
#include "editor/shape.h"
#include "message/message.h"

namespace zhitui::editor {
namespace {

// CompletionItemKind of the protocol.
enum ItemKind : int {
  kText = 1,
  kMethod = 2,
  kFunction = 3,
  kField = 5,
  kVariable = 6,
  kProperty = 10,
  kValue = 12,
  kEnum = 13,
  kReference = 18,
  kConstant = 21
};

bool IsWord(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

std::string Both(const Text& text) {
  return text.en.empty() || text.en == text.zh ? text.zh : text.zh + "\n\n" + text.en;
}

class Completer {
 public:
  Completer(const View& view, std::size_t offset) : view_(view), file_(*view.file), offset_(offset) {}

  Json Run() {
    const Shape* root = ShapeOf(FileKind(file_.path));
    const Cursor cursor = At(file_.text, file_.root, offset_);
    schemas_ = view_.workspace.SchemasOf(view_.folder);
    const auto schema = schemas_.find(file_.ValueOf(FileKind(file_.path) == "facts" ? "kind" : "about"));
    schema_ = schema == schemas_.end() ? nullptr : schema->second.get();
    if (InTestFacts(cursor)) return std::move(items_);
    const std::vector<const Shape*> shapes = ShapesAt(*root, cursor.path);
    if (cursor.key || BeginsLine(cursor)) Keys(KeysOf(shapes), cursor);
    if (!cursor.key || cursor.map == nullptr) {
      begin_ = cursor.scalar == nullptr ? WordBegin() : ContentBegin(*cursor.scalar);
      for (const Shape* shape : shapes) Values(*shape, cursor);
    }
    return std::move(items_);
  }

 private:
  void Add(const std::string& label, int kind, const std::string& detail, const std::string& documentation,
           const std::string& insert = "", const std::string& filter = "") {
    if (!labels_.insert(label).second) return;
    Json item = {
        {"label", label},
        {"kind", kind},
        {"textEdit", {{"range", view_.RangeOf(file_, begin_, offset_)}, {"newText", insert.empty() ? label : insert}}}};
    if (!detail.empty()) item["detail"] = detail;
    if (!filter.empty()) item["filterText"] = filter;
    if (!documentation.empty()) item["documentation"] = {{"kind", "markdown"}, {"value", documentation}};
    items_.push_back(std::move(item));
  }

  std::size_t WordBegin() const {
    std::size_t i = offset_;
    while (i > 0 && (IsWord(file_.text[i - 1]) || file_.text[i - 1] == '-')) --i;
    return i;
  }
  std::size_t ContentBegin(const Syntax& scalar) const {
    const std::size_t begin = scalar.begin + (scalar.style == '"' || scalar.style == '\'' ? 1 : 0);
    return std::clamp(begin, LineStart(), offset_);
  }
  std::size_t LineStart() const {
    const std::size_t newline = offset_ == 0 ? std::string::npos : file_.text.rfind('\n', offset_ - 1);
    return newline == std::string::npos ? 0 : newline + 1;
  }

  // A lone word on a line may become a key.
  bool BeginsLine(const Cursor& cursor) const {
    if (cursor.scalar != nullptr && cursor.scalar->style != 0) return false;
    const std::size_t line = LineStart();
    const std::string before = file_.text.substr(line, WordBegin() - line);
    return before.find_first_not_of(" -") == std::string::npos;
  }

  void Keys(const std::vector<const Key*>& keys, const Cursor& cursor) {
    begin_ = WordBegin();
    std::set<std::string> there;
    if (cursor.map != nullptr && cursor.key) {
      for (const Syntax& key : cursor.map->keys) {
        if (&key != cursor.scalar) there.insert(Decode(file_.text, key).text);
      }
    }
    const std::size_t end = std::min(file_.text.find('\n', offset_), file_.text.size());
    const bool colon = file_.text.substr(offset_, end - offset_).starts_with(":");
    for (const Key* key : keys) {
      if (there.contains(key->name)) continue;
      Add(key->name, kProperty, key->required ? "required" : "", Both(key->meaning),
          colon ? key->name : key->name + ": ");
    }
  }

  // Keys of `facts` in a test.
  bool InTestFacts(const Cursor& cursor) {
    const bool inside = FileKind(file_.path) == "rule" && cursor.path.size() >= 3 && cursor.path[0] == "tests" &&
                        cursor.path[2] == "facts";
    if (!inside || schema_ == nullptr) return false;
    std::string above;
    for (std::size_t i = 3; i < cursor.path.size(); ++i) above += cursor.path[i] + ".";
    if (!cursor.key) {
      if (above.empty()) return false;
      const std::optional<std::uint32_t> slot = schema_->Find(above.substr(0, above.size() - 1));
      if (!slot) return false;
      begin_ = WordBegin();
      const facts::FactDef& fact = schema_->facts()[*slot];
      Codes(fact.element.empty() ? fact : fact.element.front());
      if (fact.type == facts::FactType::kBool) Flags();
      return true;
    }
    begin_ = offset_;
    while (begin_ > 0 && (IsWord(file_.text[begin_ - 1]) || file_.text[begin_ - 1] == '.')) --begin_;
    for (const facts::FactDef& fact : schema_->facts()) {
      if (!fact.name.starts_with(above)) continue;
      const std::string rest = fact.name.substr(above.size());
      Add(rest, kField, value::TypeName(fact.value_type), Both(fact.label), rest + ": ");
    }
    return true;
  }

  void Flags() {
    Add("true", kValue, "", "");
    Add("false", kValue, "", "");
  }

  void Values(const Shape& shape, const Cursor& cursor) {
    if (shape.kind == Shape::Kind::kBool) Flags();
    for (const std::string& choice : shape.choices) Add(choice, kEnum, "", "");
    switch (shape.role) {
      case Role::kNone:
        return;
      case Role::kExpression:
        return InExpression(cursor);
      case Role::kCriterionRef:
        return Declared("criteria", "label");
      case Role::kLawRef:
        return Declared("law", "title");
      case Role::kMessageRef:
        return Named("messages/", "message");
      case Role::kCalendarRef:
        return Named("calendars/", "calendar");
      case Role::kKindRef:
        for (const auto& [kind, schema] : schemas_) Add(kind, kReference, "", "");
        return;
      case Role::kFactRef:
      case Role::kOwnFactRef:
        return FactNames();
      case Role::kSourceRef:
        return Declared("sources", "zh");
      case Role::kRecipient:
        Add("subject", kEnum, "", "");
        if (schema_ != nullptr && schema_->recipients()) {
          const facts::FactDef& fact = schema_->facts()[*schema_->recipients()];
          Add(fact.name, kReference, "", Both(fact.label));
        }
        return;
      case Role::kPlaceholders:
        return Placeholders();
    }
  }

  void FactNames() {
    if (schema_ == nullptr) return;
    for (const facts::FactDef& fact : schema_->facts()) {
      Add(fact.name, kReference, value::TypeName(fact.value_type), Both(fact.label));
    }
  }

  void Declared(const char* part, const char* about) {
    const Syntax* map = Find(file_.text, file_.root, part);
    if (map == nullptr || map->kind != SyntaxKind::kMap) return;
    for (std::size_t i = 0; i < map->keys.size(); ++i) {
      const Syntax* text = Find(file_.text, map->values[i], about);
      std::string words = text == nullptr ? "" : file_.text.substr(text->begin, text->end - text->begin);
      Add(Decode(file_.text, map->keys[i]).text, kReference, "", words);
    }
  }

  void Named(const char* folder, const char* key) {
    for (const auto& file :
         view_.workspace.Files(view_.folder, [&](std::string_view p) { return p.starts_with(folder); })) {
      if (const std::string name = file->ValueOf(key); !name.empty()) Add(name, kReference, file->path, "");
    }
  }

  void Placeholders() {
    const std::size_t open = offset_ < 2 ? std::string::npos : file_.text.rfind("{{", offset_ - 2);
    if (open == std::string::npos || file_.text.substr(open, offset_ - open).find_first_of("}\n") != std::string::npos)
      return;
    begin_ = open + 2;
    const bool closed = file_.text.substr(offset_, 2) == "}}";
    for (const std::string& name : message::PlaceholderNames())
      Add(name, kVariable, "", "", closed ? name : name + "}}");
  }

  // ---- Expressions

  void InExpression(const Cursor& cursor) {
    Decoded decoded;
    if (cursor.scalar != nullptr) decoded = Decode(file_.text, *cursor.scalar);
    std::size_t at = 0;
    while (at < decoded.text.size() && decoded.at[at] < offset_) ++at;
    const std::string before = decoded.text.substr(0, at);
    // A text that is not closed: which value may stand there.
    char quote = 0;
    std::size_t open = 0;
    for (std::size_t i = 0; i < before.size(); ++i) {
      if (quote != 0 && before[i] == '\\') {
        ++i;
      } else if (quote != 0 && before[i] == quote) {
        quote = 0;
      } else if (quote == 0 && (before[i] == '"' || before[i] == '\'')) {
        quote = before[i];
        open = i;
      }
    }
    const std::string kind = file_.ValueOf("about");
    if (quote != 0) {
      begin_ = decoded.at[open] + 1;
      if (cursor.scalar->style == '"' && file_.text[decoded.at[open]] == '\\') ++begin_;
      const Expression expression(before.substr(0, open), kind, schema_);
      if (const facts::FactDef* fact = Compared(expression)) Codes(*fact);
      return;
    }
    std::size_t word = before.size();
    while (word > 0 && IsWord(before[word - 1])) --word;
    begin_ = offset_ - (before.size() - word);
    if (word > 0 && before[word - 1] == '.') return AfterDot(before.substr(0, word - 1), kind);
    const Expression expression(before, kind, schema_);
    Anywhere(expression, kind, cursor);
  }

  // The fact that the text at the end is compared with: `x == `, `x in [`, `x in ["a", `.
  static const facts::FactDef* Compared(const Expression& expression) {
    const std::vector<cel::Lexeme>& tokens = expression.tokens();
    std::size_t i = tokens.size();
    if (i == 0) return nullptr;
    if (tokens[i - 1].text == "==" || tokens[i - 1].text == "!=") return expression.FactBefore(i - 1);
    while (i > 0 && (tokens[i - 1].text == "," || tokens[i - 1].kind == cel::Lexeme::Kind::kText)) --i;
    if (i < 2 || tokens[i - 1].text != "[" || tokens[i - 2].text != "in") return nullptr;
    return expression.FactBefore(i - 2);
  }

  void Codes(const facts::FactDef& fact) {
    const facts::FactDef& of = fact.element.empty() ? fact : fact.element.front();
    for (const std::string& v : of.values) Add(v, kEnum, fact.name, Both(fact.label));
  }

  void AfterDot(const std::string& base, const std::string& kind) {
    const Expression expression(base, kind, schema_);
    const std::vector<cel::Lexeme>& tokens = expression.tokens();
    if (tokens.empty()) return;
    if (tokens.back().text == "params" && (tokens.size() < 2 || tokens[tokens.size() - 2].text != "."))
      return Params("");
    if (const facts::FactDef* fact = expression.FactBefore(tokens.size())) {
      for (const facts::FactDef& field : fact->fields) {
        Add(field.name, kField, value::TypeName(field.value_type), Both(field.label));
      }
      if (fact->fields.empty()) Methods(value::TypeName(fact->value_type));
      return;
    }
    // The beginning of facts: the kind, or a group of them.
    std::size_t first = tokens.size() - 1;
    while (first >= 2 && tokens[first - 1].text == "." && tokens[first - 2].kind == cel::Lexeme::Kind::kName)
      first -= 2;
    if (tokens[first].text == kind && schema_ != nullptr && (first == 0 || tokens[first - 1].text != ".")) {
      std::string group;
      for (std::size_t i = first + 2; i < tokens.size(); i += 2) group += tokens[i].text + ".";
      for (const facts::FactDef& fact : schema_->facts()) {
        if (fact.name.starts_with(group)) {
          Add(fact.name.substr(group.size()), kField, value::TypeName(fact.value_type), Both(fact.label));
        }
      }
      if (!items_.empty()) return;
    }
    const std::string space = tokens.back().text + ".";
    bool named = false;
    for (const cel::FunctionDoc& doc : cel::Functions()) {
      if (!doc.name.starts_with(space)) continue;
      named = true;
      Add(doc.name.substr(space.size()), kFunction, doc.signature, Both(doc.summary));
    }
    if (named) return;
    // Of anything else the checker may know the type.
    const std::string type = TypeOf(base.substr(tokens[first].start), EnvOf(file_, schema_));
    Methods(type);
  }

  // The functions that are called on a value of the type; all of them where it is not known.
  void Methods(std::string type) {
    type = type.substr(0, type.find_first_of("(?"));
    for (const cel::FunctionDoc& doc : cel::Functions()) {
      const std::size_t dot = doc.signature.find("." + doc.name + "(");
      if (dot == std::string::npos) continue;
      std::string receiver = doc.signature.substr(0, dot);
      receiver = receiver.substr(0, receiver.find('('));
      const bool any = receiver.size() == 1 || type.empty() || type == "dyn";
      if (any || receiver == type) Add(doc.name, kMethod, doc.signature, Both(doc.summary));
    }
  }

  void Params(const std::string& before) {
    const Syntax* params = Find(file_.text, file_.root, "params");
    if (params == nullptr || params->kind != SyntaxKind::kMap) return;
    for (std::size_t i = 0; i < params->keys.size(); ++i) {
      const Syntax& value = params->values[i];
      Add(before + Decode(file_.text, params->keys[i]).text, kConstant, "",
          "`" + file_.text.substr(value.begin, value.end - value.begin) + "`");
    }
  }

  void Anywhere(const Expression& expression, const std::string& kind, const Cursor& cursor) {
    for (const Local& local : expression.locals()) {
      if (local.to == expression.tokens().size())
        Add(local.name, kVariable, "", local.fact == nullptr ? "" : Both(local.fact->label));
    }
    const Syntax* lets = Find(file_.text, file_.root, "let");
    const std::string here = cursor.path.size() == 2 && cursor.path[0] == "let" ? cursor.path[1] : "";
    for (std::size_t i = 0; lets != nullptr && i < lets->keys.size(); ++i) {
      const std::string name = Decode(file_.text, lets->keys[i]).text;
      if (name == here) break;
      const Syntax& value = lets->values[i];
      Add(name, kVariable, "let", "```cel\n" + Decode(file_.text, value).text + "\n```");
    }
    Params("params.");
    Add("today", kVariable, "date", "求值之日（上海）\n\nThe day of evaluation, in Shanghai");
    if (schema_ != nullptr) {
      for (const facts::FactDef& fact : schema_->facts()) {
        Add(kind + "." + fact.name, kField, value::TypeName(fact.value_type), Both(fact.label));
      }
    }
    for (const cel::FunctionDoc& doc : cel::Functions()) {
      if (doc.signature.starts_with(doc.name + "(")) Add(doc.name, kFunction, doc.signature, Both(doc.summary));
    }
    for (const char* word : {"true", "false", "null"}) Add(word, kConstant, "", "");
  }

  const View& view_;
  const File& file_;
  std::size_t offset_;
  std::size_t begin_ = 0;  // what an item takes the place of begins here
  Schemas schemas_;
  const facts::Schema* schema_ = nullptr;
  std::set<std::string> labels_;
  Json items_ = Json::array();
};

}  // namespace

Json Completion(const View& view, std::size_t offset) {
  return view.folder.empty() ? Json::array() : Completer(view, offset).Run();
}

}  // namespace zhitui::editor
