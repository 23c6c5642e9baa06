// Text -> nodes, on libyaml's event parser: it tokenizes, we keep places, refuse what people do not write on purpose,
// and bound everything.

#include <yaml.h>

#include <algorithm>
#include <new>
#include <unordered_map>
#include <utility>

#include "yaml/check.h"
#include "yaml/document.h"

namespace zhitui::yaml {
namespace {

struct Stop {};  // thrown to end the parse; the diagnostic is already there

// From this many entries on, duplicate keys are looked up in a table.
constexpr std::size_t kFewKeys = 16;

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

bool IsNullWord(std::string_view s) { return s.empty() || s == "~" || s == "null" || s == "Null" || s == "NULL"; }

// The character in the source that opens a scalar of this style; 0 for plain.
char OpeningOf(yaml_scalar_style_t style) {
  switch (style) {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE:
      return '\'';
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE:
      return '"';
    case YAML_LITERAL_SCALAR_STYLE:
      return '|';
    case YAML_FOLDED_SCALAR_STYLE:
      return '>';
    default:
      return 0;
  }
}

// libyaml's parser over a text that outlives it. Next() frees the event before.
class Events {
 public:
  explicit Events(std::string_view text) {
    if (yaml_parser_initialize(&parser_) == 0) throw std::bad_alloc();
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
  }
  ~Events() {
    yaml_event_delete(&event_);
    yaml_parser_delete(&parser_);
  }
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;

  // nullptr: the text is not YAML, see fault().
  const yaml_event_t* Next() {
    yaml_event_delete(&event_);
    if (yaml_parser_parse(&parser_, &event_) != 0) return &event_;
    if (parser_.error == YAML_MEMORY_ERROR) throw std::bad_alloc();
    return nullptr;
  }
  const yaml_parser_t& fault() const { return parser_; }

 private:
  yaml_parser_t parser_{};
  yaml_event_t event_{};
};

}  // namespace

class Builder {
 public:
  Builder(SourceText* source, Diagnostics* diagnostics)
      : d_(*source), diagnostics_(*diagnostics), has_tabs_(d_.text.find('\t') != std::string::npos) {}

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

  // Reads the whole text. Faults are reported; too many of them, or one after which no more can be said, throw Stop.
  void Read() {
    Events events(d_.text);
    while (const yaml_event_t* event = events.Next()) {
      if (event->type == YAML_STREAM_END_EVENT) {
        ReportTabs(1, d_.line_count());
        return;
      }
      Take(*event);
    }
    ReportParserFault(events.fault());
  }

  Node TakeRoot() {
    if (!pending_.empty()) return std::move(pending_.front());
    Node node;
    Place(node, {0, 1, 1}, 1);
    return node;
  }

 private:
  // A place in the text: the byte, and what people call it.
  struct Spot {
    std::size_t offset = 0;
    std::uint32_t line = 1;
    std::uint32_t column = 1;
  };
  // A collection that is not closed yet; its children are the nodes of pending_ from `first` on, keys before values.
  struct Frame {
    NodeKind kind = NodeKind::kNull;
    bool flow = false;
    Spot at;
    std::size_t first = 0;
  };
  struct TextSpan {
    std::size_t begin = 0;  // the quote or the | or >
    std::size_t end = 0;
    char style = 0;
    std::size_t indent = 0;
  };

  // libyaml counts lines and code points. Marks come in order: counting from the last one keeps one very long line
  // linear.
  Spot SpotOf(const yaml_mark_t& mark) {
    const std::size_t size = d_.text.size();
    if (mark.line >= d_.line_count()) return {size, d_.line_count(), d_.ColumnOf(size)};
    const auto line = static_cast<std::uint32_t>(mark.line + 1);
    const auto column = static_cast<std::uint32_t>(mark.column + 1);
    if (line != mark_.line || column < mark_.column) mark_ = {d_.LineStart(line), line, 1};
    while (mark_.column < column && mark_.offset < size) {
      ++mark_.offset;
      while (mark_.offset < size && (static_cast<unsigned char>(d_.text[mark_.offset]) & 0xC0) == 0x80) ++mark_.offset;
      ++mark_.column;
    }
    return mark_;
  }

  void Take(const yaml_event_t& event) {
    switch (event.type) {
      case YAML_DOCUMENT_START_EVENT:
        if (++documents_ == 1) return;
        RefuseDocument(SpotOf(event.start_mark).offset);
      case YAML_DOCUMENT_END_EVENT:
        if (event.data.document_end.implicit == 0) ended_ = SpotOf(event.end_mark).offset;
        return;
      case YAML_ALIAS_EVENT:
        return TakeAlias(SpotOf(event.start_mark));
      case YAML_SCALAR_EVENT:
        return TakeScalar(event);
      case YAML_SEQUENCE_START_EVENT:
        return Open(NodeKind::kSequence, event.data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE,
                    SpotOf(event.start_mark));
      case YAML_MAPPING_START_EVENT:
        return Open(NodeKind::kMapping, event.data.mapping_start.style == YAML_FLOW_MAPPING_STYLE,
                    SpotOf(event.start_mark));
      case YAML_SEQUENCE_END_EVENT:
      case YAML_MAPPING_END_EVENT:
        return Close();
      default:
        return;
    }
  }

  [[noreturn]] void RefuseDocument(std::size_t at) {
    Report({at, false, "several-documents", "a second document in this file", "keep one document in a file"});
    throw Stop();
  }

  // The first character from `at` on that is neither space nor comment.
  std::size_t NextInk(std::size_t at) const {
    at = std::min(d_.text.find_first_not_of(" \t\r\n", at), d_.text.size());
    while (at < d_.text.size() && d_.text[at] == '#') {
      at = std::min(d_.text.find_first_not_of(" \t\r\n", d_.text.find('\n', at)), d_.text.size());
    }
    return at;
  }

  void TakeAlias(const Spot& at) {
    Report({at.offset, false, "alias", "aliases (*) are not allowed", "write the value out"});
    reported_ = at.offset;
    Node node;
    Place(node, at, 1);
    Attach(std::move(node), at.offset);
  }

  void TakeScalar(const yaml_event_t& event) {
    const std::string_view value(reinterpret_cast<const char*>(event.data.scalar.value), event.data.scalar.length);
    const Spot at = SpotOf(event.start_mark);
    CheckProperties(at.offset);
    Node node;
    node.style_ = OpeningOf(event.data.scalar.style);
    if (node.style_ == 0 && IsNullWord(value)) {
      PlaceNull(node, at, value.size());
      return Attach(std::move(node), at.offset);
    }
    node.kind_ = NodeKind::kScalar;
    node.quoted_ = node.style_ != 0;
    node.text_ = value;
    if (node.style_ == '|' || node.style_ == '>') {
      PlaceBlock(node, at);
      if (!stack_.empty() && at.column <= stack_.back().at.column) {
        Report({at.offset, false, "yaml-syntax", "this text does not fit what stands above",
                "write the | or > after the key or the dash"});
      }
    } else {
      PlaceInline(node, at, event);
      if (event.end_mark.line > event.start_mark.line && AwaitsKey()) {
        Report({at.offset, false, "bad-key", "a key must end on its line",
                "write key: value; put commas between entries"});
      }
    }
    if (has_tabs_) NoteText(node, at, event);
    Attach(std::move(node), at.offset);
  }

  void Place(Node& node, const Spot& at, std::uint32_t length) {
    node.source_ = &d_;
    node.offset_ = static_cast<std::uint32_t>(at.offset);
    node.line_ = at.line;
    node.column_ = at.column;
    node.length_ = std::max(length, 1U);
  }

  void PlaceInline(Node& node, const Spot& at, const yaml_event_t& event) {
    const std::uint32_t quote = node.quoted_ ? 1 : 0;
    const Spot first{at.offset + quote, at.line, at.column + quote};
    if (event.end_mark.line == event.start_mark.line) {
      return Place(node, first,
                   static_cast<std::uint32_t>(event.end_mark.column - event.start_mark.column) - 2 * quote);
    }
    std::size_t end = d_.LineEnd(at.line);
    while (end > first.offset && IsBlank(d_.text[end - 1])) --end;
    Place(node, first, CodePoints(std::string_view(d_.text).substr(first.offset, end - first.offset)));
  }

  void PlaceBlock(Node& node, const Spot& indicator) {
    std::uint32_t line = indicator.line + 1;
    const std::size_t first = node.text_.find_first_not_of('\n');
    const std::size_t ink = node.text_.find_first_not_of(" \n\t");
    if (ink == std::string::npos) return Place(node, indicator, 1);
    while (line < d_.line_count() && d_.Line(line).find_first_not_of(" \t") == std::string_view::npos) ++line;
    // An indentation indicator leaves spaces at the start of the first line in the text.
    std::size_t line_begin = node.text_.rfind('\n', ink);
    line_begin = line_begin == std::string::npos ? first : line_begin + 1;
    const std::size_t lead = d_.Line(line).find_first_not_of(" \t");
    const std::size_t kept = ink - line_begin;
    const std::size_t indent = lead == std::string_view::npos || lead < kept ? 0 : lead - kept;
    Place(node, {d_.LineStart(line) + indent, line, static_cast<std::uint32_t>(indent + 1)},
          CodePoints(d_.Line(line).substr(indent)));
  }

  // An empty value has no characters of its own: it is placed at its key, or at the dash of its list item, which the
  // parser's mark follows.
  void PlaceNull(Node& node, const Spot& at, std::size_t length) {
    if (length > 0) return Place(node, at, static_cast<std::uint32_t>(length));
    if (stack_.empty()) return Place(node, {0, 1, 1}, 1);
    if (HasKey()) {
      const Node& key = pending_.back();
      return Place(node, {key.offset_, key.line_, key.column_}, key.length_);
    }
    if (stack_.back().kind == NodeKind::kSequence && at.column > 1) {
      return Place(node, {at.offset - 1, at.line, at.column - 1}, 1);
    }
    Place(node, at, 1);
  }

  // Whether the innermost collection is a mapping whose last key still waits for its value, or which waits for a key.
  bool HasKey() const { return InMapping() && (pending_.size() - stack_.back().first) % 2 == 1; }
  bool AwaitsKey() const { return InMapping() && (pending_.size() - stack_.back().first) % 2 == 0; }
  bool InMapping() const { return !stack_.empty() && stack_.back().kind == NodeKind::kMapping; }

  // Anchors and tags stand before the node, where its mark points.
  void CheckProperties(std::size_t at) {
    const char c = at < d_.text.size() ? d_.text[at] : '\0';
    if ((c != '&' && c != '!') || at == reported_) return;  // `&a b: c` marks the mapping and its first key
    reported_ = at;
    if (c == '&') {
      Report(
          {at, false, "anchor", "anchors (&) are not allowed", "delete it, and write the value out where it is used"});
    } else {
      Report({at, false, "tag", "tags (!) are not allowed", "delete it; put text that starts with '!' in quotes"});
    }
  }

  void CountNode(std::size_t at) {
    if (++nodes_ <= kMaxNodes) return;
    Report({at, false, "too-many-nodes", "more than 100000 values in one file", "split it"});
    throw Stop();
  }

  void Open(NodeKind kind, bool flow, const Spot& at) {
    CheckProperties(at.offset);
    CountNode(at.offset);
    if (stack_.size() >= kMaxDepth) {
      Report({at.offset, false, "too-deep", "nested deeper than 32 levels", "make the structure flatter"});
      throw Stop();
    }
    stack_.push_back({kind, flow, at, pending_.size()});
    read_line_ = at.line;
  }

  void Close() {
    const Frame frame = stack_.back();
    Node node;
    node.kind_ = frame.kind;
    Place(node, frame.at, 1);
    const auto first = pending_.begin() + static_cast<std::ptrdiff_t>(frame.first);
    if (frame.kind == NodeKind::kSequence) {
      node.items_.assign(std::make_move_iterator(first), std::make_move_iterator(pending_.end()));
    } else {
      node.entries_.reserve((pending_.size() - frame.first) / 2);
      for (auto key = first; key != pending_.end(); key += 2) {
        node.entries_.emplace_back(std::move(*key), std::move(*(key + 1)));
      }
      ReportDuplicates(node);
    }
    pending_.erase(first, pending_.end());
    stack_.pop_back();
    Attach(std::move(node), frame.at.offset);
  }

  void Attach(Node&& node, std::size_t at) {
    if (!node.IsSequence() && !node.IsMapping()) CountNode(at);
    if (AwaitsKey()) CheckKey(node, at);
    pending_.push_back(std::move(node));
  }

  void CheckKey(const Node& key, std::size_t at) {
    std::size_t before = at;
    while (before > 0 && IsBlank(d_.text[before - 1])) --before;
    if (before > 0 && d_.text[before - 1] == '?') {
      Report({before - 1, false, "bad-key", "'? ' before a key is not allowed", "write key: value"});
    } else if (!key.IsScalar()) {
      if (at == reported_) return;
      Report({at, false, "bad-key", "a key must be text",
              key.IsNull() ? "write a name before the ':'; put the word null in quotes" : "write key: value"});
    } else if (key.text_ == "<<" && !key.quoted_) {
      Report({at, false, "merge-key", "merge keys (<<) are not allowed", "write the entries out"});
    }
  }

  void ReportDuplicates(const Node& mapping) {
    const auto& entries = mapping.entries_;
    if (entries.size() <= kFewKeys) {
      for (std::size_t i = 1; i < entries.size(); ++i) {
        for (std::size_t j = 0; j < i && entries[i].first.IsScalar(); ++j) {
          if (!entries[j].first.IsScalar() || entries[j].first.text_ != entries[i].first.text_) continue;
          ReportDuplicate(entries[i].first, entries[j].first);
          break;
        }
      }
      return;
    }
    std::unordered_map<std::string_view, const Node*> seen(entries.size());
    for (const auto& [key, value] : entries) {
      if (!key.IsScalar()) continue;
      const auto [it, fresh] = seen.emplace(key.text_, &key);
      if (!fresh) ReportDuplicate(key, *it->second);
    }
  }

  void ReportDuplicate(const Node& key, const Node& first) {
    Report({key.offset_, false, "duplicate-key", "the key " + Quote(key.text_) + " is here twice",
            "the first one is on line " + std::to_string(first.line_) + "; keep one of them"});
    diagnostics_.back().length = key.length_;
  }

  // What the parser stopped at, in plain words and at the place a person looks for.
  void ReportParserFault(const yaml_parser_t& parser) {
    const Spot at = SpotOf(parser.problem_mark);
    if (ReportTabsBefore(at.line)) return;
    const ParserFault fault{parser.problem == nullptr ? "" : parser.problem,
                            parser.context == nullptr ? "" : parser.context, at.offset,
                            SpotOf(parser.context_mark).offset};
    if (ended_ != std::string::npos) RefuseDocument(NextInk(ended_));
    const auto open = std::find_if(stack_.rbegin(), stack_.rend(), [](const Frame& frame) { return frame.flow; });
    const bool in_flow = fault.context.starts_with("while parsing a flow") && open != stack_.rend();
    if (!in_flow) return Report(ExplainParserFault(d_.text, fault));
    const std::size_t bracket = open->at.offset;
    const std::string_view rest = std::string_view(d_.text).substr(at.offset);
    if (rest.empty() || rest.starts_with("---") || rest.starts_with("...")) {
      return Report({bracket, false, "yaml-syntax", std::string("this '") + d_.text[bracket] + "' is not closed",
                     std::string("write the closing '") + (d_.text[bracket] == '[' ? ']' : '}') + "'"});
    }
    TextFault out = ExplainParserFault(d_.text, fault);
    if (fault.problem.starts_with("did not find expected ','")) {
      out.message += std::string(", after the '") + d_.text[bracket] + "' of line " + std::to_string(open->at.line);
    }
    Report(std::move(out));
  }

  // Tabs in the indentation of lines `first` to `last`, apart from those inside quoted and block texts.
  bool ReportTabs(std::uint32_t first, std::uint32_t last) {
    if (!has_tabs_) return false;
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

  // After a parser fault on line `at`: what stands before it and was read, and its own line, of whose fault a tab is
  // the likeliest cause.
  bool ReportTabsBefore(std::uint32_t at) {
    const std::uint32_t read = std::min(read_line_, at);
    const bool any = ReportTabs(1, read);
    return (at > read && ReportTabs(at, at)) || any;
  }

  // A text in which tabs are content.
  void NoteText(const Node& node, const Spot& at, const yaml_event_t& event) {
    if (node.style_ == '|' || node.style_ == '>') {
      const std::size_t end = EndOfBlock(at, node);
      read_line_ = d_.LineOf(end);
      texts_.push_back({at.offset, end, node.style_, node.offset_ - d_.LineStart(node.line_)});
      return;
    }
    const Spot end = SpotOf(event.end_mark);
    read_line_ = end.line;
    if (node.quoted_) texts_.push_back({at.offset, end.offset, node.style_, 0});
  }

  std::size_t EndOfBlock(const Spot& indicator, const Node& node) const {
    std::uint32_t line = node.line_;
    if (line == indicator.line) return d_.LineEnd(line);  // an empty block text
    const std::size_t indent = node.offset_ - d_.LineStart(line);
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
  const bool has_tabs_;
  std::vector<Frame> stack_;
  std::vector<Node> pending_;  // the children of the open collections, or the root
  std::vector<TextSpan> texts_;
  std::size_t faults_ = 0;
  std::size_t nodes_ = 0;
  std::size_t documents_ = 0;
  std::size_t ended_ = std::string::npos;  // after the '...' that ended the document
  std::uint32_t read_line_ = 1;            // where the last scalar ended, or the last collection began
  Spot mark_;
  std::size_t reported_ = std::string::npos;  // where the last anchor, tag or alias stands
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
    builder.Read();
  } catch (const Stop&) {
    return std::nullopt;
  }
  if (builder.faults() > 0) return std::nullopt;
  document.impl_->root = builder.TakeRoot();
  return document;
}

}  // namespace zhitui::yaml
