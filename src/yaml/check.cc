#include "yaml/check.h"

#include <utility>

#include "base/base.h"

namespace zhitui::yaml {
namespace {

std::size_t SequenceLength(unsigned char lead) { return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4; }

std::size_t FirstInvalidByte(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    const std::size_t n = SequenceLength(static_cast<unsigned char>(text[i]));
    if (!IsValidUtf8(text.substr(i, n))) return i;
    i += n;
  }
  return i;
}

std::optional<TextFault> CheckEncoding(std::string_view text) {
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    return TextFault{0, true, "encoding", "this file is UTF-16", "save it as UTF-8"};
  }
  if (IsValidUtf8(text)) return std::nullopt;
  return TextFault{FirstInvalidByte(text), false, "encoding", "this byte is not UTF-8",
                   "save the file as UTF-8 (it may be GBK now)"};
}

std::optional<TextFault> CheckCharacters(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x80) {
      if (c == '\r' && (i + 1 >= text.size() || text[i + 1] != '\n')) {
        return TextFault{i, false, "line-end",
                         "a line end that is only half there (a carriage return without a line feed)",
                         "end lines with LF or CR LF"};
      }
      if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7F) {
        return TextFault{i, false, "control-character", "a control character", "delete it"};
      }
      ++i;
      continue;
    }
    const std::size_t n = SequenceLength(c);
    const std::string_view s = text.substr(i, n);
    const bool c1 = c == 0xC2 && static_cast<unsigned char>(s[1]) < 0xA0 && s != "\xC2\x85";
    if (c1 || s == "\xEF\xBF\xBE" || s == "\xEF\xBF\xBF") {
      return TextFault{i, false, "control-character", "a control character", "delete it"};
    }
    if (s == "\xEF\xBB\xBF") {
      return TextFault{i, false, "control-character", "a byte order mark inside the file", "delete it"};
    }
    // Direction marks make a reviewer see another text than the machine reads (U+202A–202E, U+2066–2069).
    if ((s >= "\xE2\x80\xAA" && s <= "\xE2\x80\xAE") || (s >= "\xE2\x81\xA6" && s <= "\xE2\x81\xA9")) {
      return TextFault{i, false, "control-character", "an invisible text direction mark", "delete it"};
    }
    i += n;
  }
  return std::nullopt;
}

// Brackets opened one after the other cost the parser memory before it tells us about any of them.
std::optional<TextFault> CheckBracketRun(std::string_view text) {
  std::size_t run = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '[' || c == '{') {
      if (++run > kMaxDepth) {
        return TextFault{i, false, "too-deep", "nested deeper than 32 levels", "make the structure flatter"};
      }
    } else if (c != ' ' && c != '\t' && c != '\n' && c != '\r') {
      run = 0;
    }
  }
  return std::nullopt;
}

std::optional<TextFault> CheckDirective(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    const std::size_t end = std::min(text.find('\n', i), text.size());
    const std::string_view line = text.substr(i, end - i);
    const std::size_t first = line.find_first_not_of(" \t\r");
    if (first != std::string_view::npos && line[first] != '#') {
      if (line[0] != '%') return std::nullopt;
      return TextFault{i, false, "directive", "a line must not begin with %", "delete the line"};
    }
    i = end + 1;
  }
  return std::nullopt;
}

struct Wording {
  std::string_view parser;  // how the parser's message begins
  const char* code;
  const char* message;
  const char* hint;
};

constexpr Wording kWordings[] = {
    {"illegal map value", "yaml-syntax", "this ':' cannot stand here",
     "put text that contains ': ' in quotes; keys of one mapping start in the same column"},
    {"end of map not found", "yaml-syntax", "this does not fit what stands above",
     "keys of one mapping start in the same column; nothing may follow a closing quote or bracket"},
    {"end of sequence not found", "yaml-syntax", "this does not fit the list above",
     "items of one list start with '- ' in the same column"},
    {"end of map flow not found", "yaml-syntax", "expected ',' or '}' here", "separate the entries with commas"},
    {"end of sequence flow not found", "yaml-syntax", "expected ',' or ']' here", "separate the items with commas"},
    {"illegal flow end", "yaml-syntax", "this bracket closes nothing", "delete it, or put the text in quotes"},
    {"illegal block entry", "yaml-syntax", "a list item cannot start here",
     "start the list on the next line, or write it as [a, b]"},
    {"illegal map key", "yaml-syntax", "a key cannot start here", "put it on its own line"},
    {"illegal document indicator in scalar", "yaml-syntax", "'---' or '...' inside a quoted text",
     "close the quote before it"},
    {"illegal EOF in scalar", "yaml-syntax", "this quote is not closed", "write the closing quote"},
    {"unknown escape character", "yaml-syntax", "this escape is not known",
     "use single quotes for text with backslashes, or write \\\\"},
    {"bad character found while scanning hex number", "yaml-syntax", "expected hexadecimal digits after this escape",
     "write for example \\u4e2d"},
    {"invalid unicode", "yaml-syntax", "this escape is not a Unicode character", "write the character itself"},
    {"unexpected character in block scalar", "yaml-syntax", "only +, - or a digit may follow | or >",
     "start the text on the next line"},
    {"cannot set zero indentation", "yaml-syntax", "the indentation of a block text cannot be 0", "leave the 0 out"},
    {"illegal tab", "tab", "a tab in the indentation", "indent with spaces"},
    {"the referenced anchor is not defined", "alias", "text cannot start with '*': it would be an alias",
     "put the text in quotes, or write the value out"},
    {"alias not found", "alias", "text cannot start with '*': it would be an alias", "put the text in quotes"},
    {"illegal character found while scanning alias", "alias", "text cannot start with '*': it would be an alias",
     "put the text in quotes"},
    {"aliases can't", "alias", "aliases (*) are not allowed", "write the value out"},
    {"cannot assign multiple aliases", "alias", "aliases (*) are not allowed", "write the value out"},
    {"anchor not found", "anchor", "text cannot start with '&': it would be an anchor", "put the text in quotes"},
    {"illegal character found while scanning anchor", "anchor", "text cannot start with '&': it would be an anchor",
     "put the text in quotes"},
    {"cannot assign multiple anchors", "anchor", "anchors (&) are not allowed", "delete it"},
    {"cannot assign multiple tags", "tag", "tags (!) are not allowed", "delete it"},
    {"tag handle", "tag", "text cannot start with '!': it would be a tag", "put the text in quotes"},
    {"illegal character found while scanning tag", "tag", "text cannot start with '!': it would be a tag",
     "put the text in quotes"},
    {"end of verbatim tag", "tag", "tags (!) are not allowed", "delete it"},
    {"bad file", "too-deep", "nested deeper than 32 levels", "make the structure flatter"},
};

}  // namespace

std::optional<TextFault> CheckText(std::string_view text) {
  if (text.size() > kMaxBytes) {
    return TextFault{0, true, "too-large", "the file is larger than 1 MiB", "split it"};
  }
  for (const auto check : {CheckEncoding, CheckCharacters, CheckDirective, CheckBracketRun}) {
    if (std::optional<TextFault> fault = check(text)) return fault;
  }
  return std::nullopt;
}

TextFault ExplainParserError(std::string_view text, std::string_view parser_message, std::size_t at) {
  if (parser_message == "unknown token") {
    std::string message = "text cannot start with this character";
    if (at < text.size() && text[at] == '?') message = "'? ' cannot start a key here";
    return {at, false, "yaml-syntax", std::move(message), "put the text in quotes"};
  }
  for (const Wording& w : kWordings) {
    if (parser_message.starts_with(w.parser)) return {at, false, w.code, w.message, w.hint};
  }
  return {at, false, "yaml-syntax", std::string(parser_message), ""};
}

std::size_t UnclosedQuote(std::string_view text, std::size_t from) {
  char before = '\n';  // the last character that is not a space; tells whether a quote may open a text
  for (std::size_t i = from; i < text.size(); ++i) {
    const char c = text[i];
    const bool opens = before == '\n' || before == ':' || before == '-' || before == '?' || before == ',' ||
                       before == '[' || before == '{';
    if (c == '#' && (i == 0 || text[i - 1] == ' ' || text[i - 1] == '\n')) {
      i = text.find('\n', i);
      if (i == std::string_view::npos) break;
      before = '\n';
    } else if ((c == '"' || c == '\'') && opens) {
      std::size_t end = i + 1;
      while (end < text.size() && (text[end] != c || (c == '\'' && end + 1 < text.size() && text[end + 1] == '\''))) {
        end += (c == '"' && text[end] == '\\') || text[end] == c ? 2 : 1;
      }
      if (end >= text.size()) return i;
      i = end;
      before = c;
    } else if (c != ' ' && c != '\t' && c != '\r') {
      before = c;
    }
  }
  return std::string_view::npos;
}

}  // namespace zhitui::yaml
