#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/base.h"
#include "population/people.h"

namespace zhitui::population {

enum class Agency : std::uint8_t { kPolice, kInsurance, kEducation, kCivil, kSelf };
enum class EventKind : std::uint8_t { kPatched, kReplaced, kForgotten };
inline constexpr std::size_t kAgencies = 5;
inline constexpr std::size_t kEventKinds = 3;

std::string_view AgencyName(Agency agency);  // "police"
std::string_view TypeName(EventKind kind);   // "cn.gov.futian.resident.profile.patched"

// The facts of rules/facts/resident.yaml, as bits: which of them an event sets.
using Facts = std::uint32_t;
enum Fact : Facts {
  kName = 1U << 0,
  kIdNumber = 1U << 1,
  kSex = 1U << 2,
  kBirthDate = 1U << 3,
  kDeathDate = 1U << 4,
  kHukou = 7U << 5,  // city, district, since
  kStreetFact = 1U << 8,
  kRegisteredSince = 1U << 9,
  kPermitIssued = 1U << 10,
  kTalent = 1U << 11,
  kInsuredMonths = 1U << 12,
  kStudent = 1U << 13,
  kPolicyChild = 1U << 14,
  kEnrolled = 1U << 15,
  kGuardians = 1U << 16,
  kAllowance = 1U << 17,
  kIdCard = 1U << 18,
  kPhone = 1U << 19,
  kWechat = 1U << 20,
  kApp = 1U << 21,
  kChannels = 1U << 22,
  kLocale = 1U << 23,
  kAgrees = 1U << 24,
  kRefusedTopics = 1U << 25,
  kRefusedChannels = 1U << 26,
};
inline constexpr unsigned kFactBits = 27;
Facts FactsOf(Agency agency);  // all that it owns

// The JSON object of those facts of a person, all of one agency, nested as the schema's dotted names say. What the
// agency does not know is left out; what it knows to be none is null. `month` is the latest month that insurance could
// have recorded; it dates the guardians' insurance.
std::string DataJson(const Society& society, const Person& person, Facts facts, int month);

struct Event {
  Instant recorded{};
  Instant time{};
  std::uint64_t order = 0;  // among equal `recorded`
  std::string id;
  Agency agency = Agency::kPolice;
  EventKind kind = EventKind::kPatched;
  bool baseline = false;
  bool correction = false;  // replaces a date of birth that was wrong
  bool repeat = false;      // delivered before, with the same id
  Index person = 0;
  Facts facts = 0;
  std::string data;  // "null" for kForgotten
};

// One line of NDJSON with its newline: a CloudEvents 1.0 event in structured mode.
void AppendLine(std::string& out, const Event& event);

}  // namespace zhitui::population
