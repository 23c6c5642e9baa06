#include <nlohmann/json.hpp>

#include "proving_support.h"

namespace zhitui::proving {
namespace {

const char* const kRule = R"(law:
  one: {title: 第一条 <1>}
criteria:
  here: {label: 本地, when: 'person.city == "A" && person.points >= 3'}
tests:
  - name: 'a "good" & <known> one'
    facts: {city: A, points: 3, member: true}
    expect: {2026-01-01: eligible}
  - name: wrong
    facts: {city: B, points: 3, member: true}
    expect:
      2026-01-01: {eligible: true, until: 2027-01-01}
)";

Report ReportOf(const std::string& body, bool everything) {
  Options options;
  options.coverage = options.mutants = options.cases = everything;
  return MustProve({PersonSchema(), PersonRule(body)}, options);
}

TEST(Report, AFailureShowsExpectedAndGotBelowEachOtherAndTheFactsThatTheRuleReads) {
  const Report report = ReportOf(kRule, false);
  // `member` is not read.
  EXPECT_EQ(FailuresToText(report, "en"),
            "r.yaml:17: r, test \"wrong\", 2026-01-01\n"
            "  expected  eligible\n"
            "  got       ineligible [here]\n"
            "  expected  until 2027-01-01\n"
            "  got       never\n"
            "  facts     city: \"B\"\n"
            "            points: 3\n");
  EXPECT_EQ(FailuresToText(report, "zh"),
            "r.yaml:17: r，测试“wrong”，2026-01-01\n"
            "  预期  eligible\n"
            "  实际  ineligible [here]\n"
            "  预期  until 2027-01-01\n"
            "  实际  never\n"
            "  事实  city: \"B\"\n"
            "        points: 3\n");
  EXPECT_EQ(ToText(report, "en"), "");
}

TEST(Report, WithoutFailuresThereIsNothingToSay) {
  EXPECT_EQ(FailuresToText(ReportOf("criteria:\n  m: {label: 会员, when: person.member}\n", false), "en"), "");
}

TEST(Report, TheTextNamesWhatIsNotShownAndWhatSurvives) {
  const std::string body = std::string(kRule).substr(0, std::string(kRule).find("  - name: wrong"));
  const std::string text = ToText(ReportOf(body, true), "en");
  EXPECT_EQ(text,
            "r  r.yaml  1 test day\n"
            "  criteria    true   false unknown\n"
            "  here           1       0       0\n"
            "  law not tested: one (第一条 <1>), no criterion cites it\n"
            "  conditions shown (MC/DC): 0 of 2\n"
            "    r.yaml:9:28  person.city == \"A\"  never false\n"
            "    r.yaml:9:50  person.points >= 3  never false\n"
            // Killed: == for !=, > for >=, 4 for 3.
            "  mutants: 3 of 6 killed, 50.0 %\n"
            "    r.yaml:9:28  here -> true  (criterion)\n"
            "    r.yaml:9:47  person.city == \"A\" && person.points >= 3 -> person.city == \"A\" || person.points >= 3"
            "  (connective)\n"
            "    r.yaml:9:67  person.points >= 3 -> person.points >= 2  (constant)\n"
            "all rules: conditions shown 0 of 2, 0.0 %; mutants killed 3 of 6, 50.0 %\n"
            "# r: cases at a boundary that no test stands on, for `tests` once confirmed\n"
            "  # one unit below the threshold of points, 3\n"
            "  - name: \"a \\\"good\\\" & <known> one, points 2\"\n"
            "    facts: {city: A, points: 2, member: true}\n"
            "    expect:\n"
            "      2026-01-01: {ineligible: [here]} # to confirm\n"
            "  # one unit above the threshold of points, 3\n"
            "  - name: \"a \\\"good\\\" & <known> one, points 4\"\n"
            "    facts: {city: A, points: 4, member: true}\n"
            "    expect:\n"
            "      2026-01-01: eligible # to confirm\n");
}

TEST(Report, TheJsonHoldsAllOfIt) {
  const nlohmann::json all = nlohmann::json::parse(ToJson(ReportOf(kRule, true)));
  EXPECT_EQ(all["passed"], 1);
  EXPECT_EQ(all["failed"], 1);
  EXPECT_EQ(all["failures"][0]["test"], "wrong");
  EXPECT_EQ(all["failures"][0]["day"], "2026-01-01");
  EXPECT_EQ(all["failures"][0]["differences"][1]["expected"], "until 2027-01-01");
  EXPECT_EQ(all["coverage"][0]["criteria"][0]["false"], 1);
  EXPECT_EQ(all["coverage"][0]["conditions"], 2);
  EXPECT_EQ(all["coverage"][0]["shown"], 1);
  EXPECT_EQ(all["notes"][0]["code"], "not-mutated");
  EXPECT_FALSE(all["cases"].empty());
}

TEST(Report, JUnitCountsEveryTestDayAndEverySurvivingMutantAndEscapesWhatXmlReserves) {
  EXPECT_EQ(ToJunit(ReportOf(kRule, false)),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<testsuites name=\"zhitui rules\" tests=\"2\" failures=\"1\">\n"
            "  <testsuite name=\"r\" tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"0\">\n"
            "    <testcase classname=\"r\" name=\"a &quot;good&quot; &amp; &lt;known&gt; one, 2026-01-01\" "
            "file=\"r.yaml\" line=\"13\"/>\n"
            "    <testcase classname=\"r\" name=\"wrong, 2026-01-01\" file=\"r.yaml\" line=\"17\">\n"
            "      <failure message=\"expected eligible, got ineligible [here]; expected until 2027-01-01, got never\">"
            "city: &quot;B&quot;, points: 3</failure>\n"
            "    </testcase>\n"
            "  </testsuite>\n"
            "</testsuites>\n");
  const std::string body = std::string(kRule).substr(0, std::string(kRule).find("  - name: wrong"));
  const std::string junit = ToJunit(ReportOf(body, true));
  EXPECT_NE(junit.find("tests=\"4\" failures=\"3\""), std::string::npos) << junit;
  EXPECT_NE(junit.find("name=\"mutant here -&gt; true\""), std::string::npos) << junit;
}

TEST(Report, RulesThatAreNotAcceptedGiveTheirMistakesAndNothingElse) {
  const Report report = Prove({PersonSchema(), PersonRule("criteria: {}\n")}, Options());
  ASSERT_EQ(report.diagnostics.size(), 1U);
  EXPECT_EQ(report.diagnostics[0].code, "no-criteria");
  EXPECT_EQ(report.tests.passed + report.tests.failed, 0U);
}

TEST(Report, OnlyTheRulesAskedForAreLookedAt) {
  Options options;
  options.coverage = true;
  options.rules = {"b", "nowhere"};
  const std::string body =
      "criteria:\n  m: {label: 会员, when: person.member}\ntests:\n  - {name: m, facts: {member: "
      "true}, expect: {2026-01-01: eligible}}\n";
  const Report report = MustProve({PersonSchema(), PersonRule(body, "a"), PersonRule(body, "b")}, options);
  ASSERT_EQ(report.coverage.size(), 1U);
  EXPECT_EQ(report.coverage[0].rule, "b");
  EXPECT_EQ(report.tests.passed, 1U);
}

}  // namespace
}  // namespace zhitui::proving
