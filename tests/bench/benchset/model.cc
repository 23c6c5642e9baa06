#include "bench/benchset/model.h"

#include <algorithm>
#include <cstdio>

namespace zhitui::benchset {
namespace {

std::size_t At(Field field) { return static_cast<std::size_t>(field); }

bool Holds(std::int64_t value, Compare compare, std::int64_t n) {
  switch (compare) {
    case Compare::kLess:
      return value < n;
    case Compare::kAtMost:
      return value <= n;
    case Compare::kMore:
      return value > n;
    case Compare::kAtLeast:
      return value >= n;
  }
  return false;
}

const char* Sign(Compare compare) {
  constexpr std::array<const char*, 4> kSigns = {" < ", " <= ", " > ", " >= "};
  return kSigns[static_cast<std::size_t>(compare)];
}

Truth Of(bool b) { return b ? Truth::kTrue : Truth::kFalse; }

int LastDay(int year, int month) {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && leap ? 29 : kDays[static_cast<std::size_t>(month - 1)];
}

std::int64_t Age(std::int64_t birth, std::int64_t today) { return MonthsBetween(birth, today) / 12; }

std::string FenText(std::int64_t fen) {
  char text[32];
  std::snprintf(text, sizeof text, "%lld.%02lld", static_cast<long long>(fen / 100), static_cast<long long>(fen % 100));
  return text;
}

std::string Quoted(const std::string& text) { return '"' + text + '"'; }

std::string Flat(const char* name) {
  std::string flat = name;
  std::replace(flat.begin(), flat.end(), '.', '_');
  return flat;
}

std::string Name(Field field, Dialect dialect) {
  const char* name = Fields()[At(field)].name;
  return dialect == Dialect::kRules ? std::string("resident.") + name : Flat(name);
}

// The number as the fact's type wants it in the dialect.
std::string Number(const Condition& c, bool money, Dialect dialect) {
  if (!c.param.empty() && dialect == Dialect::kRules) return "params." + c.param;
  if (!money || dialect != Dialect::kRules) return std::to_string(c.n);
  if (c.n % 100 == 0) return std::to_string(c.n / 100);
  return "decimal(\"" + FenText(c.n) + "\")";
}

std::string Guarded(Field field, const Condition& c, const std::string& then) {
  const std::string name = Name(field, Dialect::kRules);
  return (c.spelled_otherwise ? "has(" + name + ")" : name + " != null") + " && " + then;
}

// DRL has no `!` before an operator of its own, so that a negation is written in what it denies.
std::string Denied(const Condition& c) {
  switch (c.op) {
    case Op::kAnd:
    case Op::kOr: {
      std::string text;
      for (const Condition& part : c.parts) {
        const std::string denied = Denied(part);
        text += (text.empty() ? "" : c.op == Op::kAnd ? " || " : " && ") + denied;
      }
      return text;
    }
    case Op::kBool:
      return Name(c.field, Dialect::kDrl) + " == false";
    case Op::kIn: {
      std::string text = Print(c, Dialect::kDrl);
      const std::string name = Name(c.field, Dialect::kDrl);
      if (text.compare(name.size(), 4, " == ") == 0) return text.replace(name.size(), 4, " != ");
      return text.insert(name.size(), " not");
    }
    case Op::kHasBenefit:
      return Name(Field::kBenefits, Dialect::kDrl) + " not contains " + Quoted(CodeText(Field::kBenefits, c.n));
    default:
      return "!(" + Print(c, Dialect::kDrl) + ')';
  }
}

bool Composite(const Condition& c) {
  if (c.op == Op::kAnd || c.op == Op::kOr) return true;
  return c.op == Op::kContract || c.op == Op::kContractOver || (c.op == Op::kMonths && Fields()[At(c.field)].nullable);
}

std::string Part(const Condition& c, Dialect dialect) {
  const std::string text = Print(c, dialect);
  return Composite(c) ? '(' + text + ')' : text;
}

}  // namespace

const std::array<FieldDef, kFields>& Fields() {
  using enum FieldType;
  static const std::array<FieldDef, kFields> kDefs = {{
      {"birth_date", kDate, false, "police", "出生日期", "Date of birth", {}},
      {"family.status",
       kCode,
       false,
       "civil",
       "婚姻状况",
       "Marital status",
       {"single", "married", "divorced", "widowed"}},
      {"family.lone", kBool, false, "civil", "单亲家庭", "Single parent", {}},
      {"hukou.city", kArea, false, "police", "户籍城市", "Hukou city", {}},
      {"home.district", kArea, false, "police", "居住区", "District of residence", {}},
      {"home.street", kArea, false, "police", "居住街道", "Street of residence", {}},
      {"home.since", kDate, false, "police", "居住起始日", "Resident since", {}},
      {"home.permit", kBool, false, "police", "持有居住证", "Holds a residence permit", {}},
      {"home.tenure", kCode, false, "housing", "住房", "Housing", {"own", "rent", "dormitory", "family", "none"}},
      {"home.first", kBool, false, "housing", "首次购房", "First home", {}},
      {"home.moved_in", kDate, true, "housing", "入住日期", "Moved in", {}},
      {"work.situation",
       kCode,
       false,
       "labour",
       "就业状况",
       "Situation",
       {"pupil", "student", "apprentice", "trainee", "job_seeker", "employee", "self_employed", "retired", "none"}},
      {"work.since", kDate, false, "labour", "现状起始日", "Situation since", {}},
      {"work.ends", kDate, true, "labour", "合同终止日", "End of contract", {}},
      {"study.level",
       kCode,
       false,
       "education",
       "学历",
       "Level of education",
       {"none", "primary", "junior", "vocational", "senior", "college", "bachelor", "master", "doctor"}},
      {"study.field", kCode, false, "education", "专业", "Field of study", {"0100", "0200", "0301", "0302", "0401",
                                                                            "0402", "0501", "0601", "0701", "0702",
                                                                            "0703", "0801", "0802", "0803", "0804",
                                                                            "0805", "0901", "1001", "1002", "1201"}},
      {"study.grant", kBool, false, "education", "获助学金", "Holds a scholarship", {}},
      {"study.grant_level", kInt, false, "education", "助学金等级", "Scholarship level", {}},
      {"income.monthly", kMoney, false, "tax", "月收入", "Monthly income", {}},
      {"income.household", kMoney, false, "tax", "家庭月收入", "Monthly household income", {}},
      {"household.size", kInt, false, "civil", "家庭人口", "Household size", {}},
      {"household.quotient", kInt, false, "civil", "家庭系数", "Household quotient", {}},
      {"household.children", kChildren, false, "civil", "子女", "Children", {}},
      {"insured.months", kInt, false, "insurance", "参保月数", "Months insured", {}},
      {"health.disability", kBool, false, "civil", "残疾", "Disability", {}},
      {"health.rate", kInt, false, "civil", "残疾程度", "Rate of disability", {}},
      {"benefits.drawn",
       kCodes,
       false,
       "civil",
       "在领待遇",
       "Benefits drawn",
       {"minimum", "housing", "family", "disability", "unemployment", "activity", "pension"}},
  }};
  return kDefs;
}

std::string CodeText(Field field, std::int64_t code) {
  const FieldDef& def = Fields()[At(field)];
  return def.type == FieldType::kArea ? std::to_string(code) : def.values[static_cast<std::size_t>(code)];
}

// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": days_from_civil and civil_from_days.
std::int64_t DayOf(const Civil& civil) {
  const std::int64_t y = civil.year - (civil.month <= 2 ? 1 : 0);
  const std::int64_t era = y / 400;
  const std::int64_t year_of_era = y - era * 400;
  const std::int64_t day_of_year = (153 * (civil.month + (civil.month > 2 ? -3 : 9)) + 2) / 5 + civil.day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

Civil CivilOf(std::int64_t day) {
  const std::int64_t z = day + 719468;
  const std::int64_t era = z / 146097;
  const std::int64_t day_of_era = z - era * 146097;
  const std::int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t month_from_march = (5 * day_of_year + 2) / 153;
  const int d = static_cast<int>(day_of_year - (153 * month_from_march + 2) / 5 + 1);
  const int m = static_cast<int>(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
  return {static_cast<int>(year_of_era + era * 400) + (m <= 2 ? 1 : 0), m, d};
}

std::string DayText(std::int64_t day) {
  const Civil c = CivilOf(day);
  char text[32];
  std::snprintf(text, sizeof text, "%04d-%02d-%02d", c.year, c.month, c.day);
  return text;
}

std::int64_t MonthsBetween(std::int64_t from, std::int64_t to) {
  const Civil a = CivilOf(from);
  const Civil b = CivilOf(to);
  const int months = (b.year - a.year) * 12 + b.month - a.month;
  return std::min(a.day, LastDay(b.year, b.month)) > b.day ? months - 1 : months;
}

Truth Evaluate(const Condition& c, const Resident& r, std::int64_t today) {
  const auto value = [&](Field field) { return r.value[At(field)]; };
  const auto state = [&](Field field) { return r.state[At(field)]; };
  switch (c.op) {
    case Op::kAnd:
    case Op::kOr: {
      const Truth settles = c.op == Op::kAnd ? Truth::kFalse : Truth::kTrue;
      Truth all = c.op == Op::kAnd ? Truth::kTrue : Truth::kFalse;
      for (const Condition& part : c.parts) {
        const Truth t = Evaluate(part, r, today);
        if (t == settles) return t;
        if (t == Truth::kUnknown) all = t;
      }
      return all;
    }
    case Op::kNot: {
      const Truth t = Evaluate(c.parts[0], r, today);
      return t == Truth::kUnknown ? t : Of(t == Truth::kFalse);
    }
    case Op::kContract:
      if (state(Field::kContractEnd) == State::kNull) return Truth::kFalse;
      if (state(Field::kContractEnd) == State::kMissing || state(Field::kSituationSince) == State::kMissing) {
        return Truth::kUnknown;
      }
      return Of(Holds(MonthsBetween(value(Field::kSituationSince), value(Field::kContractEnd)), c.compare, c.n));
    case Op::kPerHead:
      if (state(Field::kHouseholdIncome) == State::kMissing || state(Field::kHouseholdSize) == State::kMissing) {
        return Truth::kUnknown;
      }
      return Of(Holds(value(Field::kHouseholdIncome), c.compare, c.n * value(Field::kHouseholdSize)));
    default:
      break;
  }
  if (state(c.field) == State::kMissing) return Truth::kUnknown;
  if (state(c.field) == State::kNull) return Truth::kFalse;
  const std::int64_t v = value(c.field);
  switch (c.op) {
    case Op::kBool:
      return Of(v != 0);
    case Op::kNumber:
    case Op::kDateFrom:
      return Of(Holds(v, c.compare, c.n));
    case Op::kAge:
      return Of(Holds(Age(v, today), c.compare, c.n));
    case Op::kMonths:
      return Of(Holds(MonthsBetween(v, today), c.compare, c.n));
    case Op::kContractOver:
      return Of(v < today);
    case Op::kIn:
      return Of(std::binary_search(c.codes.begin(), c.codes.end(), v));
    case Op::kPrefix: {
      std::int64_t shorter = v;
      while (shorter > c.n) shorter /= 10;
      return Of(shorter == c.n);
    }
    case Op::kChildUnder:
      return Of(std::any_of(r.children.begin(), r.children.end(),
                            [&](const Child& child) { return Age(child.birth, today) < c.n; }));
    case Op::kHasBenefit:
      return Of(std::find(r.benefits.begin(), r.benefits.end(), c.n) != r.benefits.end());
    default:
      return Truth::kUnknown;
  }
}

std::string Print(const Condition& c, Dialect dialect) {
  const bool rules = dialect == Dialect::kRules;
  switch (c.op) {
    case Op::kAnd:
    case Op::kOr: {
      std::string text;
      for (const Condition& part : c.parts) {
        if (!text.empty()) text += c.op == Op::kAnd ? " && " : " || ";
        text += Part(part, dialect);
      }
      return text;
    }
    case Op::kNot:
      if (dialect == Dialect::kDrl) return Denied(c.parts[0]);
      return '!' + (c.parts[0].op == Op::kBool ? Print(c.parts[0], dialect) : '(' + Print(c.parts[0], dialect) + ')');
    case Op::kBool:
      return Name(c.field, dialect) + (dialect == Dialect::kDrl ? " == true" : "");
    case Op::kNumber:
      return Name(c.field, dialect) + Sign(c.compare) +
             Number(c, Fields()[At(c.field)].type == FieldType::kMoney, dialect);
    case Op::kAge:
      return std::string("age") + Sign(c.compare) + Number(c, false, dialect);
    case Op::kMonths: {
      const std::string name = Name(c.field, dialect);
      const bool nullable = Fields()[At(c.field)].nullable;
      if (!rules) {
        return (nullable ? name + " != 0 && " : "") + name + "_months" + Sign(c.compare) + std::to_string(c.n);
      }
      const std::string text = "months_between(" + name + ", today)" + Sign(c.compare) + Number(c, false, dialect);
      return nullable ? Guarded(c.field, c, text) : text;
    }
    case Op::kDateFrom:
      if (!rules) return Name(c.field, dialect) + " >= " + std::to_string(c.n);
      return Name(c.field, dialect) +
             " >= " + (c.param.empty() ? "date(\"" + DayText(c.n) + "\")" : "params." + c.param);
    case Op::kContract:
      if (!rules) return std::string("work_contract_months") + Sign(c.compare) + std::to_string(c.n);
      return Guarded(Field::kContractEnd, c,
                     "months_between(resident.work.since, resident.work.ends)" + std::string(Sign(c.compare)) +
                         std::to_string(c.n));
    case Op::kContractOver:
      if (!rules) return "work_ends != 0 && work_ends < today";
      return Guarded(Field::kContractEnd, c, "resident.work.ends < today");
    case Op::kIn: {
      if (c.codes.size() == 1 && (c.spelled_otherwise || dialect == Dialect::kDrl)) {
        return Name(c.field, dialect) + " == " + Quoted(CodeText(c.field, c.codes[0]));
      }
      std::string list;
      for (const std::int64_t code : c.codes) list += (list.empty() ? "" : ", ") + Quoted(CodeText(c.field, code));
      return Name(c.field, dialect) + (dialect == Dialect::kDrl ? " in (" + list + ")" : " in [" + list + "]");
    }
    case Op::kPrefix:
      if (rules && c.spelled_otherwise)
        return "within(" + Name(c.field, dialect) + ", \"" + std::to_string(c.n) + "\")";
      return Name(c.field, dialect) + ".startsWith(\"" + std::to_string(c.n) + "\")";
    case Op::kPerHead: {
      const std::string n = Number(c, true, dialect);
      return Name(Field::kHouseholdIncome, dialect) + Sign(c.compare) + n + " * " +
             Name(Field::kHouseholdSize, dialect);
    }
    case Op::kChildUnder:
      if (dialect == Dialect::kDrl) return "household_youngest < " + std::to_string(c.n);
      if (!rules) return "household_children_ages.exists(a, a < " + std::to_string(c.n) + ")";
      return "resident.household.children.exists(c, age(c.birth_date, today) < " + std::to_string(c.n) + ")";
    case Op::kHasBenefit:
      if (dialect == Dialect::kDrl) {
        return Name(Field::kBenefits, dialect) + " contains " + Quoted(CodeText(Field::kBenefits, c.n));
      }
      return Quoted(CodeText(Field::kBenefits, c.n)) + " in " + Name(Field::kBenefits, dialect);
  }
  return {};
}

std::vector<PlainVariable> PlainVariables() {
  std::vector<PlainVariable> out = {{"today", "int"},
                                    {"age", "int"},
                                    {"work_contract_months", "int"},
                                    {"household_children_ages", "list(int)"},
                                    {"household_youngest", "int"}};
  for (const FieldDef& def : Fields()) {
    const std::string name = Flat(def.name);
    switch (def.type) {
      case FieldType::kBool:
        out.push_back({name, "bool"});
        break;
      case FieldType::kInt:
      case FieldType::kMoney:
        out.push_back({name, "int"});
        break;
      case FieldType::kCode:
      case FieldType::kArea:
        out.push_back({name, "string"});
        break;
      case FieldType::kDate:
        out.push_back({name, "int"});
        out.push_back({name + "_months", "int"});
        break;
      case FieldType::kCodes:
        out.push_back({name, "list(string)"});
        break;
      case FieldType::kChildren:
        break;
    }
  }
  return out;
}

std::string PlainJson(const Resident& r, std::int64_t today) {
  std::string out =
      "{\"today\":" + std::to_string(today) + ",\"age\":" + std::to_string(Age(r.value[At(Field::kBirthDate)], today));
  const bool contract = r.state[At(Field::kContractEnd)] == State::kValue;
  out += ",\"work_contract_months\":" +
         std::to_string(contract ? MonthsBetween(r.value[At(Field::kSituationSince)], r.value[At(Field::kContractEnd)])
                                 : -1);
  std::int64_t youngest = 999;
  out += ",\"household_children_ages\":[";
  for (std::size_t i = 0; i < r.children.size(); ++i) {
    const std::int64_t age = Age(r.children[i].birth, today);
    youngest = std::min(youngest, age);
    out += (i == 0 ? "" : ",") + std::to_string(age);
  }
  out += "],\"household_youngest\":" + std::to_string(youngest);
  for (std::size_t i = 0; i < kFields; ++i) {
    const FieldDef& def = Fields()[i];
    const std::string key = ",\"" + Flat(def.name);
    const bool null = r.state[i] != State::kValue;
    switch (def.type) {
      case FieldType::kBool:
        out += key + (r.value[i] != 0 ? "\":true" : "\":false");
        break;
      case FieldType::kInt:
      case FieldType::kMoney:
        out += key + "\":" + std::to_string(r.value[i]);
        break;
      case FieldType::kCode:
      case FieldType::kArea:
        out += key + "\":" + Quoted(CodeText(static_cast<Field>(i), r.value[i]));
        break;
      case FieldType::kDate:
        out += key + "\":" + std::to_string(null ? 0 : r.value[i]);
        out += key + "_months\":" + std::to_string(null ? -1 : MonthsBetween(r.value[i], today));
        break;
      case FieldType::kCodes:
        out += key + "\":[";
        for (std::size_t k = 0; k < r.benefits.size(); ++k) {
          out += (k == 0 ? "" : ",") + Quoted(CodeText(Field::kBenefits, r.benefits[k]));
        }
        out += ']';
        break;
      case FieldType::kChildren:
        break;
    }
  }
  return out + '}';
}

std::string FactsJson(const Resident& r) {
  std::string out = "{";
  std::string open;  // the group that is open
  bool first = true;
  for (std::size_t i = 0; i < kFields; ++i) {
    if (r.state[i] == State::kMissing) continue;
    const FieldDef& def = Fields()[i];
    const std::string name = def.name;
    const std::size_t dot = name.find('.');
    const std::string group = dot == std::string::npos ? "" : name.substr(0, dot);
    if (group != open) {
      if (!open.empty()) out += '}';
      if (!first) out += ',';
      if (!group.empty()) out += Quoted(group) + ":{";
      open = group;
    } else if (!first) {
      out += ',';
    }
    first = false;
    out += Quoted(dot == std::string::npos ? name : name.substr(dot + 1)) + ':';
    if (r.state[i] == State::kNull) {
      out += "null";
      continue;
    }
    switch (def.type) {
      case FieldType::kBool:
        out += r.value[i] != 0 ? "true" : "false";
        break;
      case FieldType::kInt:
        out += std::to_string(r.value[i]);
        break;
      case FieldType::kMoney:
        out += r.value[i] % 100 == 0 ? std::to_string(r.value[i] / 100) : FenText(r.value[i]);
        break;
      case FieldType::kCode:
      case FieldType::kArea:
        out += Quoted(CodeText(static_cast<Field>(i), r.value[i]));
        break;
      case FieldType::kDate:
        out += Quoted(DayText(r.value[i]));
        break;
      case FieldType::kChildren:
        out += '[';
        for (std::size_t k = 0; k < r.children.size(); ++k) {
          out += (k == 0 ? "" : ",") + std::string("{\"birth_date\":") + Quoted(DayText(r.children[k].birth)) +
                 ",\"at_school\":" + (r.children[k].at_school ? "true}" : "false}");
        }
        out += ']';
        break;
      case FieldType::kCodes:
        out += '[';
        for (std::size_t k = 0; k < r.benefits.size(); ++k) {
          out += (k == 0 ? "" : ",") + Quoted(CodeText(Field::kBenefits, r.benefits[k]));
        }
        out += ']';
        break;
    }
  }
  return out + (open.empty() ? "}" : "}}");
}

std::string SchemaYaml() {
  std::string out =
      "# Written by zhitui-benchset. Invented.\n"
      "kind: resident\n"
      "sources:\n"
      "  police: {zh: 公安, en: Public security}\n"
      "  civil: {zh: 民政, en: Civil affairs}\n"
      "  housing: {zh: 住建, en: Housing}\n"
      "  labour: {zh: 人社, en: Labour}\n"
      "  education: {zh: 教育, en: Education}\n"
      "  tax: {zh: 税务, en: Taxes}\n"
      "  insurance: {zh: 社保, en: Social insurance}\n"
      "facts:\n";
  for (const FieldDef& def : Fields()) {
    std::string type;
    std::string values;
    for (const char* v : def.values) values += (values.empty() ? ", values: [" : ", ") + std::string(v);
    if (!values.empty()) values += ']';
    switch (def.type) {
      case FieldType::kBool:
        type = "bool";
        break;
      case FieldType::kInt:
        type = "int";
        break;
      case FieldType::kMoney:
        type = "money";
        break;
      case FieldType::kCode:
      case FieldType::kArea:
        type = "code" + values;
        break;
      case FieldType::kDate:
        type = "date";
        break;
      case FieldType::kCodes:
        type = "list, of: code, max_items: 16" + values;
        break;
      case FieldType::kChildren:
        type =
            "list, max_items: 16, of: {birth_date: {type: date, label: {zh: 出生日期, en: Date of birth}}, "
            "at_school: {type: bool, label: {zh: 在学, en: At school}}}";
        break;
    }
    out += std::string("  ") + def.name + ": {type: " + type + ", source: " + def.source +
           (def.nullable ? ", nullable: true" : "") + ", label: {zh: " + def.zh + ", en: " + def.en + "}}\n";
  }
  return out;
}

}  // namespace zhitui::benchset
