#include "cel/lexer.h"

#include <algorithm>
#include <array>

namespace zhitui::cel {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

int HexValue(char c) {
  if (IsDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

struct Lookalike {
  std::string_view typed;
  std::string_view meant;
  Tok token = Tok::kBad;
};
// What a Chinese input method writes in place of the ASCII sign.
constexpr std::array kLookalikes{
    Lookalike{"（", "(", Tok::kLeftParen},
    Lookalike{"）", ")", Tok::kRightParen},
    Lookalike{"，", ",", Tok::kComma},
    Lookalike{"：", ":", Tok::kColon},
    Lookalike{"？", "?", Tok::kQuestion},
    Lookalike{"！", "!", Tok::kNot},
    Lookalike{"“", "\""},
    Lookalike{"”", "\""},
    Lookalike{"‘", "'"},
    Lookalike{"’", "'"},
    Lookalike{"＝", "=", Tok::kEqual},
    Lookalike{"＜", "<", Tok::kLess},
    Lookalike{"＞", ">", Tok::kGreater},
    Lookalike{"≥", ">=", Tok::kGreaterEqual},
    Lookalike{"≤", "<=", Tok::kLessEqual},
    Lookalike{"≠", "!=", Tok::kNotEqual},
    Lookalike{"＋", "+", Tok::kPlus},
    Lookalike{"－", "-", Tok::kMinus},
    Lookalike{"×", "*", Tok::kStar},
    Lookalike{"÷", "/", Tok::kSlash},
    Lookalike{"［", "[", Tok::kLeftBracket},
    Lookalike{"］", "]", Tok::kRightBracket},
    Lookalike{"【", "[", Tok::kLeftBracket},
    Lookalike{"】", "]", Tok::kRightBracket},
    Lookalike{"。", ".", Tok::kDot},
    Lookalike{"＆", "&"},
    Lookalike{"｜", "|"},
};

class Lexer {
 public:
  Lexer(std::string_view text, Reporter& reporter) : text_(text), reporter_(reporter) {}

  std::vector<Token> Run() {
    for (;;) {
      SkipSpace();
      if (at_ >= text_.size()) break;
      Next();
    }
    Push(Tok::kEnd, at_, {});
    return std::move(tokens_);
  }

 private:
  char Peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  void Push(Tok kind, std::size_t start, std::string text) {
    tokens_.push_back({kind, {static_cast<std::uint32_t>(start), static_cast<std::uint32_t>(at_)}, std::move(text)});
  }

  void Fault(std::size_t start, std::size_t end, std::string message, std::string hint = {}) {
    reporter_.Report({static_cast<std::uint32_t>(start), static_cast<std::uint32_t>(end)}, "syntax", std::move(message),
                     std::move(hint));
  }

  void SkipSpace() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') {
        ++at_;
      } else if (c == '/' && Peek(1) == '/') {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      } else {
        return;
      }
    }
  }

  void Next() {
    const char c = Peek();
    if (IsDigit(c) || (c == '.' && IsDigit(Peek(1)))) return Number();
    if (IsLetter(c)) return Word();
    if (c == '"' || c == '\'') return Quoted(at_, false, false);
    if (c == '`') return QuotedIdent();
    Sign();
  }

  void Number() {
    const std::size_t start = at_;
    Tok kind = Tok::kInt;
    if (Peek() == '0' && (Peek(1) == 'x' || Peek(1) == 'X') && HexValue(Peek(2)) >= 0) {
      at_ += 2;
      while (HexValue(Peek()) >= 0) ++at_;
    } else {
      while (IsDigit(Peek())) ++at_;
      if (Peek() == '.' && IsDigit(Peek(1))) {
        kind = Tok::kDouble;
        ++at_;
        while (IsDigit(Peek())) ++at_;
      }
      if (Peek() == 'e' || Peek() == 'E') {
        const std::size_t sign = Peek(1) == '+' || Peek(1) == '-' ? 1 : 0;
        if (IsDigit(Peek(1 + sign))) {
          kind = Tok::kDouble;
          at_ += 1 + sign;
          while (IsDigit(Peek())) ++at_;
        }
      }
    }
    std::string digits(text_.substr(start, at_ - start));
    if (kind == Tok::kInt && (Peek() == 'u' || Peek() == 'U')) {
      kind = Tok::kUint;
      ++at_;
    }
    if (IsLetter(Peek())) {
      while (IsLetter(Peek()) || IsDigit(Peek())) ++at_;
      Fault(start, at_, "`" + std::string(text_.substr(start, at_ - start)) + "` is not a number",
            "put a text in quotes, and a space between a number and a word");
      kind = Tok::kBad;
    }
    Push(kind, start, std::move(digits));
  }

  void Word() {
    const std::size_t start = at_;
    while (IsLetter(Peek()) || IsDigit(Peek())) ++at_;
    const std::string_view word = text_.substr(start, at_ - start);
    if ((Peek() == '"' || Peek() == '\'') && word.size() <= 2) {
      bool raw = false;
      bool bytes = false;
      bool prefix = true;
      for (const char c : word) {
        if ((c == 'r' || c == 'R') && !raw) {
          raw = true;
        } else if ((c == 'b' || c == 'B') && !bytes) {
          bytes = true;
        } else {
          prefix = false;
        }
      }
      if (prefix) return Quoted(start, raw, bytes);
    }
    Push(word == "in" ? Tok::kIn : Tok::kIdent, start, std::string(word));
  }

  void QuotedIdent() {
    const std::size_t start = at_++;
    const std::size_t from = at_;
    while (at_ < text_.size() && text_[at_] != '`' && text_[at_] != '\n') ++at_;
    std::string name(text_.substr(from, at_ - from));
    const bool closed = Peek() == '`';
    if (closed) ++at_;
    const bool good = std::all_of(name.begin(), name.end(), [](char c) {
      return IsLetter(c) || IsDigit(c) || c == '.' || c == '-' || c == '/' || c == ' ';
    });
    if (!closed || name.empty() || !good) {
      Fault(start, at_, "a name in back-quotes holds letters, digits, spaces and _ . - / and ends with `");
      return Push(Tok::kBad, start, {});
    }
    Push(Tok::kQuotedIdent, start, std::move(name));
  }

  // At the opening quote; `start` is where the prefix begins.
  void Quoted(std::size_t start, bool raw, bool bytes) {
    const char quote = Peek();
    const bool triple = Peek(1) == quote && Peek(2) == quote;
    const std::size_t length = triple ? 3 : 1;
    at_ += length;
    std::string out;
    bool good = true;
    for (;;) {
      if (at_ >= text_.size() || (!triple && (text_[at_] == '\n' || text_[at_] == '\r'))) {
        Fault(start, at_, "this text has no closing quote",
              triple ? std::string("end it with ") + std::string(3, quote) : std::string("end it with ") + quote);
        return Push(Tok::kBad, start, {});
      }
      const char c = text_[at_];
      if (c == quote && (!triple || (Peek(1) == quote && Peek(2) == quote))) {
        at_ += length;
        break;
      }
      if (c == '\\' && !raw) {
        good = Escape(bytes, out) && good;
      } else {
        out += c;
        ++at_;
      }
    }
    Push(!good ? Tok::kBad : bytes ? Tok::kBytes : Tok::kString, start, std::move(out));
  }

  bool Escape(bool bytes, std::string& out) {
    const std::size_t start = at_++;
    const char c = Peek();
    if (at_ < text_.size()) ++at_;
    switch (c) {
      case 'a':
        out += '\a';
        return true;
      case 'b':
        out += '\b';
        return true;
      case 'f':
        out += '\f';
        return true;
      case 'n':
        out += '\n';
        return true;
      case 'r':
        out += '\r';
        return true;
      case 't':
        out += '\t';
        return true;
      case 'v':
        out += '\v';
        return true;
      case '\\':
      case '?':
      case '"':
      case '\'':
      case '`':
        out += c;
        return true;
      case 'x':
      case 'X':
        return Numeric(start, 2, bytes, out);
      case 'u':
        return !bytes ? Numeric(start, 4, bytes, out) : BadEscape(start);
      case 'U':
        return !bytes ? Numeric(start, 8, bytes, out) : BadEscape(start);
      default:
        break;
    }
    if (c >= '0' && c <= '3' && Peek() >= '0' && Peek() <= '7' && Peek(1) >= '0' && Peek(1) <= '7') {
      const auto value = static_cast<std::uint32_t>((c - '0') * 64 + (Peek() - '0') * 8 + (Peek(1) - '0'));
      at_ += 2;
      Append(value, bytes, out);
      return true;
    }
    return BadEscape(start);
  }

  bool BadEscape(std::size_t start) {
    Fault(start, at_, "not an escape of CEL", "write \\\\ for a backslash, or put r in front of the quote: r\"…\"");
    return false;
  }

  bool Numeric(std::size_t start, std::size_t digits, bool bytes, std::string& out) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      const int hex = HexValue(Peek());
      if (hex < 0) return BadEscape(start);
      value = value * 16 + static_cast<std::uint32_t>(hex);
      ++at_;
    }
    if (value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) {
      Fault(start, at_, "not a Unicode code point");
      return false;
    }
    Append(value, bytes, out);
    return true;
  }

  static void Append(std::uint32_t value, bool bytes, std::string& out) {
    if (bytes) {
      out += static_cast<char>(value);
    } else {
      AppendUtf8(value, out);
    }
  }

  void Sign() {
    const std::size_t start = at_;
    const char c = text_[at_++];
    const auto two = [&](char second, Tok with, Tok without) {
      if (Peek() == second) {
        ++at_;
        return Push(with, start, {});
      }
      Push(without, start, {});
    };
    switch (c) {
      case '.':
        return Push(Tok::kDot, start, {});
      case ',':
        return Push(Tok::kComma, start, {});
      case ':':
        return Push(Tok::kColon, start, {});
      case '?':
        return Push(Tok::kQuestion, start, {});
      case '(':
        return Push(Tok::kLeftParen, start, {});
      case ')':
        return Push(Tok::kRightParen, start, {});
      case '[':
        return Push(Tok::kLeftBracket, start, {});
      case ']':
        return Push(Tok::kRightBracket, start, {});
      case '{':
        return Push(Tok::kLeftBrace, start, {});
      case '}':
        return Push(Tok::kRightBrace, start, {});
      case '-':
        return Push(Tok::kMinus, start, {});
      case '+':
        return Push(Tok::kPlus, start, {});
      case '*':
        return Push(Tok::kStar, start, {});
      case '/':
        return Push(Tok::kSlash, start, {});
      case '%':
        return Push(Tok::kPercent, start, {});
      case '!':
        return two('=', Tok::kNotEqual, Tok::kNot);
      case '<':
        return two('=', Tok::kLessEqual, Tok::kLess);
      case '>':
        return two('=', Tok::kGreaterEqual, Tok::kGreater);
      case '=':
        if (Peek() == '=') {
          ++at_;
        } else {
          Fault(start, at_, "a single = compares nothing", "write ==");
        }
        return Push(Tok::kEqual, start, {});
      case '&':
      case '|': {
        if (Peek() == c) {
          ++at_;
        } else {
          Fault(start, at_, std::string("a single ") + c + " is not an operator", std::string("write ") + c + c);
        }
        return Push(c == '&' ? Tok::kAndAnd : Tok::kOrOr, start, {});
      }
      default:
        break;
    }
    // One whole code point, so that what follows is read in step.
    while (at_ < text_.size() && (static_cast<unsigned char>(text_[at_]) & 0xC0U) == 0x80U) ++at_;
    const std::string_view sign = text_.substr(start, at_ - start);
    std::string hint;
    Tok meant = Tok::kBad;
    for (const Lookalike& l : kLookalikes) {
      if (l.typed != sign) continue;
      hint = "write the half-width sign " + std::string(l.meant);
      meant = l.token;  // read on as if it had been written
    }
    const bool printable = static_cast<unsigned char>(c) >= 0x20;
    Fault(start, at_,
          printable ? "`" + std::string(sign) + "` has no meaning here" : "a control character has no meaning here",
          std::move(hint));
    Push(meant, start, {});
  }

  std::string_view text_;
  Reporter& reporter_;
  std::size_t at_ = 0;
  std::vector<Token> tokens_;
};

}  // namespace

void AppendUtf8(std::uint32_t c, std::string& out) {
  const auto tail = [&](unsigned shift) { out += static_cast<char>(0x80U | (c >> shift & 0x3FU)); };
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0U | c >> 6);
    tail(0);
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0U | c >> 12);
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0U | c >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

bool IsReserved(std::string_view word) {
  constexpr std::array<std::string_view, 17> kWords{"as",        "break",  "const",  "continue", "else", "for",
                                                    "function",  "if",     "import", "let",      "loop", "package",
                                                    "namespace", "return", "var",    "void",     "while"};
  return std::find(kWords.begin(), kWords.end(), word) != kWords.end();
}

std::vector<Token> Tokenize(std::string_view text, Reporter& reporter) { return Lexer(text, reporter).Run(); }

std::vector<Lexeme> Lex(std::string_view text) {
  Source source;
  source.text = text;
  Diagnostics unread;
  Reporter reporter(source, &unread);
  std::vector<Lexeme> out;
  for (Token& token : Tokenize(source.text, reporter)) {
    if (token.kind == Tok::kEnd) break;
    Lexeme lexeme;
    lexeme.start = token.span.start;
    lexeme.end = token.span.end;
    lexeme.text = source.text.substr(token.span.start, token.span.end - token.span.start);
    switch (token.kind) {
      case Tok::kIdent:
      case Tok::kQuotedIdent:
        lexeme.kind = Lexeme::Kind::kName;
        lexeme.text = std::move(token.text);
        break;
      case Tok::kString:
      case Tok::kBytes:
        lexeme.kind = Lexeme::Kind::kText;
        lexeme.text = std::move(token.text);
        break;
      case Tok::kInt:
      case Tok::kUint:
      case Tok::kDouble:
        lexeme.kind = Lexeme::Kind::kNumber;
        break;
      case Tok::kBad:
        lexeme.kind = Lexeme::Kind::kBad;
        break;
      default:
        lexeme.kind = Lexeme::Kind::kSign;
        break;
    }
    out.push_back(std::move(lexeme));
  }
  return out;
}

}  // namespace zhitui::cel
