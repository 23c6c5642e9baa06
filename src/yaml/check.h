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

// Encoding, control characters, line ends and directives: nothing the parser needs to see.
std::optional<TextFault> CheckText(std::string_view text);

// What the parser stopped at, in its own words: where, and in the middle of what, which began at `began`.
struct ParserFault {
  std::string_view problem;
  std::string_view context;
  std::size_t at = 0;
  std::size_t began = 0;
};

// What the parser's words mean to a person.
TextFault ExplainParserFault(std::string_view text, const ParserFault& fault);

}  // namespace zhitui::yaml
