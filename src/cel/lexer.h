#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cel/report.h"

namespace zhitui::cel {

enum class Tok : std::uint8_t {
  kEnd,
  kInt,
  kUint,
  kDouble,
  kString,
  kBytes,
  kIdent,
  kQuotedIdent,
  kDot,
  kComma,
  kColon,
  kQuestion,
  kLeftParen,
  kRightParen,
  kLeftBracket,
  kRightBracket,
  kLeftBrace,
  kRightBrace,
  kNot,
  kMinus,
  kPlus,
  kStar,
  kSlash,
  kPercent,
  kAndAnd,
  kOrOr,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIn,
  kBad,  // reported already
};

struct Token {
  Tok kind = Tok::kEnd;
  Span span;
  std::string text;  // decoded strings and bytes, names, digits of numbers
};

// Splits an expression into tokens; the last one is kEnd. Mistakes are reported and become kBad.
std::vector<Token> Tokenize(std::string_view text, Reporter& reporter);

// A word of CEL's that cannot be a name ("if", "return" …).
bool IsReserved(std::string_view word);

void AppendUtf8(std::uint32_t code_point, std::string& out);

}  // namespace zhitui::cel
