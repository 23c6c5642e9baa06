#include "population/people.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "population/calendar.h"

namespace zhitui::population {
namespace {

using std::chrono::days;

struct Ages {
  int low;
  int high;
  std::uint32_t weight;
};

constexpr std::array<Ages, 3> kYoungAdults = {{{20, 24, 30}, {25, 34, 55}, {35, 45, 15}}};
constexpr std::array<Ages, 3> kFlatmates = {{{18, 22, 35}, {23, 29, 50}, {30, 36, 15}}};
constexpr std::array<Ages, 3> kCouples = {{{24, 31, 50}, {32, 39, 25}, {40, 58, 25}}};
constexpr std::array<Ages, 3> kMothers = {{{25, 31, 17}, {32, 39, 50}, {40, 46, 33}}};
constexpr std::array<Ages, 2> kMiddle = {{{46, 52, 60}, {53, 59, 40}}};
constexpr std::array<Ages, 8> kElderly = {{{60, 64, 300},
                                           {65, 69, 290},
                                           {70, 74, 180},
                                           {75, 79, 105},
                                           {80, 84, 85},
                                           {85, 89, 36},
                                           {90, 99, 20},
                                           {100, 106, 3}}};

template <std::size_t N>
int DrawAge(Random& random, const std::array<Ages, N>& table) {
  std::array<std::uint32_t, N> weights{};
  for (std::size_t i = 0; i < N; ++i) weights[i] = table[i].weight;
  const Ages& bucket = table[random.Weighted(weights)];
  return random.Between(bucket.low, bucket.high);
}

class Maker {
 public:
  Maker(const Options& options, Registry& registry)
      : options_(options),
        from_(options.from),
        last_month_(MonthIndex(options.from) - 1),
        random_(options.seed, 1),
        contact_random_(options.seed, 2),
        registry_(registry) {}

  Society Make() {
    society_.people.reserve(options_.residents + options_.residents / 50);
    while (society_.people.size() < options_.residents) MakeHousehold();
    for (Person& person : society_.people) MakeRecords(person);
    for (Person& person : society_.people) MakeSelf(person);
    return std::move(society_);
  }

 private:
  // How a household stands towards the city; its members mostly share it.
  struct Roots {
    bool shenzhen = false;
    int hometown = 0;
    Date registered{};
    std::string_view street;
    std::string_view housing;
    int housing_district = kFutian;
  };

  bool Full() const { return society_.people.size() >= options_.residents; }

  // A day on which a person who is `age` at the start was born.
  Date BornAt(int age) {
    const Date low = AddYears(from_, -(age + 1)) + days(1);
    const Date high = AddYears(from_, -age);
    return low + days(random_.Between(0, static_cast<int>((high - low).count())));
  }

  Roots DrawRoots(std::uint32_t shenzhen_per_10000) {
    Roots r;
    r.shenzhen = random_.Chance(shenzhen_per_10000);
    r.hometown = DrawHometown(random_);
    // One in four came within the last 14 months and is on the way to a first permit.
    const int back = random_.Chance(2600) ? random_.Between(10, 425) : random_.Between(426, 12 * 365);
    r.registered = from_ - days(back);
    r.street = DrawStreet(random_);
    const bool owner = random_.Chance(r.shenzhen ? 5800 : 1700);
    r.housing = owner ? "own" : random_.Chance(300) ? "none" : "rent";
    constexpr std::array<int, 3> kNear = {440305, 440303, 440309};
    if (random_.Chance(700)) r.housing_district = kNear[random_.Below(3)];
    return r;
  }

  Index Add(const Roots& roots, bool female, Date birth, const std::string& family) {
    const auto index = static_cast<Index>(society_.people.size());
    Person& p = society_.people.emplace_back();
    p.subject = SubjectId(index);
    p.female = female;
    p.birth = birth;
    p.family = family;
    p.name = family + DrawGivenName(random_, female, YearOf(birth));
    p.household = static_cast<Index>(society_.households.size() - 1);
    society_.households.back().members.push_back(index);
    p.street = roots.street;
    p.housing = roots.housing;
    p.housing_district = roots.housing_district;
    p.lives_there = roots.housing_district == kFutian || random_.Chance(3000);
    if (roots.shenzhen) {
      p.hukou_city = kShenzhen;
      p.hukou_district = DrawShenzhenDistrict(random_);
      SettleShenzhen(p, roots.hometown);
    } else {
      p.hukou_city = CityOf(roots.hometown);
      p.hukou_district = roots.hometown;
      p.id_area = roots.hometown;
      p.registered_since = LaterOf(roots.registered, birth + days(random_.Between(10, 60)));
      if (*p.registered_since >= from_) p.registered_since = from_ - days(1);
    }
    if (p.lives_there && random_.Chance(60)) p.street = {};  // no longer in the district, still on its books
    return index;
  }

  // Born here, or moved the hukou here at some time: then the number still names the old home.
  void SettleShenzhen(Person& p, int hometown) {
    const int age = AgeOn(p.birth, from_);
    const bool native = random_.Chance(age < 18 ? 8200 : age < 32 ? 4500 : age < 50 ? 1200 : 1800);
    p.id_area = native ? NativeAreaCode(p.hukou_district, YearOf(p.birth)) : hometown;
    if (native) {
      p.hukou_since = p.birth;
      return;
    }
    const Date city_founded = MakeDate(1980, 5, 1);
    const Date earliest = LaterOf(age < 18 ? p.birth + days(200) : AddYears(p.birth, 20), city_founded);
    const int span = static_cast<int>((from_ - earliest).count());
    p.hukou_since = span > 1 ? earliest + days(random_.Between(0, span - 1)) : p.birth;
    if (span <= 1) p.id_area = NativeAreaCode(p.hukou_district, YearOf(p.birth));
  }

  void MakeHousehold() {
    society_.households.emplace_back();
    constexpr std::array<std::uint32_t, 9> kKinds = {290, 45, 160, 205, 68, 25, 58, 66, 40};
    switch (random_.Weighted(kKinds)) {
      case 0:
        AddSingle();
        break;
      case 1:
        AddFlat();
        break;
      case 2:
        AddChildless();
        break;
      case 3:
        AddFamily(false);
        break;
      case 4:
        AddFamily(true);
        break;
      case 5:
        AddSingleParent();
        break;
      case 6:
        AddGrownChild();
        break;
      case 7:
        AddElderlyCouple();
        break;
      default:
        AddOldSingle();
    }
  }

  // Two draws never stand in one argument list: their order would be the compiler's choice, and so would the bytes.
  void AddSingle() {
    const Roots roots = DrawRoots(4200);
    const bool female = random_.Chance(4700);
    const Date birth = BornAt(DrawAge(random_, kYoungAdults));
    Add(roots, female, birth, DrawFamilyName(random_));
  }

  void AddOldSingle() {
    const Roots roots = DrawRoots(6300);
    const bool female = random_.Chance(6800);
    const Date birth = ElderBirth();
    AddElderly(roots, female, DrawFamilyName(random_), birth);
  }

  void AddFlat() {
    const int n = random_.Between(2, 4);
    const std::string_view street = DrawStreet(random_);
    for (int i = 0; i < n && !Full(); ++i) {
      Roots roots = DrawRoots(1200);
      roots.street = street;
      roots.housing = "rent";
      const bool female = random_.Chance(4500);
      const Date birth = BornAt(DrawAge(random_, kFlatmates));
      Add(roots, female, birth, DrawFamilyName(random_));
    }
  }

  // The wife first. The hukou may differ, the home is shared.
  std::vector<Index> AddCouple(const Roots& roots, int her_age) {
    std::vector<Index> couple;
    const Date her_birth = BornAt(her_age);
    couple.push_back(Add(roots, true, her_birth, DrawFamilyName(random_)));
    if (Full()) return couple;
    Roots his = roots;
    his.hometown = random_.Chance(5500) ? roots.hometown : DrawHometown(random_);
    his.shenzhen = random_.Chance(8200) ? roots.shenzhen : !roots.shenzhen;
    const int his_age = std::max(22, her_age + random_.Between(-2, 6));
    const Date his_birth = BornAt(his_age);
    couple.push_back(Add(his, false, his_birth, DrawFamilyName(random_)));
    return couple;
  }

  void AddChildless() {
    const Roots roots = DrawRoots(4500);
    AddCouple(roots, DrawAge(random_, kCouples));
  }

  void AddChildren(const std::vector<Index>& parents, const Roots& roots, int mother_age, int n) {
    const Person father = society_.people[parents.back()];
    bool shenzhen = false;
    for (const Index parent : parents) shenzhen = shenzhen || society_.people[parent].ShenzhenHukou();
    int age = std::clamp(mother_age - random_.Between(23, 34), 0, 17);
    for (int i = 0; i < n && !Full(); ++i) {
      Roots child = roots;
      child.shenzhen = shenzhen && random_.Chance(9400);
      child.hometown = father.ShenzhenHukou() ? roots.hometown : father.hukou_district;
      child.registered = LaterOf(roots.registered, from_ - days(random_.Between(60, 2200)));
      if (random_.Chance(6000)) child.registered = roots.registered;
      const bool female = random_.Chance(4750);
      const Index index = Add(child, female, ChildBirth(age), father.family);
      society_.people[index].guardians = parents;
      age -= random_.Between(2, 5);
      if (age < 0) break;
    }
  }

  // Of the children between four and seven, a fifth is moved to those who are six by 31 August, to have more of them.
  Date ChildBirth(int age) {
    if (age >= 4 && age <= 7 && random_.Chance(2000)) {
      const int year = YearOf(from_) - 6;
      if (std::chrono::year(year).is_leap() && random_.Chance(250)) return MakeDate(year, 2, 29);
      const Date high = MakeDate(year, 8, 31);
      return high - days(random_.Between(0, 364));
    }
    return BornAt(age);
  }

  void AddFamily(bool grandparents) {
    const Roots roots = DrawRoots(4700);
    const int age = DrawAge(random_, kMothers);
    const std::vector<Index> parents = AddCouple(roots, age);
    constexpr std::array<std::uint32_t, 3> kChildren = {58, 38, 4};
    AddChildren(parents, roots, age, 1 + static_cast<int>(random_.Weighted(kChildren)));
    if (!grandparents) return;
    const bool fathers_side = random_.Chance(6500);
    const std::string family = society_.people[fathers_side ? parents.back() : parents.front()].family;
    Roots old = roots;
    old.shenzhen = roots.shenzhen && random_.Chance(5500);
    old.registered = LaterOf(roots.registered, from_ - days(random_.Between(60, 3000)));
    const int grandmother = std::clamp(age + random_.Between(23, 32), 52, 80);
    if (random_.Chance(9000) && !Full()) {
      const Date birth = GrandparentBirth(grandmother);
      AddElderly(old, true, DrawFamilyName(random_), birth);
    }
    if (random_.Chance(5000) && !Full()) {
      AddElderly(old, false, family, GrandparentBirth(grandmother + random_.Between(0, 4)));
    }
  }

  void AddSingleParent() {
    const Roots roots = DrawRoots(4700);
    const int age = DrawAge(random_, kMothers);
    const bool female = random_.Chance(8000);
    const Date birth = BornAt(age);
    const Index parent = Add(roots, female, birth, DrawFamilyName(random_));
    AddChildren({parent}, roots, age, random_.Chance(8000) ? 1 : 2);
  }

  void AddGrownChild() {
    const Roots roots = DrawRoots(5200);
    const int age = DrawAge(random_, kMiddle);
    const std::vector<Index> parents = AddCouple(roots, age);
    if (Full()) return;
    Roots child = roots;
    child.shenzhen = society_.people[parents.back()].ShenzhenHukou();
    const bool female = random_.Chance(4800);
    const int child_age = std::clamp(age - random_.Between(24, 30), 18, 30);
    Add(child, female, BornAt(child_age), society_.people[parents.back()].family);
  }

  void AddElderlyCouple() {
    const Roots roots = DrawRoots(6300);
    const Date his = ElderBirth();
    const Date hers = his + days(random_.Between(-500, 2200));
    AddElderly(roots, false, DrawFamilyName(random_), his);
    if (!Full()) AddElderly(roots, true, DrawFamilyName(random_), std::min(hers, AddYears(from_, -52)));
  }

  void AddElderly(Roots roots, bool female, const std::string& family, Date birth) {
    if (Milestone(birth) && random_.Chance(4500)) roots.shenzhen = true;
    Add(roots, female, birth, family);
  }

  bool Milestone(Date birth) const {
    const Date end = options_.end();
    for (const int age : {70, 80, 90, 100}) {
      const Date day = AddYears(birth, age);
      if (day >= from_ && day <= end) return true;
    }
    return false;
  }

  // Ages by the table, but one in four has a round birthday in the window or within two months after it: the cases that
  // the sample rules are about are met more often than in a real district.
  Date ElderBirth() {
    if (random_.Chance(2700)) {
      constexpr std::array<std::uint32_t, 4> kWeights = {54, 33, 11, 2};
      return RoundBirthday(70 + 10 * static_cast<int>(random_.Weighted(kWeights)));
    }
    return BornAt(DrawAge(random_, kElderly));
  }

  Date GrandparentBirth(int age) {
    if (age >= 67 && age <= 73 && random_.Chance(4500)) return RoundBirthday(70);
    return BornAt(age);
  }

  Date RoundBirthday(int age) {
    const Date end = options_.end();
    const int span = static_cast<int>((end - from_).count());
    const int day = random_.Chance(8500) ? random_.Between(1, span - 1) : random_.Between(span, span + 60);
    const Date birth = AddYears(from_ + days(day), -age);
    const int year = YearOf(birth);
    if (std::chrono::year(year).is_leap() && random_.Chance(400)) return MakeDate(year, 2, 29);
    return birth;
  }

  // What the agencies hold, once the household is known.
  void MakeRecords(Person& p) {
    const int age = AgeOn(p.birth, from_);
    p.id_number = registry_.IdNumber(p.id_area, p.birth, p.female);
    p.birth_known = !random_.Chance(age >= 65 ? 150 : 25);
    p.student = (age >= 6 && age < 18) || (age >= 18 && age <= 22 && random_.Chance(age <= 21 ? 3300 : 1500));
    if (age >= 18 && age <= 62 && !p.student) MakeInsurance(p, age);
    MakePermit(p, age);
    if (age < 18) {
      p.education_known = age >= 3;
      p.policy_child = !p.ShenzhenHukou() && random_.Chance(200);
      const Date six = AddYears(p.birth, 6);
      const int school_year = MonthOf(six) >= 9 ? YearOf(six) + 1 : YearOf(six);
      const bool old_enough = school_year * 12 + 8 < MonthIndex(from_);  // school starts in September
      p.enrolled = old_enough && (age >= 8 || !random_.Chance(300));
      p.student = p.enrolled;
    } else {
      // Of the grown-ups, education knows its students, and says no for those whose first permit turns on it.
      p.education_known = p.student || (!p.ShenzhenHukou() && !p.permit_issued && age <= 45 && !random_.Chance(1200));
    }
    if (age >= 65) {
      p.civil_known = !random_.Chance(400);
      p.allowance = p.ShenzhenHukou() && age >= 70 && random_.Chance(9000);
      p.id_card_on_file = p.allowance || random_.Chance(7000);
    }
  }

  void MakeInsurance(Person& p, int age) {
    if (random_.Chance(350)) return;  // no record has come yet
    const std::uint32_t working = age < 22   ? 7000
                                  : age < 50 ? 8800
                                  : age < 55 ? (p.female ? 5200 : 8200)
                                             : (p.female ? 1800 : 6500);
    p.works = random_.Chance(working);
    if (!p.works && random_.Chance(2500)) return;
    p.insurance_known = true;
    if (!p.works && random_.Chance(3500)) return;  // a record without a month
    int first = MonthIndex(AddYears(p.birth, 18)) + random_.Between(0, 60);
    if (p.registered_since) first = std::max(first, MonthIndex(*p.registered_since) + random_.Between(-1, 3));
    int last = last_month_;
    if (!p.works) last -= random_.Between(2, 30);
    if (p.works && first > last) first = last;
    p.insured_from = first;
    std::array<bool, 36> paid{};
    for (int m = std::max(first, last_month_ - 35); m <= last; ++m)
      paid[static_cast<std::size_t>(m - (last_month_ - 35))] = true;
    const int gaps = random_.Chance(2000) ? 1 : random_.Chance(500) ? 2 : 0;
    for (int g = 0; g < gaps; ++g) {
      const int start = random_.Between(0, 34);
      const int length = random_.Between(1, 4);
      for (int m = start; m < std::min(start + length, 35); ++m) paid[static_cast<std::size_t>(m)] = false;
    }
    for (int i = 0; i < 36; ++i) {
      if (paid[static_cast<std::size_t>(i)]) p.insured.push_back(last_month_ - 35 + i);
    }
  }

  void MakePermit(Person& p, int age) {
    if (p.ShenzhenHukou() || !p.registered_since || age < 18) return;
    p.talent = age >= 22 && age <= 45 && random_.Chance(200);
    const bool direct = p.talent || p.student;
    const Date earliest = direct ? *p.registered_since + days(15) : AddMonths(*p.registered_since, 12) + days(10);
    if (earliest >= from_ || !(direct || MayHavePermit(p, from_)) || !random_.Chance(8300)) return;
    const int span = std::min(static_cast<int>((from_ - earliest).count()) - 1, 3 * 365);
    Date issued = earliest + days(random_.Between(0, std::max(span, 0)));
    while (!IsWorkingDay(issued) && issued + days(1) < from_) issued += days(1);
    p.permit_issued = issued;
  }

  void MakeSelf(Person& p) {
    Random& r = contact_random_;
    const int age = AgeOn(p.birth, from_);
    if (age < 16 || !r.Chance(age < 18 ? 3000 : age >= 80 ? 7600 : 8900)) return;
    FillSelf(p, age, r, registry_);
  }

  const Options& options_;
  const Date from_;
  const int last_month_;
  Random random_;
  Random contact_random_;
  Registry& registry_;
  Society society_;
};

}  // namespace

Date Options::end() const { return AddMonths(from, months); }

std::string SubjectId(Index index) {
  const std::string digits = std::to_string(index + 1);
  return "r-" + std::string(digits.size() < 7 ? 7 - digits.size() : 0, '0') + digits;
}

std::string_view DrawTopic(Random& random) {
  constexpr std::array<std::string_view, 3> kTopics = {"benefits.elderly", "residence.permit", "education.enrolment"};
  return kTopics[random.Below(3)];
}

void FillSelf(Person& p, int age, Random& r, Registry& registry) {
  const bool old = age >= 65;
  p.self_known = true;
  if (r.Chance(old ? 9300 : 9750)) p.phone = registry.Phone();
  if (r.Chance(old ? 2600 : 7200)) p.openid = registry.OpenId();
  if (r.Chance(old ? 900 : 4600)) p.app_id = registry.AppId();
  if (old) {
    if (p.phone) p.channels.push_back("sms");
    if (p.openid && r.Chance(6000)) p.channels.push_back("wechat");
  } else {
    if (p.app_id) p.channels.push_back("app");
    if (p.openid) p.channels.push_back("wechat");
    if (p.phone && r.Chance(8500)) p.channels.push_back("sms");
    if (p.channels.size() > 1 && r.Chance(2500)) std::swap(p.channels[0], p.channels[1]);
  }
  if (p.channels.empty() && p.phone) p.channels.push_back("sms");
  p.english = !old && r.Chance(200);
  p.agrees = !r.Chance(150);
  if (r.Chance(250)) p.refused_channels.push_back(r.Chance(6000) ? "sms" : r.Chance(5000) ? "wechat" : "app");
  if (r.Chance(150)) p.refused_topics.push_back(DrawTopic(r));
}

Society MakeSociety(const Options& options, Registry& registry) { return Maker(options, registry).Make(); }

std::optional<int> InsuredSince(const Person& person, int month) {
  if (person.insured.empty() || person.insured.back() < month - 1) return std::nullopt;
  std::size_t i = person.insured.size() - 1;
  while (i > 0 && person.insured[i - 1] == person.insured[i] - 1) --i;
  const bool all = i == 0 && person.insured.size() >= 36 && person.insured_from < person.insured[0];
  return all ? person.insured_from : person.insured[i];
}

bool MayHavePermit(const Person& person, Date day) {
  if (!person.registered_since || AddMonths(*person.registered_since, 12) > day) return false;
  const int month = MonthIndex(day);
  const std::optional<int> since = InsuredSince(person, month);
  if (since && *since <= month - 12) return true;
  const auto recent =
      std::count_if(person.insured.begin(), person.insured.end(), [&](int m) { return m >= month - 24 && m < month; });
  return recent >= 18;
}

bool DueForSchool(const Person& person, Date from) {
  const Date last = MakeDate(YearOf(from) - 6, 8, 31);
  return person.birth <= last && person.birth > AddYears(last, -1);
}

}  // namespace zhitui::population
