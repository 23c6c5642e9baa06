#pragma once

// What the text of a file must satisfy before and after it is parsed. Inside the yaml room only.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace zhitui::yaml {

inline constexpr std::size_t kMaxBytes = 1024 * 1024;
inline constexpr std::size_t kMaxDepth = 32;
inline constexpr std::size_t kMaxNodes = 100'000;
inline constexpr std::size_t kMaxDiagnostics = 100;

struct TextFault {
  std::size_t offset = 0;
  bool whole_file = false;
  std::string code;
  std::string message;
  std::string hint;
};

// Encoding, control characters, line ends, directives, and brackets that only nest: nothing the parser needs to see.
std::optional<TextFault> CheckText(std::string_view text);

// What the parser's own words about a place mean to a person. `at` is the byte the parser points to.
TextFault ExplainParserError(std::string_view text, std::string_view parser_message, std::size_t at);

// The quote that opens a text which is never closed, searched from `from`; npos when there is none.
std::size_t UnclosedQuote(std::string_view text, std::size_t from);

}  // namespace zhitui::yaml
