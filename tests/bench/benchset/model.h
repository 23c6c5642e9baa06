#pragma once

// The model behind the benchmark's set: the facts of a resident, conditions over them, and what a condition is worth
// for a resident. A condition prints as an expression of the rule language and as plain CEL for other engines. Its own
// three-valued evaluation is the independent count against which engines are checked: it shares no code with the
// product.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace zhitui::benchset {

enum class Field : std::uint8_t {
  kBirthDate,
  kFamilyStatus,
  kSingleParent,
  kHukouCity,
  kDistrict,
  kStreet,
  kResidenceSince,
  kPermit,
  kTenure,
  kFirstHome,
  kMovedIn,
  kSituation,
  kSituationSince,
  kContractEnd,
  kLevel,
  kFieldOfStudy,
  kScholarship,
  kScholarshipLevel,
  kIncome,
  kHouseholdIncome,
  kHouseholdSize,
  kQuotient,
  kChildren,
  kInsuredMonths,
  kDisability,
  kDisabilityRate,
  kBenefits,
};
inline constexpr std::size_t kFields = 27;

enum class FieldType : std::uint8_t { kBool, kInt, kMoney, kCode, kArea, kDate, kChildren, kCodes };

struct FieldDef {
  const char* name;  // dotted, as in the rules
  FieldType type;
  bool nullable;
  const char* source;
  const char* zh;
  const char* en;
  std::vector<const char*> values;  // kCode and kCodes: code n is values[n]
};
const std::array<FieldDef, kFields>& Fields();
std::string CodeText(Field field, std::int64_t code);

// A civil day as a number of days since 1970-01-01, and back as text.
struct Civil {
  int year;
  int month;
  int day;
};
std::int64_t DayOf(const Civil& civil);
Civil CivilOf(std::int64_t day);
std::string DayText(std::int64_t day);
// Completed months from one day to a later one; a month without such a day ends on its last day (Civil Code, art. 202).
std::int64_t MonthsBetween(std::int64_t from, std::int64_t to);

enum class State : std::uint8_t { kMissing, kNull, kValue };

struct Child {
  std::int64_t birth;
  bool at_school;
};

struct Resident {
  std::array<State, kFields> state{};
  std::array<std::int64_t, kFields> value{};  // bool, number, fen, code, day; lists have their own members
  std::vector<Child> children;
  std::vector<std::int64_t> benefits;  // codes
};

enum class Op : std::uint8_t {
  kAnd,
  kOr,
  kNot,
  kBool,          // a bool fact
  kNumber,        // an int or money fact against n
  kAge,           // completed years against n
  kMonths,        // completed months from a date fact until today against n
  kDateFrom,      // a date fact not before day n
  kContract,      // months from the start to the end of the contract against n
  kContractOver,  // the contract has ended
  kIn,            // a code among codes
  kPrefix,        // an area code within n
  kPerHead,       // household income per head against n
  kChildUnder,    // a child younger than n
  kHasBenefit,    // code n among the benefits drawn
};
enum class Compare : std::uint8_t { kLess, kAtMost, kMore, kAtLeast };

struct Condition {
  Op op = Op::kAnd;
  Field field = Field::kBirthDate;
  Compare compare = Compare::kAtLeast;
  std::int64_t n = 0;
  std::string param;                // not empty: written as params.<param>, whose value today is n
  std::vector<std::int64_t> codes;  // sorted
  std::vector<Condition> parts;     // kAnd, kOr, kNot
  bool spelled_otherwise = false;   // has() for != null, within() for startsWith(), == for a list of one

  bool operator==(const Condition&) const = default;
};

enum class Truth : std::uint8_t { kFalse, kTrue, kUnknown };
Truth Evaluate(const Condition& condition, const Resident& resident, std::int64_t today);

enum class Dialect : std::uint8_t {
  kRules,  // the rule language; `age` is a let
  kPlain,  // CEL of the standard without dates and decimals: flat variables, ages and months precomputed, money in fen
  kDrl,    // constraints of a Drools pattern over a bean with the variables of kPlain
};
std::string Print(const Condition& condition, Dialect dialect);

// Names of the variables of Dialect::kPlain with their CEL types, and one resident's values for them as JSON. Nothing
// is left out of it; null counts of months are -1, null days 0, and the youngest of no children is 999.
struct PlainVariable {
  std::string name;
  std::string type;  // bool, int, string, list(string), list(int)
};
std::vector<PlainVariable> PlainVariables();
std::string PlainJson(const Resident& resident, std::int64_t today);

// The facts as the rules' schema has them, nested, without what is missing.
std::string FactsJson(const Resident& resident);
std::string SchemaYaml();

}  // namespace zhitui::benchset
