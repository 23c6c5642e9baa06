// Warnings about one rule that need none of its conditions evaluated.

#include <algorithm>
#include <set>

#include "authoring/lint.h"

namespace zhitui::authoring {
namespace {

bool IsNameStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsNamePart(char c) { return IsNameStart(c) || (c >= '0' && c <= '9'); }

// Behind the text in quotes that begins at `i`.
std::size_t BehindQuotes(std::string_view text, std::size_t i, bool raw) {
  const std::string_view one = text.substr(i, 1);
  const bool three = text.substr(i, 3) == std::string(3, one[0]);
  const std::string_view end = text.substr(i, three ? 3 : 1);
  for (i += end.size(); i < text.size(); ++i) {
    if (!raw && text[i] == '\\') {
      ++i;
    } else if (text.substr(i, end.size()) == end) {
      return i + end.size();
    }
  }
  return text.size();
}

// The dotted names of an expression: "params.min_age", "age". Texts and remarks are passed over.
std::set<std::string> NamesIn(std::string_view text) {
  std::set<std::string> out;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == '"' || text[i] == '\'') {
      const bool raw = i > 0 && (text[i - 1] == 'r' || text[i - 1] == 'R');
      i = BehindQuotes(text, i, raw);
    } else if (text.substr(i, 2) == "//") {
      i = std::min(text.find('\n', i), text.size());
    } else if (IsNameStart(text[i])) {
      const std::size_t begin = i;
      while (i < text.size() &&
             (IsNamePart(text[i]) || (text[i] == '.' && i + 1 < text.size() && IsNameStart(text[i + 1])))) {
        ++i;
      }
      std::string_view name = text.substr(begin, i - begin);
      const std::size_t next = text.find_first_not_of(" \t\n", i);
      if (next != std::string_view::npos && text[next] == '(') {
        // What is called is a function, whose name may be that of a let, too.
        const std::size_t dot = name.rfind('.');
        name = name.substr(0, dot == std::string_view::npos ? 0 : dot);
      }
      if (!name.empty()) out.emplace(name);
    } else {
      ++i;
    }
  }
  return out;
}

bool Mentions(const std::set<std::string>& names, const std::string& name) {
  const auto it = names.lower_bound(name);
  return it != names.end() && (*it == name || it->starts_with(name + "."));
}

std::vector<const cel::Program*> ProgramsOf(const rules::Rule& rule) {
  std::vector<const cel::Program*> out;
  for (const rules::Criterion& criterion : rule.criteria) out.push_back(&criterion.when);
  for (const rules::AmountRow& row : rule.amounts) {
    if (row.when) out.push_back(&*row.when);
    out.push_back(&row.is);
  }
  return out;
}

class RuleLint {
 public:
  RuleLint(const Scene& scene, const rules::Rule& rule, Findings& out)
      : scene_(scene), rule_(rule), root_(scene.RootOf(rule.at)), out_(out) {}

  void Run() {
    if (rule_.tests.empty()) {
      out_.Add(*root_.Find("rule"), "no-tests", "tests", "the rule `" + rule_.id + "` has no tests",
               "add `tests`: for each criterion a day on which it decides, and a profile without each fact");
    }
    if (rule_.over) return;  // most of it stands in another file
    Names();
    Params();
    Laws();
    SameCriteria();
    Recheck();
    NotifyEntries();
    Texts();
  }

 private:
  const yaml::Node& Node(std::initializer_list<std::string_view> keys) const {
    const yaml::Node* found = At(&root_, keys);
    return found == nullptr ? root_ : *found;
  }
  // The key itself, which a warning about a name points to.
  const yaml::Node& Key(std::string_view part, const std::string& name) const {
    if (const yaml::Node* mapping = At(&root_, {part}); mapping != nullptr && mapping->IsMapping()) {
      for (const auto& [key, value] : mapping->entries()) {
        if (key.text() == name) return key;
      }
    }
    return root_;
  }

  // What conditions, amounts and materials name, by the lets that they use.
  void Names() {
    std::set<std::string> used;
    const auto read = [&used](const yaml::Node* node) {
      if (node != nullptr && node->IsScalar()) used.merge(NamesIn(node->text()));
    };
    for (const auto& [id, criterion] : Node({"criteria"}).entries()) read(criterion.Find("when"));
    if (const yaml::Node* table = At(&root_, {"amount", "table"})) {
      for (const yaml::Node& row : table->items()) {
        read(row.Find("when"));
        read(row.Find("is"));
      }
    }
    if (const yaml::Node* materials = At(&root_, {"apply", "materials"})) {
      for (const yaml::Node& material : materials->items()) read(material.Find("on_file"));
    }
    const yaml::Node* let = At(&root_, {"let"});
    if (let != nullptr && let->IsMapping()) {
      // A let can only use those above it, so what uses it has been read when it is its turn.
      for (auto it = let->entries().rbegin(); it != let->entries().rend(); ++it) {
        if (Mentions(used, it->first.text())) {
          read(&it->second);
        } else {
          out_.Add(it->first, "unused-let", "let." + it->first.text(),
                   "`" + it->first.text() + "` is used by no criterion, amount or material", "use it, or delete it");
        }
      }
    }
    const yaml::Node* params = At(&root_, {"params"});
    if (params == nullptr || !params->IsMapping()) return;
    for (const auto& [name, value] : params->entries()) {
      if (Mentions(used, "params." + name.text())) continue;
      out_.Add(name, "unused-param", "params." + name.text(),
               "`params." + name.text() + "` is used by no criterion, amount or material", "use it, or delete it");
    }
  }

  void Params() {
    const yaml::Node* params = At(&root_, {"params"});
    if (params == nullptr || !params->IsMapping()) return;
    for (const auto& [name, value] : params->entries()) {
      if (!value.IsMapping()) continue;
      Outside(name.text(), value);
      Stale(name, value);
    }
  }

  // A dated value that is replaced before the rule begins, or begins after its end.
  void Outside(const std::string& name, const yaml::Node& dated) {
    const auto entered_later = [](const yaml::Node& value) { return !value.IsScalar(); };
    for (std::size_t i = 0; i < dated.entries().size(); ++i) {
      const auto& [day, value] = dated.entries()[i];
      const Result<Date> from = ParseDate(day.text());
      if (!from) continue;
      const std::string at = "params." + name + "." + day.text();
      if (rule_.valid_until && *from >= *rule_.valid_until) {
        out_.Add(day, "outside-validity", at,
                 "this value of `params." + name + "` begins on " + day.text() + ", but the rule ends on " +
                     FormatDate(*rule_.valid_until),
                 "delete it, or correct valid.until");
      }
      if (!rule_.valid_from || i + 1 == dated.entries().size()) continue;
      const auto& [next_day, next] = dated.entries()[i + 1];
      const Result<Date> until = ParseDate(next_day.text());
      // A value that is entered after the fact leaves the older one in force for a while.
      if (!until || *until > *rule_.valid_from || entered_later(value) || entered_later(next)) continue;
      out_.Add(day, "outside-validity", at,
               "this value of `params." + name + "` is replaced on " + next_day.text() +
                   ", before the rule begins on " + FormatDate(*rule_.valid_from),
               "delete it, or correct valid.from");
    }
  }

  void Stale(const yaml::Node& name, const yaml::Node& dated) {
    if (dated.entries().empty() || (rule_.valid_until && *rule_.valid_until <= scene_.at)) return;
    Date newest = MakeDate(1, 1, 1);
    const auto look = [&newest](const yaml::Node* node) {
      if (node == nullptr || !node->IsScalar()) return;
      if (const Result<Date> day = ParseDate(node->text())) newest = std::max(newest, *day);
    };
    for (const auto& [day, value] : dated.entries()) {
      look(&day);
      if (value.IsMapping()) look(value.Find("entered"));
      for (const yaml::Node& item : value.items()) {
        if (item.IsMapping()) look(item.Find("entered"));
      }
    }
    const std::optional<Date> limit = value::AddPeriod(newest, {scene_.stale_years * 12, 0});
    if (!limit || *limit >= scene_.at) return;
    out_.Add(name, "stale-param", "params." + name.text(),
             "the last value of `params." + name.text() + "` is of " + FormatDate(newest) + ", more than " +
                 std::to_string(scene_.stale_years) + " years before " + FormatDate(scene_.at),
             "ask the authority whether it still holds; add the new value, or allow this one with its reason");
  }

  void Laws() {
    std::set<std::string> cited{rule_.amount_law};
    for (const rules::Criterion& criterion : rule_.criteria) cited.insert(criterion.law);
    for (const rules::AmountRow& row : rule_.amounts) cited.insert(row.law);
    if (rule_.laws.empty()) {
      out_.Add(*root_.Find("rule"), "no-law", "law", "the rule `" + rule_.id + "` names no law",
               "add `law: {std: {title: …}}`, and `law: std` to each criterion");
      return;
    }
    for (const rules::Law& law : rule_.laws) {
      if (cited.contains(law.id)) continue;
      out_.Add(Key("law", law.id), "unused-law", "law." + law.id, "nothing in this rule cites `" + law.id + "`",
               "add `law: " + law.id + "` to what follows from it, or delete it");
    }
    for (const rules::Criterion& criterion : rule_.criteria) {
      if (!criterion.law.empty() || criterion.id == rules::kNoSmallerArea) continue;
      out_.Add(Key("criteria", criterion.id), "no-law", "criteria." + criterion.id,
               "the criterion `" + criterion.id + "` says not from which law it follows",
               "add `law: " + rule_.laws.front().id + "` or another of this rule's laws");
    }
    if (rule_.amounts.empty() || !rule_.amount_law.empty()) return;
    const bool none = std::all_of(rule_.amounts.begin(), rule_.amounts.end(),
                                  [](const rules::AmountRow& row) { return row.law.empty(); });
    const std::string hint = "add `law: " + rule_.laws.front().id + "` below amount, or to each row";
    if (none) {
      out_.Add(Node({"amount"}), "no-law", "amount", "the amount says not from which law it follows", hint);
      return;
    }
    for (std::size_t i = 0; i < rule_.amounts.size(); ++i) {
      if (!rule_.amounts[i].law.empty()) continue;
      const std::string at = "amount.table." + std::to_string(i + 1);
      out_.Add(Node({"amount", "table"}).items()[i], "no-law", at,
               "row " + std::to_string(i + 1) + " says not from which law it follows", hint);
    }
  }

  void SameCriteria() {
    for (std::size_t i = 1; i < rule_.criteria.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (rule_.criteria[i].when.canonical() != rule_.criteria[j].when.canonical()) continue;
        out_.Add(Key("criteria", rule_.criteria[i].id), "same-criterion", "criteria." + rule_.criteria[i].id,
                 "`" + rule_.criteria[i].id + "` asks the same as `" + rule_.criteria[j].id + "`",
                 "delete one of them, or correct its condition");
        break;
      }
    }
  }

  void Recheck() {
    if (!rule_.recheck_daily) return;
    const std::vector<const cel::Program*> programs = ProgramsOf(rule_);
    if (std::any_of(programs.begin(), programs.end(),
                    [](const cel::Program* p) { return p->time_opaque().has_value(); })) {
      return;
    }
    out_.Add(Node({"recheck"}), "needless-recheck", "recheck",
             "every day on which this rule changes is known without looking each day",
             "delete `recheck: daily`: it costs, and upcoming and reminder see only 64 days ahead with it");
  }

  void NotifyEntries() {
    const bool by_time = std::any_of(rule_.criteria.begin(), rule_.criteria.end(),
                                     [](const rules::Criterion& c) { return c.when.time_dependent(); });
    for (std::size_t i = 0; i < rule_.notify.size(); ++i) {
      const rules::Notify& notify = rule_.notify[i];
      const yaml::Node& entry = Node({"notify"}).items()[i];
      const yaml::Node& on = *entry.Find("on");
      const std::string at = "notify." + std::to_string(i + 1);
      switch (notify.on) {
        case rules::NotifyOn::kUpcoming:
          if (by_time || (rule_.valid_from && *rule_.valid_from > scene_.at)) break;
          out_.Add(on, "never-fires", at, "nobody becomes eligible by time alone: no criterion depends on the day",
                   "delete this entry, or use `on: eligible`");
          break;
        case rules::NotifyOn::kReminder:
          if (by_time || (rule_.valid_until && *rule_.valid_until > scene_.at)) break;
          out_.Add(on, "never-fires", at, "no eligibility ends by time alone: no criterion depends on the day",
                   "delete this entry, or use `on: ceased`");
          break;
        case rules::NotifyOn::kAmountChanged:
          if (!FixedAmount()) break;
          out_.Add(on, "never-fires", at,
                   rule_.amounts.empty() ? "this rule has no amount that could change"
                                         : "the amount of this rule is the same for everybody, always",
                   "delete this entry");
          break;
        case rules::NotifyOn::kEligible:
        case rules::NotifyOn::kCeased:
        case rules::NotifyOn::kCorrection:
          break;
      }
      NextChannel(notify, entry, at);
    }
  }

  bool FixedAmount() const {
    return std::all_of(rule_.amounts.begin(), rule_.amounts.end(), [this](const rules::AmountRow& row) {
      return row.is.slots().empty() && !row.is.time_dependent() &&
             row.is.canonical() == rule_.amounts.front().is.canonical();
    });
  }

  void NextChannel(const rules::Notify& notify, const yaml::Node& entry, const std::string& at) {
    if (notify.escalate_after.count() == 0) return;
    std::size_t channels = notify.channels.size();
    if (channels == 0) {
      const message::Template* tmpl = scene_.templates.Find(notify.message);
      if (tmpl == nullptr) return;
      for (const Channel channel : {Channel::kApp, Channel::kWechat, Channel::kSms})
        channels += tmpl->Has(channel) ? 1 : 0;
    }
    if (channels > 1) return;
    out_.Add(*entry.Find("escalate_after"), "no-next-channel", at,
             "there is no other channel to use when the first one is not read",
             "add a channel, or delete escalate_after");
  }

  void Texts() {
    const facts::Schema& schema = *scene_.ruleset.SchemaOf(rule_.kind);
    LintText(schema, Node({"title"}), "title", out_);
    for (const auto& [id, criterion] : Node({"criteria"}).entries()) {
      LintText(schema, *criterion.Find("label"), "criteria." + id.text() + ".label", out_);
    }
    if (const yaml::Node* deadline = At(&root_, {"apply", "deadline"})) {
      LintText(schema, *deadline, "apply.deadline", out_);
    }
    const yaml::Node* materials = At(&root_, {"apply", "materials"});
    if (materials == nullptr) return;
    for (std::size_t i = 0; i < materials->items().size(); ++i) {
      LintText(schema, *materials->items()[i].Find("label"), "apply.materials." + std::to_string(i + 1), out_);
    }
  }

  const Scene& scene_;
  const rules::Rule& rule_;
  const yaml::Node& root_;
  Findings& out_;
};

}  // namespace

void LintRule(const Scene& scene, const rules::Rule& rule, Findings& out) { RuleLint(scene, rule, out).Run(); }

}  // namespace zhitui::authoring
