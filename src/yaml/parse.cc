// Text -> nodes, on yaml-cpp's event parser: it tokenizes, we keep places, refuse what people do not write on purpose,
// and bound everything.

#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>
#include <unordered_map>
#include <utility>

#include "yaml/check.h"
#include "yaml/document.h"

namespace zhitui::yaml {
namespace {

struct Stop {};  // thrown through the parser to end it; the diagnostic is already there

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

}  // namespace

class Builder final : public YAML::EventHandler {
 public:
  Builder(SourceText* source, Diagnostics* diagnostics) : d_(*source), diagnostics_(*diagnostics) {}

  std::size_t faults() const { return faults_; }

  void Report(TextFault fault) {
    ++faults_;
    if (faults_ > kMaxDiagnostics) throw Stop();
    Diagnostic out;
    out.at.file = d_.file;
    if (!fault.whole_file) {
      out.at.line = d_.LineOf(fault.offset);
      out.at.column = d_.ColumnOf(fault.offset);
      if (IsValidUtf8(d_.Line(out.at.line))) out.source_line = d_.Line(out.at.line);
    }
    out.code = std::move(fault.code);
    out.message = std::move(fault.message);
    out.hint = std::move(fault.hint);
    diagnostics_.push_back(std::move(out));
  }

  // What the parser threw, in plain words and at the place a person looks for.
  void ReportParserError(const std::string& message, int position) {
    const std::size_t at = position < 0 ? d_.text.size() : std::min(static_cast<std::size_t>(position), d_.text.size());
    if (message == "illegal EOF in scalar") {
      const std::size_t quote = UnclosedQuote(d_.text, last_end_);
      return Report(ExplainParserError(d_.text, message, quote == std::string_view::npos ? at : quote));
    }
    if (message == "end of sequence flow not found" || message == "end of map flow not found") {
      for (auto frame = stack_.rbegin(); frame != stack_.rend(); ++frame) {
        const std::size_t open = frame->offset;
        if (open >= d_.text.size() || (d_.text[open] != '[' && d_.text[open] != '{')) continue;
        if (at > open && at < d_.text.size()) {
          TextFault fault = ExplainParserError(d_.text, message, at);
          fault.message +=
              std::string(", after the '") + d_.text[open] + "' of line " + std::to_string(d_.LineOf(open));
          return Report(std::move(fault));
        }
        return Report({open, false, "yaml-syntax", std::string("this '") + d_.text[open] + "' is not closed",
                       std::string("write the closing '") + (d_.text[open] == '[' ? ']' : '}') + "'"});
      }
    }
    Report(ExplainParserError(d_.text, message, at));
  }

  // Tabs in the indentation of lines `first` to `last`, apart from those inside quoted and block texts.
  bool ReportTabs(std::uint32_t first, std::uint32_t last) {
    bool any = false;
    for (std::uint32_t line = first; line <= std::min(last, d_.line_count()); ++line) {
      const std::string_view text = d_.Line(line);
      const std::size_t ink = std::min(text.find_first_not_of(" \t"), text.size());
      const std::size_t tab = text.substr(0, ink).find('\t');
      if (tab == std::string_view::npos || ink == text.size() || InsideText(d_.LineStart(line), tab)) continue;
      Report({d_.LineStart(line) + tab, false, "tab", "a tab in the indentation", "indent with spaces"});
      any = true;
    }
    return any;
  }
  bool ReportTabs() { return ReportTabs(1, d_.line_count()); }
  // After a parser error at `position`: what stands before it and was read, and its own line, of whose fault a tab is
  // the likeliest cause.
  bool ReportTabsBefore(int position) {
    const std::uint32_t at = d_.LineOf(position < 0 ? 0 : static_cast<std::size_t>(position));
    const std::uint32_t read = std::min(d_.LineOf(last_end_), at);
    const bool any = ReportTabs(1, read);
    return (at > read && ReportTabs(at, at)) || any;
  }

  Node TakeRoot() {
    if (root_set_) return std::move(root_);
    Node node;
    Place(node, 0, 1);
    node.offset_ = 0;
    return node;
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ == 1) return;
    const std::size_t at = At(mark);
    // The parser also starts a document where the first one cannot go on.
    std::uint32_t line = d_.LineOf(at);
    while (line > 1 && d_.Line(line).find_first_not_of(" \t") == std::string_view::npos) --line;
    const bool marked = d_.Line(line).starts_with("---") ||
                        (line > 1 && (d_.Line(line - 1).starts_with("---") || d_.Line(line - 1).starts_with("...")));
    if (marked || at >= d_.text.size()) {
      Report({at, false, "several-documents", "a second document in this file", "keep one document in a file"});
    } else {
      Report({at, false, "yaml-syntax", "this does not fit what stands above",
              "a list and keys, or a text and keys, cannot stand side by side"});
    }
    throw Stop();
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    const std::size_t at = At(mark);
    CheckProperties(at);
    Node node;
    PlaceNull(node, at);
    Attach(std::move(node), at, true);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    Report({At(mark), false, "alias", "aliases (*) are not allowed", "write the value out"});
    Node node;
    PlaceNull(node, At(mark));
    Attach(std::move(node), At(mark), false);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, const std::string& value) override {
    const std::size_t at = At(mark);
    CheckProperties(at);
    Node node;
    node.kind_ = NodeKind::kScalar;
    node.text_ = value;
    const char c = at < d_.text.size() ? d_.text[at] : '\0';
    if (tag == "!" && (c == '"' || c == '\'' || c == '|' || c == '>')) node.style_ = c;
    node.quoted_ = node.style_ != 0;
    if (node.style_ == '|' || node.style_ == '>') {
      PlaceBlock(node, at);
    } else {
      PlaceScalar(node, at + (node.quoted_ ? 1 : 0));
    }
    last_end_ = at + value.size();
    if (node.quoted_) {
      last_end_ = EndOfText(at, node.style_, node.offset_);
      if (last_end_ == std::string::npos) {  // the parser lets the end of the file close a quote
        Report(ExplainParserError(d_.text, "illegal EOF in scalar", at));
        throw Stop();
      }
      texts_.push_back({at, last_end_, node.style_, ByteColumn(node.offset_)});
    }
    Attach(std::move(node), at, false);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    Open(NodeKind::kSequence, mark);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    Open(NodeKind::kMapping, mark);
  }
  void OnMapEnd() override {
    ReportDuplicates(stack_.back().node);
    Close();
  }

 private:
  struct Frame {
    Node node;
    std::optional<Node> key;
    std::size_t offset = 0;
    bool reported = false;  // this collection has a fault of its own, such as a tag
  };
  struct TextSpan {
    std::size_t begin = 0;  // the quote or the | or >
    std::size_t end = 0;
    char style = 0;
    std::size_t indent = 0;
  };

  static std::size_t At(const YAML::Mark& mark) { return mark.pos < 0 ? 0 : static_cast<std::size_t>(mark.pos); }

  void Place(Node& node, std::size_t offset, std::uint32_t length) {
    node.source_ = &d_;
    node.offset_ = static_cast<std::uint32_t>(offset);
    node.line_ = d_.LineOf(offset);
    // Nodes come in order: counting from the last place keeps one very long line linear.
    const std::size_t start = d_.LineStart(node.line_);
    if (offset < place_offset_ || place_offset_ < start) {
      place_offset_ = start;
      place_column_ = 1;
    }
    const std::size_t end = std::min(offset, d_.text.size());
    place_column_ += CodePoints(std::string_view(d_.text).substr(place_offset_, end - place_offset_));
    place_offset_ = end;
    node.column_ = place_column_;
    node.length_ = std::max(length, 1U);
  }

  void PlaceScalar(Node& node, std::size_t offset) {
    Place(node, offset, 1);
    const std::size_t line_end = d_.LineEnd(node.line_);
    std::size_t end = offset;
    if (node.style_ == 0) {
      end = std::min(offset + std::min(node.text_.find('\n'), node.text_.size()), line_end);
    } else {
      while (end < line_end && d_.text[end] != node.style_) end += d_.text[end] == '\\' && node.style_ == '"' ? 2 : 1;
      end = std::min(end, line_end);
    }
    node.length_ = std::max(CodePoints(std::string_view(d_.text).substr(offset, end - offset)), 1U);
  }

  void PlaceBlock(Node& node, std::size_t indicator) {
    std::uint32_t line = d_.LineOf(indicator) + 1;
    const std::size_t first = node.text_.find_first_not_of("\n");
    const std::size_t ink = node.text_.find_first_not_of(" \n\t");
    if (ink == std::string::npos) return Place(node, indicator, 1);
    while (line < d_.line_count() && d_.Line(line).find_first_not_of(" \t") == std::string_view::npos) ++line;
    // An indentation indicator leaves spaces at the start of the first line in the text.
    std::size_t line_begin = node.text_.rfind('\n', ink);
    line_begin = line_begin == std::string::npos ? first : line_begin + 1;
    const std::size_t lead = d_.Line(line).find_first_not_of(" \t");
    const std::size_t kept = ink - line_begin;
    const std::size_t indent = lead == std::string_view::npos || lead < kept ? 0 : lead - kept;
    Place(node, d_.LineStart(line) + indent, CodePoints(d_.Line(line).substr(indent)));
  }

  // An empty value has no characters of its own: it is placed at its key, or at the dash of its list item.
  void PlaceNull(Node& node, std::size_t at) {
    const Frame* parent = stack_.empty() ? nullptr : &stack_.back();
    const std::string_view rest = std::string_view(d_.text).substr(std::min(at, d_.text.size()));
    std::size_t word = rest.starts_with("~")                                                              ? 1
                       : rest.starts_with("null") || rest.starts_with("Null") || rest.starts_with("NULL") ? 4
                                                                                                          : 0;
    if (word > 0 && parent != nullptr && parent->key && !IsFlow(*parent) && at > parent->offset) {
      // `a:` on one line and the key `null:` on the next.
      const bool same_line = d_.LineOf(at) == parent->key->line_;
      if (!same_line && ByteColumn(at) <= ByteColumn(parent->offset)) word = 0;
    }
    if (word > 0) return Place(node, at, static_cast<std::uint32_t>(word));
    if (parent == nullptr) return Place(node, 0, 1);
    if (parent->key) return Place(node, parent->key->offset_, parent->key->length_);
    if (parent->node.IsSequence() && !IsFlow(*parent)) {
      const std::size_t column = ByteColumn(parent->offset);
      for (std::uint32_t line = d_.LineOf(std::min(at, d_.text.size())); line >= d_.LineOf(parent->offset); --line) {
        const std::string_view text = d_.Line(line);
        if (d_.LineStart(line) + column < at && column < text.size() && text[column] == '-') {
          return Place(node, d_.LineStart(line) + column, 1);
        }
        if (line == 1) break;
      }
    }
    Place(node, std::min(at, d_.text.size()), 1);
  }

  std::size_t ByteColumn(std::size_t offset) const { return offset - d_.LineStart(d_.LineOf(offset)); }

  bool IsFlow(const Frame& frame) const {
    return frame.offset < d_.text.size() && (d_.text[frame.offset] == '[' || d_.text[frame.offset] == '{');
  }

  // Anchors and tags stand before the node, where its mark points.
  bool CheckProperties(std::size_t at) {
    const char c = at < d_.text.size() ? d_.text[at] : '\0';
    if (at == reported_property_) return false;  // `&a b: c` marks the mapping and its first key
    if (c == '&') {
      Report(
          {at, false, "anchor", "anchors (&) are not allowed", "delete it, and write the value out where it is used"});
    } else if (c == '!') {
      Report({at, false, "tag", "tags (!) are not allowed", "delete it; put text that starts with '!' in quotes"});
    } else {
      return false;
    }
    reported_property_ = at;
    return true;
  }

  void CountNode(std::size_t at) {
    if (++nodes_ <= kMaxNodes) return;
    Report({at, false, "too-many-nodes", "more than 100000 values in one file", "split it"});
    throw Stop();
  }

  void Open(NodeKind kind, const YAML::Mark& mark) {
    const std::size_t at = At(mark);
    CheckProperties(at);
    CountNode(at);
    if (stack_.size() >= kMaxDepth) {
      Report({at, false, "too-deep", "nested deeper than 32 levels", "make the structure flatter"});
      throw Stop();
    }
    Frame frame;
    frame.node.kind_ = kind;
    frame.offset = at;
    Place(frame.node, at, 1);
    stack_.push_back(std::move(frame));
    last_end_ = at;
  }

  void Close() {
    Frame frame = std::move(stack_.back());
    stack_.pop_back();
    Attach(std::move(frame.node), frame.offset, false);
  }

  void Attach(Node node, std::size_t at, bool is_null) {
    if (!node.IsSequence() && !node.IsMapping()) CountNode(at);
    if (stack_.empty()) {
      root_ = std::move(node);
      root_set_ = true;
      return;
    }
    Frame& parent = stack_.back();
    const bool comma = is_null && IsFlow(parent) && at < d_.text.size() && d_.text[at] == ',';
    if (parent.node.IsSequence()) {
      if (comma) Report({at, false, "empty-item", "an item is missing before this comma", "delete the comma"});
      parent.node.items_.push_back(std::move(node));
    } else if (parent.key) {
      parent.node.entries_.emplace_back(std::move(*parent.key), std::move(node));
      parent.key.reset();
    } else {
      CheckKey(node, at, comma);
      parent.key = std::move(node);
    }
  }

  void CheckKey(const Node& key, std::size_t at, bool comma) {
    std::size_t before = at;
    while (before > 0 && IsBlank(d_.text[before - 1])) --before;
    if (comma) {
      Report({at, false, "empty-item", "an entry is missing before this comma", "delete the comma"});
    } else if (before > 0 && before < at && d_.text[before - 1] == '?') {
      Report({before - 1, false, "bad-key", "'? ' before a key is not allowed", "write key: value"});
    } else if (!key.IsScalar()) {
      Report({at, false, "bad-key", "a key must be text",
              key.IsNull() ? "write a name before the ':'; put the word null in quotes" : "write key: value"});
    } else if (key.text_ == "<<" && !key.quoted_) {
      Report({at, false, "merge-key", "merge keys (<<) are not allowed", "write the entries out"});
    }
  }

  void ReportDuplicates(const Node& mapping) {
    std::unordered_map<std::string_view, const Node*> seen;
    for (const auto& [key, value] : mapping.entries_) {
      if (!key.IsScalar()) continue;
      const auto [it, fresh] = seen.emplace(key.text_, &key);
      if (fresh) continue;
      Report({key.offset_, false, "duplicate-key", "the key " + Quote(key.text_) + " is here twice",
              "the first one is on line " + std::to_string(it->second->line_) + "; keep one of them"});
      diagnostics_.back().length = key.length_;
    }
  }

  // npos: a quote that is not closed.
  std::size_t EndOfText(std::size_t begin, char style, std::size_t content) const {
    const std::string& s = d_.text;
    if (style == '"' || style == '\'') {
      for (std::size_t i = begin + 1; i < s.size(); ++i) {
        if (s[i] == '\\' && style == '"') {
          ++i;
        } else if (s[i] == style) {
          if (style == '"' || i + 1 >= s.size() || s[i + 1] != '\'') return i + 1;
          ++i;
        }
      }
      return std::string::npos;
    }
    std::uint32_t line = d_.LineOf(content);
    if (line == d_.LineOf(begin)) return d_.LineEnd(line);  // an empty block text
    const std::size_t indent = ByteColumn(content);
    while (line < d_.line_count()) {
      const std::size_t lead = d_.Line(line + 1).find_first_not_of(' ');
      if (lead != std::string_view::npos && lead < indent) break;
      ++line;
    }
    return d_.LineEnd(line);
  }

  bool InsideText(std::size_t line_start, std::size_t tab) const {
    // Texts are disjoint and in order: only the last one that begins before the line can reach it.
    const auto next = std::partition_point(texts_.begin(), texts_.end(),
                                           [&](const TextSpan& span) { return span.begin < line_start; });
    if (next == texts_.begin()) return false;
    const TextSpan& span = *(next - 1);
    if (span.end <= line_start) return false;
    return span.style == '"' || span.style == '\'' || tab >= span.indent;
  }

  SourceText& d_;
  Diagnostics& diagnostics_;
  std::vector<Frame> stack_;
  std::vector<TextSpan> texts_;
  Node root_;
  bool root_set_ = false;
  std::size_t faults_ = 0;
  std::size_t nodes_ = 0;
  std::size_t documents_ = 0;
  std::size_t last_end_ = 0;  // where the last scalar ended, or the last collection began
  std::size_t place_offset_ = 0;
  std::uint32_t place_column_ = 1;
  std::size_t reported_property_ = std::string::npos;
};

std::optional<Document> Parse(std::string file, std::string text, Diagnostics* diagnostics) {
  Document document;
  SourceText& d = document.impl_->source;
  d.file = std::move(file);
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  d.text = std::move(text);
  d.IndexLines();
  Builder builder(&d, diagnostics);
  try {
    if (std::optional<TextFault> fault = CheckText(d.text)) {
      builder.Report(std::move(*fault));
      return std::nullopt;
    }
    std::istringstream in(d.text);
    try {
      YAML::Parser parser(in);
      while (parser.HandleNextDocument(builder)) {
      }
      builder.ReportTabs();
    } catch (const YAML::Exception& e) {
      if (!builder.ReportTabsBefore(e.mark.pos)) builder.ReportParserError(e.msg, e.mark.pos);
    }
  } catch (const Stop&) {
    return std::nullopt;
  }
  if (builder.faults() > 0) return std::nullopt;
  document.impl_->root = builder.TakeRoot();
  return document;
}

}  // namespace zhitui::yaml
