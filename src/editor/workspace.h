#pragma once

// The files of rules folders as the client sees them: what is open in the editor stands for what is on disk. Private to
// editor.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "editor/editor.h"
#include "editor/names.h"

namespace zhitui::editor {

// Paths are absolute but those of File, which are in the rules folder.
class Workspace {
 public:
  explicit Workspace(const Disk& disk) : disk_(disk) {}

  void Put(const std::string& path, std::string text);  // open, or changed
  void Drop(const std::string& path);                   // closed
  void Forget();                                        // what was read from disk may be old
  const std::string* OpenText(const std::string& path) const;
  std::vector<std::string> OpenPaths() const;

  // The nearest folder above `path` that has facts/; empty: none.
  std::string FolderOf(const std::string& path) const;
  // An open file; its path is the absolute one where it is in no rules folder. nullptr: not open.
  std::shared_ptr<const File> Opened(const std::string& path);

  // Every file of a folder. What could not be read is said in `trouble`.
  std::vector<rules::SourceFile> Sources(const std::string& folder, std::string* trouble);
  // The files whose paths begin with `prefix`, or of which `take` says so, with their syntax.
  std::vector<std::shared_ptr<const File>> Files(const std::string& folder,
                                                 const std::function<bool(std::string_view path)>& take);
  // A kind whose file has mistakes has the schema that it had before.
  Schemas SchemasOf(const std::string& folder);

 private:
  std::shared_ptr<const File> Parsed(const std::string& folder, const std::string& path, const std::string& text);

  const Disk& disk_;
  std::map<std::string, std::string> open_;
  struct Folder {
    std::vector<rules::SourceFile> files;
    std::string trouble;
  };
  std::map<std::string, Folder> folders_;
  std::map<std::string, std::shared_ptr<const File>> parsed_;
  std::map<std::string, Schemas> schemas_;
};

}  // namespace zhitui::editor
