#include "editor/syntax.h"

#include <algorithm>

namespace zhitui::editor {
namespace {

constexpr std::size_t kNone = std::string_view::npos;
constexpr int kMaxDepth = 64;

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r'; }

void AppendUtf8(std::uint32_t c, std::string& out) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | (c >> 6));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | (c >> 12));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | ((c >> 18) & 0x07));
    out += static_cast<char>(0x80 | ((c >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  }
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : s_(text) {}

  Syntax Run() {
    if (s_.starts_with("\xEF\xBB\xBF")) at_ = 3;
    Syntax root = Block(-1, false, 0);
    return root;
  }

 private:
  bool End() const { return at_ >= s_.size(); }
  char Char(std::size_t i) const { return i < s_.size() ? s_[i] : '\n'; }
  std::size_t LineEnd(std::size_t i) const { return std::min(s_.find('\n', i), s_.size()); }
  std::size_t LineStart(std::size_t i) const {
    const std::size_t newline = i == 0 ? kNone : s_.rfind('\n', i - 1);
    const std::size_t start = newline == kNone ? 0 : newline + 1;
    return start == 0 && s_.starts_with("\xEF\xBB\xBF") ? std::min<std::size_t>(3, i) : start;
  }
  int Column(std::size_t i) const { return static_cast<int>(i - LineStart(i)); }
  bool AtLineStart() const { return at_ == LineStart(at_); }

  void SkipSpaces() {
    while (!End() && IsSpace(s_[at_])) ++at_;
  }
  bool LineIsOver() const { return End() || s_[at_] == '\n' || s_[at_] == '#'; }

  // From the start of a line to the first character of the next line that holds something; false at the end.
  bool ToContent() {
    if (!AtLineStart()) {
      SkipSpaces();
      if (!LineIsOver()) return true;
      at_ = std::min(LineEnd(at_) + 1, s_.size());
    }
    while (!End()) {
      const std::size_t line = at_;
      SkipSpaces();
      const std::string_view rest = s_.substr(line, 3);
      if (!LineIsOver() && !(at_ == line && (rest == "---" || rest == "..."))) return true;
      at_ = std::min(LineEnd(at_) + 1, s_.size());
    }
    return false;
  }

  bool IsDash(std::size_t i) const {
    return Char(i) == '-' && (i + 1 >= s_.size() || IsSpace(s_[i + 1]) || s_[i + 1] == '\n');
  }
  bool IsColon(std::size_t i) const {
    return Char(i) == ':' && (i + 1 >= s_.size() || IsSpace(s_[i + 1]) || s_[i + 1] == '\n');
  }

  // The colon of a key that begins at `i`, on the same line.
  std::size_t ColonOf(std::size_t i) const {
    const char c = Char(i);
    if (c == '{' || c == '[' || c == '|' || c == '>' || c == '#') return kNone;
    if (c == '"' || c == '\'') {
      std::size_t close = i + 1;
      for (; close < s_.size() && s_[close] != '\n'; ++close) {
        if (s_[close] == '\\' && c == '"') {
          ++close;
        } else if (s_[close] == c) {
          if (c == '\'' && Char(close + 1) == '\'') {
            ++close;
            continue;
          }
          break;
        }
      }
      ++close;
      while (close < s_.size() && IsSpace(s_[close])) ++close;
      return IsColon(close) ? close : kNone;
    }
    for (std::size_t j = i; j < s_.size() && s_[j] != '\n'; ++j) {
      if (IsColon(j)) return j;
      if (s_[j] == '#' && j > i && IsSpace(s_[j - 1])) return kNone;
    }
    return kNone;
  }

  Syntax Empty() const {
    Syntax out;
    out.begin = out.end = std::min(at_, s_.size());
    return out;
  }

  // The node on the lines that are indented deeper than `parent`; a list below a key may stand at the key's column.
  Syntax Block(int parent, bool list_may_align, int depth) {
    const std::size_t before = at_;
    if (depth > kMaxDepth || !ToContent()) {
      at_ = before;
      return Empty();
    }
    const int column = Column(at_);
    if (column <= parent && !(list_may_align && column == parent && IsDash(at_))) {
      at_ = before;
      return Empty();
    }
    return BlockAt(column, parent, depth);
  }

  Syntax BlockAt(int column, int parent, int depth) {
    if (IsDash(at_)) return List(column, depth);
    if (ColonOf(at_) != kNone || StandsBesideKeys(column)) return Map(column, depth);
    return Value(parent, depth);
  }

  // A word on a line of its own with a key below it: a key whose colon is yet to be written.
  bool StandsBesideKeys(int column) {
    const char c = Char(at_);
    if (c == '"' || c == '\'' || c == '{' || c == '[' || c == '|' || c == '>') return false;
    const std::size_t before = at_;
    at_ = std::min(LineEnd(at_) + 1, s_.size());
    const bool beside = ToContent() && Column(at_) == column && !IsDash(at_) && ColonOf(at_) != kNone;
    at_ = before;
    return beside;
  }

  Syntax List(int column, int depth) {
    Syntax out;
    out.kind = SyntaxKind::kList;
    out.begin = at_;
    out.column = static_cast<std::size_t>(column);
    while (true) {
      out.starts.push_back(at_);
      ++at_;
      out.end = at_;
      SkipSpaces();
      if (LineIsOver()) {
        const std::size_t line_end = LineEnd(at_);
        at_ = line_end;
        Syntax item = Block(column, false, depth + 1);
        if (item.kind == SyntaxKind::kEmpty) {
          at_ = line_end;
          item.begin = item.end = out.end;
        }
        out.values.push_back(std::move(item));
      } else {
        out.values.push_back(depth >= kMaxDepth ? Value(column, depth) : BlockAt(Column(at_), column, depth + 1));
      }
      out.end = std::max(out.end, out.values.back().end);
      if (!Next(column, out.end) || !IsDash(at_)) return out;
    }
  }

  // To the next entry at `column`; false, and at the end of the last one, where there is none. Lines deeper than it
  // belong to nothing.
  bool Next(int column, std::size_t end) {
    at_ = end;
    while (true) {
      at_ = LineEnd(at_);
      if (!ToContent() || Column(at_) < column) break;
      if (Column(at_) == column) return true;
    }
    at_ = end;
    return false;
  }

  Syntax Map(int column, int depth) {
    Syntax out;
    out.kind = SyntaxKind::kMap;
    out.begin = at_;
    out.column = static_cast<std::size_t>(column);
    while (true) {
      out.starts.push_back(at_);
      const std::size_t colon = ColonOf(at_);
      Syntax key;
      key.kind = SyntaxKind::kScalar;
      key.begin = at_;
      key.end = colon == kNone ? std::min(LineEnd(at_), CommentOf(at_)) : colon;
      while (key.end > key.begin && IsSpace(s_[key.end - 1])) --key.end;
      if (Char(at_) == '"' || Char(at_) == '\'') key.style = Char(at_);
      key.closed = key.style == 0 || (key.end > key.begin + 1 && s_[key.end - 1] == key.style);
      out.keys.push_back(key);
      out.colons.push_back(colon == kNone ? 0 : 1);
      at_ = colon == kNone ? key.end : colon + 1;
      out.end = at_;
      if (colon == kNone) {
        out.values.push_back(Empty());
      } else {
        SkipSpaces();
        if (LineIsOver()) {
          at_ = LineEnd(at_);
          Syntax value = Block(column, true, depth + 1);
          if (value.kind == SyntaxKind::kEmpty) value.begin = value.end = colon + 1;
          out.values.push_back(std::move(value));
        } else {
          out.values.push_back(Value(column, depth + 1));
        }
      }
      out.end = std::max(out.end, out.values.back().end);
      if (!Next(column, out.end)) return out;
    }
  }

  std::size_t CommentOf(std::size_t i) const {
    const std::size_t end = LineEnd(i);
    for (std::size_t j = i; j < end; ++j) {
      if (s_[j] == '#' && j > 0 && IsSpace(s_[j - 1])) return j;
    }
    return end;
  }

  Syntax Value(int parent, int depth) {
    switch (Char(at_)) {
      case '"':
      case '\'':
        return Quoted(parent);
      case '{':
      case '[':
        return Flow(parent, depth);
      case '|':
      case '>':
        return BlockScalar(parent);
      default:
        return Plain(parent);
    }
  }

  // Whether the text goes on, for what began above, on the line after the break at `at`.
  bool Continues(std::size_t at, int parent, const char* closers) const {
    std::size_t i = at;
    while (i < s_.size()) {
      std::size_t ink = i + 1;
      while (ink < s_.size() && IsSpace(s_[ink])) ++ink;
      if (ink >= s_.size()) return false;
      if (s_[ink] == '\n') {
        i = ink;
        continue;
      }
      return Column(ink) > parent || std::string_view(closers).find(s_[ink]) != kNone;
    }
    return false;
  }

  Syntax Quoted(int parent) {
    Syntax out;
    out.kind = SyntaxKind::kScalar;
    out.style = s_[at_];
    out.begin = at_;
    out.closed = false;
    std::size_t i = at_ + 1;
    for (; i < s_.size(); ++i) {
      const char c = s_[i];
      if (c == '\n' && !Continues(i, parent, "")) break;
      if (c == '\\' && out.style == '"') {
        ++i;
      } else if (c == out.style) {
        if (c == '\'' && Char(i + 1) == '\'') {
          ++i;
          continue;
        }
        out.closed = true;
        ++i;
        break;
      }
    }
    if (!out.closed) i = LineEnd(at_);
    at_ = out.end = std::min(i, s_.size());
    return out;
  }

  Syntax Plain(int parent) {
    Syntax out;
    out.kind = SyntaxKind::kScalar;
    out.begin = at_;
    while (true) {
      const std::size_t end = LineEnd(at_);
      const std::size_t comment = CommentOf(at_);
      std::size_t last = comment;
      while (last > at_ && IsSpace(s_[last - 1])) --last;
      if (last > at_) out.end = last;
      at_ = end;
      if (comment < end || !Continues(end, parent, "")) break;
      std::size_t next = end;
      while (next < s_.size() && (IsSpace(s_[next]) || s_[next] == '\n')) ++next;
      if (Char(next) == '#' || ColonOf(next) != kNone) break;
      at_ = next;
    }
    at_ = out.end;
    return out;
  }

  Syntax BlockScalar(int parent) {
    Syntax out;
    out.kind = SyntaxKind::kScalar;
    out.style = s_[at_];
    out.begin = at_;
    int indent = 0;  // 0: not known yet
    for (std::size_t i = at_; i < LineEnd(at_) && s_[i] != '#'; ++i) {
      if (s_[i] >= '1' && s_[i] <= '9') indent = std::max(parent, 0) + (s_[i] - '0');
    }
    out.end = at_ + 1;
    while (Char(out.end) == '+' || Char(out.end) == '-' || (Char(out.end) >= '0' && Char(out.end) <= '9')) ++out.end;
    std::size_t line = LineEnd(at_) + 1;
    while (line < s_.size()) {
      const std::size_t end = LineEnd(line);
      std::size_t ink = line;
      while (ink < end && s_[ink] == ' ') ++ink;
      const bool blank = ink == end || (s_[ink] == '\r' && ink + 1 == end);
      const int column = static_cast<int>(ink - line);
      if (!blank) {
        if (indent == 0 && column > parent) indent = column;
        if (indent == 0 || column < indent) break;
        out.end = end;
      }
      line = end + 1;
    }
    out.column = static_cast<std::size_t>(indent);
    at_ = out.end;
    return out;
  }

  // Past spaces, line ends and comments inside brackets; false where the collection cannot go on.
  bool SkipInside(int parent, Syntax& flow) {
    while (!End()) {
      if (s_[at_] == '\n') {
        if (!Continues(at_, parent, "}]")) return false;
        ++at_;
      } else if (IsSpace(s_[at_])) {
        ++at_;
      } else if (s_[at_] == '#' && IsSpace(Char(at_ - 1) == '\n' ? ' ' : Char(at_ - 1))) {
        flow.plain = false;
        at_ = LineEnd(at_);
      } else {
        return true;
      }
    }
    return false;
  }

  Syntax FlowPlain(int parent) {
    Syntax out;
    out.kind = SyntaxKind::kScalar;
    out.begin = out.end = at_;
    while (!End()) {
      const char c = s_[at_];
      if (c == ',' || c == '{' || c == '}' || c == '[' || c == ']') break;
      if (c == ':' && (IsSpace(Char(at_ + 1)) || std::string_view(",[]{}\n").find(Char(at_ + 1)) != kNone)) break;
      if (c == '#' && at_ > out.begin && IsSpace(s_[at_ - 1])) break;
      if (c == '\n') {
        if (!Continues(at_, parent, "")) break;
        std::size_t next = at_;
        while (next < s_.size() && (IsSpace(s_[next]) || s_[next] == '\n')) ++next;
        if (Char(next) == '#') break;
      }
      ++at_;
      if (!IsSpace(c) && c != '\n') out.end = at_;
    }
    at_ = out.end;
    return out;
  }

  Syntax FlowNode(int parent, int depth) {
    const char c = Char(at_);
    if ((c == '{' || c == '[') && depth < kMaxDepth) return Flow(parent, depth + 1);
    if (c == '"' || c == '\'') return Quoted(parent);
    return FlowPlain(parent);
  }

  Syntax Flow(int parent, int depth) {
    Syntax out;
    out.flow = true;
    out.begin = at_;
    const bool map = s_[at_] == '{';
    out.kind = map ? SyntaxKind::kMap : SyntaxKind::kList;
    const char close = map ? '}' : ']';
    out.closed = false;
    ++at_;
    out.end = at_;
    while (SkipInside(parent, out)) {
      const char c = s_[at_];
      if (c == close) {
        out.closed = true;
        out.end = ++at_;
        break;
      }
      if (c == ',') {
        out.end = ++at_;
        continue;
      }
      if (c == '}' || c == ']') break;
      const std::size_t start = at_;
      Syntax first = FlowNode(parent, depth);
      if (at_ == start) {
        ++at_;
        out.plain = false;
        continue;
      }
      out.plain = out.plain && first.closed && (first.plain || first.kind == SyntaxKind::kScalar);
      out.starts.push_back(start);
      out.end = at_;
      if (!map) {
        out.values.push_back(std::move(first));
        if (SkipInside(parent, out) && s_[at_] == ':') {  // [a: b], a map without brackets
          out.plain = false;
          ++at_;
        }
        continue;
      }
      const std::size_t after = at_;
      const bool more = SkipInside(parent, out);
      const bool colon = more && s_[at_] == ':';
      out.keys.push_back(std::move(first));
      out.colons.push_back(colon ? 1 : 0);
      if (!colon) {
        at_ = after;
        out.values.push_back(Empty());
        continue;
      }
      ++at_;
      out.end = at_;
      const std::size_t value_at = at_;
      if (!SkipInside(parent, out) || s_[at_] == ',' || s_[at_] == '}' || s_[at_] == ']') {
        const std::size_t stop = at_;
        at_ = value_at;
        out.values.push_back(Empty());
        at_ = stop;
        continue;
      }
      Syntax value = FlowNode(parent, depth);
      out.plain = out.plain && value.closed && (value.plain || value.kind == SyntaxKind::kScalar);
      out.end = std::max(out.end, value.end);
      at_ = std::max(at_, value_at);
      out.values.push_back(std::move(value));
    }
    if (!out.closed) {
      out.plain = false;
      // What is being written stands on the line of the cursor: it reaches to the end of the last line read.
      out.end = std::max(out.end, std::min(LineEnd(out.end), s_.size()));
      at_ = out.end;
    }
    return out;
  }

  std::string_view s_;
  std::size_t at_ = 0;
};

void Push(Decoded& out, char c, std::size_t at) {
  out.text += c;
  out.at.push_back(at);
}

// The breaks between two lines of a folded scalar: one is a space, n are n - 1 line ends.
void Fold(Decoded& out, std::size_t breaks, std::size_t at) {
  if (breaks == 1) return Push(out, ' ', at);
  for (std::size_t i = 1; i < breaks; ++i) Push(out, '\n', at);
}

Decoded DecodeFlowScalar(std::string_view s, const Syntax& scalar) {
  Decoded out;
  const char q = scalar.style;
  std::size_t i = scalar.begin + (q == 0 ? 0 : 1);
  const std::size_t end = scalar.end - (q != 0 && scalar.closed && scalar.end > scalar.begin + 1 ? 1 : 0);
  std::size_t kept = 0;  // text before it is not trimmed at a line end
  while (i < end) {
    const char c = s[i];
    if (c == '\n') {
      while (out.text.size() > kept && IsSpace(out.text.back())) out.text.pop_back(), out.at.pop_back();
      const std::size_t at = i;
      std::size_t breaks = 0;
      for (; i < end && (IsSpace(s[i]) || s[i] == '\n'); ++i) breaks += s[i] == '\n' ? 1 : 0;
      Fold(out, breaks, at);
      kept = out.text.size();
      continue;
    }
    if (q == '\'' && c == '\'' && i + 1 < end) {
      Push(out, '\'', i);
      i += 2;
      continue;
    }
    if (q == '"' && c == '\\' && i + 1 < end) {
      const char e = s[i + 1];
      const std::size_t at = i;
      i += 2;
      if (e == '\n' || e == '\r') {
        while (i < end && (IsSpace(s[i]) || s[i] == '\n')) ++i;
        kept = out.text.size();
        continue;
      }
      std::string plain;
      const std::size_t digits = e == 'x' ? 2 : e == 'u' ? 4 : e == 'U' ? 8 : 0;
      if (digits > 0) {
        std::uint32_t code = 0;
        for (std::size_t d = 0; d < digits && i < end; ++d, ++i) {
          const char h = s[i];
          const int v = h >= '0' && h <= '9'   ? h - '0'
                        : h >= 'a' && h <= 'f' ? h - 'a' + 10
                        : h >= 'A' && h <= 'F' ? h - 'A' + 10
                                               : 0;
          code = code * 16 + static_cast<std::uint32_t>(v);
        }
        AppendUtf8(code, plain);
      } else {
        constexpr std::string_view kFrom = "0abtnvfre \"/\\_NLP\t";
        constexpr std::string_view kTo[] = {
            {"\0", 1}, "\a", "\b", "\t", "\n",       "\v",       "\f",           "\r",           "\x1B",
            " ",       "\"", "/",  "\\", "\xC2\xA0", "\xC2\x85", "\xE2\x80\xA8", "\xE2\x80\xA9", "\t"};
        const std::size_t k = kFrom.find(e);
        plain = k == kNone ? std::string(1, e) : std::string(kTo[k]);
      }
      for (const char p : plain) Push(out, p, at);
      kept = out.text.size();
      continue;
    }
    Push(out, c, i);
    ++i;
  }
  out.at.push_back(end);
  return out;
}

Decoded DecodeBlockScalar(std::string_view s, const Syntax& scalar) {
  Decoded out;
  char chomp = 0;
  const std::size_t header = std::min(s.find('\n', scalar.begin), s.size());
  for (std::size_t i = scalar.begin; i < header && s[i] != ' ' && s[i] != '#'; ++i) {
    if (s[i] == '-' || s[i] == '+') chomp = s[i];
  }
  const bool folded = scalar.style == '>';
  std::size_t breaks = 0;
  bool first = true;
  bool deeper = false;  // the line before began with a space
  for (std::size_t line = header + 1; line < scalar.end;) {
    const std::size_t end = std::min(s.find('\n', line), s.size());
    std::size_t stop = end;
    if (stop > line && s[stop - 1] == '\r') --stop;
    const std::size_t begin = std::min(line + scalar.column, stop);
    const std::string_view content = s.substr(begin, stop - begin);
    if (content.empty()) {
      ++breaks;
    } else {
      const bool deep = IsSpace(content.front());
      if (first || !folded || deep || deeper) {
        const std::size_t n = first ? breaks : breaks + 1;
        for (std::size_t i = 0; i < n; ++i) Push(out, '\n', line > 0 ? line - 1 : 0);
      } else {
        Fold(out, breaks + 1, line - 1);
      }
      for (std::size_t i = begin; i < stop; ++i) Push(out, s[i], i);
      first = false;
      deeper = deep;
      breaks = 0;
    }
    line = end + 1;
  }
  if (!out.text.empty() && chomp != '-') Push(out, '\n', scalar.end);
  if (chomp == '+') {
    for (std::size_t i = scalar.end + 1; i < s.size(); ++i) {
      if (s[i] == '\n') {
        Push(out, '\n', i);
      } else if (!IsSpace(s[i])) {
        break;
      }
    }
  }
  out.at.push_back(scalar.end);
  return out;
}

class Finder {
 public:
  Finder(std::string_view text, std::size_t offset) : s_(text), offset_(offset) {
    const std::size_t newline = offset == 0 ? kNone : s_.rfind('\n', offset - 1);
    line_ = newline == kNone ? 0 : newline + 1;
    std::size_t ink = line_;
    const std::size_t end = std::min(s_.find('\n', line_), s_.size());
    while (ink < end && IsSpace(s_[ink])) ++ink;
    blank_ = ink >= offset;
    column_ = offset - line_;
  }

  Cursor Run(const Syntax& root) {
    if (root.kind == SyntaxKind::kEmpty) {
      out_.key = true;
      return out_;
    }
    Visit(root, true);
    return out_;
  }

 private:
  bool SameLine(std::size_t from) const {
    return s_.substr(from, offset_ > from ? offset_ - from : 0).find('\n') == kNone;
  }

  void Visit(const Syntax& node, bool open) {
    if (node.kind == SyntaxKind::kScalar) {
      out_.scalar = &node;
      return;
    }
    if (node.kind == SyntaxKind::kEmpty) {
      // A line below an empty value may hold the value's first key.
      out_.key = open && blank_ && !SameLine(node.begin);
      if (out_.key) out_.map = nullptr;
      return;
    }
    out_.above.push_back(&node);
    const bool map = node.kind == SyntaxKind::kMap;
    std::size_t i = node.starts.size();
    while (i > 0 && node.starts[i - 1] > offset_) --i;
    if (i == 0) return Fresh(node);
    --i;
    const Syntax& value = node.values[i];
    if (map && offset_ <= node.keys[i].end) {
      out_.key = true;
      out_.map = &node;
      out_.scalar = &node.keys[i];
      return;
    }
    const std::size_t key_end = map ? node.keys[i].end : node.starts[i] + 1;
    const std::size_t last = std::max(value.end, key_end);
    if (node.flow) {
      const std::string_view gap = offset_ > last ? s_.substr(last, offset_ - last) : std::string_view();
      if (gap.find(',') != kNone) return Fresh(node);
      if (map && node.colons[i] == 0) {
        out_.key = true;
        out_.map = &node;
        return;
      }
    } else if (offset_ > last && !SameLine(last)) {
      const bool inside = blank_ && column_ > node.column;
      const bool block_text = value.style == '|' || value.style == '>';
      const bool holder = value.kind == SyntaxKind::kEmpty || block_text ||
                          ((value.kind == SyntaxKind::kMap || value.kind == SyntaxKind::kList) && !value.flow);
      if (!inside || !holder || (block_text && column_ < value.column)) return Fresh(node);
    } else if (map && node.colons[i] == 0) {
      out_.key = true;
      out_.map = &node;
      return;
    }
    if (map) {
      out_.path.push_back(Decode(s_, node.keys[i]).text);
      out_.map = &node;
    } else {
      out_.path.emplace_back("[]");
      // A dash with nothing behind it may begin a map.
      if (!node.flow && value.kind == SyntaxKind::kEmpty) {
        out_.key = true;
        out_.map = nullptr;
        return;
      }
    }
    if (value.kind == SyntaxKind::kScalar) {
      // Behind a plain or block text more of it may be written.
      const bool quoted = value.style == '"' || value.style == '\'';
      if (offset_ >= value.begin && (offset_ <= value.end || !quoted)) out_.scalar = &value;
      return;
    }
    Visit(value, !node.flow);
  }

  // Where a new entry of `node` would stand.
  void Fresh(const Syntax& node) {
    if (node.kind == SyntaxKind::kMap) {
      out_.key = true;
      out_.map = &node;
    } else {
      out_.path.emplace_back("[]");
    }
  }

  std::string_view s_;
  std::size_t offset_ = 0;
  std::size_t line_ = 0;
  std::size_t column_ = 0;
  bool blank_ = false;  // nothing stands before the offset on its line
  Cursor out_;
};

}  // namespace

Syntax ParseSyntax(std::string_view text) { return Scanner(text).Run(); }

Decoded Decode(std::string_view text, const Syntax& scalar) {
  if (scalar.kind != SyntaxKind::kScalar) return {"", {scalar.begin}};
  return scalar.style == '|' || scalar.style == '>' ? DecodeBlockScalar(text, scalar) : DecodeFlowScalar(text, scalar);
}

const Syntax* Find(std::string_view text, const Syntax& map, std::string_view key) {
  if (map.kind != SyntaxKind::kMap) return nullptr;
  for (std::size_t i = 0; i < map.keys.size(); ++i) {
    if (Decode(text, map.keys[i]).text == key) return &map.values[i];
  }
  return nullptr;
}

Cursor At(std::string_view text, const Syntax& root, std::size_t offset) {
  return Finder(text, std::min(offset, text.size())).Run(root);
}

}  // namespace zhitui::editor
