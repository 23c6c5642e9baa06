#pragma once

// Seeded random rules and profiles over a small kind of subject, for comparing ways to evaluate them.

#include <random>
#include <string>
#include <vector>

#include "rules/rules.h"

namespace zhitui::engine {

inline constexpr const char* kPersonSchema = R"(kind: person
sources:
  office: {zh: 办公室, en: Office}
facts:
  born: {type: date, source: office, label: {zh: 出生日期, en: Date of birth}}
  first: {type: date, source: office, label: {zh: 首次, en: First}}
  since: {type: date, source: office, nullable: true, label: {zh: 起始日, en: Since}}
  city: {type: code, source: office, label: {zh: 城市, en: City}}
  status: {type: code, source: office, values: [student, worker, retired], label: {zh: 身份, en: Status}}
  name: {type: string, source: office, nullable: true, label: {zh: 文字, en: Text}}
  points: {type: int, source: office, label: {zh: 分数, en: Points}}
  months: {type: int, source: office, nullable: true, label: {zh: 月数, en: Months}}
  income: {type: decimal, source: office, label: {zh: 收入, en: Income}}
  member: {type: bool, source: office, label: {zh: 会员, en: Member}}
  disabled: {type: bool, source: office, nullable: true, label: {zh: 残疾, en: Disabled}}
  tags: {type: list, source: office, label: {zh: 标签, en: Tags}, of: code}
  drawn: {type: list, source: office, nullable: true, label: {zh: 在领, en: Drawn}, of: code, values: [a, b, c, d, e, f, g, h, i]}
)";

class RandomRules {
 public:
  explicit RandomRules(std::uint32_t seed) : random_(seed) {}

  int Below(int n) { return static_cast<int>(random_() % static_cast<std::uint32_t>(n)); }
  bool OneIn(int n) { return Below(n) == 0; }
  std::string Pick(const std::vector<std::string>& from) {
    return from[static_cast<std::size_t>(Below(static_cast<int>(from.size())))];
  }
  std::string Int(int low, int high) { return std::to_string(low + Below(high - low + 1)); }
  std::string Day() {
    // Month ends and leap days are drawn often.
    static const std::vector<std::string> kTails{"-02-28", "-03-01", "-12-31", "-01-01", "-01-31", "-08-31", "-09-01"};
    if (OneIn(8)) return Pick({"1956-02-29", "2000-02-29", "2008-02-29", "2020-02-29"});
    return std::to_string(1930 + Below(100)) + Pick(kTails);
  }
  std::string Money() { return Int(0, 9000) + Pick({"", ".5", ".50", ".01", ".99", ".005"}); }
  std::string Compare() { return Pick({" < ", " <= ", " > ", " >= ", " == ", " != "}); }
  std::string City() { return Pick({"440300", "440304", "440305", "440304001", "440304002", "441900", "110000", "x"}); }

  std::string Condition() {
    switch (Below(26)) {
      case 0:
      case 1:
        return "age(person.born, today)" + Compare() + Int(0, 90);
      case 2:
        return "person.born" + Compare() + "date(\"" + Day() + "\")";
      case 3:
        return "person.born + years(" + Int(1, 80) + ")" + Compare() + "today";
      case 4:
        return "year(today) - year(person.born)" + Compare() + Int(0, 80);
      case 5:
        return "months_between(person.born, today)" + Compare() + Int(0, 900);
      case 6:
      case 7:
        return "person.city" + Pick({" == ", " != "}) + "\"" + City() + "\"";
      case 8: {
        std::string list;
        for (int i = Below(5); i >= 0; --i) list += (list.empty() ? "\"" : ", \"") + City() + "\"";
        return "person.city in [" + list + "]";
      }
      case 9:
        return "within(person.city, \"" + Pick({"4403", "440304", "440000", "44", "440300"}) + "\")";
      case 10:
        return "person.city.startsWith(\"" + Pick({"4403", "440304", "44", "1", ""}) + "\")";
      case 11:
        return "person.points" + Compare() + Int(-5, 20);
      case 12:
        return "person.points in [" + Int(-5, 20) + ", " + Int(-5, 20) + "]";
      case 13:
        return Pick({"person.points * 3 - 7 > 20", "person.points % 2 == 0", "7 - person.points / 2 <= 3",
                     "person.points * 4611686018427387904 > 0", "person.points * person.points > 50"});
      case 14:
        return "person.income" + Compare() + "decimal(\"" + Money() + "\")";
      case 15:
        return "person.income" + Compare() + "params.limit";
      case 16:
        return Pick({"person.since == null", "person.since != null && person.since <= today", "has(person.since)",
                     "person.months == null || person.months > 5", "person.name == \"a\"", "person.name != null"});
      case 17:
        return Pick({"person.member", "!person.member", "person.member == false",
                     "person.disabled == null || person.disabled == true", "person.disabled != true"});
      case 18:
        return Pick({"\"a\" in person.tags", "person.tags.exists(t, t == \"b\")", "size(person.tags) > 1",
                     "person.tags.all(t, t in [\"a\", \"c\"])"});
      case 24:
        return Pick({"\"a\" in person.tags", "\"b\" in person.tags", "!(\"d\" in person.tags)"});
      case 25:  // more codes than a list's classes tell apart
        return Pick({"", "!"}) + "(\"" + Pick({"a", "b", "c", "d", "e", "f", "g", "h", "i"}) + "\" in person.drawn)";
      case 19:
        return "months_between(person.born, person.first)" + Compare() + Int(0, 300);
      case 20:
        return "person.status" + Pick({" == \"student\"", " in [\"worker\", \"retired\"]", " != \"retired\""});
      case 21:
        return "person.points" + Compare() + "params.points";
      case 22:
        return "person.first" + Compare() + "today - period(\"" + Int(1, 40) + " months\")";
      default:
        return "age(person.born, date(\"" + Day() + "\"))" + Compare() + Int(0, 70);
    }
  }

  std::string Expression(int depth) {
    if (depth == 0 || OneIn(3)) return Condition();
    switch (Below(8)) {
      case 0:
        return "!(" + Expression(depth - 1) + ")";
      case 1:
        return "(" + Condition() + " ? " + Expression(depth - 1) + " : " + Expression(depth - 1) + ")";
      case 2:
      case 3:
      case 4:
        return "(" + Expression(depth - 1) + " || " + Expression(depth - 1) + ")";
      default:
        return "(" + Expression(depth - 1) + " && " + Expression(depth - 1) + ")";
    }
  }

  static std::string Quoted(const std::string& expression) {
    std::string out = "'";
    for (const char c : expression) {
      out += c;
      if (c == '\'') out += c;
    }
    return out + "'";
  }

  rules::SourceFile Rule(int number) {
    std::string id = "r" + std::to_string(100000 + number);
    std::string text = "rule: " + id + "\nabout: person\ntitle: 规则\nowner: 办公室\ntopic: t\n";
    if (OneIn(3)) {
      text += "valid: {from: " + Int(2001, 2030) + "-03-01" +
              (OneIn(2) ? ", until: " + Int(2031, 2040) + "-03-01" : "") + "}\n";
    } else {
      text += "valid: {from: 2001-01-01}\n";
    }
    text += "params:\n  limit: {1990-01-01: " + Int(100, 900) + ".00, 2015-07-01: " + Int(100, 5000) +
            ".50}\n  points: {2001-01-01: " + Int(0, 9) + ", 2019-10-01: " + Int(5, 15) + "}\n";
    text += "recheck: daily\ncriteria:\n";
    for (int i = Below(4); i >= 0; --i) {
      text += "  c" + std::to_string(i) + ": {label: 条件, when: " + Quoted(Expression(2)) + "}\n";
    }
    if (OneIn(3)) {
      text += "amount:\n  unit: CNY/month\n  table:\n";
      for (int i = Below(3); i >= 0; --i) {
        text += "    - {when: " + Quoted(Condition()) + ", is: " + Int(1, 900) + "}\n";
      }
      if (OneIn(3)) text += "    - {when: " + Quoted(Condition()) + ", is: person.points + 1}\n";
      text += "    - {is: " + Int(1, 900) + "}\n";
    }
    return {id + ".yaml", text};
  }

  // A JSON object of facts; each is absent in one of `missing` cases.
  std::string Facts(int missing) {
    std::string out;
    const auto add = [&](const std::string& name, const std::string& value) {
      if (OneIn(missing)) return;
      out += (out.empty() ? "\"" : ", \"") + name + "\": " + value;
    };
    add("born", "\"" + Day() + "\"");
    add("first", "\"" + Day() + "\"");
    add("since", OneIn(4) ? "null" : "\"" + Day() + "\"");
    add("city", "\"" + (OneIn(5) ? Int(100000, 999999) : City()) + "\"");
    add("status", Pick({"\"student\"", "\"worker\"", "\"retired\""}));
    add("name", Pick({"null", "\"a\"", "\"b\"", "\"a text that is longer than sixteen bytes\""}));
    add("points", OneIn(20) ? Pick({"9223372036854775807", "-9223372036854775808", "1000000000000"}) : Int(-6, 21));
    add("months", OneIn(4) ? "null" : Int(0, 12));
    add("income", "\"" + Money() + "\"");
    add("member", Pick({"true", "false"}));
    add("disabled", Pick({"true", "false", "null"}));
    std::string tags;
    for (int i = Below(4); i > 0; --i) tags += (tags.empty() ? "\"" : ", \"") + Pick({"a", "b", "c", "d"}) + "\"";
    add("tags", "[" + tags + "]");
    std::string drawn;
    for (int i = Below(6); i > 0; --i) {
      drawn += (drawn.empty() ? "\"" : ", \"") + Pick({"a", "b", "c", "d", "e", "f", "g", "h", "i"}) + "\"";
    }
    add("drawn", OneIn(5) ? "null" : "[" + drawn + "]");
    return "{" + out + "}";
  }

 private:
  std::mt19937 random_;
};

}  // namespace zhitui::engine
