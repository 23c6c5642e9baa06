#include "bench/benchset/people.h"

#include <algorithm>

#include "population/random.h"

namespace zhitui::benchset {
namespace {

using population::Random;

// Streams of the seed: residents below 2^40, what is missing above.
constexpr std::uint64_t kMissingStreams = 1ULL << 40;
constexpr std::uint64_t kFirstResident = 1ULL << 20;

class Maker {
 public:
  Maker(std::uint64_t seed, std::uint64_t number, std::int64_t today)
      : random_(seed, kFirstResident + number), today_(today) {
    r_.state.fill(State::kValue);
  }

  Resident Make() {
    Person();
    Place();
    Housing();
    Activity();
    Education();
    Household();
    Health();
    return std::move(r_);
  }

 private:
  void Set(Field field, std::int64_t value) { r_.value[static_cast<std::size_t>(field)] = value; }
  void SetNull(Field field) { r_.state[static_cast<std::size_t>(field)] = State::kNull; }
  std::int64_t Get(Field field) const { return r_.value[static_cast<std::size_t>(field)]; }
  std::int64_t Chance(std::uint32_t per_10000) { return random_.Chance(per_10000) ? 1 : 0; }
  std::int64_t DaysBack(int at_most) { return today_ - random_.Between(1, std::max(at_most, 1)); }

  void Person() {
    constexpr std::array<std::uint32_t, 5> kAges = {10, 52, 15, 13, 10};  // to 13, 30, 45, 62, 95
    constexpr std::array<int, 6> kFrom = {0, 14, 31, 46, 63, 96};
    const std::size_t band = random_.Weighted(kAges);
    age_ = random_.Between(kFrom[band], kFrom[band + 1] - 1);
    days_ = age_ * 365 + age_ / 4 + random_.Between(0, 364);
    Set(Field::kBirthDate, today_ - days_);
    std::size_t status = 0;
    if (age_ >= 20) {
      constexpr std::array<std::uint32_t, 4> kYoung = {80, 18, 2, 0};
      constexpr std::array<std::uint32_t, 4> kMiddle = {15, 70, 13, 2};
      constexpr std::array<std::uint32_t, 4> kOld = {4, 62, 10, 24};
      status = random_.Weighted(age_ < 30 ? kYoung : age_ < 63 ? kMiddle : kOld);
    }
    Set(Field::kFamilyStatus, static_cast<std::int64_t>(status));
  }

  void Place() {
    constexpr std::array<std::uint32_t, kCities> kWeights = {22, 4, 34, 8, 7, 6, 5, 4, 3, 3, 2, 2};
    const int city = static_cast<int>(random_.Weighted(kWeights));
    const int district = random_.Between(0, kDistricts - 1);
    const int street = random_.Between(0, kStreets - 1);
    const bool local = random_.Chance(6200);
    Set(Field::kHukouCity, CityCode(local ? city : random_.Between(0, kCities - 1)));
    Set(Field::kDistrict, DistrictCode(city, district));
    Set(Field::kStreet, StreetCode(city, district, street));
    Set(Field::kResidenceSince, local && random_.Chance(4000) ? today_ - days_ : DaysBack(std::min(days_, 20 * 365)));
    Set(Field::kPermit, local ? 0 : Chance(7000));
  }

  void Housing() {
    std::size_t tenure = 3;  // with the family
    if (age_ >= 18) {
      constexpr std::array<std::uint32_t, 5> kYoung = {6, 42, 18, 32, 2};
      constexpr std::array<std::uint32_t, 5> kOlder = {52, 34, 2, 11, 1};
      tenure = random_.Weighted(age_ < 30 ? kYoung : kOlder);
    }
    Set(Field::kTenure, static_cast<std::int64_t>(tenure));
    Set(Field::kFirstHome, Chance(age_ < 35 ? 7600 : 2500));
    if (tenure == 3 || random_.Chance(1500)) {
      SetNull(Field::kMovedIn);
    } else {
      Set(Field::kMovedIn, DaysBack(std::min(days_, 8 * 365)));
    }
  }

  void Activity() {
    // pupil, student, apprentice, trainee, job_seeker, employee, self_employed, retired, none
    std::array<std::uint32_t, 9> weights = {0, 0, 0, 0, 0, 0, 0, 0, 1};
    if (age_ >= 62) {
      weights = {0, 0, 0, 0, 1, 8, 4, 82, 5};
    } else if (age_ >= 27) {
      weights = {0, 2, 0, 1, 12, 62, 12, 1, 10};
    } else if (age_ >= 18) {
      weights = {3, 38, 9, 5, 13, 24, 3, 0, 5};
    } else if (age_ >= 6) {
      weights = {92, 0, age_ >= 15 ? 8U : 0U, 0, 0, 0, 0, 0, 1};
    }
    const std::size_t situation = random_.Weighted(weights);
    Set(Field::kSituation, static_cast<std::int64_t>(situation));
    const std::int64_t since = DaysBack(std::min(days_, situation == 5 || situation == 7 ? 12 * 365 : 4 * 365));
    Set(Field::kSituationSince, since);
    const bool contract = situation == 2 || situation == 3 || (situation == 5 && random_.Chance(5500));
    if (contract) {
      Set(Field::kContractEnd, since + random_.Between(2, 36) * 30 + random_.Between(0, 29));
    } else {
      SetNull(Field::kContractEnd);
    }
    const bool works = situation == 5 || situation == 6;
    const bool learns = situation == 2 || situation == 3;
    int income = 0;  // yuan
    if (works) {
      income = random_.Between(25, 120) * 100 + (random_.Chance(1500) ? random_.Between(0, 300) * 100 : 0);
    } else if (learns) {
      income = random_.Between(8, 32) * 100;
    } else if (situation == 7) {
      income = random_.Between(10, 90) * 100;
    } else if (situation == 4) {
      income = random_.Between(0, 22) * 100;
    } else if (situation == 1 && random_.Chance(3000)) {
      income = random_.Between(2, 15) * 100;
    }
    const std::int64_t cents = income > 0 && random_.Chance(3000) ? random_.Between(1, 99) : 0;
    Set(Field::kIncome, std::int64_t{100} * income + cents);
    Set(Field::kInsuredMonths,
        works || learns || situation == 4 || situation == 7 ? random_.Between(0, std::min((age_ - 15) * 12, 420)) : 0);
  }

  void Education() {
    std::size_t level = 0;
    if (age_ >= 22) {
      constexpr std::array<std::uint32_t, 9> kGrown = {1, 4, 22, 16, 14, 16, 22, 4, 1};
      level = random_.Weighted(kGrown);
    } else if (age_ >= 15) {
      constexpr std::array<std::uint32_t, 9> kYoung = {0, 1, 38, 14, 38, 6, 3, 0, 0};
      level = random_.Weighted(kYoung);
    } else if (age_ >= 6) {
      level = 1;
    }
    Set(Field::kLevel, static_cast<std::int64_t>(level));
    Set(Field::kFieldOfStudy, random_.Between(0, 19));
    const bool learner = Get(Field::kSituation) <= 3 && age_ >= 14;
    const bool scholarship = learner && random_.Chance(3400);
    Set(Field::kScholarship, scholarship ? 1 : 0);
    Set(Field::kScholarshipLevel, scholarship ? random_.Between(0, 7) : 0);
  }

  void Household() {
    std::array<std::uint32_t, 4> weights = {1, 0, 0, 0};
    if (age_ >= 23)
      weights = age_ < 31 ? std::array<std::uint32_t, 4>{76, 16, 7, 1} : std::array<std::uint32_t, 4>{38, 32, 24, 6};
    const std::size_t n = random_.Weighted(weights);
    for (std::size_t i = 0; i < n; ++i) {
      const int at_most = std::min(std::max(days_ - 20 * 365, 300), 24 * 365);
      const std::int64_t birth = DaysBack(at_most);
      r_.children.push_back({birth, today_ - birth > 6 * 366 && random_.Chance(9000)});
    }
    const bool alone = age_ >= 20 && random_.Chance(2500);
    const bool couple = Get(Field::kFamilyStatus) == 1;
    const int size = static_cast<int>(n) + (alone || couple ? (couple ? 2 : 1) : random_.Between(2, 5));
    Set(Field::kSingleParent, n > 0 && !couple ? 1 : Chance(age_ < 20 ? 900 : 100));
    Set(Field::kHouseholdSize, size);
    const int others = couple || !alone ? random_.Between(20, 160) * 100 : 0;
    Set(Field::kHouseholdIncome, Get(Field::kIncome) + std::int64_t{100} * others);
    Set(Field::kQuotient, Get(Field::kHouseholdIncome) / 100 / (4 * size) + random_.Between(0, 40));
  }

  void Health() {
    const bool disabled = random_.Chance(age_ < 60 ? 500 : 1600);
    Set(Field::kDisability, disabled ? 1 : 0);
    Set(Field::kDisabilityRate, disabled ? random_.Between(4, 19) * 5 : 0);
    // minimum, housing, family, disability, unemployment, activity, pension
    const std::int64_t situation = Get(Field::kSituation);
    const std::array<std::uint32_t, 7> odds = {Get(Field::kIncome) < 100000 && age_ >= 18 ? 1500U : 100U,
                                               Get(Field::kTenure) == 1 ? 3500U : 200U,
                                               r_.children.empty() ? 100U : 4500U,
                                               disabled ? 7000U : 20U,
                                               situation == 4 ? 4500U : 10U,
                                               situation == 5 ? 1200U : 30U,
                                               situation == 7 ? 8800U : 10U};
    for (std::size_t i = 0; i < odds.size(); ++i) {
      if (random_.Chance(odds[i])) r_.benefits.push_back(static_cast<std::int64_t>(i));
    }
  }

  Random random_;
  std::int64_t today_;
  Resident r_;
  int age_ = 0;
  int days_ = 0;
};

}  // namespace

std::int64_t CityCode(int city) { return kProvince * 10000 + (city + 1) * 100; }
std::int64_t DistrictCode(int city, int district) { return CityCode(city) + district + 1; }
std::int64_t StreetCode(int city, int district, int street) { return DistrictCode(city, district) * 1000 + street + 1; }

Resident MakeResident(std::uint64_t seed, std::uint64_t number, std::int64_t today, std::uint32_t missing_ppm) {
  Resident r = Maker(seed, number, today).Make();
  if (missing_ppm > 0) {
    Random random(seed, kMissingStreams + number);
    for (State& state : r.state) {
      if (random.ChancePpm(missing_ppm)) state = State::kMissing;
    }
  }
  return r;
}

}  // namespace zhitui::benchset
