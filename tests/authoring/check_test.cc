#include <algorithm>

#include "authoring/authoring.h"
#include "gtest/gtest.h"

namespace zhitui::authoring {
namespace {

using rules::SourceFile;

const char* const kSchema = R"(kind: person
sources:
  office: {zh: 办公室, en: Office}
facts:
  member: {type: bool, source: office, label: 会员}
)";

std::string Rule(const std::string& notify) {
  return "rule: r\nabout: person\ntitle: {zh: 规则, en: Rule}\nowner: 办公室\ntopic: t\n"
         "criteria:\n  m: {label: {zh: 会员, en: Member}, when: person.member}\nnotify:\n  - " +
         notify + "\n";
}

const char* const kApp =
    "message: hello\napp:\n  title: {zh: 您好, en: Hello}\n  body: {zh: 可以办理。, en: You can.}\n";

std::vector<SourceFile> Files(const std::string& notify, const std::string& message) {
  return {{"facts/person.yaml", kSchema}, {"r.yaml", Rule(notify)}, {"messages/hello.yaml", message}};
}

void ExpectOne(const Report& report, const std::string& code, const std::string& file, std::uint32_t line,
               std::uint32_t column) {
  const std::string shown = FormatDiagnostics(report.diagnostics);
  ASSERT_EQ(report.diagnostics.size(), 1U) << shown;
  const Diagnostic& d = report.diagnostics[0];
  EXPECT_EQ(d.code, code) << shown;
  EXPECT_EQ(d.at.file, file) << shown;
  EXPECT_EQ(d.at.line, line) << shown;
  EXPECT_EQ(d.at.column, column) << shown;
  EXPECT_EQ(report.ruleset, nullptr);
  EXPECT_EQ(report.templates_set, nullptr);
}

TEST(Check, AcceptsRulesAndTheirMessages) {
  const Report report = Check(Files("{on: eligible, message: hello, channels: [app]}", kApp));
  EXPECT_TRUE(report.ok()) << FormatDiagnostics(report.diagnostics);
  EXPECT_EQ(report.rules, 1U);
  EXPECT_EQ(report.templates, 1U);
  ASSERT_NE(report.ruleset, nullptr);
  ASSERT_NE(report.templates_set, nullptr);
  EXPECT_NE(report.templates_set->Find("hello"), nullptr);
}

TEST(Check, AMessageThatIsNotThereIsNamedWithTheNearestOne) {
  const Report report = Check(Files("{on: eligible, message: helo, channels: [app]}", kApp));
  ExpectOne(report, "unknown-message", "r.yaml", 9, 29);
  EXPECT_NE(report.diagnostics[0].hint.find("hello"), std::string::npos);
}

TEST(Check, AChannelWithoutContentIsAMistake) {
  ExpectOne(Check(Files("{on: eligible, message: hello, channels: [app, sms]}", kApp)), "no-content", "r.yaml", 9, 52);
}

TEST(Check, BothLanguagesAreNeeded) {
  const std::string zh_only = "message: hello\napp:\n  title: {zh: 您好}\n  body: {zh: 可以办理。, en: You can.}\n";
  ExpectOne(Check(Files("{on: eligible, message: hello, channels: [app]}", zh_only)), "missing-language",
            "messages/hello.yaml", 3, 3);
}

TEST(Check, TheFileOfAMessageIsNamedAfterIt) {
  std::vector<SourceFile> files = Files("{on: eligible, message: hello, channels: [app]}", kApp);
  files[2].path = "messages/greeting.yaml";
  ExpectOne(Check(files), "file-name", "messages/greeting.yaml", 1, 10);
}

TEST(Check, MistakesOfRulesMessagesAndBetweenThemAreFoundInOnePass) {
  std::vector<SourceFile> files = Files("{on: eligable, message: nowhere}", std::string(kApp) + "smss: {}\n");
  const Report report = Check(files);
  std::vector<std::string> codes;
  for (const Diagnostic& d : report.diagnostics) codes.push_back(d.code);
  std::sort(codes.begin(), codes.end());
  EXPECT_EQ(codes, (std::vector<std::string>{"unknown-key", "unknown-message", "unknown-value"}))
      << FormatDiagnostics(report.diagnostics);
}

TEST(Check, ALongSmsIsAWarningNotAMistake) {
  const std::string sms = std::string(kApp) +
                          "sms:\n  template: t\n  params: {day: {zh: '{{occurrence}}', en: '{{occurrence}}'}}\n"
                          "  text:\n    zh: 从{{occurrence}}起" +
                          [] {
                            std::string s;
                            for (int i = 0; i < 60; ++i) s += "好";
                            return s;
                          }() +
                          "\n    en: From {{occurrence}}.\n";
  const auto found = [&](const std::string& channels) {
    const std::vector<SourceFile> files = Files("{on: eligible, message: hello, channels: [" + channels + "]}", sms);
    const Report report = Check(files);
    EXPECT_TRUE(report.ok()) << FormatDiagnostics(report.diagnostics);
    Diagnostics out = Lint(report, files);
    std::erase_if(out, [](const Diagnostic& d) { return d.code != "long-sms"; });
    return out;
  };
  const Diagnostics warnings = found("sms");
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_EQ(warnings[0].at.file, "messages/hello.yaml");
  EXPECT_EQ(warnings[0].at.line, 9U);
  EXPECT_EQ(warnings[0].severity, Severity::kWarning);
  EXPECT_NE(warnings[0].message.find("2 messages"), std::string::npos) << warnings[0].message;
  // Without SMS among the rule's channels nobody pays for it.
  EXPECT_TRUE(found("app").empty());
}

TEST(RunAll, RunsTheTestsOnlyOfWhatIsCorrect) {
  std::vector<SourceFile> files = Files("{on: eligible, message: hello, channels: [app]}", kApp);
  files[1].text +=
      "tests:\n  - {name: yes, facts: {member: true}, expect: {2026-01-01: eligible, 2026-01-02: ineligible}}\n";
  const TestRun run = RunAll(files);
  EXPECT_TRUE(run.report.ok()) << FormatDiagnostics(run.report.diagnostics);
  EXPECT_EQ(run.tests.passed, 1U);
  EXPECT_EQ(run.tests.failed, 1U);
  EXPECT_FALSE(run.ok());
  files[1].text += "nonsense: 1\n";
  const TestRun broken = RunAll(files);
  EXPECT_FALSE(broken.report.ok());
  EXPECT_EQ(broken.tests.passed + broken.tests.failed, 0U);
}

}  // namespace
}  // namespace zhitui::authoring
