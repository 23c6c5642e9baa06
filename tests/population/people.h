#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "population/identity.h"
#include "population/random.h"

namespace zhitui::population {

struct Options {
  std::uint32_t residents = 20000;  // at the start; births come on top
  std::uint64_t seed = 1;
  Date from = MakeDate(2026, 3, 1);
  int months = 4;                       // 1 to 24
  std::uint32_t magic_ppm = 10000;      // contacts with a value of the provider simulator, per million
  std::uint32_t anomaly_percent = 100;  // scales late, repeated and corrected events; 0 = none
  Instant start() const { return kShanghai.StartOf(from); }
  Date end() const;  // the first day that is no longer in the window
};

using Index = std::uint32_t;  // of a person or a household

struct Person {
  // police
  std::string subject;
  std::string name;
  std::string family;
  bool female = false;
  Date birth{};
  std::string id_number;
  int id_area = 0;
  bool birth_known = true;  // false: the police record has neither birth date nor number yet
  std::optional<Date> death;
  int hukou_city = 0;
  int hukou_district = 0;
  std::optional<Date> hukou_since;
  std::string_view street;  // empty = none in Futian
  std::optional<Date> registered_since;
  std::optional<Date> permit_issued;
  bool talent = false;
  // insurance
  bool insurance_known = false;
  std::vector<int> insured;  // month indexes, ascending, at most the 36 latest
  int insured_from = 0;      // the first month of all, for an unbroken record longer than `insured`
  // education
  bool education_known = false;
  bool student = false;
  bool policy_child = false;
  bool enrolled = false;
  std::vector<Index> guardians;
  // housing, which education asks about a guardian
  std::string_view housing = "rent";
  int housing_district = 0;
  bool lives_there = true;
  // civil
  bool civil_known = false;
  bool allowance = false;
  bool id_card_on_file = false;
  // self
  bool self_known = false;
  std::optional<std::string> phone;
  std::optional<std::string> openid;
  std::optional<std::string> app_id;
  std::vector<std::string_view> channels;
  bool english = false;
  bool agrees = true;
  std::vector<std::string_view> refused_topics;
  std::vector<std::string_view> refused_channels;
  // of the model only
  Index household = 0;
  bool works = false;
  bool gone = false;  // forgotten: nothing more is heard

  bool ShenzhenHukou() const { return hukou_city == kShenzhen; }
  bool AliveOn(Date day) const { return !gone && (!death || *death > day); }
};

struct Household {
  std::vector<Index> members;
};

struct Society {
  std::vector<Person> people;
  std::vector<Household> households;
};

std::string SubjectId(Index index);  // r-0000001 for index 0

// The society at the start of the window.
Society MakeSociety(const Options& options, Registry& registry);

// What a person tells about contacts, channels, language and consent, by age.
void FillSelf(Person& person, int age, Random& random, Registry& registry);
std::string_view DrawTopic(Random& random);

// First month of the unbroken run that ends in the latest insured month, if that is `month` or the one before.
std::optional<int> InsuredSince(const Person& person, int month);
// 居住证暂行条例 as Shenzhen applies it: registered 12 months, and insured for the last 12 or for 18 of the last 24.
bool MayHavePermit(const Person& person, Date day);
// Six by 31 August of the year of the window's start: due for primary school.
bool DueForSchool(const Person& person, Date from);

}  // namespace zhitui::population
