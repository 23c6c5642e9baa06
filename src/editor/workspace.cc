#include "editor/workspace.h"

#include <algorithm>
#include <utility>

#include "facts/facts.h"

namespace zhitui::editor {

void Workspace::Put(const std::string& path, std::string text) { open_[path] = std::move(text); }
void Workspace::Drop(const std::string& path) { open_.erase(path); }
void Workspace::Forget() { folders_.clear(); }

const std::string* Workspace::OpenText(const std::string& path) const {
  const auto it = open_.find(path);
  return it == open_.end() ? nullptr : &it->second;
}

std::vector<std::string> Workspace::OpenPaths() const {
  std::vector<std::string> out;
  for (const auto& [path, text] : open_) out.push_back(path);
  return out;
}

std::string Workspace::FolderOf(const std::string& path) const {
  for (std::size_t slash = path.rfind('/'); slash != std::string::npos && slash > 0;
       slash = path.rfind('/', slash - 1)) {
    const std::string folder = path.substr(0, slash);
    if (disk_.has_facts(folder)) return folder;
  }
  return "";
}

std::shared_ptr<const File> Workspace::Opened(const std::string& path) {
  const std::string* text = OpenText(path);
  if (text == nullptr) return nullptr;
  const std::string folder = FolderOf(path);
  if (folder.empty()) return MakeFile(path, *text);
  return Parsed(folder, path.substr(folder.size() + 1), *text);
}

std::shared_ptr<const File> Workspace::Parsed(const std::string& folder, const std::string& path,
                                              const std::string& text) {
  std::shared_ptr<const File>& file = parsed_[folder + "/" + path];
  if (file == nullptr || file->text != text) file = MakeFile(path, text);
  return file;
}

std::vector<rules::SourceFile> Workspace::Sources(const std::string& folder, std::string* trouble) {
  const auto [it, fresh] = folders_.try_emplace(folder);
  if (fresh) {
    if (Result<std::vector<rules::SourceFile>> files = disk_.load(folder)) {
      it->second.files = std::move(*files);
    } else {
      it->second.trouble = files.error().message;
    }
  }
  if (trouble != nullptr) *trouble = it->second.trouble;
  std::vector<rules::SourceFile> out = it->second.files;
  for (const auto& [path, text] : open_) {
    if (!path.starts_with(folder + "/") || FolderOf(path) != folder) continue;
    const std::string name = path.substr(folder.size() + 1);
    if (!name.ends_with(".yaml") && !name.ends_with(".yml")) continue;
    const auto there = std::find_if(out.begin(), out.end(), [&](const auto& file) { return file.path == name; });
    if (there != out.end()) {
      there->text = text;
    } else {
      out.push_back({name, text});
    }
  }
  return out;
}

std::vector<std::shared_ptr<const File>> Workspace::Files(const std::string& folder,
                                                          const std::function<bool(std::string_view path)>& take) {
  std::vector<std::shared_ptr<const File>> out;
  for (const rules::SourceFile& file : Sources(folder, nullptr)) {
    if (take(file.path)) out.push_back(Parsed(folder, file.path, file.text));
  }
  return out;
}

Schemas Workspace::SchemasOf(const std::string& folder) {
  Schemas& known = schemas_[folder];
  Schemas out;
  for (const rules::SourceFile& file : Sources(folder, nullptr)) {
    if (!file.path.starts_with("facts/")) continue;
    Diagnostics unread;
    const std::optional<yaml::Document> document = yaml::Parse(file.path, file.text, &unread);
    std::shared_ptr<const facts::Schema> schema;
    if (document) schema = facts::ParseSchema(*document, &unread);
    if (schema != nullptr) {
      out[schema->kind()] = known[schema->kind()] = schema;
      continue;
    }
    const std::string kind = MakeFile(file.path, file.text)->ValueOf("kind");
    if (const auto it = known.find(kind); it != known.end()) out[kind] = it->second;
  }
  return out;
}

}  // namespace zhitui::editor
