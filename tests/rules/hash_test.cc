#include <algorithm>
#include <set>

#include "rules/rules_support.h"

namespace zhitui::rules {
namespace {

const char* const kBody = R"(law: {std: {title: 文件}}
valid: {from: 2008-01-01}
params:
  least: {2008-01-01: 10, 2019-10-01: 7}
let:
  rich: person.points >= params.least
criteria:
  here: {label: 本地, when: person.city == "A", law: std}
  enough: {label: 够分, when: rich}
amount:
  unit: CNY
  table:
    - {when: person.points >= 100, is: 30}
    - {is: 20}
apply: {url: https://example.org/, materials: [{id: card, label: 证件, on_file: person.member}]}
notify:
  - {on: eligible, message: hello, channels: [app], escalate_after: 3d}
tests:
  - {name: one, facts: {city: A, points: 8}, expect: {2020-01-01: {amount: 20}}}
)";

struct Hashes {
  std::string rule;
  std::string set;
};

Hashes Of(const std::string& body, SourceFile schema = PersonSchema()) {
  const auto set = MustBuild({std::move(schema), PersonRule(body)});
  if (set == nullptr) return {};
  return {set->rules()[0].hash, set->hash()};
}

std::string With(const std::string& from, const std::string& to, std::string text = kBody) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(Hash, DoesNotDependOnTheOrderOfFilesCommentsOrSpacing) {
  std::vector<SourceFile> files = SampleFiles();
  const std::string hash = MustBuild(files)->hash();
  std::reverse(files.begin(), files.end());
  EXPECT_EQ(MustBuild(files)->hash(), hash);
  for (SourceFile& file : files) file.text = "# another comment\n\n" + file.text;
  EXPECT_EQ(MustBuild(files)->hash(), hash);

  const Hashes plain = Of(kBody);
  EXPECT_EQ(Of(With("person.points >= params.least", "( person.points   >= params.least )")).rule, plain.rule);
  EXPECT_EQ(Of(With("name: one", "name: another")).set, plain.set);
  EXPECT_EQ(Of(With("amount: 20", "eligible: true")).set, plain.set);
  EXPECT_EQ(Of(std::string(kBody) + "waive:\n  - {mutant: a -> b, because: nobody can tell}\n").set, plain.set);
}

TEST(Hash, ChangesWithEverythingThatCanChangeADetermination) {
  const Hashes plain = Of(kBody);
  std::set<std::string> seen = {plain.rule};
  const std::vector<std::string> bodies = {
      With("person.city == \"A\"", "person.city == \"B\""),
      With("2019-10-01: 7", "2019-10-01: 8"),
      With("2019-10-01: 7", "2019-10-02: 7"),
      With("from: 2008-01-01", "from: 2009-01-01"),
      With("is: 20", "is: 21", With("amount: 20", "amount: 21")),
      With(">= 100", ">= 101"),
      With("unit: CNY", "unit: CNY/month"),
      With("person.points >= params.least", "person.points > params.least"),
      With("valid: {from: 2008-01-01}", "valid: {from: 2008-01-01, until: 2030-01-01}"),
      With("valid:", "recheck: daily\nvalid:"),
      With("  enough: {label: 够分, when: rich}\n",
           "  enough: {label: 够分, when: rich}\n  m: {label: 会员, when: person.member}\n",
           With("points: 8", "points: 8, member: true")),
  };
  for (const std::string& body : bodies) {
    const Hashes changed = Of(body);
    EXPECT_TRUE(seen.insert(changed.rule).second) << body;
    EXPECT_NE(changed.set, plain.set) << body;
  }
}

TEST(Hash, OfTheSetAlsoCoversWhatPeopleAreToldAndTheSchema) {
  const Hashes plain = Of(kBody);
  std::set<std::string> seen = {plain.set};
  const std::vector<std::string> bodies = {
      With("title: 文件", "title: 公文"),
      With("label: 本地", "label: 本市"),
      With("message: hello", "message: hi"),
      With("[app]", "[app, sms]"),
      With("escalate_after: 3d", "escalate_after: 4d"),
      With("on: eligible", "on: ceased"),
      With("https://example.org/", "https://example.org/x"),
      With("label: 证件", "label: 身份证"),
      With("on_file: person.member", "on_file: \"!person.member\""),
  };
  for (const std::string& body : bodies) {
    const Hashes changed = Of(body);
    EXPECT_EQ(changed.rule, plain.rule) << body;
    EXPECT_TRUE(seen.insert(changed.set).second) << body;
  }
  SourceFile schema = PersonSchema();
  schema.text = With("label: {zh: 城市, en: City}", "label: {zh: 市, en: City}", schema.text);
  EXPECT_TRUE(seen.insert(Of(kBody, schema).set).second);
}

TEST(Hash, OfARuleDoesNotDependOnFactsItDoesNotRead) {
  SourceFile schema = PersonSchema();
  schema.text = With("facts:\n", "facts:\n  aaa: {type: int, source: office, label: 其他}\n", schema.text);
  EXPECT_EQ(Of(kBody, schema).rule, Of(kBody).rule);
}

}  // namespace
}  // namespace zhitui::rules
