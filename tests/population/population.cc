#include "population/population.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>
#include <vector>

#include "population/calendar.h"
#include "population/events.h"
#include "population/life.h"

namespace zhitui::population {
namespace {

// The same event delivered again: at once, every byte the same, or days later with the new time of recording.
void AddRepeats(const Options& options, std::vector<Event>& events) {
  Random random(options.seed, 6);
  const std::uint32_t rate = std::min<std::uint32_t>(50 * options.anomaly_percent / 100, 10000);
  const std::size_t n = events.size();
  for (std::size_t i = 0; i < n; ++i) {
    if (events[i].baseline || events[i].kind == EventKind::kForgotten || !random.Chance(rate)) continue;
    Event copy = events[i];
    copy.repeat = true;
    if (random.Chance(5000)) {
      const Instant again = copy.recorded + std::chrono::hours(random.Between(20, 120));
      copy.recorded = OfficeHour(again, false, random.Between(9, 16));
      if (copy.recorded >= kShanghai.StartOf(options.end())) continue;
    }
    events.push_back(std::move(copy));
  }
}

// In the order of arrival.
void CountStale(const std::vector<Event>& events, std::size_t subjects, Summary& summary) {
  std::vector<std::array<Instant, kFactBits>> newest(subjects);
  for (const Event& e : events) {
    bool stale = false;
    for (unsigned bit = 0; bit < kFactBits; ++bit) {
      if ((e.facts >> bit & 1U) == 0) continue;
      Instant& at = newest[e.person][bit];
      if (e.time < at) stale = true;
      at = std::max(at, e.time);
    }
    if (stale && !e.repeat) ++summary.stale;
  }
}

void Count(const Event& e, Summary& s) {
  ++s.events;
  ++(e.baseline ? s.baseline : s.life);
  const std::string_view type = TypeName(e.kind);
  ++s.by_type[std::string(type.substr(type.rfind('.') + 1))];
  ++s.by_agency[std::string(AgencyName(e.agency))];
  if (e.repeat) {
    ++s.duplicate;
    return;
  }
  if (e.recorded - e.time >= std::chrono::days(7)) ++s.late;
  if (e.kind == EventKind::kForgotten) ++s.forgotten;
  if (e.kind != EventKind::kPatched) {
    if (e.agency == Agency::kPolice && !e.baseline) ++s.births;
    return;
  }
  if ((e.facts & kDeathDate) != 0) ++s.deaths;
  if ((e.facts & kBirthDate) != 0) ++(e.correction ? s.corrections : s.completions);
  if ((e.facts & kEnrolled) != 0) ++s.enrolments;
  if ((e.facts & kHukou) == kHukou && (e.facts & kBirthDate) == 0) {
    ++s.hukou_moves;
  } else if ((e.facts & kPermitIssued) != 0) {
    ++s.permits;
  }
}

template <class Map>
void AppendMap(std::string& out, std::string_view key, const Map& map) {
  out += "  \"";
  out += key;
  out += "\": {";
  bool first = true;
  for (const auto& [name, n] : map) {
    if (!first) out += ", ";
    first = false;
    out += '"' + name + "\": " + std::to_string(n);
  }
  out += "},\n";
}

}  // namespace

std::string Summary::ToJson() const {
  std::string out = "{\n";
  AppendMap(out, "by_type", by_type);
  AppendMap(out, "by_agency", by_agency);
  const std::pair<std::string_view, std::uint64_t> counts[] = {
      {"residents", residents},
      {"events", events},
      {"baseline", baseline},
      {"life", life},
      {"late", late},
      {"duplicate", duplicate},
      {"stale", stale},
      {"births", births},
      {"deaths", deaths},
      {"corrections", corrections},
      {"completions", completions},
      {"forgotten", forgotten},
      {"permits", permits},
      {"hukou_moves", hukou_moves},
      {"enrolments", enrolments},
      {"magic_contacts", magic_contacts},
  };
  for (std::size_t i = 0; i < std::size(counts); ++i) {
    out += "  \"";
    out += counts[i].first;
    out += "\": " + std::to_string(counts[i].second);
    out += i + 1 < std::size(counts) ? ",\n" : "\n";
  }
  return out + "}\n";
}

Output Generate(const Options& options) {
  Registry registry(options.seed, options.magic_ppm);
  Society society = MakeSociety(options, registry);
  std::vector<Event> events = BaselineEvents(options, society);
  std::vector<Event> life = LifeEvents(options, society, registry);
  std::move(life.begin(), life.end(), std::back_inserter(events));

  std::array<std::uint64_t, kAgencies> serial{};
  for (Event& e : events) {
    const std::string digits = std::to_string(++serial[static_cast<std::size_t>(e.agency)]);
    e.id =
        std::string(AgencyName(e.agency)) + '-' + std::string(digits.size() < 8 ? 8 - digits.size() : 0, '0') + digits;
  }
  AddRepeats(options, events);
  for (std::size_t i = 0; i < events.size(); ++i) events[i].order = i;
  std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) {
    return a.recorded != b.recorded ? a.recorded < b.recorded : a.order < b.order;
  });

  Output output;
  Summary& s = output.summary;
  for (Event& e : events) {
    AppendLine(output.ndjson, e);
    e.data = {};  // the line has it: a large population need not be held twice
    Count(e, s);
  }
  s.residents = options.residents + s.births;
  CountStale(events, society.people.size(), s);
  s.magic_contacts = registry.magic();
  return output;
}

}  // namespace zhitui::population
