// lsp, rules fmt, schema: what editors and authors call.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "daemon/commands.h"
#include "daemon/settings.h"
#include "editor/editor.h"

namespace zhitui::daemon {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::uintmax_t kMaxFileBytes = 1 << 20;
constexpr std::size_t kMaxListed = 64;

// ---- The configuration's schema, from the table of its keys

Json TextSchema() { return {{"type", {"string", "number", "boolean"}}}; }

Json ValueSchema(Type type, const std::vector<std::string>& choices, std::int64_t min, std::int64_t max) {
  switch (type) {
    case Type::kText:
    case Type::kPath:
    case Type::kSecret:
      return TextSchema();
    case Type::kInt:
      return {{"type", "integer"}, {"minimum", min}, {"maximum", max}};
    case Type::kBool:
      return {{"type", "boolean"}};
    case Type::kChoice:
      return {{"type", "string"}, {"enum", choices}};
    case Type::kTimeOfDay:
      return {{"type", "string"}, {"pattern", "^([01][0-9]|2[0-3]):[0-5][0-9]$"}};
    case Type::kMillisList:
      return {{"type", "array"}, {"items", {{"type", "integer"}, {"minimum", 0}}}};
    case Type::kTexts: {
      Json item = TextSchema();
      if (!choices.empty()) item = {{"type", "string"}, {"enum", choices}};
      return {{"type", "array"}, {"items", std::move(item)}, {"minItems", 1}};
    }
    case Type::kTextTable:
      return {{"type", {"object", "null"}}, {"additionalProperties", TextSchema()}};
  }
  return true;
}

Json Group() { return {{"type", {"object", "null"}}, {"properties", Json::object()}, {"additionalProperties", false}}; }

// A secret may also be named by a file or a variable.
void AddKey(Json& properties, const std::string& name, Type type, Json value) {
  if (type == Type::kSecret) {
    for (const char* form : {"_file", "_env"}) {
      properties[name + form] = TextSchema();
      properties[name + form]["description"] = value["description"];
    }
  }
  properties[name] = std::move(value);
}

template <class T>
void AddKeys(Json& group, const std::vector<Key<T>>& keys) {
  for (const Key<T>& key : keys) {
    Json* at = &group;
    std::string rest = key.path;
    for (std::size_t dot = rest.find('.'); dot != std::string::npos; dot = rest.find('.')) {
      Json& child = (*at)["properties"][rest.substr(0, dot)];
      if (child.is_null()) child = Group();
      at = &child;
      rest = rest.substr(dot + 1);
    }
    Json value = ValueSchema(key.type, key.choices, key.min, key.max);
    value["description"] = key.meaning;
    AddKey((*at)["properties"], rest, key.type, std::move(value));
    // Which of its three forms a secret has is for the reader to ask.
    if (key.required && key.type != Type::kSecret) (*at)["required"].push_back(rest);
  }
}

template <class T>
Json ListSchema(const std::vector<Key<T>>& keys) {
  Json item = Group();
  item["type"] = "object";
  AddKeys(item, keys);
  return {{"type", {"array", "null"}}, {"items", std::move(item)}, {"maxItems", kMaxListed}};
}

Json ConnectorSchema(const ConnectorKind& kind) {
  Json out = Group();
  out["type"] = "object";
  out["description"] = kind.summary;
  for (const delivery::SettingDoc& doc : kind.settings) {
    const bool table = doc.key.ends_with(".*");
    Json value = TextSchema();
    if (table) value = {{"type", "object"}, {"additionalProperties", TextSchema()}};
    value["description"] = doc.summary.en + "\n" + doc.summary.zh;
    AddKey(out["properties"], table ? doc.key.substr(0, doc.key.size() - 2) : doc.key,
           doc.secret ? Type::kSecret : Type::kText, std::move(value));
  }
  return out;
}

// ---- rules fmt

// What is read of one file, or why not.
Result<std::string> ReadFile(const fs::path& path) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path, error);
  if (error) return Unavailable("cannot read " + path.string());
  if (size > kMaxFileBytes) return Invalid(path.string() + " is larger than 1 MiB");
  std::ifstream in(path, std::ios::binary);
  if (!in) return Unavailable("cannot read " + path.string());
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// The new text takes the place of the old one at once: who reads the file sees one or the other.
Status WriteFile(const fs::path& path, const std::string& text) {
  const fs::path fresh = path.string() + ".fmt";
  {
    std::ofstream out(fresh, std::ios::binary);
    out << text << std::flush;
    if (!out) return Unavailable("cannot write " + fresh.string());
  }
  std::error_code error;
  fs::permissions(fresh, fs::status(path, error).permissions(), error);
  fs::rename(fresh, fs::canonical(path, error), error);
  if (!error) return {};
  const std::string reason = error.message();
  fs::remove(fresh, error);
  return Unavailable("cannot write " + path.string() + ": " + reason);
}

// The YAML files of a folder, or the file itself; false and said where there is none.
bool Collect(const std::string& name, std::vector<fs::path>& out) {
  std::error_code error;
  if (!fs::is_directory(name, error)) {
    if (!fs::exists(name, error)) return false;
    out.emplace_back(name);
    return true;
  }
  std::vector<fs::path> found;
  fs::recursive_directory_iterator it(name, error);
  if (error) return false;
  for (const fs::recursive_directory_iterator end; it != end; it.increment(error)) {
    if (error) return false;
    const std::string file = it->path().filename().string();
    if (file.starts_with('.')) {
      if (it->is_directory(error)) it.disable_recursion_pending();
      continue;
    }
    if (it->is_regular_file(error) && (file.ends_with(".yaml") || file.ends_with(".yml"))) found.push_back(it->path());
  }
  std::sort(found.begin(), found.end());
  out.insert(out.end(), found.begin(), found.end());
  return true;
}

int FormatInput(const FormatArguments& arguments) {
  std::string text(kMaxFileBytes + 1, '\0');  // one more than is accepted, so that too much is reported
  std::cin.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::cin.gcount()));
  Diagnostics found;
  const std::optional<std::string> out = editor::Format(arguments.stdin_path, text, &found);
  if (!out) {
    std::cerr << Shown(found);
    return EX_DATAERR;
  }
  if (!arguments.check) std::cout << *out;
  return arguments.check && *out != text ? 1 : EX_OK;
}

}  // namespace

std::string ConfigSchema() {
  Json out = {{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", "zhitui config"}};
  out.update(Group());
  AddKeys(out, ConfigKeys());
  out["properties"]["input"]["properties"]["topics"] = ListSchema(InputTopicKeys());
  out["properties"]["input"]["properties"]["files"] = ListSchema(InputFileKeys());
  out["properties"]["api"]["properties"]["keys"] = ListSchema(ApiKeyKeys());
  Json connectors = Group();
  for (const ConnectorKind& kind : ConnectorKinds()) connectors["properties"][kind.name] = ConnectorSchema(kind);
  out["properties"]["connectors"] = std::move(connectors);
  return out.dump(2) + "\n";
}

int PrintSchema(const std::string& kind) {
  std::cout << (kind == "config" ? ConfigSchema() : editor::JsonSchema(kind));
  return EX_OK;
}

int RulesFormat(const FormatArguments& arguments) {
  if (!arguments.stdin_path.empty()) return FormatInput(arguments);
  std::vector<fs::path> files;
  for (const std::string& name : arguments.paths) {
    if (!Collect(name, files)) return Fail(EX_NOINPUT, "there is no file or folder " + name);
  }
  if (files.empty()) return Fail(EX_USAGE, "name a folder or a file, or --stdin PATH");
  Diagnostics found;
  std::size_t changed = 0;
  for (const fs::path& path : files) {
    const Result<std::string> text = ReadFile(path);
    if (!text) return Fail(text.error());
    const std::optional<std::string> out = editor::Format(path.string(), *text, &found);
    if (!out || *out == *text) continue;
    ++changed;
    std::cout << path.string() << "\n";
    if (arguments.check) continue;
    if (Status status = WriteFile(path, *out); !status) return Fail(status.error());
  }
  std::cerr << Shown(found);
  if (!found.empty()) return EX_DATAERR;
  return arguments.check && changed > 0 ? 1 : EX_OK;
}

int LanguageServer() {
  std::ios::sync_with_stdio(false);
  const editor::Disk disk{[](const std::string& folder) {
                            std::error_code error;
                            return fs::is_directory(fs::path(folder) / "facts", error);
                          },
                          [](const std::string& folder) { return authoring::LoadFolder(folder); }};
  return editor::Serve(std::cin, std::cout, disk);
}

void AddEditing(CLI::App& app, FormatArguments& format, std::string& schema, std::function<int()>& command) {
  CLI::App* lsp = app.add_subcommand("lsp", "Serve editors: the Language Server Protocol on standard input and output");
  lsp->callback([&command] { command = LanguageServer; });

  CLI::App* fmt = app.get_subcommand("rules")->add_subcommand("fmt", "Lay out YAML files as the handbook does");
  fmt->add_option("PATH", format.paths, "Folders and files");
  fmt->add_flag("--check", format.check, "Write nothing; exit 1 and name the files that would change");
  fmt->add_option("--stdin", format.stdin_path, "Format standard input to standard output, under this name");
  fmt->callback([&] { command = [&] { return RulesFormat(format); }; });

  CLI::App* json_schema = app.add_subcommand("schema", "Print the JSON Schema (2020-12) of a kind of file");
  json_schema->add_option("KIND", schema, "rule, facts, message, calendar or config")
      ->required()
      ->check(CLI::IsMember({"rule", "facts", "message", "calendar", "config"}));
  json_schema->callback([&] { command = [&] { return PrintSchema(schema); }; });
}

}  // namespace zhitui::daemon
