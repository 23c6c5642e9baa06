#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace zhitui {

// A place in a text file. Lines and columns count from 1; columns count Unicode code points.
struct Location {
  std::string file;
  std::uint32_t line = 0;  // 0 = the whole file
  std::uint32_t column = 0;
};

// An error keeps a file from being used; a warning is something its author would be glad to be told.
enum class Severity : std::uint8_t { kError, kWarning };

// A mistake in something a person wrote (YAML, an expression), with what to write instead.
struct Diagnostic {
  Location at;
  std::uint32_t length = 1;  // code points to underline, on that line
  std::string code;          // stable, kebab-case: "unknown-key", "type-mismatch"
  std::string message;       // what is wrong, one sentence without a full stop
  std::string hint;          // what to write instead; may be empty
  std::string source_line;   // the line itself, for the caret; may be empty
  Severity severity = Severity::kError;
};

using Diagnostics = std::vector<Diagnostic>;

// file:line:col: error [code]: message   (or: warning)
//     source line
//     ^^^^
//     hint: …
// One block per diagnostic, sorted by file, line, column; wide (CJK) characters are counted as two cells for the caret.
// `lang` chooses the labels, which are English unless it is "zh"; messages and hints stay as they are.
std::string FormatDiagnostics(const Diagnostics& diagnostics, std::string_view lang = "en");

// The candidate nearest to `word` by edit distance, when near enough to be a likely slip; otherwise empty.
std::string_view NearestName(std::string_view word, const std::vector<std::string>& candidates);

// Cells a terminal needs for UTF-8 text: CJK and full-width count two.
std::size_t DisplayWidth(std::string_view utf8);

}  // namespace zhitui
