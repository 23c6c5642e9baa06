#include "bench/benchset/catalogue.h"

#include <algorithm>
#include <cstdio>

#include "bench/benchset/people.h"
#include "population/random.h"

namespace zhitui::benchset {
namespace {

using population::Random;

constexpr std::uint64_t kPlaceStreams = 1ULL << 41;  // streams of the lists of places that several rules share
constexpr std::uint32_t kSharedPlaces = 80;

struct Theme {
  const char* id;
  const char* zh;
  const char* en;
  const char* owner;
};
constexpr std::array<Theme, 12> kThemes = {{{"rent", "租房补贴", "Rent allowance", "住房建设局"},
                                            {"first-home", "首套房补助", "First home grant", "住房建设局"},
                                            {"tuition", "学费减免", "Tuition remission", "教育局"},
                                            {"scholarship", "助学补助", "Study grant", "教育局"},
                                            {"training", "职业培训补贴", "Training allowance", "人力资源和社会保障局"},
                                            {"job-start", "就业启动金", "Job start grant", "人力资源和社会保障局"},
                                            {"transport", "公交优惠", "Transport pass", "交通运输局"},
                                            {"culture", "文化消费券", "Culture voucher", "文化广电局"},
                                            {"child-care", "托育补助", "Child care benefit", "民政局"},
                                            {"health", "医疗救助", "Health assistance", "医疗保障局"},
                                            {"disability", "助残补贴", "Disability allowance", "残疾人联合会"},
                                            {"driving", "驾培补贴", "Driving licence aid", "人力资源和社会保障局"}}};

Condition Number(Field field, Compare compare, std::int64_t n) {
  Condition c;
  c.op = Op::kNumber;
  c.field = field;
  c.compare = compare;
  c.n = n;
  return c;
}
Condition Bool(Field field) {
  Condition c;
  c.op = Op::kBool;
  c.field = field;
  return c;
}
Condition Not(Condition part) {
  Condition c;
  c.op = Op::kNot;
  c.parts.push_back(std::move(part));
  return c;
}
Condition All(std::vector<Condition> parts) {
  if (parts.size() == 1) return parts[0];
  Condition c;
  c.op = Op::kAnd;
  c.parts = std::move(parts);
  return c;
}
Condition Any(std::vector<Condition> parts) {
  Condition c = All(std::move(parts));
  if (c.op == Op::kAnd) c.op = Op::kOr;
  return c;
}
Condition In(Field field, std::vector<std::int64_t> codes, bool spelled_otherwise) {
  std::sort(codes.begin(), codes.end());
  codes.erase(std::unique(codes.begin(), codes.end()), codes.end());
  Condition c;
  c.op = Op::kIn;
  c.field = field;
  c.codes = std::move(codes);
  c.spelled_otherwise = spelled_otherwise;
  return c;
}
Condition Age(Compare compare, std::int64_t n) {
  Condition c = Number(Field::kBirthDate, compare, n);
  c.op = Op::kAge;
  return c;
}

class Writer {
 public:
  Writer(std::uint64_t seed, std::uint64_t number, std::int64_t today, bool amounts)
      : seed_(seed), number_(number), random_(seed, number + 1), today_(today), amounts_(amounts) {}

  Rule Write() {
    const Theme& theme = kThemes[random_.Below(static_cast<std::uint32_t>(kThemes.size()))];
    char id[64];
    std::snprintf(id, sizeof id, "b%05llu-%s", static_cast<unsigned long long>(number_), theme.id);
    rule_.id = id;
    Validity();
    if (random_.Chance(8600)) AgeRange();
    PlaceLimit();
    const bool profiles = random_.Chance(2800);
    if (profiles) EitherOr();
    if (!profiles && random_.Chance(7200)) Situation();
    if (random_.Chance(3800)) Income();
    if (random_.Chance(2000)) Duration();
    if (random_.Chance(3000)) Flag();
    if (random_.Chance(1200)) Negation();
    if (random_.Chance(1400)) Learning();
    if (random_.Chance(700)) TwoFacts();
    if (random_.Chance(700)) Lists();
    if (random_.Chance(500)) DateParam();
    if (rule_.criteria.size() < 2 && !HasCriterion("situation")) Situation();
    if (rule_.criteria.size() < 2 && !HasCriterion("income")) Income();
    if (random_.Chance(1000) && amounts_) AmountTable();
    rule_.yaml = Yaml(theme);
    return std::move(rule_);
  }

 private:
  template <std::size_t N>
  std::int64_t Pick(const std::array<int, N>& from) {
    return from[random_.Below(N)];
  }
  void Add(const char* id, const char* zh, const char* en, Condition when) {
    rule_.criteria.push_back({id, zh, en, std::move(when)});
  }

  bool HasCriterion(const char* id) const {
    return std::any_of(rule_.criteria.begin(), rule_.criteria.end(), [&](const Criterion& c) { return c.id == id; });
  }

  // A param whose value today is n; an older value, and at times one to come, differ by a step.
  std::string AddParam(const char* name, std::int64_t n, std::int64_t step, bool money, bool day) {
    Param p;
    p.name = name;
    p.money = money;
    p.day = day;
    if (random_.Chance(5000)) {
      p.values = {{DayOf({2015, 1, 1}), n}};
    } else {
      p.values = {{DayOf({2015, 1, 1}), n - step}, {DayOf({2025, 1, 1}), n}};
      if (random_.Chance(4000)) p.values.push_back({DayOf({2027, 1, 1}), n + step});
    }
    if (p.values.size() > 1 && !rule_.from) rule_.from = DayOf({2016, 1, 1});
    rule_.params.push_back(p);
    return name;
  }

  void Validity() {
    if (random_.Chance(7000)) rule_.from = DayOf({random_.Between(2016, 2024), random_.Between(1, 12), 1});
    if (random_.Chance(1500)) {
      rule_.until = DayOf({random_.Chance(2500) ? 2026 : random_.Between(2027, 2030), 1, 1});
      if (!rule_.from) rule_.from = DayOf({2018, 1, 1});
    }
  }

  void AgeRange() {
    // What laws say most: from 16 or 18, to 25, 26, 30 …; a few for children and for the old.
    constexpr std::array<std::uint32_t, 4> kKinds = {66, 12, 10, 12};
    std::int64_t low = 0;
    std::int64_t high = 0;  // first age too old; 0: none
    switch (random_.Weighted(kKinds)) {
      case 0: {
        constexpr std::array<int, 8> kLow = {14, 15, 16, 16, 18, 18, 18, 20};
        constexpr std::array<int, 10> kHigh = {21, 22, 25, 26, 26, 26, 28, 30, 30, 31};
        low = Pick(kLow);
        high = Pick(kHigh);
        break;
      }
      case 1: {
        constexpr std::array<int, 5> kHigh = {3, 6, 12, 16, 18};
        high = Pick(kHigh);
        break;
      }
      case 2: {
        constexpr std::array<int, 5> kLow = {60, 62, 65, 70, 80};
        low = Pick(kLow);
        break;
      }
      default: {
        constexpr std::array<int, 4> kLow = {16, 18, 18, 25};
        low = Pick(kLow);
        break;
      }
    }
    std::vector<Condition> parts;
    if (low > 0) {
      parts.push_back(Age(Compare::kAtLeast, low));
      if (random_.Chance(1000)) parts.back().param = AddParam("min_age", low, 1, false, false);
    }
    if (high > 0) {
      const bool inclusive = random_.Chance(5000);  // laws say both: to 25, and below 26
      parts.push_back(Age(inclusive ? Compare::kAtMost : Compare::kLess, inclusive ? high - 1 : high));
    }
    Add("age_range", "年龄符合", "Of the age", All(std::move(parts)));
  }

  std::vector<std::int64_t> Places(Random& random, bool streets) {
    constexpr std::array<std::uint32_t, 5> kLengths = {30, 30, 20, 14, 6};  // to 1, 6, 16, 36, 60
    constexpr std::array<int, 6> kFrom = {1, 2, 7, 17, 37, 61};
    const std::size_t band = random.Weighted(kLengths);
    const int n = random.Between(kFrom[band], kFrom[band + 1] - 1);
    // A run of neighbours from a start, so that a list has the shape of an area.
    constexpr std::array<std::uint32_t, kCities> kWeights = {22, 4, 34, 8, 7, 6, 5, 4, 3, 3, 2, 2};
    const int per_city = streets ? kDistricts * kStreets : kDistricts;
    const int start = static_cast<int>(random.Weighted(kWeights)) * per_city + random.Between(0, per_city - 1);
    std::vector<std::int64_t> codes;
    for (int i = 0; i < n; ++i) {
      const int at = (start + i) % (kCities * per_city);
      codes.push_back(streets ? StreetCode(at / per_city, at % per_city / kStreets, at % kStreets)
                              : DistrictCode(at / per_city, at % per_city));
    }
    return codes;
  }

  void PlaceLimit() {
    constexpr std::array<std::uint32_t, 6> kKinds = {40, 4, 14, 10, 20, 12};
    const std::size_t kind = random_.Weighted(kKinds);
    rule_.folder = kind == 0 ? "national" : kind == 1 ? "province" : kind <= 3 ? "city" : "local";
    const bool otherwise = random_.Chance(4000);
    Condition c;
    switch (kind) {
      case 0:
        return;
      case 1:
        c.op = Op::kPrefix;
        c.field = Field::kDistrict;
        c.n = kProvince;
        c.spelled_otherwise = otherwise;
        break;
      case 2: {
        std::vector<std::int64_t> cities;
        const int n = random_.Chance(6000) ? 1 : random_.Between(2, 5);
        for (int i = 0; i < n; ++i)
          cities.push_back(CityCode(random_.Chance(4000) ? 2 : random_.Between(0, kCities - 1)));
        c = In(Field::kHukouCity, std::move(cities), otherwise);
        break;
      }
      case 3:
        c.op = Op::kPrefix;
        c.field = random_.Chance(5000) ? Field::kDistrict : Field::kStreet;
        c.n = CityCode(random_.Chance(4000) ? 2 : random_.Between(0, kCities - 1)) / 100;
        if (random_.Chance(2500) && c.field == Field::kStreet) c.n = c.n * 100 + random_.Between(1, kDistricts);
        c.spelled_otherwise = otherwise;
        break;
      default: {
        const bool streets = kind == 5;
        Random shared(seed_, kPlaceStreams + (streets ? kSharedPlaces : 0) + random_.Below(kSharedPlaces));
        c = In(streets ? Field::kStreet : Field::kDistrict, Places(random_.Chance(5000) ? shared : random_, streets),
               otherwise);
        break;
      }
    }
    Add("place", "在规定地区", "In the area", std::move(c));
  }

  // pupil 0, student 1, apprentice 2, trainee 3, job_seeker 4, employee 5, self_employed 6, retired 7, none 8
  Condition SituationIs(std::vector<std::int64_t> codes) {
    return In(Field::kSituation, std::move(codes), random_.Chance(6000));
  }

  void Situation() {
    constexpr std::array<std::uint32_t, 12> kKinds = {16, 14, 10, 10, 9, 9, 8, 7, 5, 5, 4, 3};
    static const std::array<std::vector<std::int64_t>, 12> kSets = {
        {{1}, {0, 1}, {0, 1, 2}, {4}, {1, 2}, {2}, {3, 4}, {5}, {5, 6}, {1, 2, 3, 4}, {7}, {2, 3, 5}}};
    Add("situation", "就业就学状况符合", "Of the situation", SituationIs(kSets[random_.Weighted(kKinds)]));
  }

  void Income() {
    constexpr std::array<int, 12> kYuan = {800, 1000, 1200, 1500, 1800, 2000, 2310, 2520, 3000, 3500, 4500, 6000};
    const std::int64_t yuan = Pick(kYuan);
    Condition c;
    switch (random_.Below(4)) {
      case 0:
        c = Number(Field::kIncome, random_.Chance(5000) ? Compare::kAtMost : Compare::kLess, yuan * 100);
        break;
      case 1:
        c = Number(Field::kIncome, Compare::kAtMost, yuan * 100 + 50);
        if (random_.Chance(5000)) c.param = AddParam("ceiling", c.n, 10000, true, false);
        break;
      case 2: {
        constexpr std::array<int, 8> kQuotients = {300, 400, 500, 600, 700, 800, 900, 1200};
        c = Number(Field::kQuotient, random_.Chance(7000) ? Compare::kAtMost : Compare::kLess, Pick(kQuotients));
        if (random_.Chance(3500)) c.param = AddParam("quotient", c.n, 50, false, false);
        break;
      }
      default:
        c = Number(Field::kHouseholdIncome, Compare::kAtMost, (yuan * 4 + 1000) * 100);
        break;
    }
    Add("income", "收入未超标准", "Income within the limit", std::move(c));
  }

  void Duration() {
    constexpr std::array<int, 6> kMonths = {3, 6, 6, 12, 12, 24};
    Condition c;
    switch (random_.Below(4)) {
      case 0:
        c = Number(Field::kInsuredMonths, Compare::kAtLeast, Pick(kMonths));
        if (random_.Chance(2000)) c.param = AddParam("months", c.n, 1, false, false);
        break;
      case 1:
        c = Number(Field::kSituationSince, Compare::kAtLeast, Pick(kMonths));
        c.op = Op::kMonths;
        break;
      case 2:
        c = Number(Field::kMovedIn, Compare::kLess, Pick(kMonths));
        c.op = Op::kMonths;
        c.spelled_otherwise = random_.Chance(3000);
        break;
      default:
        c = Number(Field::kResidenceSince, Compare::kAtLeast, Pick(kMonths));
        c.op = Op::kMonths;
        break;
    }
    Add("duration", "期限符合", "For long enough", std::move(c));
  }

  void Flag() {
    constexpr std::array<std::uint32_t, 8> kKinds = {22, 18, 16, 8, 10, 6, 12, 8};
    Condition c;
    switch (random_.Weighted(kKinds)) {
      case 0:
        c = Bool(Field::kScholarship);
        break;
      case 1:
        c = Bool(Field::kDisability);
        break;
      case 2:
        c = Bool(Field::kFirstHome);
        break;
      case 3:
        c = Bool(Field::kSingleParent);
        break;
      case 4:
        c = Bool(Field::kPermit);
        break;
      case 5:
        c = Number(Field::kDisabilityRate, Compare::kAtLeast, 50);
        break;
      case 6:
        c = In(Field::kTenure, random_.Chance(5000) ? std::vector<std::int64_t>{1} : std::vector<std::int64_t>{1, 2},
               random_.Chance(5000));
        break;
      default:
        c = Any({Bool(Field::kDisability), Bool(Field::kSingleParent)});
        break;
    }
    Add("flag", "属于规定情形", "In the case", std::move(c));
  }

  void EitherOr() {
    const auto student = [&] { return SituationIs({1}); };
    const auto seeker = [&] { return SituationIs({4}); };
    constexpr std::array<int, 4> kYoung = {25, 26, 26, 28};
    constexpr std::array<int, 3> kMonths = {3, 6, 12};
    const auto since = [&](Field field) {
      Condition c = Number(field, Compare::kAtLeast, Pick(kMonths));
      c.op = Op::kMonths;
      return c;
    };
    const auto scholar = [&] { return All({student(), Age(Compare::kLess, Pick(kYoung)), Bool(Field::kScholarship)}); };
    const auto seeking = [&] { return All({seeker(), since(Field::kSituationSince)}); };
    const auto working = [&] {
      return All({SituationIs({5, 6}), Number(Field::kInsuredMonths, Compare::kAtLeast, Pick(kMonths))});
    };
    const auto training = [&] {
      return All({SituationIs({2, 3}), Number(Field::kIncome, Compare::kLess, 200000 + 50000 * random_.Between(0, 2))});
    };
    const auto pensioner = [&] { return All({SituationIs({7}), Number(Field::kIncome, Compare::kAtMost, 300000)}); };
    Condition c;
    switch (random_.Below(6)) {
      case 0:
        c = Any({scholar(), seeking()});
        break;
      case 1:
        c = Any({student(), training()});
        break;
      case 2:
        c = Any({scholar(), training(), seeking()});
        break;
      case 3:
        c = Any({working(), seeking()});
        break;
      case 4:
        c = Any({pensioner(), Bool(Field::kDisability)});
        break;
      default:
        c = Any({SituationIs({0, 1, 2}), All({Age(Compare::kLess, Pick(kYoung)), seeker()}), Bool(Field::kDisability)});
        break;
    }
    Add("profile", "属于对象之一", "One of the profiles", std::move(c));
  }

  void Negation() {
    Condition c;
    switch (random_.Below(4)) {
      case 0:
        c = Not(Bool(Field::kScholarship));
        break;
      case 1:
        c = Not(In(Field::kTenure, {0}, true));
        break;
      case 2:
        c = Not(Any({SituationIs({7}), Bool(Field::kDisability)}));
        break;
      default:
        c = Not(In(Field::kFamilyStatus, {1}, random_.Chance(5000)));
        break;
    }
    Add("not_otherwise", "无排除情形", "Not excluded", std::move(c));
  }

  void Learning() {
    Condition c;
    switch (random_.Below(3)) {
      case 0: {
        std::vector<std::int64_t> codes;
        const int n = random_.Between(1, 8);
        for (int i = 0; i < n; ++i) codes.push_back(random_.Between(0, 19));
        c = In(Field::kFieldOfStudy, std::move(codes), random_.Chance(5000));
        break;
      }
      case 1:
        c = In(Field::kLevel,
               random_.Chance(5000) ? std::vector<std::int64_t>{5, 6, 7, 8} : std::vector<std::int64_t>{2, 3, 4},
               false);
        break;
      default:
        c = Number(Field::kScholarshipLevel, Compare::kAtLeast, random_.Between(1, 5));
        break;
    }
    Add("learning", "学业符合", "Of the learning", std::move(c));
  }

  void TwoFacts() {
    Condition c;
    switch (random_.Below(3)) {
      case 0:
        c.op = Op::kContract;
        c.compare = Compare::kAtLeast;
        c.n = random_.Chance(5000) ? 6 : 12;
        c.spelled_otherwise = random_.Chance(5000);
        break;
      case 1:
        c.op = Op::kContractOver;
        c.field = Field::kContractEnd;
        c.spelled_otherwise = random_.Chance(5000);
        break;
      default:
        c.op = Op::kPerHead;
        c.compare = random_.Chance(5000) ? Compare::kAtMost : Compare::kLess;
        c.n = std::int64_t{100} * (1500 + 500 * random_.Between(0, 6)) + (random_.Chance(5000) ? 50 : 0);
        if (random_.Chance(3000)) c.param = AddParam("per_head", c.n, 10000, true, false);
        break;
    }
    Add("contract_or_household", "合同或家庭收入符合", "Contract or household income", std::move(c));
  }

  void Lists() {
    Condition c;
    if (random_.Chance(5000)) {
      c.op = Op::kChildUnder;
      c.field = Field::kChildren;
      constexpr std::array<int, 4> kAges = {3, 3, 6, 18};
      c.n = Pick(kAges);
    } else {
      c.op = Op::kHasBenefit;
      c.field = Field::kBenefits;
      c.n = random_.Between(0, 6);
      if (random_.Chance(3000)) c = Not(std::move(c));
    }
    Add("family_or_benefits", "子女或待遇符合", "Children or benefits", std::move(c));
  }

  void DateParam() {
    Condition c = Number(random_.Chance(5000) ? Field::kSituationSince : Field::kResidenceSince, Compare::kAtLeast,
                         DayOf({random_.Between(2019, 2025), 1 + 3 * random_.Between(0, 3), 1}));
    c.op = Op::kDateFrom;
    if (random_.Chance(7000)) c.param = AddParam("since", c.n, 90, false, true);
    Add("since", "自规定之日起", "Since the day", std::move(c));
  }

  void AmountTable() {
    const int rows = random_.Between(2, 4);
    const std::size_t kind = random_.Below(4);
    const bool per_head = random_.Chance(2000);
    for (int i = 0; i < rows; ++i) {
      Amount a;
      a.fen = std::int64_t{100} * (50 + 50 * random_.Between(0, 15)) + (random_.Chance(2000) ? 50 : 0);
      a.per_head = per_head;
      if (i + 1 < rows) {
        switch (kind) {
          case 0:
            a.when = Age(Compare::kLess, 20 + 3 * i);
            break;
          case 1:
            a.when = Number(Field::kScholarshipLevel, Compare::kAtLeast, 6 - 2 * i);
            break;
          case 2:
            a.when = Number(Field::kHouseholdSize, Compare::kAtLeast, 5 - i);
            break;
          default:
            a.when = Number(Field::kIncome, Compare::kLess, 100000 + 80000 * i);
            break;
        }
      }
      rule_.amounts.push_back(std::move(a));
    }
  }

  static std::string Money(std::int64_t fen, bool exact_int) {
    if (fen % 100 == 0 && exact_int) return std::to_string(fen / 100);
    char text[32];
    std::snprintf(text, sizeof text, "%lld.%02lld", static_cast<long long>(fen / 100),
                  static_cast<long long>(fen % 100));
    return text;
  }

  static bool UsesAge(const Condition& c) {
    return c.op == Op::kAge || std::any_of(c.parts.begin(), c.parts.end(), UsesAge);
  }

  // Below a bar, so that no character of an expression means something in YAML.
  static std::string When(const Condition& c) { return "|\n      " + Print(c, Dialect::kRules) + "\n"; }

  std::string Yaml(const Theme& theme) const {
    char serial[16];
    std::snprintf(serial, sizeof serial, "%05llu", static_cast<unsigned long long>(number_));
    std::string out = "# Written by zhitui-benchset. Invented.\nrule: " + rule_.id + "\nabout: resident\n";
    out += std::string("title: {zh: ") + theme.zh + "（示例" + serial + "）, en: " + theme.en + " (sample " + serial +
           ")}\n";
    out += std::string("owner: 示例市") + theme.owner + "\n";
    if (rule_.folder != "national") out += "area: \"44\"\n";
    out += std::string("topic: benefits.") + theme.id + "\n";
    out += std::string("law:\n  basis: {title: 示例办法第") + serial + "号}\n";
    if (rule_.from) {
      out += "valid: {from: " + DayText(*rule_.from) + (rule_.until ? ", until: " + DayText(*rule_.until) : "") + "}\n";
    }
    if (!rule_.params.empty()) out += "\nparams:\n";
    for (const Param& p : rule_.params) {
      const auto text = [&](std::int64_t v) {
        return p.day ? DayText(v) : p.money ? Money(v, false) : std::to_string(v);
      };
      if (p.values.size() == 1) {
        out += "  " + p.name + ": " + text(p.values[0].second) + "\n";
        continue;
      }
      out += "  " + p.name + ": {";
      for (std::size_t i = 0; i < p.values.size(); ++i) {
        out += (i == 0 ? "" : ", ") + DayText(p.values[i].first) + ": " + text(p.values[i].second);
      }
      out += "}\n";
    }
    bool age =
        std::any_of(rule_.criteria.begin(), rule_.criteria.end(), [](const Criterion& c) { return UsesAge(c.when); });
    for (const Amount& a : rule_.amounts) age = age || (a.when && UsesAge(*a.when));
    if (age) out += "\nlet:\n  age: age(resident.birth_date, today)\n";
    out += "\ncriteria:\n";
    for (const Criterion& c : rule_.criteria) {
      out += "  " + c.id + ":\n    label: {zh: " + c.zh + ", en: " + c.en + "}\n    when: " + When(c.when) +
             "    law: basis\n";
    }
    if (!rule_.amounts.empty()) {
      out += "\namount:\n  unit: CNY/month\n  table:\n";
      for (const Amount& a : rule_.amounts) {
        std::string is = Money(a.fen, true);
        if (a.per_head) is = (a.fen % 100 == 0 ? is : "decimal(\"" + is + "\")") + " * resident.household.size";
        out += a.when ? "    - when: " + Print(*a.when, Dialect::kRules) + "\n      is: " + is + "\n"
                      : "    - is: " + is + "\n";
      }
    }
    return out;
  }

  std::uint64_t seed_;
  std::uint64_t number_;
  Random random_;
  std::int64_t today_;
  bool amounts_;
  Rule rule_;
};

}  // namespace

Rule MakeRule(std::uint64_t seed, std::uint64_t number, std::int64_t today, bool amounts) {
  return Writer(seed, number, today, amounts).Write();
}

Answer Decide(const Rule& rule, const Resident& resident, std::int64_t today) {
  if ((rule.from && today < *rule.from) || (rule.until && today >= *rule.until)) return {};
  Truth all = Truth::kTrue;
  for (const Criterion& c : rule.criteria) {
    const Truth t = Evaluate(c.when, resident, today);
    if (t == Truth::kFalse) return {};
    if (t == Truth::kUnknown) all = t;
  }
  if (all == Truth::kUnknown) return {all, 0};
  for (const Amount& a : rule.amounts) {
    const Truth row = a.when ? Evaluate(*a.when, resident, today) : Truth::kTrue;
    if (row == Truth::kUnknown) return {row, 0};
    if (row == Truth::kFalse) continue;
    const auto size = static_cast<std::size_t>(Field::kHouseholdSize);
    if (a.per_head && resident.state[size] == State::kMissing) return {Truth::kUnknown, 0};
    return {Truth::kTrue, a.per_head ? a.fen * resident.value[size] : a.fen};
  }
  return {Truth::kTrue, 0};
}

std::string PlainExpression(const Rule& rule) {
  std::string out;
  if (rule.from) out = "today >= " + std::to_string(*rule.from);
  if (rule.until) out += " && today < " + std::to_string(*rule.until);
  for (const Criterion& c : rule.criteria) {
    const std::string text = Print(c.when, Dialect::kPlain);
    out += (out.empty() ? "" : " && ") + (c.when.op == Op::kOr ? '(' + text + ')' : text);
  }
  return out;
}

// Drools shares what rules have in common from the left, so that the conditions most often repeated stand first.
std::string DrlConstraints(const Rule& rule) {
  std::vector<std::pair<std::size_t, std::string>> parts;
  constexpr std::array<const char*, 4> kFirst = {"situation", "age_range", "profile", "place"};
  for (const Criterion& c : rule.criteria) {
    const auto at = static_cast<std::size_t>(std::find(kFirst.begin(), kFirst.end(), c.id) - kFirst.begin());
    const std::string text = Print(c.when, Dialect::kDrl);
    parts.emplace_back(at, c.when.op == Op::kOr ? '(' + text + ')' : text);
  }
  std::sort(parts.begin(), parts.end());
  std::string out;
  for (const auto& [at, text] : parts) out += (out.empty() ? "" : ", ") + text;
  if (rule.from) out += ", today >= " + std::to_string(*rule.from);
  if (rule.until) out += ", today < " + std::to_string(*rule.until);
  return out;
}

}  // namespace zhitui::benchset
