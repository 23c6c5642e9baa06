// Hover, definition, references, symbols, formatting, quick fixes.

#include "editor/features.h"

#include <algorithm>
#include <utility>

#include "editor/shape.h"

namespace zhitui::editor {
namespace {

std::string Both(const Text& text) {
  return text.en.empty() || text.en == text.zh ? text.zh : text.zh + "\n\n" + text.en;
}
std::string Code(const std::string& text) { return "```cel\n" + text + "\n```"; }

const facts::FactDef* FactOf(const View& view, const Name& name) {
  const Schemas schemas = view.workspace.SchemasOf(view.folder);
  const auto it = schemas.find(name.scope);
  if (it == schemas.end()) return nullptr;
  const std::optional<std::uint32_t> slot = it->second->Find(name.name);
  return slot ? &it->second->facts()[*slot] : nullptr;  // the workspace keeps the schema
}

std::string FactText(const View& view, const Name& name) {
  const Schemas schemas = view.workspace.SchemasOf(view.folder);
  const auto it = schemas.find(name.scope);
  const facts::FactDef* fact = FactOf(view, name);
  if (fact == nullptr || it == schemas.end()) return "";
  std::string out =
      Code(name.scope + "." + fact->name + ": " + value::TypeName(fact->value_type)) + "\n" + Both(fact->label);
  const auto source = it->second->sources().find(fact->source);
  if (source != it->second->sources().end()) out += "\n\n" + source->second.zh + " / " + source->second.en;
  const auto& values = fact->element.empty() ? fact->values : fact->element.front().values;
  for (std::size_t i = 0; i < values.size() && i < 20; ++i) out += (i == 0 ? "\n\n`" : ", `") + values[i] + "`";
  if (values.size() > 20) out += ", …";
  std::string marks;
  for (const auto& [set, word] :
       {std::pair{fact->nullable, "nullable"}, {fact->sensitive, "sensitive"}, {fact->fixed, "fixed"}}) {
    if (set) marks += std::string(marks.empty() ? "" : ", ") + word;
  }
  return marks.empty() ? out : out + "\n\n*" + marks + "*";
}

// The node of a declared param, let, law or criterion of a rule.
const Syntax* Declared(const File& file, const char* part, const std::string& name) {
  const Syntax* map = Find(file.text, file.root, part);
  return map == nullptr ? nullptr : Find(file.text, *map, name);
}
std::string SourceOf(const File& file, const Syntax& node) {
  return file.text.substr(node.begin, node.end - node.begin);
}
std::string ScalarOf(const File& file, const Syntax* map, const char* key) {
  const Syntax* value = map == nullptr ? nullptr : Find(file.text, *map, key);
  return value == nullptr                     ? ""
         : value->kind == SyntaxKind::kScalar ? Decode(file.text, *value).text
                                              : SourceOf(file, *value);
}
// {zh: …, en: …} or Chinese alone.
std::string LabelOf(const File& file, const Syntax* node) {
  if (node == nullptr) return "";
  if (node->kind == SyntaxKind::kScalar) return Decode(file.text, *node).text;
  return Both({ScalarOf(file, node, "zh"), ScalarOf(file, node, "en")});
}

std::string FunctionText(const std::string& name) {
  std::string signatures;
  Text summary;
  for (const cel::FunctionDoc& doc : cel::Functions()) {
    if (doc.name != name) continue;
    signatures += (signatures.empty() ? "" : "\n") + doc.signature;
    summary = doc.summary;
  }
  return signatures.empty() ? "" : Code(signatures) + "\n" + Both(summary);
}

std::string TextOf(const View& view, const Name& name) {
  const File& file = *view.file;
  switch (name.thing) {
    case Thing::kFact:
      return FactText(view, name);
    case Thing::kFunction:
      return FunctionText(name.name);
    case Thing::kParam: {
      const Syntax* value = Declared(file, "params", name.name);
      if (value == nullptr) return "";
      std::string out = "`params." + name.name + "`\n";
      if (value->kind != SyntaxKind::kMap) return out + "\n`" + SourceOf(file, *value) + "`";
      for (std::size_t i = 0; i < value->keys.size(); ++i) {
        out += "\n- " + Decode(file.text, value->keys[i]).text + ": `" + SourceOf(file, value->values[i]) + "`";
      }
      return out;
    }
    case Thing::kLet: {
      const Syntax* value = Declared(file, "let", name.name);
      if (value == nullptr) return "";
      const Schemas schemas = view.workspace.SchemasOf(view.folder);
      const auto schema = schemas.find(file.ValueOf("about"));
      const cel::Env env = EnvOf(file, schema == schemas.end() ? nullptr : schema->second.get());
      const std::string type = zhitui::editor::TypeOf(name.name, env);
      return Code(name.name + (type.empty() ? "" : ": " + type) + "\n" + Decode(file.text, *value).text);
    }
    case Thing::kLaw: {
      const Syntax* law = Declared(file, "law", name.name);
      const std::string url = ScalarOf(file, law, "url");
      return law == nullptr ? "" : ScalarOf(file, law, "title") + (url.empty() ? "" : "\n\n<" + url + ">");
    }
    case Thing::kCriterion: {
      const Syntax* criterion = Declared(file, "criteria", name.name);
      if (criterion == nullptr) return "";
      const Syntax* when = Find(file.text, *criterion, "when");
      std::string out = LabelOf(file, Find(file.text, *criterion, "label"));
      return when == nullptr ? out : out + "\n" + Code(Decode(file.text, *when).text);
    }
    case Thing::kMessage:
      for (const auto& message :
           view.workspace.Files(view.folder, [](std::string_view p) { return p.starts_with("messages/"); })) {
        if (message->ValueOf("message") != name.name) continue;
        std::string out = "`" + name.name + "`";
        for (const auto& [channel, part] : {std::pair{"app", "title"}, {"app", "body"}, {"sms", "text"}}) {
          const Syntax* of = Find(message->text, message->root, channel);
          const std::string text = of == nullptr ? "" : LabelOf(*message, Find(message->text, *of, part));
          if (!text.empty()) out += "\n\n**" + std::string(channel) + "** " + text;
        }
        return out;
      }
      return "";
    case Thing::kCalendar:
    case Thing::kKind:
      return "`" + name.name + "`";
    case Thing::kSource: {
      const Syntax* sources = Find(file.text, file.root, "sources");
      return sources == nullptr ? "" : LabelOf(file, Find(file.text, *sources, name.name));
    }
  }
  return "";
}

// The meaning of the key at the cursor.
std::string KeyText(const File& file, const Cursor& cursor) {
  const Shape* root = ShapeOf(FileKind(file.path));
  if (!cursor.key || cursor.scalar == nullptr || root == nullptr) return "";
  const std::string name = Decode(file.text, *cursor.scalar).text;
  for (const Key* key : KeysOf(ShapesAt(*root, cursor.path))) {
    if (key->name == name) return "`" + name + "`" + (key->required ? " *required*" : "") + "\n\n" + Both(key->meaning);
  }
  return "";
}

// The files a name can stand in.
std::vector<std::shared_ptr<const File>> FilesOf(const View& view, const Name& name) {
  const bool whole = name.scope.empty() || name.thing == Thing::kFact;
  if (view.folder.empty() || !whole) return {view.file};
  return view.workspace.Files(view.folder, [&](std::string_view path) {
    const std::string_view kind = FileKind(path);
    if (name.thing == Thing::kFact || name.thing == Thing::kKind) return kind == "facts" || kind == "rule";
    return kind == "rule" || kind == (name.thing == Thing::kMessage ? "message" : "calendar");
  });
}

Json SymbolOf(const View& view, const std::string& name, int kind, std::size_t begin, std::size_t end,
              const Syntax& key) {
  const File& f = *view.file;
  return {{"name", name.empty() ? "?" : name},
          {"kind", kind},
          {"range", view.RangeOf(f, begin, std::max(end, key.end))},
          {"selectionRange", view.RangeOf(f, key.begin, key.end)},
          {"children", Json::array()}};
}

// What stands between the marks of "did you mean `x`?", and what the message quotes as wrong.
std::string Between(const std::string& text, std::size_t from, std::string_view open, std::string_view close) {
  const std::size_t begin = text.find(open, from);
  if (begin == std::string::npos) return "";
  const std::size_t end = text.find(close, begin + open.size());
  return end == std::string::npos ? "" : text.substr(begin + open.size(), end - begin - open.size());
}

}  // namespace

std::string View::UriOf(const std::string& path) const {
  return UriOfPath(folder.empty() ? path : folder + "/" + path);
}

Json View::RangeOf(const File& of, std::size_t begin, std::size_t end) const {
  const Lines lines(of.text);
  const Position from = lines.PositionOf(begin, encoding);
  const Position to = lines.PositionOf(end, encoding);
  return {{"start", {{"line", from.line}, {"character", from.character}}},
          {"end", {{"line", to.line}, {"character", to.character}}}};
}

std::optional<Name> NameAt(const View& view, std::size_t offset) {
  if (view.folder.empty()) return std::nullopt;
  for (const Name& name : NamesOf(*view.file, view.workspace.SchemasOf(view.folder))) {
    if (name.begin <= offset && offset <= name.end) return name;
  }
  return std::nullopt;
}

Json Hover(const View& view, std::size_t offset) {
  if (view.folder.empty()) return nullptr;
  const File& file = *view.file;
  std::string text;
  Json range;
  if (const std::optional<Name> name = NameAt(view, offset)) {
    text = TextOf(view, *name);
    range = view.RangeOf(file, name->begin, name->end);
  }
  if (text.empty()) {
    const Cursor cursor = At(file.text, file.root, offset);
    text = KeyText(file, cursor);
    if (text.empty()) return nullptr;
    range = view.RangeOf(file, cursor.scalar->begin, cursor.scalar->end);
  }
  return {{"contents", {{"kind", "markdown"}, {"value", text}}}, {"range", range}};
}

Json References(const View& view, std::size_t offset, bool with_declaration) {
  Json out = Json::array();
  const std::optional<Name> wanted = NameAt(view, offset);
  if (!wanted || wanted->thing == Thing::kFunction) return out;
  const Schemas schemas = view.workspace.SchemasOf(view.folder);
  for (const auto& file : FilesOf(view, *wanted)) {
    for (const Name& name : NamesOf(*file, schemas)) {
      if (!name.Is(*wanted) || (name.declared && !with_declaration)) continue;
      out.push_back({{"uri", view.UriOf(file->path)}, {"range", view.RangeOf(*file, name.begin, name.end)}});
    }
  }
  return out;
}

Json Definition(const View& view, std::size_t offset) {
  Json out = Json::array();
  const std::optional<Name> wanted = NameAt(view, offset);
  if (!wanted || wanted->thing == Thing::kFunction) return out;
  const Schemas schemas = view.workspace.SchemasOf(view.folder);
  for (const auto& file : FilesOf(view, *wanted)) {
    for (const Name& name : NamesOf(*file, schemas)) {
      if (!name.Is(*wanted) || !name.declared) continue;
      out.push_back({{"uri", view.UriOf(file->path)}, {"range", view.RangeOf(*file, name.begin, name.end)}});
    }
  }
  return out;
}

Json Symbols(const View& view) {
  constexpr int kProperty = 7;
  constexpr int kMethod = 6;
  constexpr int kConstant = 14;
  constexpr int kObject = 19;
  Json out = Json::array();
  const File& file = *view.file;
  if (file.root.kind != SyntaxKind::kMap) return out;
  for (std::size_t i = 0; i < file.root.keys.size(); ++i) {
    const Syntax& value = file.root.values[i];
    const std::string key = Decode(file.text, file.root.keys[i]).text;
    Json symbol = SymbolOf(view, key, kProperty, file.root.starts[i], value.end, file.root.keys[i]);
    if (value.kind == SyntaxKind::kScalar && value.style != '|' && value.style != '>') {
      symbol["detail"] = Decode(file.text, value).text;
    }
    const int kind = key == "params" ? kConstant : key == "let" ? kMethod : kObject;
    for (std::size_t j = 0; value.kind == SyntaxKind::kMap && j < value.keys.size(); ++j) {
      symbol["children"].push_back(SymbolOf(view, Decode(file.text, value.keys[j]).text, kind, value.starts[j],
                                            value.values[j].end, value.keys[j]));
    }
    for (std::size_t j = 0; value.kind == SyntaxKind::kList && j < value.values.size(); ++j) {
      const Syntax& item = value.values[j];
      for (const char* title : {"name", "on", "id", "is"}) {
        const Syntax* named = Find(file.text, item, title);
        if (named == nullptr || named->kind != SyntaxKind::kScalar) continue;
        symbol["children"].push_back(
            SymbolOf(view, Decode(file.text, *named).text, kind, item.begin, item.end, *named));
        break;
      }
    }
    out.push_back(std::move(symbol));
  }
  return out;
}

Json Edits(const View& view) {
  Json out = Json::array();
  Diagnostics unread;
  const std::optional<std::string> formatted = Format(view.file->path, view.file->text, &unread);
  if (!formatted || *formatted == view.file->text) return out;
  out.push_back({{"range", view.RangeOf(*view.file, 0, view.file->text.size())}, {"newText", *formatted}});
  return out;
}

Span SpanOf(const std::string& text, const Diagnostic& diagnostic) {
  const Lines lines(text);
  const std::size_t begin = lines.OffsetOf(diagnostic.at);
  return {begin, lines.Advance(begin, std::max<std::size_t>(diagnostic.length, 1))};
}

Json Fixes(const View& view, const Diagnostics& diagnostics, Span range) {
  constexpr std::string_view kMean = "did you mean ";
  Json out = Json::array();
  const std::string& text = view.file->text;
  for (const Diagnostic& d : diagnostics) {
    const Span span = SpanOf(text, d);
    const std::size_t mean = d.hint.find(kMean);
    if (span.begin > range.end || span.end < range.begin || mean == std::string::npos) continue;
    std::string right = Between(d.hint, mean, kMean, "?");
    std::string wrong;
    for (const auto& [open, close] : {std::pair{"`", "`"}, {"{{", "}}"}, {"\"", "\""}}) {
      if (right.starts_with(open) && right.ends_with(close)) right = Between(right, 0, open, close);
      if (wrong.empty()) wrong = Between(d.message, 0, open, close);
    }
    // The place may be that of the whole text: the wrong name is what stands behind it first.
    const std::size_t begin = wrong.empty() ? std::string::npos : text.find(wrong, span.begin);
    if (right.empty() || begin == std::string::npos) continue;
    const Json edit = {{"range", view.RangeOf(*view.file, begin, begin + wrong.size())}, {"newText", right}};
    out.push_back({{"title", "Write " + right},
                   {"kind", "quickfix"},
                   {"isPreferred", true},
                   {"diagnostics", Json::array({{{"range", view.RangeOf(*view.file, span.begin, span.end)},
                                                 {"severity", 1},
                                                 {"code", d.code},
                                                 {"source", "zhitui"},
                                                 {"message", d.message + (d.hint.empty() ? "" : "\n" + d.hint)}}})},
                   {"edit", {{"changes", {{view.UriOf(view.file->path), Json::array({edit})}}}}}});
  }
  return out;
}

}  // namespace zhitui::editor
