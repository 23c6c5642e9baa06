#pragma once

// What the server answers about a place in a file. JSON as the protocol has it. Private to editor.

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/base.h"
#include "editor/names.h"
#include "editor/text.h"
#include "editor/workspace.h"

namespace zhitui::editor {

using Json = nlohmann::json;

// One file of a rules folder, and the folder.
struct View {
  Workspace& workspace;
  std::string folder;  // absolute; empty: the file is in none
  std::shared_ptr<const File> file;
  Encoding encoding = Encoding::kUtf16;
  bool can_rename_files = false;  // the client takes a change of a file's name in an edit

  std::string UriOf(const std::string& path) const;
  Json RangeOf(const File& of, std::size_t begin, std::size_t end) const;
};

Json Completion(const View& view, std::size_t offset);  // list of CompletionItem
Json Hover(const View& view, std::size_t offset);       // Hover or null
Json Definition(const View& view, std::size_t offset);  // list of Location
Json References(const View& view, std::size_t offset, bool with_declaration);
Json Symbols(const View& view);                            // list of DocumentSymbol
Json Edits(const View& view);                              // formatting: list of TextEdit
Json PrepareRename(const View& view, std::size_t offset);  // {range, placeholder} or null
// A WorkspaceEdit; kInvalid says why the name cannot be changed so.
Result<Json> Rename(const View& view, std::size_t offset, const std::string& name);

// The place of a diagnostic in its file's text.
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
};
Span SpanOf(const std::string& text, const Diagnostic& diagnostic);
// Quick fixes of the diagnostics that touch the range: list of CodeAction.
Json Fixes(const View& view, const Diagnostics& diagnostics, Span range);

// The name at an offset of a file; nullopt: none.
std::optional<Name> NameAt(const View& view, std::size_t offset);

}  // namespace zhitui::editor
