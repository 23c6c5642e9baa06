// What a rule file may not say, one mistake at a time, and that the mistake is the only thing reported.
#include "rules/rules_support.h"

namespace zhitui::rules {
namespace {

struct Case {
  const char* promise;
  std::string body;  // below the five lines of the head
  std::uint32_t line;
  std::uint32_t column;
  const char* code;
};

const char* const kGood = "criteria:\n  m: {label: 会员, when: person.member}\n";

void PrintTo(const Case& c, std::ostream* out) { *out << c.promise; }

class OneMistake : public ::testing::TestWithParam<Case> {};

TEST_P(OneMistake, IsReportedAloneAtItsPlace) {
  const Case& c = GetParam();
  Diagnostics diagnostics;
  const auto set = RuleSet::Build({PersonSchema(), PersonRule(c.body)}, &diagnostics);
  EXPECT_EQ(set, nullptr);
  const std::string shown = FormatDiagnostics(diagnostics);
  ASSERT_EQ(diagnostics.size(), 1U) << c.promise << "\n" << shown;
  EXPECT_EQ(diagnostics[0].code, c.code) << shown;
  EXPECT_EQ(diagnostics[0].at.file, "r.yaml");
  EXPECT_EQ(diagnostics[0].at.line, c.line) << shown;
  EXPECT_EQ(diagnostics[0].at.column, c.column) << shown;
}

std::string Good(const std::string& rest) { return kGood + rest; }

// The head is five lines, kGood two: what follows it starts in line 8.
INSTANTIATE_TEST_SUITE_P(
    RuleFile, OneMistake,
    ::testing::Values(
        Case{"a rule needs criteria", "", 1, 1, "missing-key"},
        Case{"criteria are not empty", "criteria: {}\n", 6, 11, "no-criteria"},
        Case{"waivers are a list", Good("waive: {mutant: a -> b, because: x}\n"), 8, 8, "bad-waive"},
        Case{"a waiver says why", Good("waive:\n  - {mutant: a -> b}\n"), 9, 5, "missing-key"},
        Case{"a waiver names something", Good("waive:\n  - {because: x}\n"), 9, 5, "bad-waive"},
        Case{"a waiver names one thing", Good("waive:\n  - {mutant: a -> b, condition: a, because: x}\n"), 9, 5,
             "bad-waive"},
        Case{"a waived mutant is a change", Good("waive:\n  - {mutant: [a -> b, a > b], because: x}\n"), 9, 23,
             "bad-waive"},
        Case{"a waived text is not empty", Good("waive:\n  - {condition: '', because: x}\n"), 9, 18, "wrong-type"},
        Case{"a criterion needs a label", "criteria:\n  m: {when: person.member}\n", 7, 6, "missing-key"},
        Case{"a criterion is a condition", "criteria:\n  m: {label: 分, when: person.points}\n", 7, 23,
             "type-mismatch"},
        Case{"a criterion id is lower case", "criteria:\n  M: {label: 会员, when: person.member}\n", 7, 3, "bad-id"},
        Case{"an expression is not empty", "criteria:\n  m: {label: 会员, when: }\n", 7, 18, "no-expression"},
        Case{"a fact exists", "criteria:\n  m: {label: 会员, when: person.mmber}\n", 7, 24, "unknown-name"},
        Case{"a law is declared", "criteria:\n  m: {label: 会员, when: person.member, law: x}\n", 7, 44, "unknown-law"},
        Case{"a parameter's text is quoted", "params: {p: abc}\n" + std::string(kGood), 6, 13, "bad-param"},
        Case{"a parameter has one type",
             "params: {p: {2020-01-01: 1, 2021-01-01: true}}\nvalid: {from: 2020-01-01}\n" + std::string(kGood), 6, 41,
             "bad-param"},
        Case{"dated values are in order",
             "params: {p: {2021-01-01: 1, 2020-01-01: 2}}\nvalid: {from: 2021-01-01}\n" + std::string(kGood), 6, 29,
             "bad-param"},
        Case{"a parameter has a value whenever the rule is in force",
             "params: {p: {2021-01-01: 1}}\n" + std::string(kGood), 6, 14, "param-gap"},
        Case{"a parameter has a value from the first day on",
             "params: {p: {2021-01-01: 1}}\nvalid: {from: 2020-01-01}\n" + std::string(kGood), 6, 14, "param-gap"},
        Case{"a parameter's name can be used", "params: {min-age: 1}\n" + std::string(kGood), 6, 10, "bad-name"},
        Case{"a name is not a word of the language", "let: {in: 1}\n" + std::string(kGood), 6, 7, "bad-name"},
        Case{"a name is not the kind", "let: {person: 1}\n" + std::string(kGood), 6, 7, "bad-name"},
        Case{"a rule ends after it begins", "valid: {from: 2021-01-01, until: 2021-01-01}\n" + std::string(kGood), 6,
             34, "bad-valid"},
        Case{"an area is a code", Good("area: Futian\n"), 8, 7, "bad-area"},
        Case{"recheck is daily", Good("recheck: weekly\n"), 8, 10, "unknown-value"},
        Case{"an amount is a number", Good("amount: {unit: CNY, table: [{is: person.city}]}\n"), 8, 34,
             "type-mismatch"},
        Case{"a table has a row for all others", Good("amount: {unit: CNY, table: [{when: person.member, is: 1}]}\n"),
             8, 29, "bad-table"},
        Case{"no row stands behind one that always holds", Good("amount: {unit: CNY, table: [{is: 1}, {is: 2}]}\n"), 8,
             38, "unreachable-row"},
        Case{"an amount has a unit", Good("amount: {table: [{is: 1}]}\n"), 8, 9, "missing-key"},
        Case{"upcoming says how long ahead", Good("notify:\n  - {on: upcoming, message: m}\n"), 9, 5, "missing-key"},
        Case{"ahead is a period", Good("notify:\n  - {on: upcoming, ahead: soon, message: m}\n"), 9, 27, "bad-period"},
        Case{"before belongs to a reminder", Good("notify:\n  - {on: upcoming, before: 2 days, message: m}\n"), 9, 28,
             "bad-notify"},
        Case{"eligible takes no lead", Good("notify:\n  - {on: eligible, ahead: 2 days, message: m}\n"), 9, 27,
             "bad-notify"},
        Case{"a channel exists", Good("notify:\n  - {on: eligible, message: m, channels: [smss]}\n"), 9, 43,
             "unknown-value"},
        Case{"a channel is listed once", Good("notify:\n  - {on: eligible, message: m, channels: [sms, sms]}\n"), 9, 48,
             "bad-notify"},
        Case{"a wait has a unit", Good("notify:\n  - {on: eligible, message: m, escalate_after: 3}\n"), 9, 48,
             "bad-duration"},
        Case{"only known people are told", Good("notify:\n  - {on: eligible, message: m, to: guardians}\n"), 9, 36,
             "unknown-value"},
        Case{"an address is https", Good("apply: {url: http://example.org/}\n"), 8, 14, "bad-url"},
        Case{"a reply sets a fact that there is", Good("apply: {reply: cty}\n"), 8, 16, "unknown-fact"},
        Case{"a reply sets a date", Good("apply: {reply: city}\n"), 8, 16, "type-mismatch"},
        Case{"a test names facts", Good("tests:\n  - {name: t, facts: {cty: A}, expect: {2026-01-01: eligible}}\n"), 9,
             23, "unknown-fact"},
        Case{"a test's facts have their type",
             Good("tests:\n  - {name: t, facts: {points: x}, expect: {2026-01-01: eligible}}\n"), 9, 31, "wrong-type"},
        Case{"null is for nullable facts",
             Good("tests:\n  - {name: t, facts: {city: null}, expect: {2026-01-01: eligible}}\n"), 9, 29, "bad-fact"},
        Case{"a test expects criteria of the rule",
             Good("tests:\n  - {name: t, facts: {}, expect: {2026-01-01: {ineligible: [mm]}}}\n"), 9, 61,
             "unknown-criterion"},
        Case{"unknown names the facts", Good("tests:\n  - {name: t, facts: {}, expect: {2026-01-01: unknown}}\n"), 9,
             47, "bad-expectation"},
        Case{"an expectation does not contradict itself",
             Good("tests:\n  - {name: t, facts: {}, expect: {2026-01-01: {eligible: true, ineligible: [m]}}}\n"), 9, 47,
             "bad-expectation"},
        Case{"an amount is expected only where there is one",
             Good("tests:\n  - {name: t, facts: {}, expect: {2026-01-01: {amount: 1}}}\n"), 9, 56, "bad-expectation"},
        Case{"days in a test are days", Good("tests:\n  - {name: t, facts: {}, expect: {2026-02-30: eligible}}\n"), 9,
             35, "wrong-type"}));

TEST(Loading, AMistakeInASchemaDoesNotMakeItsRulesWrong) {
  SourceFile schema = PersonSchema();
  schema.text += "  broken: {type: dat, source: office, label: 坏}\n";
  Diagnostics diagnostics;
  EXPECT_EQ(RuleSet::Build({schema, PersonRule(kGood)}, &diagnostics), nullptr);
  ASSERT_EQ(diagnostics.size(), 1U) << FormatDiagnostics(diagnostics);
  EXPECT_EQ(diagnostics[0].at.file, "facts/person.yaml");
}

TEST(Loading, AKindThatIsNotDeclaredIsNamedOnce) {
  Diagnostics diagnostics;
  SourceFile rule = PersonRule(kGood);
  rule.text.replace(rule.text.find("about: person"), 13, "about: persom");
  EXPECT_EQ(RuleSet::Build({PersonSchema(), rule}, &diagnostics), nullptr);
  ASSERT_EQ(diagnostics.size(), 1U) << FormatDiagnostics(diagnostics);
  EXPECT_EQ(diagnostics[0].code, "unknown-kind");
  EXPECT_NE(diagnostics[0].hint.find("person"), std::string::npos);
}

TEST(Loading, TooManyCriteriaAreRefusedAndTheLimitIsSaid) {
  std::string body = "criteria:\n";
  for (int i = 0; i < 65; ++i) body += "  c" + std::to_string(i) + ": {label: 会员, when: person.member}\n";
  Diagnostics diagnostics;
  EXPECT_EQ(RuleSet::Build({PersonSchema(), PersonRule(body)}, &diagnostics), nullptr);
  ASSERT_EQ(diagnostics.size(), 1U) << FormatDiagnostics(diagnostics);
  EXPECT_EQ(diagnostics[0].code, "too-many");
  EXPECT_NE(diagnostics[0].message.find("64"), std::string::npos);
}

TEST(Loading, MessagesAndOtherFilesAreNotRules) {
  const auto set =
      MustBuild({PersonSchema(), PersonRule(kGood), {"messages/x.yaml", "not: a rule"}, {"README.md", "# x"}});
  ASSERT_NE(set, nullptr);
  EXPECT_EQ(set->rules().size(), 1U);
}

TEST(Loading, TheFactAndRuleFilesThatAreYamlAreHandedOutByPathMistakesOrNot) {
  Diagnostics diagnostics;
  std::vector<yaml::Document> documents;
  const SourceFile broken{"b.yaml", "rule: [\n"};
  const SourceFile wrong{"a.yaml", "rule: a\n"};
  const SourceFile message{"messages/m.yaml", "message: m\n"};
  EXPECT_EQ(RuleSet::Build({wrong, broken, PersonRule(kGood), message, PersonSchema()}, &diagnostics,
                           OneAfterTheOther(), &documents),
            nullptr);
  std::vector<std::string> files;
  for (const yaml::Document& document : documents) files.push_back(document.file());
  EXPECT_EQ(files, (std::vector<std::string>{PersonSchema().path, "a.yaml", "r.yaml"}));
  EXPECT_EQ(documents[2].root().Find("criteria")->entries().front().first.text(), "m");
}

TEST(Loading, ARuleCarriesWhatItsFileSays) {
  const auto set = MustBuild({PersonSchema(), PersonRule(Good(R"(area: "4403"
law: {std: {title: 文件, url: https://example.org/law}}
valid: {from: 2020-01-01}
notify:
  - {on: upcoming, ahead: 2 months, message: soon, channels: [sms, app], escalate_after: 36h}
  - {on: reminder, before: 7 days, message: last}
apply:
  url: https://example.org/
  deadline: {zh: 六月底, en: end of June}
  materials: [{id: card, label: {zh: 证, en: Card}, on_file: person.member}]
)"))});
  ASSERT_NE(set, nullptr);
  const Rule& rule = *set->Find("r");
  EXPECT_EQ(rule.kind, "person");
  EXPECT_EQ(rule.area, "4403");
  EXPECT_EQ(rule.laws.at(0).title, "文件");
  EXPECT_EQ(rule.valid_from, Day("2020-01-01"));
  EXPECT_EQ(rule.valid_until, std::nullopt);
  ASSERT_EQ(rule.notify.size(), 2U);
  EXPECT_EQ(rule.notify[0].on, NotifyOn::kUpcoming);
  EXPECT_EQ(rule.notify[0].ahead, (value::Period{2, 0}));
  EXPECT_EQ(rule.notify[0].channels, (std::vector<Channel>{Channel::kSms, Channel::kApp}));
  EXPECT_EQ(rule.notify[0].escalate_after, Millis(36 * 3600 * 1000));
  EXPECT_EQ(rule.notify[1].on, NotifyOn::kReminder);
  EXPECT_EQ(rule.notify[1].ahead, (value::Period{0, 7}));
  EXPECT_TRUE(rule.notify[1].channels.empty());
  EXPECT_EQ(rule.apply.deadline.en, "end of June");
  ASSERT_EQ(rule.slots.size(), 1U);
  EXPECT_EQ(set->SchemaOf("person")->facts()[rule.slots[0]].name, "member");
  EXPECT_EQ(set->Find("q"), nullptr);
  EXPECT_EQ(set->kinds(), std::vector<std::string>{"person"});
}

}  // namespace
}  // namespace zhitui::rules
