// Small mistakes made in the text of a rule file, one at a time, and whether the tests of the rule notice them.

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include "proving/parts.h"
#include "value/value.h"
#include "yaml/yaml.h"

namespace zhitui::proving {
namespace {

using rules::SourceFile;

// A change of a file's text and what it means.
struct Change {
  std::size_t offset = 0;  // bytes into the file
  std::size_t length = 0;
  std::string text;
  Mutant mutant;
};

const char* KindName(cel::Edit::Kind kind) {
  switch (kind) {
    case cel::Edit::Kind::kBoundary:
      return "boundary";
    case cel::Edit::Kind::kOperator:
      return "operator";
    case cel::Edit::Kind::kConnective:
      return "connective";
    case cel::Edit::Kind::kNegation:
      return "negation";
    case cel::Edit::Kind::kConstant:
      break;
  }
  return "constant";
}

std::size_t CodePointBytes(std::string_view text, std::size_t at) {
  std::size_t n = 1;
  while (at + n < text.size() && (static_cast<unsigned char>(text[at + n]) & 0xC0U) == 0x80U) ++n;
  return n;
}

// Where the text of one scalar stands in its file.
class ScalarText {
 public:
  ScalarText(const yaml::Node& node, std::string_view file)
      : file_(file), text_(node.Unfolded()), lines_(node.Lines()) {
    std::size_t start = 0;
    std::uint32_t line = 1;
    for (const yaml::Node::Line& l : lines_) {
      for (; line < l.line && start < file.size(); ++line) {
        const std::size_t end = file.find('\n', start);
        start = end == std::string_view::npos ? file.size() : end + 1;
      }
      std::size_t at = start;
      for (std::uint32_t column = 1; column < l.column && at < file.size(); ++column) at += CodePointBytes(file, at);
      offsets_.push_back(at);
    }
    if (node.quoted() && !offsets_.empty() && offsets_.front() > 0) {
      const char before = file[offsets_.front() - 1];
      if (before == '"' || before == '\'') quote_ = before;
    }
  }

  const std::string& text() const { return text_; }

  // The file's bytes for those of the text; nullopt where they do not agree.
  std::optional<std::pair<std::size_t, std::size_t>> Find(std::size_t offset, std::size_t length) const {
    const std::optional<std::size_t> begin = At(offset);
    const std::optional<std::size_t> end = At(offset + length);
    if (!begin || !end || *end < *begin || *end > file_.size()) return std::nullopt;
    const bool one_line = text_.substr(offset, length).find('\n') == std::string::npos;
    if (quote_ == 0 && one_line && file_.substr(*begin, *end - *begin) != text_.substr(offset, length)) {
      return std::nullopt;
    }
    return std::pair(*begin, *end - *begin);
  }

  Location Place(const std::string& file, std::size_t offset) const {
    std::size_t start = 0;
    const std::size_t line = LineOf(offset, &start);
    Location at{file, 0, 0};
    if (line >= lines_.size()) return at;
    at.line = lines_[line].line;
    at.column = lines_[line].column;
    for (std::size_t i = start; i < offset; i += CodePointBytes(text_, i)) ++at.column;
    return at;
  }

  // As it has to be written between the scalar's quotes.
  std::string Encode(const std::string& text) const {
    std::string out;
    for (const char c : text) {
      if (quote_ == '"' && (c == '"' || c == '\\')) out += '\\';
      if (quote_ == '\'' && c == '\'') out += '\'';
      out += c;
    }
    return out;
  }

 private:
  std::size_t LineOf(std::size_t offset, std::size_t* start) const {
    const std::string_view before = std::string_view(text_).substr(0, offset);
    const std::size_t at = before.rfind('\n');
    *start = at == std::string_view::npos ? 0 : at + 1;
    return static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
  }

  std::optional<std::size_t> At(std::size_t offset) const {
    std::size_t start = 0;
    const std::size_t line = LineOf(offset, &start);
    if (line >= offsets_.size()) return std::nullopt;
    std::size_t at = offsets_[line];
    if (quote_ == 0) return at + (offset - start);
    // In quotes some of the text is written with more characters than it has.
    for (std::size_t i = start; i < offset; i += CodePointBytes(text_, i)) {
      if (at >= file_.size()) return std::nullopt;
      if (quote_ == '"' && file_[at] == '\\' && at + 1 < file_.size()) {
        const char e = file_[at + 1];
        at += e == 'x' ? 4 : e == 'u' ? 6 : e == 'U' ? 10 : 2;
      } else if (quote_ == '\'' && file_[at] == '\'') {
        at += 2;
      } else {
        at += CodePointBytes(file_, at);
      }
    }
    return at;
  }

  std::string_view file_;
  std::string text_;
  std::vector<yaml::Node::Line> lines_;
  std::vector<std::size_t> offsets_;  // of each line's first character
  char quote_ = 0;
};

// A value of a param one unit off; for a day, one day.
std::vector<std::string> Neighbours(const yaml::Node& node) {
  std::vector<std::string> out;
  const std::string& text = node.text();
  if (!node.IsScalar() || node.quoted()) return out;
  if (text == "true" || text == "false") return {text == "true" ? "false" : "true"};
  if (const std::optional<value::Decimal> number = value::Decimal::Parse(text)) {
    for (const std::int64_t step : {-1, 1}) {
      const std::optional<value::Decimal> next = value::Decimal::Add(*number, {step, number->scale});
      if (next) out.push_back(next->ToString());
    }
  } else if (const Result<Date> day = ParseDate(text)) {
    for (const int step : {-1, 1}) out.push_back(FormatDate(*day + std::chrono::days(step)));
  }
  return out;
}

class Changes {
 public:
  Changes(const std::string& path, std::string_view text) : path_(path), text_(text) {}

  std::vector<Change> Run(const yaml::Node& root) {
    if (const yaml::Node* valid = root.Find("valid")) Valid(*valid);
    if (const yaml::Node* params = root.Find("params")) Params(*params);
    if (const yaml::Node* let = root.Find("let")) {
      for (const auto& [name, value] : let->entries()) Expression(value, nullptr);
    }
    if (const yaml::Node* criteria = root.Find("criteria")) {
      for (const auto& [id, value] : criteria->entries()) Condition(value.Find("when"), "criterion", id.text(), "true");
    }
    const yaml::Node* amount = root.Find("amount");
    const yaml::Node* table = amount == nullptr ? nullptr : amount->Find("table");
    if (table != nullptr) {
      for (const yaml::Node& row : table->items()) {
        const yaml::Node* when = row.Find("when");
        if (when != nullptr) Condition(when, "row", OneLine(when->text()), "false");
        if (const yaml::Node* is = row.Find("is")) Expression(*is, "row");
      }
    }
    std::stable_sort(out_.begin(), out_.end(), [](const Change& a, const Change& b) { return a.offset < b.offset; });
    return std::move(out_);
  }

 private:
  void Add(const ScalarText& scalar, std::size_t offset, std::size_t length, const std::string& text, const char* kind,
           std::string before, std::string after) {
    const auto found = scalar.Find(offset, length);
    if (!found) return;
    Change& change = out_.emplace_back();
    change.offset = found->first;
    change.length = found->second;
    change.text = scalar.Encode(text);
    change.mutant.at = scalar.Place(path_, offset);
    change.mutant.kind = kind;
    change.mutant.before = std::move(before);
    change.mutant.after = std::move(after);
  }

  // `constants`: the kind that a constant one unit off has here; nullptr: "constant".
  void Expression(const yaml::Node& node, const char* constants) {
    if (!node.IsScalar()) return;
    const ScalarText scalar(node, text_);
    const std::string& text = scalar.text();
    for (const cel::Edit& edit : cel::Edits(text)) {
      const std::string before = text.substr(edit.around, edit.around_length);
      std::string after = before;
      after.replace(edit.offset - edit.around, edit.length, edit.text);
      const bool constant = edit.kind == cel::Edit::Kind::kConstant && constants != nullptr;
      Add(scalar, edit.offset, edit.length, edit.text, constant ? constants : KindName(edit.kind), OneLine(before),
          OneLine(after));
    }
  }

  // An expression, and the whole of it as a constant.
  void Condition(const yaml::Node* node, const char* kind, const std::string& name, const std::string& constant) {
    if (node == nullptr || !node->IsScalar()) return;
    const ScalarText scalar(*node, text_);
    if (scalar.text() != constant) Add(scalar, 0, scalar.text().size(), constant, kind, name, constant);
    Expression(*node, nullptr);
  }

  // The scalar at `node` one unit off; `name` is what stands before it. `later`: only the greater one.
  void Value(const yaml::Node& node, const char* kind, const std::string& name, bool later = false) {
    const ScalarText scalar(node, text_);
    std::vector<std::string> all = Neighbours(node);
    if (later && all.size() > 1) all.erase(all.begin());
    for (const std::string& next : all) {
      Add(scalar, 0, scalar.text().size(), next, kind, name + node.text(), name + next);
    }
  }

  void Valid(const yaml::Node& valid) {
    if (const yaml::Node* from = valid.Find("from")) {
      if (const Result<Date> day = ParseDate(from->text())) valid_from_ = *day;
    }
    for (const auto& [key, value] : valid.entries()) Value(value, "valid", "valid." + key.text() + ": ");
  }

  void Params(const yaml::Node& params) {
    for (const auto& [name, value] : params.entries()) {
      if (!value.IsMapping()) {
        Value(value, "parameter", name.text() + ": ");
        continue;
      }
      for (const auto& [from, dated] : value.entries()) {
        // Where the rule comes into force no earlier, nobody can see that the first value begins earlier.
        const Result<Date> day_of = ParseDate(from.text());
        const bool first = &from == &value.entries().front().first;
        const bool hidden = first && day_of && valid_from_ && *day_of <= *valid_from_;
        Value(from, "parameter", name.text() + " ", hidden);
        const std::string day = name.text() + " " + from.text();
        if (!dated.IsSequence()) Dated(dated, day);
        for (const yaml::Node& item : dated.items()) Dated(item, day);
      }
    }
  }

  void Dated(const yaml::Node& node, const std::string& day) {
    if (!node.IsMapping()) return Value(node, "parameter", day + ": ");
    if (const yaml::Node* is = node.Find("is")) Value(*is, "parameter", day + ": ");
    if (const yaml::Node* entered = node.Find("entered")) Value(*entered, "parameter", day + " entered ");
  }

  const std::string& path_;
  std::string_view text_;
  std::optional<Date> valid_from_;
  std::vector<Change> out_;
};

// One rule with its file and the changes of it.
struct Subject {
  const rules::Rule* rule = nullptr;
  const SourceFile* schema = nullptr;     // of its kind
  std::vector<const SourceFile*> beside;  // rules of other areas, where it stands over one or one over it
  std::string text;                       // without a byte order mark
  std::vector<Change> changes;
  std::vector<char> counted;  // by change; those that are a valid rule
};

class Mutations {
 public:
  explicit Mutations(const std::vector<SourceFile>& files) : files_(files) {
    for (const SourceFile& file : files) {
      if (file.path.starts_with("calendars/")) calendars_.push_back(file);
    }
  }

  void Add(const rules::RuleSet& ruleset, const rules::Rule& rule, std::size_t max_mutants, Diagnostics& notes) {
    const SourceFile* file = Find(rule.at.file);
    const SourceFile* schema = Find(ruleset.SchemaOf(rule.kind)->facts().front().at.file);
    if (file == nullptr || schema == nullptr) return;
    Subject& subject = subjects_.emplace_back();
    subject.rule = &rule;
    subject.schema = schema;
    const auto layered = [](const rules::Rule& r) { return r.over.has_value() || !r.smaller.empty(); };
    for (const rules::Rule& other : ruleset.rules()) {
      if (layered(rule) && layered(other) && other.kind == rule.kind && other.id != rule.id) {
        subject.beside.push_back(Find(other.at.file));
      }
    }
    subject.text = file->text.starts_with("\xEF\xBB\xBF") ? file->text.substr(3) : file->text;
    Diagnostics ignored;  // the file was read before
    const std::optional<yaml::Document> document = yaml::Parse(file->path, subject.text, &ignored);
    if (document) subject.changes = Changes(file->path, subject.text).Run(document->root());
    if (subject.changes.size() > max_mutants) {
      notes.push_back(Note(rule.at, "too-many",
                           rule.id + ": " + std::to_string(subject.changes.size() - max_mutants) + " of " +
                               std::to_string(subject.changes.size()) + " mutants were left out"));
      subject.changes.resize(max_mutants);
    }
    subject.counted.assign(subject.changes.size(), 0);
    for (std::size_t i = 0; i < subject.changes.size(); ++i) work_.emplace_back(subjects_.size() - 1, i);
  }

  std::vector<RuleMutants> Run(const ForEach& each, const std::function<void(std::size_t, std::size_t)>& progress,
                               Diagnostics& notes) {
    std::atomic<std::size_t> done = 0;
    each(work_.size(), [&](std::size_t i) {
      Subject& subject = subjects_[work_[i].first];
      Try(subject, work_[i].second);
      const std::size_t now = ++done;
      if (progress) progress(now, work_.size());
    });
    std::vector<RuleMutants> out;
    for (Subject& subject : subjects_) out.push_back(Judge(subject, notes));
    return out;
  }

 private:
  const SourceFile* Find(const std::string& path) const {
    const auto it = std::find_if(files_.begin(), files_.end(), [&](const SourceFile& f) { return f.path == path; });
    return it == files_.end() ? nullptr : &*it;
  }

  void Try(Subject& subject, std::size_t i) const {
    Change& change = subject.changes[i];
    std::vector<SourceFile> files = calendars_;
    files.push_back(*subject.schema);
    for (const SourceFile* other : subject.beside) files.push_back(*other);
    SourceFile& file = files.emplace_back(SourceFile{subject.rule->at.file, subject.text});
    file.text.replace(change.offset, change.length, change.text);
    Diagnostics ignored;  // what is no valid rule is not counted
    const std::shared_ptr<const rules::RuleSet> ruleset = rules::RuleSet::Build(files, &ignored);
    const rules::Rule* const mutant = ruleset == nullptr ? nullptr : ruleset->Find(subject.rule->id);
    if (mutant == nullptr) return;
    subject.counted[i] = 1;
    const rules::TestReport report = rules::RunTests(*ruleset, *mutant, true);
    if (report.failed == 0) return;
    change.mutant.fate = MutantFate::kKilled;
    const rules::TestDay& day = report.days.back();
    change.mutant.note = day.test->name;
    if (day.expected != nullptr) change.mutant.note += ", " + FormatDate(day.expected->day);
  }

  static RuleMutants Judge(Subject& subject, Diagnostics& notes) {
    const rules::Rule& rule = *subject.rule;
    RuleMutants out{rule.id, rule.at, {}, 0, 0, 0};
    for (std::size_t i = 0; i < subject.changes.size(); ++i) {
      if (subject.counted[i] != 0) out.mutants.push_back(std::move(subject.changes[i].mutant));
    }
    for (const rules::Waiver& waiver : rule.waivers) {
      if (!waiver.mutant) continue;
      bool matched = false;
      bool needed = false;
      for (Mutant& mutant : out.mutants) {
        if (mutant.before + " -> " + mutant.after != OneLine(waiver.text)) continue;
        matched = true;
        if (mutant.fate == MutantFate::kKilled) continue;
        needed = true;
        mutant.fate = MutantFate::kWaived;
        mutant.note = waiver.because;
      }
      if (needed) continue;
      notes.push_back(Note(waiver.at, "unused-waiver",
                           matched ? "the tests kill `" + OneLine(waiver.text) + "`, it needs no waiver"
                                   : "there is no mutant `" + OneLine(waiver.text) + "`",
                           "delete the waiver, or correct its text"));
    }
    for (const Mutant& mutant : out.mutants) {
      ++(mutant.fate == MutantFate::kKilled     ? out.killed
         : mutant.fate == MutantFate::kSurvived ? out.survived
                                                : out.waived);
    }
    return out;
  }

  const std::vector<SourceFile>& files_;
  std::vector<SourceFile> calendars_;
  std::vector<Subject> subjects_;
  std::vector<std::pair<std::size_t, std::size_t>> work_;  // subject, change
};

}  // namespace

const char* MutantFateName(MutantFate fate) {
  switch (fate) {
    case MutantFate::kKilled:
      return "killed";
    case MutantFate::kSurvived:
      return "survived";
    case MutantFate::kWaived:
      break;
  }
  return "waived";
}

std::vector<RuleMutants> Mutate(const std::vector<SourceFile>& files, const rules::RuleSet& ruleset,
                                const std::vector<const rules::Rule*>& rules, std::size_t max_mutants,
                                const ForEach& each, const std::function<void(std::size_t, std::size_t)>& progress,
                                Diagnostics& notes) {
  Mutations mutations(files);
  for (const rules::Rule* rule : rules) mutations.Add(ruleset, *rule, max_mutants, notes);
  return mutations.Run(each, progress, notes);
}

}  // namespace zhitui::proving
