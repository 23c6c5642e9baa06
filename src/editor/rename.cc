// Renaming: all places in one edit, and only where the folder still means the same.

#include <algorithm>
#include <map>
#include <utility>

#include "authoring/authoring.h"
#include "editor/features.h"
#include "editor/shape.h"

namespace zhitui::editor {
namespace {

struct Edit {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string text;
};

bool CanRename(Thing thing) {
  return thing == Thing::kParam || thing == Thing::kLet || thing == Thing::kLaw || thing == Thing::kCriterion ||
         thing == Thing::kFact || thing == Thing::kMessage;
}

// A name that YAML reads as it is written; the checker says whether it may be a name.
bool IsShaped(std::string_view name) {
  return !name.empty() && name.size() <= 200 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
  });
}

void AddForm(std::string& out, const cel::Program& program) { out += program.canonical() + "\n"; }

// What the expressions of a rule mean, and what else of it a name could change.
std::string FormOf(const rules::Rule& rule) {
  std::string out = rule.id + "\n";
  for (const rules::Criterion& c : rule.criteria) AddForm(out, c.when);
  for (const rules::AmountRow& row : rule.amounts) {
    if (row.when) AddForm(out, *row.when);
    AddForm(out, row.is);
  }
  for (const rules::Material& m : rule.apply.materials) {
    if (m.on_file) AddForm(out, *m.on_file);
  }
  for (const std::uint32_t slot : rule.slots) out += std::to_string(slot) + ",";
  return out;
}

std::string FormOf(const rules::RuleSet& ruleset) {
  std::string out;
  for (const rules::Rule& rule : ruleset.rules()) out += FormOf(rule);
  return out;
}

void ReplaceAll(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

std::string Words(const Diagnostic& d) {
  return d.at.file + ":" + std::to_string(d.at.line) + ":" + std::to_string(d.at.column) + ": " + d.message;
}

// The new text at one place of the name. Nested keys above it stay.
Result<std::string> TextAt(const Name& name, const std::string& renamed) {
  if (name.above.empty()) return renamed;
  if (!renamed.starts_with(name.above)) {
    return Invalid("a test writes " + name.name + " below " + name.above.substr(0, name.above.size() - 1) +
                   "; the new name has to begin with " + name.above);
  }
  return renamed.substr(name.above.size());
}

}  // namespace

Json PrepareRename(const View& view, std::size_t offset) {
  const std::optional<Name> name = NameAt(view, offset);
  if (!name || !CanRename(name->thing)) return nullptr;
  return {{"range", view.RangeOf(*view.file, name->begin, name->end)}, {"placeholder", name->name}};
}

Result<Json> Rename(const View& view, std::size_t offset, const std::string& renamed) {
  const std::optional<Name> wanted = NameAt(view, offset);
  if (!wanted || !CanRename(wanted->thing)) {
    return Invalid("only params, lets, laws, criteria, facts and messages can be renamed");
  }
  if (!IsShaped(renamed)) return Invalid("a name has lower-case letters, digits, _ and -");
  if (renamed == wanted->name) return Json{{"changes", Json::object()}};

  std::vector<rules::SourceFile> sources = view.workspace.Sources(view.folder, nullptr);
  const authoring::Report before = authoring::Check(sources);
  if (!before.ok()) return Invalid("the folder has mistakes; first correct " + Words(before.diagnostics.front()));

  const Schemas schemas = view.workspace.SchemasOf(view.folder);
  std::map<std::string, std::vector<Edit>> edits;
  std::map<std::string, std::shared_ptr<const File>> files;
  std::string moved;  // the file of a message, which is named like it
  const bool whole = wanted->thing == Thing::kFact || wanted->thing == Thing::kMessage;
  for (const auto& file :
       view.workspace.Files(view.folder, [&](std::string_view path) { return whole || path == view.file->path; })) {
    for (const Name& name : NamesOf(*file, schemas)) {
      if (!name.Is(*wanted)) continue;
      const Result<std::string> text = TextAt(name, renamed);
      if (!text) return std::unexpected(text.error());
      edits[file->path].push_back({name.begin, name.end, *text});
      files[file->path] = file;
      if (name.declared && name.thing == Thing::kMessage) moved = file->path;
    }
  }
  const std::string moved_to = moved.empty() ? "" : "messages/" + renamed + moved.substr(moved.rfind('.'));
  if (!moved.empty() && !view.can_rename_files) {
    return Invalid("the message is in the file of its name, and this editor cannot rename files");
  }
  if (!moved.empty() && moved.substr(0, moved.rfind('.')) != "messages/" + wanted->name) {
    return Invalid("the message is in another file than its name says: " + moved);
  }
  for (const rules::SourceFile& source : sources) {
    if (!moved.empty() && source.path == moved_to) return Invalid("there is a file " + moved_to + " already");
  }

  for (rules::SourceFile& source : sources) {
    const auto it = edits.find(source.path);
    if (it == edits.end()) continue;
    for (auto edit = it->second.rbegin(); edit != it->second.rend(); ++edit) {
      source.text.replace(edit->begin, edit->end - edit->begin, edit->text);
    }
    if (source.path == moved) source.path = moved_to;
  }
  const authoring::Report after = authoring::Check(sources);
  if (!after.ok()) return Invalid("`" + renamed + "` cannot be the name: " + Words(after.diagnostics.front()));
  std::string form = FormOf(*after.ruleset);
  if (wanted->thing == Thing::kFact) {
    ReplaceAll(form, wanted->scope + "." + renamed + "@", wanted->scope + "." + wanted->name + "@");
  }
  if (form != FormOf(*before.ruleset)) {
    return Invalid("with the name `" + renamed + "` an expression would mean something else");
  }

  Json changes = Json::array();
  for (const auto& [path, list] : edits) {
    Json texts = Json::array();
    for (const Edit& edit : list) {
      texts.push_back({{"range", view.RangeOf(*files[path], edit.begin, edit.end)}, {"newText", edit.text}});
    }
    changes.push_back({{"textDocument", {{"uri", view.UriOf(path)}, {"version", nullptr}}}, {"edits", texts}});
  }
  if (!moved.empty()) {
    changes.push_back({{"kind", "rename"}, {"oldUri", view.UriOf(moved)}, {"newUri", view.UriOf(moved_to)}});
    return Json{{"documentChanges", changes}};
  }
  Json plain = Json::object();
  for (const Json& change : changes) plain[change["textDocument"]["uri"].get<std::string>()] = change["edits"];
  return Json{{"changes", plain}};
}

}  // namespace zhitui::editor
