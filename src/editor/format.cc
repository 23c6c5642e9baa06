// Layout of YAML files. What stands between the parts, comments and blank lines, is taken from the gaps of the text.

#include <algorithm>
#include <utility>

#include "base/base.h"
#include "editor/editor.h"
#include "editor/syntax.h"
#include "yaml/yaml.h"

namespace zhitui::editor {
namespace {

constexpr std::size_t kWidth = 140;  // code points
constexpr std::size_t kStep = 2;

std::size_t CodePoints(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string_view TrimRight(std::string_view s) {
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t' || s.back() == '\r')) s.remove_suffix(1);
  return s;
}
std::string_view Trim(std::string_view s) {
  s = TrimRight(s);
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  return s;
}

class Formatter {
 public:
  explicit Formatter(std::string_view text) : s_(text) {}

  std::string Run() {
    const Syntax root = ParseSyntax(s_);
    at_ = s_.starts_with("\xEF\xBB\xBF") ? 3 : 0;
    if (root.kind != SyntaxKind::kEmpty) {
      Gap(root.begin, 0);
      if (IsBlock(root)) {
        Block(root, 0, true);
      } else {
        Inline(root, 0);
      }
    }
    Gap(s_.size(), 0);
    while (out_.ends_with("\n\n")) out_.pop_back();
    return std::move(out_);
  }

 private:
  static bool IsBlock(const Syntax& node) {
    return (node.kind == SyntaxKind::kMap || node.kind == SyntaxKind::kList) && !node.flow;
  }

  std::string_view Source(const Syntax& node) const { return s_.substr(node.begin, node.end - node.begin); }

  // The comments and blank lines from where the last part ended to `end`, and the end of its line. `indent` is that of
  // what follows.
  void Gap(std::size_t end, std::size_t indent) {
    if (!out_.empty() && out_.back() != '\n') {  // the rest of a line that has begun
      const std::size_t stop = std::min(std::min(s_.find('\n', at_), s_.size()), end);
      Trailing(s_.substr(at_, stop - at_));
      at_ = stop < end && stop < s_.size() ? stop + 1 : stop;
    }
    while (at_ < end) {
      const std::size_t stop = std::min(s_.find('\n', at_), s_.size());
      const std::string_view line = s_.substr(at_, std::min(stop, end) - at_);
      const std::string_view ink = Trim(line);
      if (ink.empty()) {
        if (stop < end && !out_.empty() && !out_.ends_with("\n\n")) out_ += '\n';
      } else if (ink.front() == '#') {
        const std::size_t column = static_cast<std::size_t>(ink.data() - line.data());
        out_.append(IndentOf(column, indent), ' ');
        out_ += ink;
        out_ += '\n';
      } else if (line.starts_with("---") || line.starts_with("...")) {
        out_ += ink;
        out_ += '\n';
      }
      at_ = std::min(stop + 1, end);
      if (stop >= end) at_ = end;
    }
  }

  // A comment behind a part keeps its distance, so that columns of comments stay columns.
  void Trailing(std::string_view rest) {
    const std::size_t hash = rest.find('#');
    if (hash != std::string_view::npos) {
      out_.append(std::max<std::size_t>(hash, 1), ' ');
      out_ += TrimRight(rest.substr(hash));
    }
    out_ += '\n';
  }

  // A comment that stands at least as deep as an open block belongs to it.
  std::size_t IndentOf(std::size_t column, std::size_t fallback) const {
    for (auto open = open_.rbegin(); open != open_.rend(); ++open) {
      if (open->first <= column) return std::max(open->second, fallback);
    }
    return fallback;
  }

  // Entries of a block map or list, each on a line of its own at `indent`. The first one may stand behind a dash.
  void Block(const Syntax& node, std::size_t indent, bool at_line_start) {
    const std::size_t depth = depth_++;
    for (std::size_t i = 0; i < node.starts.size(); ++i) {
      if (i > 0 || at_line_start) {
        if (i > 0) {
          Gap(node.starts[i], indent);
          open_.resize(std::min(open_.size(), depth));
        }
        out_.append(indent, ' ');
      }
      open_.resize(depth, {node.column, indent});
      open_.emplace_back(node.column, indent);
      if (node.kind == SyntaxKind::kList) {
        out_ += '-';
        at_ = node.starts[i] + 1;
        Item(node.values[i], indent);
      } else {
        Entry(node, i, indent);
      }
    }
    --depth_;
  }

  void Item(const Syntax& value, std::size_t indent) {
    if (value.kind == SyntaxKind::kEmpty) return;
    const bool same_line = s_.substr(at_, value.begin - at_).find('\n') == std::string_view::npos;
    if (IsBlock(value)) {
      if (same_line) {
        out_ += ' ';
        at_ = value.begin;
        Block(value, indent + kStep, false);
      } else {
        Gap(value.begin, indent + kStep);
        Block(value, indent + kStep, true);
      }
      return;
    }
    if (Lift(value, same_line)) {
      out_ += ' ';
      Inline(value, indent);
    } else {
      Gap(value.begin, indent + kStep);
      out_.append(indent + kStep, ' ');
      Inline(value, indent);
    }
  }

  void Entry(const Syntax& node, std::size_t i, std::size_t indent) {
    const Syntax& value = node.values[i];
    out_ += Source(node.keys[i]);
    out_ += ':';
    at_ = node.keys[i].end;
    const std::size_t colon = s_.find(':', at_);
    at_ = colon == std::string_view::npos ? at_ : colon + 1;
    if (value.kind == SyntaxKind::kEmpty) return;
    if (IsBlock(value)) {
      Gap(value.begin, indent + kStep);
      Block(value, indent + kStep, true);
      return;
    }
    const bool same_line = s_.substr(at_, value.begin - at_).find('\n') == std::string_view::npos;
    if (Lift(value, same_line)) {
      out_ += ' ';
      Inline(value, indent);
    } else {
      Gap(value.begin, indent + kStep);
      out_.append(indent + kStep, ' ');
      Inline(value, indent);
    }
  }

  // Whether a value stands behind its key or dash: it does already, or nothing stands between.
  bool Lift(const Syntax& value, bool same_line) const {
    return same_line || s_.substr(at_, value.begin - at_).find('#') == std::string_view::npos;
  }

  // A scalar or a flow collection behind a key, a dash or nothing, of an entry at `indent`.
  void Inline(const Syntax& value, std::size_t indent) {
    at_ = value.end;
    if (value.kind == SyntaxKind::kScalar) return Scalar(value, indent);
    if (!value.plain || value.starts.empty()) {
      if (value.starts.empty() && value.plain) {
        out_ += value.kind == SyntaxKind::kMap ? "{}" : "[]";
      } else {
        Lines(Source(value), indent, ColumnOf(value.begin));
      }
      return;
    }
    const std::string line = OneLine(value);
    const std::size_t start = out_.rfind('\n') == std::string::npos ? 0 : out_.rfind('\n') + 1;
    if (line.find('\n') == std::string::npos &&
        CodePoints(std::string_view(out_).substr(start)) + CodePoints(line) <= kWidth) {
      out_ += line;
      return;
    }
    if (line.find('\n') != std::string::npos) return Lines(Source(value), indent, ColumnOf(value.begin));
    Unfold(value, indent);
  }

  std::size_t ColumnOf(std::size_t offset) const {
    std::size_t line = offset == 0 ? std::string_view::npos : s_.rfind('\n', offset - 1);
    line = line == std::string_view::npos ? 0 : line + 1;
    std::size_t ink = line;
    while (ink < s_.size() && s_[ink] == ' ') ++ink;
    return ink - line;
  }

  // Text of several lines as it is, moved as far as its first line is.
  void Lines(std::string_view text, std::size_t indent, std::size_t column) {
    std::size_t from = 0;
    while (true) {
      const std::size_t stop = text.find('\n', from);
      const std::string_view line = TrimRight(text.substr(from, stop == std::string_view::npos ? stop : stop - from));
      if (from > 0 && !line.empty()) {
        const std::size_t ink = line.find_first_not_of(' ');
        const std::size_t deeper = ink > column ? ink - column : 0;
        out_.append(indent + deeper, ' ');
        out_ += line.substr(ink);
      } else {
        out_ += line;
      }
      if (stop == std::string_view::npos) return;
      out_ += '\n';
      from = stop + 1;
    }
  }

  void Scalar(const Syntax& scalar, std::size_t indent) {
    const std::string_view text = Source(scalar);
    if (scalar.style == '|' || scalar.style == '>') return BlockScalar(scalar, indent);
    std::size_t from = 0;
    while (true) {
      const std::size_t stop = text.find('\n', from);
      std::string_view line = text.substr(from, stop == std::string_view::npos ? stop : stop - from);
      if (from > 0) line = Trim(line);
      if (stop != std::string_view::npos) line = TrimRight(line);
      if (from > 0 && !line.empty()) out_.append(indent + kStep, ' ');
      out_ += line;
      if (stop == std::string_view::npos) return;
      out_ += '\n';
      from = stop + 1;
    }
  }

  void BlockScalar(const Syntax& scalar, std::size_t indent) {
    const std::string_view text = Source(scalar);
    std::size_t stop = std::min(text.find('\n'), text.size());
    const std::string_view header = TrimRight(text.substr(0, stop));
    out_ += header;
    // Where the author says how far the content is indented, it keeps that.
    std::size_t content = indent + kStep;
    for (const char c : header.substr(0, header.find_first_of(" #"))) {
      if (c >= '1' && c <= '9') content = indent + static_cast<std::size_t>(c - '0');
    }
    while (stop < text.size()) {
      const std::size_t from = stop + 1;
      stop = std::min(text.find('\n', from), text.size());
      std::string_view line = text.substr(from, stop - from);
      if (line.ends_with('\r')) line.remove_suffix(1);
      line.remove_prefix(std::min(scalar.column, line.size()));
      out_ += '\n';
      if (!line.empty()) out_.append(content, ' ');
      out_ += line;
    }
  }

  // A flow part on one line; with a line end inside where it cannot be.
  std::string OneLine(const Syntax& node) const {
    if (node.kind == SyntaxKind::kEmpty) return "";
    if (node.kind == SyntaxKind::kScalar) {
      std::string out;
      std::string_view rest = Source(node);
      for (std::size_t stop = rest.find('\n'); stop != std::string_view::npos; stop = rest.find('\n')) {
        out += TrimRight(rest.substr(0, stop));
        rest = rest.substr(stop + 1);
        while (!rest.empty() && (rest.front() == ' ' || rest.front() == '\t')) rest.remove_prefix(1);
        // A blank line, or an escaped line end, means something.
        out += rest.starts_with('\n') || rest.starts_with('\r') || out.ends_with('\\') ? '\n' : ' ';
      }
      return out.append(rest);
    }
    std::string out(1, node.kind == SyntaxKind::kMap ? '{' : '[');
    for (std::size_t i = 0; i < node.values.size(); ++i) {
      if (i > 0) out += ", ";
      if (node.kind == SyntaxKind::kMap) {
        out += OneLine(node.keys[i]);
        if (node.colons[i] != 0) out += ':';
        if (node.values[i].kind != SyntaxKind::kEmpty) out += ' ';
      }
      out += OneLine(node.values[i]);
    }
    return out += node.kind == SyntaxKind::kMap ? '}' : ']';
  }

  // A flow collection that is too long, as lines. A comment behind it goes behind its key.
  void Unfold(const Syntax& node, std::size_t indent) {
    const std::size_t stop = std::min(s_.find('\n', node.end), s_.size());
    const std::string_view comment = Trim(s_.substr(node.end, stop - node.end));
    const bool compact = out_.ends_with("- ") && comment.empty();
    if (!compact) {
      while (out_.ends_with(' ')) out_.pop_back();
      if (!comment.empty()) out_ += ' ';
      out_ += comment;
      out_ += '\n';
    }
    at_ = stop;
    Parts(node, indent + kStep, compact);
  }

  // Its entries at `indent`; a compact one begins behind the dash that is there.
  void Parts(const Syntax& node, std::size_t indent, bool compact) {
    for (std::size_t i = 0; i < node.values.size(); ++i) {
      const Syntax& value = node.values[i];
      if (i > 0) out_ += '\n';
      if (i > 0 || !compact) out_.append(indent, ' ');
      out_ += node.kind == SyntaxKind::kMap ? OneLine(node.keys[i]) + ":" : "-";
      if (value.kind == SyntaxKind::kEmpty) continue;
      out_ += ' ';
      const std::string line = OneLine(value);
      const std::size_t start = out_.rfind('\n') + 1;
      const bool fits = CodePoints(std::string_view(out_).substr(start)) + CodePoints(line) <= kWidth;
      if (value.kind == SyntaxKind::kScalar || value.values.empty() || fits) {
        out_ += line;
        continue;
      }
      const bool behind_dash = node.kind == SyntaxKind::kList;
      if (!behind_dash) out_.back() = '\n';
      Parts(value, indent + kStep, behind_dash);
    }
  }

  std::string_view s_;
  std::string out_;
  std::size_t at_ = 0;  // the text before it is laid out
  std::size_t depth_ = 0;
  std::vector<std::pair<std::size_t, std::size_t>>
      open_;  // column in the text and new column of blocks, outermost first
};

bool Same(const yaml::Node& a, const yaml::Node& b) {
  if (a.kind() != b.kind() || a.text() != b.text() || a.quoted() != b.quoted()) return false;
  if (a.items().size() != b.items().size() || a.entries().size() != b.entries().size()) return false;
  for (std::size_t i = 0; i < a.items().size(); ++i) {
    if (!Same(a.items()[i], b.items()[i])) return false;
  }
  for (std::size_t i = 0; i < a.entries().size(); ++i) {
    if (!Same(a.entries()[i].first, b.entries()[i].first) || !Same(a.entries()[i].second, b.entries()[i].second)) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::optional<std::string> Format(const std::string& path, const std::string& text, Diagnostics* diagnostics) {
  const std::optional<yaml::Document> before = yaml::Parse(path, text, diagnostics);
  if (!before) return std::nullopt;
  std::string out = Formatter(text).Run();
  // YAML has corners. Where the layout would say something else, the text stays as it is.
  Diagnostics unused;
  const std::optional<yaml::Document> after = yaml::Parse(path, out, &unused);
  if (!after || !Same(before->root(), after->root()) || Formatter(out).Run() != out) return text;
  return out;
}

}  // namespace zhitui::editor
