// What law needs beside CEL: months and birthdays by a declared rule, school years, exact amounts, area codes, lists
// of records.
#include "cel/fixture.h"

namespace zhitui::cel {
namespace {

using testing::MustCompile;

std::string Shown(const std::string& text, Date today = MakeDate(2026, 3, 1)) {
  const Program p = MustCompile(Env(), text);
  Arena arena;
  return value::ToDisplay(p.Evaluate({{}, today}, arena));
}

std::string Mistake(const std::string& text) {
  Diagnostics diagnostics;
  EXPECT_FALSE(Compile(Source{text, "t", {}}, Env(), nullptr, &diagnostics).has_value()) << text;
  return diagnostics.empty() ? "" : diagnostics[0].message + " / " + diagnostics[0].hint;
}

TEST(Law, MonthEndsAndLeapDaysFollowTheRuleThatIsDeclared) {
  // The Civil Code's last day is the default; the other rule is the first of the next month.
  EXPECT_EQ(Shown("add_period(date(2026, 1, 31), months(1), 'last_day')"), "2026-02-28");
  EXPECT_EQ(Shown("add_period(date(2026, 1, 31), months(1), 'next_day')"), "2026-03-01");
  EXPECT_EQ(Shown("add_period(date(2026, 1, 31), period('1 month 1 day'), 'next_day')"), "2026-03-02");
  EXPECT_EQ(Shown("add_period(date(2026, 3, 31), months(-1), 'next_day')"), "2026-03-01");
  EXPECT_EQ(Shown("add_period(date(2024, 2, 29), years(4), 'next_day')"), "2028-02-29");
  EXPECT_EQ(Shown("age(date(1960, 2, 29), date(2025, 2, 28))"), "65");
  EXPECT_EQ(Shown("age(date(1960, 2, 29), date(2025, 2, 28), 'next_day')"), "64");
  EXPECT_EQ(Shown("age(date(1960, 2, 29), date(2025, 3, 1), 'next_day')"), "65");
  EXPECT_EQ(Shown("age(date(1960, 2, 29), date(2024, 2, 29), 'next_day')"), "64");
  EXPECT_EQ(Shown("months_between(date(2025, 1, 31), date(2025, 2, 28), 'next_day')"), "0");
  EXPECT_EQ(Shown("months_between(date(2025, 1, 31), date(2025, 3, 1), 'next_day')"), "1");
  EXPECT_EQ(Shown("next_anniversary(date(2024, 2, 29), date(2025, 1, 1), 'next_day')"), "2025-03-01");
  EXPECT_EQ(Shown("next_anniversary(date(2024, 2, 29), date(2025, 1, 1))"), "2025-02-28");
  EXPECT_EQ(Shown("date_of_year(2025, 2, 29)"), "2025-02-28");
  EXPECT_EQ(Shown("date_of_year(2025, 2, 29, 'next_day')"), "2025-03-01");
  EXPECT_EQ(Shown("date_of_year(2024, 2, 29, 'next_day')"), "2024-02-29");
  EXPECT_EQ(Shown("date_of_year(2025, 2, 28, 'next_day')"), "2025-02-28");
  EXPECT_NE(Mistake("age(today, today, 'nextday')").find("\"last_day\" or \"next_day\""), std::string::npos);
}

TEST(Law, ASchoolYearBeginsOnTheFirstOfSeptemberOrOnTheDayDeclared) {
  EXPECT_EQ(Shown("school_year(date(2026, 8, 31))"), "2025");
  EXPECT_EQ(Shown("school_year(date(2026, 9, 1))"), "2026");
  EXPECT_EQ(Shown("school_year_start(date(2026, 3, 1))"), "2025-09-01");
  EXPECT_EQ(Shown("school_year_start(date(2026, 9, 1))"), "2026-09-01");
  EXPECT_EQ(Shown("school_year(date(2026, 8, 31), 8, 15)"), "2026");
  EXPECT_EQ(Shown("school_year_start(date(2026, 8, 14), 8, 15)"), "2025-08-15");
  EXPECT_EQ(Shown("school_year_start(date(1, 3, 1))"),
            "error: range error: the date is outside the years 0001 to 9999");
  EXPECT_NE(Mistake("school_year(today, 2, 29)").find("a day that every year has"), std::string::npos);
}

TEST(Law, QuotientsAndRoundingAreExactInTheModeDeclared) {
  EXPECT_EQ(Shown("divide(100, 3, 2, 'half_up')"), "33.33");
  EXPECT_EQ(Shown("divide(decimal('100.00'), 8, 2, 'half_even')"), "12.50");
  EXPECT_EQ(Shown("divide(decimal('0.25'), decimal('2'), 2, 'half_even')"), "0.12");
  EXPECT_EQ(Shown("divide(decimal('0.25'), decimal('2'), 2, 'half_up')"), "0.13");
  EXPECT_EQ(Shown("divide(-5, 2, 0, 'half_up')"), "-3");
  EXPECT_EQ(Shown("divide(-5, 2, 0, 'half_even')"), "-2");
  EXPECT_EQ(Shown("divide(-5, 2, 0, 'down')"), "-2");
  EXPECT_EQ(Shown("divide(-5, 2, 0, 'up')"), "-3");
  EXPECT_EQ(Shown("divide(-5, 2, 0, 'ceil')"), "-2");
  EXPECT_EQ(Shown("divide(-5, 2, 0, 'floor')"), "-3");
  EXPECT_EQ(Shown("round(decimal('2.345'), 2, 'half_even')"), "2.34");
  EXPECT_EQ(Shown("round(decimal('2.345'), 2, 'half_up')"), "2.35");
  EXPECT_EQ(Shown("round(1249, -2, 'half_up')"), "1200");
  EXPECT_EQ(Shown("int(round(decimal('2.5'), 0, 'up'))"), "3");
  EXPECT_EQ(Shown("divide(1, 0, 2, 'down')"), "error: divide by zero");
  EXPECT_EQ(Shown("divide(9223372036854775807, decimal('0.1'), 0, 'down')"), "error: decimal overflow");
  EXPECT_EQ(Shown("decimal('9223372036854775807') + 1"), "error: decimal overflow");
  EXPECT_EQ(Shown("decimal('1.10') * 3 > 3 && decimal('1.0') == 1 && decimal('2.5') < 3"), "true");
  EXPECT_EQ(Shown("math.greatest(decimal('1.5'), decimal('1.25'))"), "1.5");
  EXPECT_EQ(Shown("math.least(decimal('1.5'), 1)"), "1");
  EXPECT_EQ(Shown("later(date(2026, 1, 1), date(2025, 1, 1))"), "2026-01-01");
  EXPECT_EQ(Shown("earlier(date(2026, 1, 1), date(2025, 1, 1))"), "2025-01-01");
  EXPECT_NE(Mistake("round(decimal('1.5'), 2, 'half')").find("\"half_up\""), std::string::npos);
  EXPECT_NE(Mistake("round(decimal('1.5'), 40, 'up')").find("-18 to 18"), std::string::npos);
}

TEST(Law, AMixOfIntDoubleAndDecimalIsAMistakeAtLoadWithTheFix) {
  EXPECT_NE(Mistake("decimal('1') / 3").find("divide(decimal('1'), 3, 2, \"half_up\")"), std::string::npos);
  EXPECT_NE(Mistake("7 / decimal('2')").find("divide(7, decimal('2'), 2, \"half_up\")"), std::string::npos);
  EXPECT_NE(Mistake("decimal('7') % 2").find("whole numbers"), std::string::npos);
  for (const char* op : {"+", "-", "*", "/"}) {
    const std::string sign = std::string(" ") + op + " ";
    EXPECT_NE(Mistake("1" + sign + "1.5").find("write 1.0" + sign + "1.5"), std::string::npos) << op;
    EXPECT_NE(Mistake("1.5" + sign + "size('a')").find("double(size('a'))"), std::string::npos) << op;
    EXPECT_NE(Mistake("1u" + sign + "2").find("int(1u)" + sign + "2"), std::string::npos) << op;
    EXPECT_NE(Mistake("decimal('1')" + sign + "1.5").find("write decimal(\"1.5\")"), std::string::npos) << op;
    EXPECT_NE(Mistake("1.5" + sign + "decimal('1')").find("write decimal(\"1.5\")"), std::string::npos) << op;
  }
  EXPECT_NE(Mistake("5 % 2.0").find("whole numbers"), std::string::npos);
  for (const char* op : {"<", "<=", ">", ">=", "==", "!="}) {
    EXPECT_NE(Mistake("decimal('1') " + std::string(op) + " 1.5").find("write decimal(\"1.5\")"), std::string::npos);
  }
  EXPECT_NE(Mistake("1.5 in [decimal('1')]").find("write decimal(\"1.5\")"), std::string::npos);
  EXPECT_NE(Mistake("today > date(2020, 1, 1) ? 1 : decimal('1.5')").find("decimal(1)"), std::string::npos);
}

TEST(Law, NumbersCompareAcrossIntAndDouble) {
  EXPECT_EQ(Shown("5 == 5.0 && 5 < 5.5 && 5 in [5.0] && 9007199254740993 != 9007199254740992.0"), "true");
}

TEST(Law, AnAreaHoldsItsDistrictsStreetsAndCommunities) {
  // GB/T 2260 and GB/T 10114: the zeros that fill up a code of a larger area are no digits of it.
  for (const char* inside : {"440300", "440304", "440304001", "440304001007", "440304001000"}) {
    EXPECT_EQ(Shown("within('" + std::string(inside) + "', '440300')"), "true") << inside;
    EXPECT_EQ(Shown("within('" + std::string(inside) + "', '4403')"), "true") << inside;
    EXPECT_EQ(Shown("within('" + std::string(inside) + "', '440000')"), "true") << inside;
    EXPECT_EQ(Shown("within('" + std::string(inside) + "', '440300000000')"), "true") << inside;
    EXPECT_EQ(Shown("within('" + std::string(inside) + "', '440100')"), "false") << inside;
  }
  EXPECT_EQ(Shown("within('440304001', '440304')"), "true");
  EXPECT_EQ(Shown("within('440304001', '440304000')"), "true");
  EXPECT_EQ(Shown("within('440305001', '440304')"), "false");
  EXPECT_EQ(Shown("within('440300', '440304')"), "false");  // a city is not in its district
  EXPECT_EQ(Shown("within('440304', '440304001')"), "false");
}

}  // namespace
}  // namespace zhitui::cel
