#pragma once

// editor: what a text editor needs of rule folders. A server of the Language Server Protocol 3.17 over a pair of
// streams, the formatter of rule files, and JSON Schemas (2020-12) of every kind of file in a rules folder. What is on
// disk is read through functions of the caller. No network, no thread of its own, no state between calls.
//
// Promises
// - Format changes layout only: parsed again, the file has the same values and comments in the same order, and
//   Format(Format(x)) == Format(x). A file that is not valid YAML is left as it is.
// - The server does not end because of what a client or a file holds: a bad request gets the protocol's error, a file
//   with mistakes gets diagnostics.
// - A rename is one edit of all files, or an error that says why not: the folder is compiled before and after it, and
//   every expression must mean the same.
// - What `rules check` accepts the schemas accept. They are made from one table (shape.h), which tests hold against the
//   readers.

#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "rules/rules.h"

namespace zhitui::editor {

// The text laid out as the handbook does: two spaces a level, lists indented below their key, one space after `:`, `-`
// and `,`, none inside brackets, at most one blank line in a row. `{…}` and `[…]` stay on one line while it has at most
// 140 code points, otherwise they become lines. Order, comments, quotes and expressions stay as they are.
// nullopt and diagnostics when the text is not acceptable YAML. Any YAML file will do; `path` is for the diagnostics.
std::optional<std::string> Format(const std::string& path, const std::string& text, Diagnostics* diagnostics);

// "rule", "facts", "message", "calendar": a JSON Schema as text. Empty for another name.
std::string JsonSchema(std::string_view file_kind);

// How the server reads what is not open in the editor. Folders are absolute paths.
struct Disk {
  std::function<bool(const std::string& folder)> has_facts;  // whether it is a rules folder: it has a folder facts/
  std::function<Result<std::vector<rules::SourceFile>>(const std::string& folder)> load;
};

// Serves until `exit` or the end of `in`; one message after the other, what is read ahead is cancelled on request. The
// result is the exit code of the protocol: 0 after `shutdown`, else 1. A message has at most 8 MiB.
int Serve(std::istream& in, std::ostream& out, const Disk& disk);

}  // namespace zhitui::editor
