#include "population/life.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <queue>
#include <utility>

#include "population/calendar.h"

namespace zhitui::population {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

enum class Deed : std::uint8_t {
  kInsuranceMonth,  // everybody who works: one more month
  kInsuranceRecord,
  kFirstInsurance,
  kMove,  // of a household
  kPermit,
  kHukou,
  kBirth,
  kNewbornEducation,
  kGuardians,
  kEnrolment,
  kAllowance,
  kDeath,
  kContact,
  kFirstContact,
  kConsent,
  kCorrection,
  kCompletion,
  kForget,
};

struct Action {
  Instant when;
  std::uint64_t order;
  Deed deed;
  Index who;  // a person, or a household for kMove
};

struct LaterAction {
  bool operator()(const Action& a, const Action& b) const {
    return a.when != b.when ? a.when > b.when : a.order > b.order;
  }
};

// Deaths a year per 10,000, by decade of age.
constexpr std::array<std::uint32_t, 11> kMortality = {6, 2, 4, 6, 14, 35, 90, 240, 700, 1900, 3500};

class Life {
 public:
  Life(const Options& options, Society& society, Registry& registry)
      : options_(options),
        from_(options.from),
        end_(options.end()),
        span_(static_cast<int>((end_ - from_).count())),
        society_(society),
        people_(society.people),
        registry_(registry),
        random_(options.seed, 3),
        plan_(options.seed, 4),
        lateness_(options.seed, 5) {}

  std::vector<Event> Run() {
    forgets_.assign(people_.size() * 2, false);
    reports_.assign(people_.size(), false);
    PlanForgets();
    PlanInsurance();
    PlanPeople();
    PlanBirths();
    for (Index h = 0; h < society_.households.size(); ++h) {
      if (plan_.Chance(Share(1150))) At(AnyTime(plan_), Deed::kMove, h);
    }
    while (!queue_.empty()) {
      const Action action = queue_.top();
      queue_.pop();
      if (kShanghai.DateOf(action.when) < end_) Do(action);
    }
    return std::move(events_);
  }

 private:
  // Rates are written for four months.
  std::uint32_t Share(std::uint32_t per_10000) const {
    return std::min<std::uint32_t>(per_10000 * static_cast<std::uint32_t>(options_.months) / 4, 10000);
  }
  std::uint32_t Anomaly(std::uint32_t per_10000) const {
    return std::min<std::uint32_t>(per_10000 * options_.anomaly_percent / 100, 10000);
  }

  Instant TimeOn(Random& random, Date day) {
    const int hour = random.Between(8, 17);
    return kShanghai.StartOf(day) + hours(hour) + minutes(5 * random.Between(0, 11));
  }
  Instant AnyTime(Random& random) { return TimeOn(random, from_ + days(random.Between(0, span_ - 1))); }

  // What an office does, on the first working day from `day` on.
  Instant OfficeTime(Random& random, Date day) {
    day = LaterOf(day, from_);
    while (!IsWorkingDay(day)) day += days(1);
    return TimeOn(random, day);
  }
  Instant AnyOfficeTime(Random& random) { return OfficeTime(random, from_ + days(random.Between(0, span_ - 1))); }

  void At(Instant when, Deed deed, Index who) {
    const Instant first = kShanghai.StartOf(from_) + hours(1);
    queue_.push({std::max(when, first), next_order_++, deed, who});
  }

  void PlanForgets() {
    std::vector<bool> guardian(people_.size(), false);
    for (const Person& p : people_) {
      for (const Index g : p.guardians) guardian[g] = true;
    }
    auto left = static_cast<std::uint32_t>(people_.size() / 2500 + 1);
    for (std::uint32_t tries = 0; left > 0 && tries < 1000; ++tries) {
      const Index i = plan_.Below(static_cast<std::uint32_t>(people_.size()));
      if (forgets_[i] || guardian[i] || !people_[i].self_known || AgeOn(people_[i].birth, from_) < 18) continue;
      forgets_[i] = true;
      At(AnyTime(plan_), Deed::kForget, i);
      --left;
    }
  }

  // The monthly lists come for those whose answer can change: no permit yet, or a child due for school; and for a
  // sample of the others.
  void PlanInsurance() {
    for (const Person& p : people_) {
      if (!DueForSchool(p, from_)) continue;
      for (const Index g : p.guardians) reports_[g] = true;
    }
    for (Index i = 0; i < people_.size(); ++i) {
      const Person& p = people_[i];
      const bool near = !p.ShenzhenHukou() && !p.permit_issued && p.works;
      if (near || plan_.Chance(1500)) reports_[i] = true;
      const int age = AgeOn(p.birth, from_);
      if (!p.insurance_known && age >= 20 && age < 55 && plan_.Chance(Share(2500))) {
        At(AnyOfficeTime(plan_), Deed::kFirstInsurance, i);
      }
    }
    for (int m = MonthIndex(from_); m <= MonthIndex(end_); ++m) {
      At(kShanghai.StartOf(FirstOfMonth(m) + days(9)) + hours(6), Deed::kInsuranceMonth, 0);
    }
  }

  void PlanPeople() {
    for (Index i = 0; i < people_.size(); ++i) {
      const Person& p = people_[i];
      const int age = AgeOn(p.birth, from_);
      const auto decade = static_cast<std::size_t>(std::min(age / 10, 10));
      const std::optional<Date> round = RoundBirthday(p);
      const std::uint32_t dies =
          kMortality[decade] * 100 * static_cast<std::uint32_t>(options_.months) / 12 + (round ? 10000 : 0);
      if (plan_.ChancePpm(dies)) {
        const Date day = from_ + days(plan_.Between(0, span_ - 1));
        At(kShanghai.StartOf(day) + hours(plan_.Between(1, 23)), Deed::kDeath, i);
      }
      if (age >= 18 && !p.ShenzhenHukou()) {
        if (!p.permit_issued && plan_.Chance(5200)) At(AnyOfficeTime(plan_), Deed::kPermit, i);
        if (age < 50 && p.permit_issued && plan_.Chance(Share(130))) At(AnyOfficeTime(plan_), Deed::kHukou, i);
      }
      if (DueForSchool(p, from_) && !p.enrolled && plan_.Chance(5500)) PlanEnrolment(i);
      if (round && p.ShenzhenHukou() && p.civil_known && !p.allowance && plan_.Chance(5500)) {
        At(OfficeTime(plan_, *round + days(plan_.Between(-20, 30))), Deed::kAllowance, i);
      }
      if (p.self_known && plan_.Chance(Share(650))) At(AnyTime(plan_), Deed::kContact, i);
      if (!p.self_known && age >= 18 && plan_.Chance(Share(1500))) At(AnyTime(plan_), Deed::kFirstContact, i);
      if (p.self_known && plan_.Chance(Share(140))) At(AnyTime(plan_), Deed::kConsent, i);
      if (!p.birth_known) {
        if (plan_.Chance(5000)) At(AnyOfficeTime(plan_), Deed::kCompletion, i);
      } else if (age >= 3 && plan_.Chance(Anomaly(NearRound(p) ? 500 : 15))) {
        At(AnyOfficeTime(plan_), Deed::kCorrection, i);
      }
    }
  }

  void PlanEnrolment(Index child) {
    const Date first = MakeDate(YearOf(from_), 6, 8);
    const Date day = first + days(plan_.Between(0, 21));
    if (day >= from_ && day < end_) At(OfficeTime(plan_, day), Deed::kEnrolment, child);
  }

  void PlanBirths() {
    std::vector<Index> mothers;
    for (const Household& h : society_.households) {
      if (h.members.size() < 2) continue;
      const Person& her = people_[h.members[0]];
      const Person& him = people_[h.members[1]];
      const int age = AgeOn(her.birth, from_);
      if (her.female && !him.female && age >= 22 && age <= 41 && AgeOn(him.birth, from_) >= 20) {
        mothers.push_back(h.members[0]);
      }
    }
    // 1.1 births a year for a hundred people
    const std::uint64_t n = people_.size() * static_cast<std::uint64_t>(options_.months) * 11 / 12000 + 1;
    for (std::uint64_t i = 0; i < n && !mothers.empty(); ++i) {
      const std::uint32_t at = plan_.Below(static_cast<std::uint32_t>(mothers.size()));
      At(AnyOfficeTime(plan_), Deed::kBirth, mothers[at]);
      mothers.erase(mothers.begin() + at);
    }
  }

  // The 70th, 80th, 90th or 100th birthday in the window.
  std::optional<Date> RoundBirthday(const Person& p) const {
    for (const int age : {70, 80, 90, 100}) {
      const Date day = AddYears(p.birth, age);
      if (day >= from_ && day < end_) return day;
    }
    return std::nullopt;
  }
  bool NearRound(const Person& p) const {
    for (const int age : {70, 80, 90}) {
      const Date day = AddYears(p.birth, age);
      if (day >= from_ - days(400) && day < end_ + days(400)) return true;
    }
    return false;
  }

  // `delay` is how long the agency needs until it records what happened.
  void Emit(Index who, Agency agency, EventKind kind, Facts facts, Instant time, Millis delay, bool may_be_late) {
    if (forgets_[who] && kind != EventKind::kForgotten) return;
    if (may_be_late && lateness_.Chance(Anomaly(200))) delay += days(lateness_.Between(7, 30));
    const bool any_day = agency == Agency::kSelf ? lateness_.Chance(2500) : lateness_.Chance(200);
    Event e;
    e.time = time;
    e.recorded = OfficeHour(time + delay, any_day, lateness_.Between(9, 16));
    if (e.recorded >= kShanghai.StartOf(end_)) return;
    e.agency = agency;
    e.kind = kind;
    e.person = who;
    e.facts = facts;
    e.data = kind == EventKind::kForgotten
                 ? "null"
                 : DataJson(society_, people_[who], facts, MonthIndex(kShanghai.DateOf(time)));
    events_.push_back(std::move(e));
  }
  void Patch(Index who, Agency agency, Facts facts, Instant time, Millis delay = hours(0), bool may_be_late = false) {
    Emit(who, agency, EventKind::kPatched, facts, time, delay, may_be_late);
  }
  void Replace(Index who, Agency agency, Instant time, Millis delay = hours(0)) {
    Emit(who, agency, EventKind::kReplaced, FactsOf(agency), time, delay, false);
  }
  Millis DeskTime() { return hours(random_.Between(0, 30)); }

  void Do(const Action& a) {
    const Date day = kShanghai.DateOf(a.when);
    if (a.deed == Deed::kInsuranceMonth) return InsuranceMonth(day);
    if (a.deed == Deed::kMove) return Move(a.who, a.when, day);
    if (!people_[a.who].AliveOn(day) || people_[a.who].death) return;
    switch (a.deed) {
      case Deed::kInsuranceRecord:
        return Patch(a.who, Agency::kInsurance, kInsuredMonths, a.when, DeskTime(), true);
      case Deed::kFirstInsurance:
        return FirstInsurance(a.who, a.when, day);
      case Deed::kPermit:
        return Permit(a.who, a.when, day);
      case Deed::kHukou:
        return MoveHukou(a.who, a.when, day);
      case Deed::kBirth:
        return Birth(a.who, a.when, day);
      case Deed::kNewbornEducation:
        people_[a.who].education_known = true;
        return Replace(a.who, Agency::kEducation, a.when, DeskTime());
      case Deed::kGuardians:
        return Patch(a.who, Agency::kEducation, kGuardians, a.when, DeskTime());
      case Deed::kEnrolment:
        people_[a.who].enrolled = true;
        return Patch(a.who, Agency::kEducation, kEnrolled, a.when, DeskTime());
      case Deed::kAllowance:
        people_[a.who].allowance = true;
        people_[a.who].id_card_on_file = true;
        return Patch(a.who, Agency::kCivil, kAllowance | kIdCard, a.when, DeskTime(), true);
      case Deed::kDeath:
        people_[a.who].death = day;
        return Patch(a.who, Agency::kPolice, kDeathDate, a.when, hours(random_.Between(12, 96)), true);
      case Deed::kContact:
        return ChangeContact(a.who, a.when);
      case Deed::kFirstContact:
        FillSelf(people_[a.who], AgeOn(people_[a.who].birth, day), random_, registry_);
        return Replace(a.who, Agency::kSelf, a.when);
      case Deed::kConsent:
        return ChangeConsent(a.who, a.when);
      case Deed::kCorrection:
        return CorrectBirth(a.who, a.when);
      case Deed::kCompletion:
        people_[a.who].birth_known = true;
        return Patch(a.who, Agency::kPolice, kIdNumber | kBirthDate, a.when, DeskTime());
      case Deed::kForget:
        people_[a.who].gone = true;
        return Emit(a.who, Agency::kSelf, EventKind::kForgotten, 0, a.when, hours(0), false);
      case Deed::kInsuranceMonth:
      case Deed::kMove:
        return;
    }
  }

  void InsuranceMonth(Date day) {
    const int month = MonthIndex(day);
    for (Index i = 0; i < people_.size(); ++i) {
      Person& p = people_[i];
      if (!p.works || !p.insurance_known || !p.AliveOn(day)) continue;
      if (random_.Chance(250)) continue;  // between two employers
      if (p.insured.empty()) p.insured_from = month;
      if (!p.insured.empty() && p.insured.back() >= month) continue;
      p.insured.push_back(month);
      if (p.insured.front() < month - 35) p.insured.erase(p.insured.begin());
      if (i < reports_.size() && reports_[i]) {
        At(TimeOn(random_, day + days(random_.Between(0, 10))), Deed::kInsuranceRecord, i);
      }
    }
  }

  void FirstInsurance(Index who, Instant when, Date day) {
    Person& p = people_[who];
    if (p.insurance_known) return;
    p.insurance_known = true;
    p.works = true;
    p.insured_from = MonthIndex(day);
    p.insured = {p.insured_from};
    reports_[who] = true;
    Replace(who, Agency::kInsurance, when, DeskTime());
  }

  // A whole household; half of those without local hukou register anew some weeks later only, which breaks the run.
  void Move(Index household, Instant when, Date day) {
    const std::uint32_t how = random_.Below(100);
    const bool leaves = how < 14;
    const bool gap = !leaves && how < 45;
    const std::string_view street = leaves ? std::string_view() : DrawStreet(random_);
    constexpr std::array<int, 4> kElsewhere = {440305, 440306, 440307, 440309};
    const int district = leaves ? kElsewhere[random_.Below(4)] : kFutian;
    const std::vector<Index> members = society_.households[household].members;
    for (const Index i : members) {
      Person& p = people_[i];
      if (!p.AliveOn(day) || p.death || p.street == street) continue;
      p.street = street;
      p.housing_district = district;
      p.lives_there = true;
      Facts facts = kStreetFact;
      if (p.registered_since && (leaves || gap)) {
        p.registered_since = leaves ? std::nullopt : std::optional(day);
        facts |= kRegisteredSince;
      }
      Patch(i, Agency::kPolice, facts, when, DeskTime(), true);
    }
    for (const Index i : members) NewsOfGuardian(i, when);
  }

  // Education notes what changed for the guardian of a child near school age.
  void NewsOfGuardian(Index guardian, Instant when) {
    for (const Index i : society_.households[people_[guardian].household].members) {
      const Person& child = people_[i];
      const int age = AgeOn(child.birth, from_);
      if (!child.education_known || age < 4 || age > 7 || child.guardians.empty()) continue;
      // One note per event of the household: for the first guardian.
      if (child.guardians.front() != guardian) continue;
      At(OfficeTime(random_, kShanghai.DateOf(when) + days(random_.Between(3, 15))), Deed::kGuardians, i);
    }
  }

  void Permit(Index who, Instant when, Date day) {
    Person& p = people_[who];
    if (p.permit_issued || p.ShenzhenHukou() || p.street.empty() || !MayHavePermit(p, day)) return;
    p.permit_issued = day;
    Patch(who, Agency::kPolice, kPermitIssued, when, DeskTime(), true);
    NewsOfHousehold(who, when);
  }

  void MoveHukou(Index who, Instant when, Date day) {
    Person& p = people_[who];
    if (p.ShenzhenHukou() || p.street.empty() || !p.permit_issued || AddMonths(*p.permit_issued, 12) > day) return;
    p.hukou_city = kShenzhen;
    p.hukou_district = kFutian;
    p.hukou_since = day;
    p.registered_since.reset();
    p.permit_issued.reset();
    Patch(who, Agency::kPolice, kHukou | kRegisteredSince | kPermitIssued, when, DeskTime(), true);
    NewsOfHousehold(who, when);
  }

  void NewsOfHousehold(Index who, Instant when) {
    for (const Index i : society_.households[people_[who].household].members) NewsOfGuardian(i, when);
  }

  // `when` is the registration, some days after the birth.
  void Birth(Index mother, Instant when, Date day) {
    const Household& household = society_.households[people_[mother].household];
    const Index father = household.members[1];
    Person child;
    child.female = random_.Chance(4750);
    child.birth = day - days(random_.Between(3, 25));
    child.family = people_[father].family;
    child.name = child.family + DrawGivenName(random_, child.female, YearOf(child.birth));
    child.household = people_[mother].household;
    child.guardians = {mother, father};
    const Person& her = people_[mother];
    const Person& him = people_[father];
    const Person& side = !him.ShenzhenHukou() && her.ShenzhenHukou() ? her : him;
    child.hukou_city = side.hukou_city;
    child.hukou_district = side.hukou_district;
    child.id_area = side.hukou_district;
    if (child.ShenzhenHukou()) {
      child.hukou_since = child.birth;
    } else if (!her.street.empty()) {
      child.registered_since = day;
    }
    child.street = her.street;
    child.id_number = registry_.IdNumber(child.id_area, child.birth, child.female);
    const auto index = static_cast<Index>(people_.size());
    child.subject = SubjectId(index);
    people_.push_back(std::move(child));
    society_.households[people_[index].household].members.push_back(index);
    Replace(index, Agency::kPolice, when);
    At(OfficeTime(random_, kShanghai.DateOf(when) + days(random_.Between(5, 40))), Deed::kNewbornEducation, index);
  }

  void ChangeContact(Index who, Instant when) {
    Person& p = people_[who];
    const auto drop = [&p](std::string_view channel) { std::erase(p.channels, channel); };
    const auto add = [&](std::string_view channel) {
      drop(channel);
      p.channels.insert(p.channels.begin(), channel);
    };
    Facts facts = 0;
    const std::uint32_t how = random_.Below(100);
    if (how < 45) {
      p.phone = registry_.Phone();
      facts = kPhone;
    } else if (how < 70) {
      p.app_id = registry_.AppId();
      add("app");
      facts = kApp | kChannels;
    } else if (p.openid) {
      p.openid.reset();
      drop("wechat");
      facts = kWechat | kChannels;
    } else {
      p.openid = registry_.OpenId();
      add("wechat");
      facts = kWechat | kChannels;
    }
    if (random_.Chance(1000)) return Replace(who, Agency::kSelf, when);
    Patch(who, Agency::kSelf, facts, when, hours(0), true);
  }

  void ChangeConsent(Index who, Instant when) {
    Person& p = people_[who];
    const std::uint32_t how = random_.Below(100);
    if (!p.agrees || how < 40) {
      p.agrees = !p.agrees;
      return Patch(who, Agency::kSelf, kAgrees, when);
    }
    if (how < 75) {
      p.refused_channels = {p.channels.empty() ? std::string_view("sms") : p.channels.back()};
      return Patch(who, Agency::kSelf, kRefusedChannels, when);
    }
    p.refused_topics = {DrawTopic(random_)};
    Patch(who, Agency::kSelf, kRefusedTopics, when);
  }

  // The fault is found at `when` and takes the desk days to settle: `time` lies well before `recordedtime`.
  void CorrectBirth(Index who, Instant when) {
    Person& p = people_[who];
    const bool native = p.hukou_since == p.birth;
    const int shift = random_.Chance(5000) ? 1 : -1;
    if (NearRound(p) && random_.Chance(6500)) {
      p.birth = AddYears(p.birth, shift);
    } else {
      p.birth += days(shift * random_.Between(1, 9));
    }
    p.id_number = registry_.IdNumber(p.id_area, p.birth, p.female);
    Facts facts = kBirthDate | kIdNumber;
    if (native) {
      p.hukou_since = p.birth;
      facts |= kHukou;
    }
    const std::size_t before = events_.size();
    Patch(who, Agency::kPolice, facts, when, days(random_.Between(3, 20)));
    if (events_.size() > before) events_.back().correction = true;
  }

  const Options& options_;
  const Date from_;
  const Date end_;
  const int span_;
  Society& society_;
  std::vector<Person>& people_;
  Registry& registry_;
  Random random_;    // what happens
  Random plan_;      // to whom and when
  Random lateness_;  // how it is recorded
  std::vector<bool> forgets_;
  std::vector<bool> reports_;
  std::priority_queue<Action, std::vector<Action>, LaterAction> queue_;
  std::uint64_t next_order_ = 0;
  std::vector<Event> events_;
};

}  // namespace

std::vector<Event> BaselineEvents(const Options& options, const Society& society) {
  std::vector<Event> events;
  events.reserve(society.people.size() * 3);
  const int month = MonthIndex(options.from);
  for (Index i = 0; i < society.people.size(); ++i) {
    const Person& p = society.people[i];
    const auto add = [&](Agency agency, bool known) {
      if (!known) return;
      Event e;
      e.recorded = options.start();
      e.time = options.start();
      e.agency = agency;
      e.kind = EventKind::kReplaced;
      e.baseline = true;
      e.person = i;
      e.facts = FactsOf(agency);
      e.data = DataJson(society, p, e.facts, month);
      events.push_back(std::move(e));
    };
    add(Agency::kPolice, true);
    add(Agency::kInsurance, p.insurance_known);
    add(Agency::kEducation, p.education_known);
    add(Agency::kCivil, p.civil_known);
    add(Agency::kSelf, p.self_known);
  }
  return events;
}

std::vector<Event> LifeEvents(const Options& options, Society& society, Registry& registry) {
  return Life(options, society, registry).Run();
}

}  // namespace zhitui::population
