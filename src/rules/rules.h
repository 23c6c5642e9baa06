#pragma once

// rules: rule files -> an immutable RuleSet; the determination of a rule for a profile on a day, when it changes next,
// and why. The YAML format is described in docs/rules.md. Pure: the caller reads the files and passes the day.
//
// Promises
// - A RuleSet is built whole or not at all; every mistake is a Diagnostic with file:line:col, inside expressions too.
// - A RuleSet is immutable and shared by threads. hash() names its content: same files, same hash, on any machine.
// - Evaluate answers kUnknown exactly when the facts known do not settle the answer, and names the facts that would.
// - LookAhead is exact: the first later day on which answer or amount differ with the same facts. Only for a rule that
//   is checked daily, or whose criteria flip more than 64 times without changing the answer, is next_change a day on
//   which to look again, never later than the true change; eligible_from and eligible_until are then left empty.

#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "cel/cel.h"
#include "facts/facts.h"
#include "value/value.h"
#include "yaml/yaml.h"

namespace zhitui::rules {

struct Law {
  std::string id;     // the name by which criteria cite it
  std::string title;  // 深民规〔2019〕2号
  std::string url;
};

struct Criterion {
  std::string id;
  Text label;
  std::string law;  // Law::id; may be empty
  cel::Program when;
  Location at;
};

enum class NotifyOn : std::uint8_t { kUpcoming, kEligible, kAmountChanged, kCeased, kReminder, kCorrection };
const char* NotifyOnName(NotifyOn on);  // "upcoming" … as written in YAML

struct Notify {
  NotifyOn on = NotifyOn::kEligible;
  value::Period ahead;            // kUpcoming, kReminder: how long before the day
  std::string message;            // template name
  std::vector<Channel> channels;  // in order of the rule's preference; empty: all
  Millis escalate_after{0};       // unread for so long: next channel; 0: never
  bool to_recipients = false;     // `to: guardians`: the schema's recipients instead of the subject
  Location at;
};

struct Material {
  std::string id;
  Text label;
  std::optional<cel::Program> on_file;
};

struct Apply {
  std::string url;
  std::vector<Material> materials;
  Text deadline;      // as told to people; may be empty
  std::string reply;  // the date fact that becomes the day of the reply 同意 to a text message; "": not answered so
};

struct AmountRow {
  std::optional<cel::Program> when;  // nullopt: always
  cel::Program is;                   // int or decimal
  std::string law;                   // Law::id; empty: that of the whole amount
  Location at;
};

// What cannot be shown by a test, as the author says: a mutant ("age >= 90 -> age > 90") or a condition, and why.
struct Waiver {
  bool mutant = false;  // otherwise a condition
  std::string text;
  std::string because;
  Location at;
};

// What a rule test expects of one day; unset = not checked.
struct Expectation {
  Date day;
  std::optional<bool> eligible;
  std::optional<std::vector<std::string>> ineligible;  // criteria that are false
  std::optional<std::vector<std::string>> unknown;     // facts that are missing
  std::optional<value::Decimal> amount;
  std::optional<Date> upcoming;  // the day from which it will be eligible
  std::optional<Date> until;     // eligible now: the first day on which it is not
  std::optional<Date> next_change;
  Location at;
};
struct RuleTest {
  std::string name;
  std::string facts_json;  // for Profile::SetFromJson
  std::vector<Expectation> expect;
  Location at;
};

// A value of a param that was entered after the fact: from `entered` on it counts for the days from `from` on.
struct Retroactive {
  Date from;
  Date entered;
};

// A rule of a larger or smaller area, as the one that stands over it or under it cites it.
struct RuleOfArea {
  std::string id;
  Text title;
  std::string owner;
  std::string area;
  std::vector<Law> laws;  // of a larger area all that it cites; of a smaller one those of its own
};
// A rule of a smaller area that decides in place of a larger one's.
struct SmallerRule {
  RuleOfArea rule;
  cel::Program decides;  // whether it does for a subject on a day: bool
};
// Criteria that no file writes: of a rule with `over`, that a subject counts in its area; of a rule with `smaller`,
// that none of them decides. Of a rule and those over it, one of those in force decides for each subject.
inline constexpr const char* kCountsInArea = "counts_in_area";
inline constexpr const char* kNoSmallerArea = "no_smaller_area";

struct Rule {
  std::string id;
  std::string kind;  // subject kind
  Text title;
  std::string owner;
  std::string area;                  // GB/T 2260 prefix of the authority; empty = everywhere
  std::string topic;                 // "benefits.elderly"
  std::optional<RuleOfArea> over;    // of the larger area, whose criteria, amounts … hold where its file says nothing
  std::vector<SmallerRule> smaller;  // by area; those over one that decides on the same days are not named
  std::vector<Law> laws;
  std::optional<Date> valid_from;
  std::optional<Date> valid_until;  // the first day on which it is no longer in force
  std::vector<Criterion> criteria;
  std::string unit;        // "CNY/month"; empty: no amount
  std::string amount_law;  // Law::id; may be empty
  std::vector<AmountRow> amounts;
  Apply apply;
  std::vector<Notify> notify;
  std::vector<RuleTest> tests;
  std::vector<Waiver> waivers;  // of `waive`, in file order
  bool recheck_daily = false;
  std::vector<Retroactive> retroactive;  // of all params, sorted by `entered`
  std::vector<std::uint32_t> slots;      // facts that can change the answer or amount, sorted
  std::string hash;                      // of what can change a determination
  std::vector<yaml::Allow> allow;        // warnings that may stand
  Location at;
};

struct SourceFile {
  std::string path;  // as shown in diagnostics; relative to the rules folder, '/' separated
  std::string text;
};

class RuleSet {
 public:
  // Files under facts/ are schemas, under calendars/ working-day calendars, under messages/ message templates (not read
  // here); all other *.yaml are rules.
  // nullptr and at least one diagnostic when anything is wrong. `each` runs over the rule files; the result,
  // diagnostics included, does not depend on it. `documents`, where given, gets the fact and rule files that are YAML,
  // by path, facts first: what else has to look into them need not read them again.
  static std::shared_ptr<const RuleSet> Build(const std::vector<SourceFile>& files, Diagnostics* diagnostics,
                                              const ForEach& each = OneAfterTheOther(),
                                              std::vector<yaml::Document>* documents = nullptr);

  const std::vector<Rule>& rules() const { return rules_; }  // sorted by id
  const Rule* Find(std::string_view id) const;
  std::shared_ptr<const facts::Schema> SchemaOf(std::string_view kind) const;  // nullptr: unknown kind
  std::vector<std::string> kinds() const;
  // Indexes into rules() of the kind's rules, all of them / those that one of the changed slots can touch. Sorted.
  std::span<const std::uint32_t> RulesOf(std::string_view kind) const;
  std::vector<std::uint32_t> Touched(std::string_view kind, std::span<const std::uint32_t> changed) const;
  const std::string& hash() const { return hash_; }

 private:
  friend struct RuleSetBuilder;
  std::vector<Rule> rules_;
  std::map<std::string, std::shared_ptr<const facts::Schema>, std::less<>> schemas_;
  std::map<std::string, std::vector<std::uint32_t>, std::less<>> by_kind_;
  std::map<std::string, std::vector<std::vector<std::uint32_t>>, std::less<>> by_slot_;
  std::string hash_;
};

enum class Answer : std::uint8_t { kIneligible = 0, kEligible = 1, kUnknown = 2 };
const char* AnswerName(Answer answer);  // "ineligible", "eligible", "unknown"
enum class Truth : std::uint8_t { kFalse, kTrue, kUnknown, kError };

// Any criterion false, or the rule not in force: ineligible. All true and an amount, where the rule has a table:
// eligible. Otherwise unknown. The amount is the first row that holds; an undecided row before it leaves it, and so the
// answer, unknown. `missing` are then the facts that the open criteria and the open row ask for.
struct Determination {
  Answer answer = Answer::kIneligible;
  std::optional<value::Decimal> amount;  // only when eligible and the rule has a table
  std::vector<Truth> criteria;           // in rule order
  std::vector<std::uint32_t> missing;    // slots of facts that would settle it; empty unless unknown
  bool in_force = true;                  // false: outside valid.from/until, then kIneligible
  std::string error;                     // the first evaluation error that left the answer open, without values; such a
                                         // criterion is kError: unknown
};

Determination Evaluate(const Rule& rule, const facts::Profile& profile, Date today, value::Arena& arena);

struct Outlook {
  std::optional<Date> next_change;     // answer or amount differ
  std::optional<Date> eligible_from;   // not eligible now: the next day on which it is
  std::optional<Date> eligible_until;  // eligible now: the first day on which it is not
};
// Looks from `today` on, not after `horizon`. `now` is Evaluate's answer for today.
Outlook LookAhead(const Rule& rule, const facts::Profile& profile, const Determination& now, Date today, Date horizon,
                  value::Arena& arena);

// What values entered after the fact change about days that were over, with the facts as they are: the days before
// `today`, from `first` on, compared as known at `before` and as known `today`.
struct Recomputed {
  Date from;                  // the first day with another answer or amount; before `today`
  std::optional<Date> until;  // the day after the last such day; nullopt: today's differs, too
  Determination was;          // of the last such day, before
  Determination is;           // and now
};
// nullopt: nothing that can be told, eligible or an amount on either side, differs on a day before `today`.
std::optional<Recomputed> Recompute(const Rule& rule, const facts::Profile& profile, Date first, Date before,
                                    Date today, value::Arena& arena);
// The next day after `today` on which a value is entered that changes days then over; `open`: that day, too.
struct Recomputation {
  Date day;
  bool open = false;
};
std::optional<Recomputation> NextRecomputation(const Rule& rule, const facts::Profile& profile, Date today,
                                               value::Arena& arena);
// The first day, not before `earliest`, from which answer and amount are without a break those of `today`, by what is
// known today. `now` is Evaluate's answer for today.
Date HoldsSince(const Rule& rule, const facts::Profile& profile, const Determination& now, Date earliest, Date today,
                value::Arena& arena);

// What would make a profile eligible that is not: waiting, or the smallest change of its facts.
struct Change {
  enum class Relation : std::uint8_t {
    kIs,          // exactly `to`
    kOneOf,       // any of the list `to`
    kNot,         // any value but those of the list `to` and those that begin with one of the list `upper`
    kStartsWith,  // a text that begins with `to`
    kAtLeast,     // `to` or more, or later
    kAtMost,      // `to` or less, or earlier
    kBetween,     // from `to` to `upper`, both included
    kNone,        // null: known to be none
    kSome,        // any value; now unknown or none
  };
  std::uint32_t slot = 0;
  Relation relation = Relation::kIs;
  value::Value to;
  value::Value upper;
  value::Value example;  // the value with which eligibility was verified; of the fact's type
};
const char* RelationName(Change::Relation relation);  // "is", "not", "starts_with", "at_least" …

struct Remedy {
  // Beyond these a change is not looked for.
  static constexpr std::size_t kMaxFacts = 3;
  static constexpr std::size_t kMaxChoices = 3;           // sets of facts that are equally small
  static constexpr std::size_t kMaxCandidates = 64;       // values of one fact
  static constexpr std::size_t kMaxEvaluations = 20'000;  // of conditions, criteria and rules, in all

  std::optional<Date> wait_until;  // with the same facts, eligible from that day
  // Each choice alone makes it eligible today; all have the fewest facts that do, every set of facts once, with the
  // values nearest to the present ones. Facts in the order of the schema.
  std::vector<std::vector<Change>> choices;
  bool complete = true;              // false: a limit ended the search, and a smaller or nearer change may exist
  std::vector<std::size_t> settled;  // criteria that do not hold and read only facts that nobody can change
};

// Empty where it is eligible already or the subject is dead; only waiting counts where the rule is not in force. Facts
// declared `fixed` stay as they are. Candidates are found in the conditions over one fact (bools, enumerated codes,
// comparisons, membership, prefixes) and verified with the whole rule. Numbers and dates of which a calculation with
// other facts is asked are varied with those as they are; lists, records and timestamps only become none. Values live
// in `arena`.
Remedy FindRemedy(const Rule& rule, const facts::Profile& profile, const Determination& determination,
                  const Outlook& outlook, Date today, value::Arena& arena);

// JSON of one determination: answer, amount, unit, each criterion with truth, label, citation and the facts it read
// (sensitive ones without value), missing facts with label and source, outlook, apply. For evaluate and
// recommendations.
std::string ToJson(const Rule& rule, const facts::Profile& profile, const Determination& determination,
                   const Outlook& outlook, Date today);
// The same for people, aligned, in "zh" or "en".
std::string ToText(const Rule& rule, const facts::Profile& profile, const Determination& determination,
                   const Outlook& outlook, Date today, std::string_view locale);

// All of it for one person who asks why: ToJson with the values of sensitive facts (where they may be seen) and
// `remedy`; docs/rules.md describes both.
std::string ExplainJson(const Rule& rule, const facts::Profile& profile, const Determination& determination,
                        const Outlook& outlook, const Remedy& remedy, Date today, bool show_sensitive);
std::string ExplainText(const Rule& rule, const facts::Profile& profile, const Determination& determination,
                        const Outlook& outlook, const Remedy& remedy, Date today, std::string_view locale,
                        bool show_sensitive);

// Runs the tests beside the rules; one line per failure with file:line and expected against got.
struct Difference {
  std::string expected;  // "ineligible [old_enough]", in the words an author writes
  std::string got;
};
struct TestDay {
  const Rule* rule = nullptr;  // of the ruleset
  const RuleTest* test = nullptr;
  const Expectation* expected = nullptr;  // nullptr: the facts do not fit the schema, and no day was looked at
  std::vector<Difference> differences;    // empty: passed
};
struct TestReport {
  std::size_t passed = 0;
  std::size_t failed = 0;
  std::vector<std::string> failures;
  std::vector<TestDay> days;  // all, in the order of rules and files
};
TestReport RunTests(const RuleSet& ruleset);
// The same for one rule; `until_failure` stops at the first.
TestReport RunTests(const RuleSet& ruleset, const Rule& rule, bool until_failure = false);
// The facts of a rule's test, and that nobody there counts in a smaller area whose rule decides, where it says nothing
// of that. Refused: they do not fit the schema, which a RuleSet has no test of.
std::expected<facts::Profile, facts::Refused> ProfileOf(const Rule& rule, const RuleTest& test,
                                                        std::shared_ptr<const facts::Schema> schema);
// Names of the criteria that are false, and of the facts that are missing, sorted, as a test states them.
std::vector<std::string> FalseCriteria(const Rule& rule, const Determination& determination);
std::vector<std::string> MissingFacts(const facts::Schema& schema, const Determination& determination);

}  // namespace zhitui::rules
