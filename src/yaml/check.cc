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
  const auto ordinary = [](char c) { return (c >= ' ' && c <= '~') || c == '\n'; };
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (ordinary(text[i])) {
      ++i;
      continue;
    }
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
    if (c != 0xC2 && c != 0xE2 && c != 0xEF) {  // with which no character begins that is refused
      i += n;
      continue;
    }
    const std::string_view s = text.substr(i, n);
    // A line break to some programs and none to others: a reviewer may see another text than the machine reads.
    if (s == "\xC2\x85" || s == "\xE2\x80\xA8" || s == "\xE2\x80\xA9") {
      return TextFault{i, false, "control-character", "an invisible line separator", "delete it, or end the line here"};
    }
    const bool c1 = c == 0xC2 && static_cast<unsigned char>(s[1]) < 0xA0;
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
  std::string_view problem;                            // how the parser's words begin
  std::string_view context;                            // a part of what it says it was doing
  enum { kThere, kWhereItBegan, kAfterEscape } place;  // where a person looks for the fault
  const char* code;
  const char* message;
  const char* hint;
};

constexpr Wording kWordings[] = {
    {"mapping values are not allowed", "", Wording::kThere, "yaml-syntax", "this ':' cannot stand here",
     "put text that contains ': ' in quotes; keys of one mapping start in the same column"},
    {"mapping keys are not allowed", "", Wording::kThere, "yaml-syntax", "'? ' cannot start a key here",
     "put the text in quotes"},
    {"block sequence entries", "", Wording::kThere, "yaml-syntax", "a list item cannot start here",
     "start the list on the next line, or write it as [a, b]"},
    {"could not find expected ':'", "", Wording::kWhereItBegan, "yaml-syntax", "a ':' is missing after this key",
     "write key: value on one line, at most 1024 characters before the ':'; indent a value that stands under its key"},
    {"did not find expected key", "", Wording::kThere, "yaml-syntax", "this does not fit what stands above",
     "keys of one mapping start in the same column; nothing may follow a closing quote or bracket"},
    {"did not find expected '-'", "", Wording::kThere, "yaml-syntax", "this does not fit the list above",
     "items of one list start with '- ' in the same column"},
    {"did not find expected <document start>", "", Wording::kThere, "yaml-syntax",
     "this does not fit what stands above", "a list and keys, or a text and keys, cannot stand side by side"},
    {"did not find expected ',' or '}'", "", Wording::kThere, "yaml-syntax", "expected ',' or '}' here",
     "separate the entries with commas"},
    {"did not find expected ',' or ']'", "", Wording::kThere, "yaml-syntax", "expected ',' or ']' here",
     "separate the items with commas"},
    {"did not find expected node content", "", Wording::kThere, "yaml-syntax", "a value is expected here",
     "write the value, or put the text in quotes"},
    {"found unexpected ':'", "", Wording::kThere, "yaml-syntax", "this ':' cannot stand here",
     "write a space after the ':' of a key, or put the text in quotes"},
    {"found unexpected document indicator", "", Wording::kThere, "yaml-syntax", "'---' or '...' inside a quoted text",
     "close the quote before it"},
    {"found unexpected end of stream", "", Wording::kWhereItBegan, "yaml-syntax", "this quote is not closed",
     "write the closing quote"},
    {"found unknown escape character", "", Wording::kAfterEscape, "yaml-syntax", "this escape is not known",
     "use single quotes for text with backslashes, or write \\\\"},
    {"did not find expected hexdecimal number", "", Wording::kThere, "yaml-syntax",
     "expected hexadecimal digits after this escape", "write for example \\u4e2d"},
    {"found invalid Unicode character escape", "", Wording::kThere, "yaml-syntax",
     "this escape is not a Unicode character", "write the character itself"},
    {"did not find expected comment or line break", "block scalar", Wording::kThere, "yaml-syntax",
     "only +, - or a digit may follow | or >", "start the text on the next line"},
    {"found an indentation indicator equal to 0", "", Wording::kThere, "yaml-syntax",
     "the indentation of a block text cannot be 0", "leave the 0 out"},
    {"found a tab character", "", Wording::kThere, "tab", "a tab in the indentation", "indent with spaces"},
    {"", "an alias", Wording::kWhereItBegan, "alias", "text cannot start with '*': it would be an alias",
     "put the text in quotes, or write the value out"},
    {"", "an anchor", Wording::kWhereItBegan, "anchor", "text cannot start with '&': it would be an anchor",
     "put the text in quotes"},
    {"", "a tag", Wording::kWhereItBegan, "tag", "text cannot start with '!': it would be a tag",
     "put the text in quotes"},
    {"found undefined tag handle", "", Wording::kWhereItBegan, "tag", "text cannot start with '!': it would be a tag",
     "put the text in quotes"},
    {"", "directive", Wording::kWhereItBegan, "directive", "directives (%) are not allowed", "delete the line"},
};

TextFault CannotStart(std::size_t at) {
  return {at, false, "yaml-syntax", "text cannot start with this character", "put the text in quotes"};
}

// What stands where the parser wanted a key or a value tells more than that it wanted one.
std::optional<TextFault> ExplainCharacter(std::string_view text, const ParserFault& fault) {
  const std::string_view began = text.substr(std::min(fault.began, text.size()));
  if (fault.problem == "could not find expected ':'" && (began.starts_with('[') || began.starts_with('{'))) {
    return TextFault{fault.began, false, "bad-key", "a key must be text", "write key: value"};
  }
  const bool value = fault.problem == "did not find expected node content";
  const bool start = fault.problem == "found character that cannot start any token";
  if (!value && !start && fault.problem != "did not find expected key" &&
      fault.problem != "did not find expected '-' indicator" &&
      fault.problem != "did not find expected <document start>") {
    return std::nullopt;
  }
  const char c = fault.at < text.size() ? text[fault.at] : '\0';
  switch (c) {
    case '\t':
      return TextFault{fault.at, false, "tab", "a tab where only spaces may stand", "write a space"};
    case ',':
      if (!value || !fault.context.starts_with("while parsing a flow")) return CannotStart(fault.at);
      return TextFault{fault.at, false, "empty-item", "something is missing before this comma", "delete the comma"};
    case ':':
      return TextFault{fault.at, false, "bad-key", "a key must be text",
                       "write a name before the ':', or put text that starts with ':' in quotes"};
    case ']':
    case '}':
      return TextFault{fault.at, false, "yaml-syntax", "this bracket closes nothing",
                       "delete it, or put the text in quotes"};
    case '-':
      if (!value) return std::nullopt;
      return TextFault{fault.at, false, "yaml-syntax", "a list item cannot start here",
                       "start the list on the next line, or write it as [a, b]"};
    case '.':
      if (!value || !text.substr(fault.at).starts_with("...")) return std::nullopt;
      return TextFault{fault.at, false, "yaml-syntax", "'...' ends a document that has not begun", "delete the line"};
    default:
      if (!start) return std::nullopt;
      return CannotStart(fault.at);
  }
}

}  // namespace

std::optional<TextFault> CheckText(std::string_view text) {
  if (text.size() > kMaxBytes) {
    return TextFault{0, true, "too-large", "the file is larger than 1 MiB", "split it"};
  }
  for (const auto check : {CheckEncoding, CheckCharacters, CheckDirective}) {
    if (std::optional<TextFault> fault = check(text)) return fault;
  }
  return std::nullopt;
}

TextFault ExplainParserFault(std::string_view text, const ParserFault& fault) {
  if (std::optional<TextFault> out = ExplainCharacter(text, fault)) return *std::move(out);
  for (const Wording& w : kWordings) {
    if (!fault.problem.starts_with(w.problem) || fault.context.find(w.context) == std::string_view::npos) continue;
    std::size_t at = w.place == Wording::kWhereItBegan ? fault.began : fault.at;
    if (w.place == Wording::kAfterEscape && at + 1 < text.size())
      at += 1 + SequenceLength(static_cast<unsigned char>(text[at + 1]));
    return {std::min(at, text.size()), false, w.code, w.message, w.hint};
  }
  return {fault.at, false, "yaml-syntax", "this is not YAML", "put the text in quotes"};
}

}  // namespace zhitui::yaml
