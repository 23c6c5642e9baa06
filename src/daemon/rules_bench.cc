// `zhitui rules bench`: how fast a ruleset answers for a file of profiles, and that all ways give the same answers.

#include <malloc.h>
#include <time.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdio>
#include <deque>
#include <fstream>
#include <iostream>
#include <numeric>
#include <thread>

#include "daemon/commands.h"
#include "engine/engine.h"
#include "facts/facts.h"
#include "rules/rules.h"

namespace zhitui::daemon {
namespace {

using Clock = std::chrono::steady_clock;
using engine::Columns;

constexpr std::size_t kMaxProfiles = 20'000'000;
constexpr std::size_t kCheckedByDefinition = 2'000;
constexpr auto kShortest = std::chrono::milliseconds(700);  // of repeating one measurement
constexpr std::size_t kFewestPasses = 5;

double MillisSince(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

std::size_t BytesInUse() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

// Processor time of this thread: what other programs take from it does not count.
double ThreadMillis() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}
double WallMillis() { return std::chrono::duration<double, std::milli>(Clock::now().time_since_epoch()).count(); }

// Repeats `pass` and gives the median of its times in ms, by one of the two clocks.
template <class Pass>
double Measure(Pass pass, double (*now)() = ThreadMillis) {
  std::vector<double> times;
  const auto begin = Clock::now();
  while (times.size() < kFewestPasses || Clock::now() - begin < kShortest) {
    const double from = now();
    pass();
    times.push_back(now() - from);
  }
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
  return times[times.size() / 2];
}

struct Pairs {
  std::uint64_t eligible = 0;
  std::uint64_t unknown = 0;
  bool operator==(const Pairs&) const = default;
  void Add(const engine::Answers& answers) {
    for (const std::uint64_t w : answers.eligible()) eligible += static_cast<std::uint64_t>(std::popcount(w));
    for (const std::uint64_t w : answers.unknown()) unknown += static_cast<std::uint64_t>(std::popcount(w));
  }
};

// One line of the result: a name, a figure, and a word on what it is.
struct Figure {
  std::string key;
  std::string title;
  double value = 0;
  int digits = 0;
  std::string unit;
};

class Bench {
 public:
  explicit Bench(const BenchArguments& arguments) : arguments_(arguments) {}

  int Run() {
    const Result<Date> day = ParseDate(arguments_.at);
    if (!day) return Fail(EX_USAGE, "--at takes a date such as 2026-03-01");
    day_ = *day;
    int code = EX_OK;
    if (!Load(&code) || !ReadProfiles(&code)) return code;
    if (rules_ == 0) return Fail(EX_CONFIG, "no rule about " + arguments_.kind + " in " + arguments_.rules);
    PerEvent();
    Incremental();
    Population();
    Definition();
    Print();
    if (agree_) return EX_OK;
    return Fail(EX_SOFTWARE, "the ways of evaluating do not agree: this is a bug");
  }

 private:
  void Add(std::string key, std::string title, double value, int digits, std::string unit) {
    figures_.push_back({std::move(key), std::move(title), value, digits, std::move(unit)});
  }
  void Progress(const std::string& what) const {
    if (!arguments_.json) std::cerr << "-- " << what << "\n";
  }

  bool Load(int* code) {
    Progress("loading " + arguments_.rules);
    const std::size_t before = BytesInUse();
    const auto begin = Clock::now();
    const Result<std::vector<rules::SourceFile>> files = authoring::LoadFolder(arguments_.rules);
    if (!files) {
      *code = Fail(EX_NOINPUT, files.error().message);
      return false;
    }
    Diagnostics diagnostics;
    ruleset_ = rules::RuleSet::Build(*files, &diagnostics, OnThreads());
    if (ruleset_ == nullptr) {
      std::cerr << Shown(diagnostics);
      *code = Fail(EX_CONFIG, "the rules are not accepted; `zhitui rules check` says more");
      return false;
    }
    const double compiled = MillisSince(begin);
    engine_ = engine::Engine::Build(ruleset_, arguments_.kind);
    if (engine_ == nullptr) {
      *code = Fail(EX_USAGE, "no kind " + arguments_.kind + " in " + arguments_.rules + "/facts");
      return false;
    }
    const auto table_begin = Clock::now();
    table_ = engine_->At(day_);
    const double table = MillisSince(table_begin);
    const double all = MillisSince(begin);
    const engine::Size size = table_->size();
    rules_ = size.rules;
    Add("rules", "rules", static_cast<double>(size.rules), 0, "");
    Add("conditions", "distinct conditions", static_cast<double>(size.conditions), 0, "");
    Add("computed_conditions", "  of them computed", static_cast<double>(size.computed), 0, "");
    Add("alternatives", "alternatives", static_cast<double>(size.alternatives), 0, "");
    Add("facts", "facts with classes", static_cast<double>(size.facts), 0, "");
    Add("classes", "classes", static_cast<double>(size.classes), 0, "");
    Add("load_ms", "load: read, check, compile, build", all, 1, "ms");
    Add("compile_ms", "  of it reading and compiling", compiled, 1, "ms");
    Add("table_ms", "  of it the table of a day", table, 1, "ms");
    Add("load_bytes", "memory of the loaded rules", static_cast<double>(BytesInUse() - before) / 1e6, 1, "MB");
    return true;
  }

  bool ReadProfiles(int* code) {
    Progress("reading " + arguments_.profiles);
    std::ifstream in(arguments_.profiles, std::ios::binary);
    if (!in) {
      *code = Fail(EX_NOINPUT, "cannot read " + arguments_.profiles);
      return false;
    }
    const std::shared_ptr<const facts::Schema> schema = ruleset_->SchemaOf(arguments_.kind);
    std::string line;
    for (std::size_t number = 1; std::getline(in, line); ++number) {
      if (line.empty()) continue;
      std::expected<facts::ProfileLine, facts::Refused> parts = facts::SplitProfileLine(line);
      std::optional<facts::Refused> refused;
      if (!parts) refused = parts.error();
      if (parts && parts->kind != arguments_.kind) continue;
      if (parts) {
        facts::Profile profile(schema);
        if (const auto set = profile.SetFromJson(parts->facts); !set) {
          refused = set.error();
        } else {
          profiles_.push_back(std::move(profile));
          bytes_ += parts->facts.size();
          texts_.push_back(std::move(parts->facts));
        }
      }
      if (refused) {
        *code = Fail(EX_DATAERR, arguments_.profiles + ":" + std::to_string(number) + ": " +
                                     facts::RefusalName(refused->reason) + ": " + refused->detail);
        return false;
      }
      if (profiles_.size() > kMaxProfiles) {
        *code = Fail(EX_DATAERR, arguments_.profiles + ": more than " + std::to_string(kMaxProfiles) + " profiles");
        return false;
      }
    }
    if (profiles_.empty()) {
      *code = Fail(EX_DATAERR, arguments_.profiles + ": no profile of kind " + arguments_.kind);
      return false;
    }
    // Many profiles at once lie in memory one after the other, texts too.
    for (const facts::Profile& profile : profiles_) {
      for (const value::Value& v : profile.slots()) {
        rows_.push_back(v.is(value::Kind::kUnknown) ? v : value::DeepCopy(v, texts_of_rows_));
      }
    }
    Add("profiles", "profiles", static_cast<double>(profiles_.size()), 0, "");
    Add("profile_bytes", "  JSON of one", static_cast<double>(bytes_) / static_cast<double>(profiles_.size()), 0,
        "bytes");
    return true;
  }

  std::span<const value::Value> Slots(std::size_t profile) const {
    const std::size_t width = rows_.size() / profiles_.size();
    return std::span(rows_).subspan(profile * width, width);
  }

  double MicrosEach(double ms) const { return ms * 1000 / static_cast<double>(profiles_.size()); }

  void PerEvent() {
    Progress("per event");
    engine::Scratch scratch;
    // Counting pairs is not part of answering.
    for (std::size_t i = 0; i < profiles_.size(); ++i) pairs_.Add(table_->Answer(Slots(i), scratch));
    const double ms = Measure([&] {
      for (std::size_t i = 0; i < profiles_.size(); ++i) Keep(table_->Answer(Slots(i), scratch));
    });
    const double micros = MicrosEach(ms);
    Add("event_us", "per event, all rules, profile decoded", micros, 3, "us per resident");
    Add("event_ns_rule", "  of one rule", micros * 1000 / static_cast<double>(std::max<std::size_t>(rules_, 1)), 3,
        "ns");
    Add("event_decisions_s", "  answers", static_cast<double>(rules_) / micros, 1, "M per s and core");
    facts::Profile profile(ruleset_->SchemaOf(arguments_.kind));
    const double decoding = Measure([&] {
      for (const std::string& text : texts_) {
        profile.Clear();
        if (!profile.SetFromJson(text)) agree_ = false;
      }
    });
    const double both = Measure([&] {
      for (const std::string& text : texts_) {
        profile.Clear();
        if (!profile.SetFromJson(text)) agree_ = false;
        Keep(table_->Answer(profile.slots(), scratch));
      }
    });
    Add("event_json_us", "per event, from the JSON profile", MicrosEach(both), 3, "us per resident");
    Add("decode_us", "  of it decoding", MicrosEach(decoding), 3, "us per resident");
  }

  // Looks at an answer, so that it is not left out as useless.
  void Keep(const engine::Answers& answers) { kept_ ^= answers.eligible().front() ^ answers.unknown().back(); }

  // One fact of each subject becomes that of the next subject, then the same again.
  void Incremental() {
    Progress("incremental");
    engine::Scratch scratch;
    const std::size_t subjects = std::min<std::size_t>(profiles_.size(), 20'000);
    const std::size_t width = rows_.size() / profiles_.size();
    std::vector<engine::Subject> kept(subjects);
    std::vector<value::Value> now(rows_.begin(), rows_.begin() + static_cast<std::ptrdiff_t>(subjects * width));
    const auto slots_of = [&](std::size_t i) { return std::span(now).subspan(i * width, width); };
    std::vector<std::uint32_t> used;
    for (const std::uint32_t i : engine_->rules()) {
      const std::vector<std::uint32_t>& more = ruleset_->rules()[i].slots;
      used.insert(used.end(), more.begin(), more.end());
    }
    std::sort(used.begin(), used.end());
    used.erase(std::unique(used.begin(), used.end()), used.end());
    if (used.empty()) return;
    for (std::size_t i = 0; i < subjects; ++i) table_->Begin(slots_of(i), scratch, &kept[i]);
    std::size_t pass = 0;
    const double ms = Measure([&] {
      ++pass;
      for (std::size_t i = 0; i < subjects; ++i) {
        const std::uint32_t slot = used[(i + pass) % used.size()];
        slots_of(i)[slot] = Slots((i + pass) % subjects)[slot];
        table_->Change(slots_of(i), {&slot, 1}, scratch, &kept[i]);
      }
    });
    Add("incremental_us", "incremental, one fact changed", ms * 1000 / static_cast<double>(subjects), 3,
        "us per change");
    for (std::size_t i = 0; i < subjects; ++i) {
      const engine::Answers answers = table_->Answer(slots_of(i), scratch);
      agree_ = agree_ && std::ranges::equal(answers.eligible(), kept[i].answers().eligible()) &&
               std::ranges::equal(answers.unknown(), kept[i].answers().unknown());
    }
  }

  void Population() {
    Progress("population");
    const std::size_t before = BytesInUse();
    Columns columns(table_);
    engine::Scratch scratch;
    const auto begin = Clock::now();
    for (std::size_t i = 0; i < profiles_.size(); ++i) columns.Append(Slots(i), scratch);
    const double building = MillisSince(begin);
    const std::size_t threads = std::max<std::size_t>(arguments_.threads, 1);
    double one_core = 0;  // by the wall clock, as the threads are measured
    for (const std::size_t cores : threads == 1 ? std::vector<std::size_t>{1} : std::vector<std::size_t>{1, threads}) {
      Pairs pairs;
      const double ms = Measure([&] { pairs = CountOn(columns, cores); }, WallMillis);
      agree_ = agree_ && pairs == pairs_;
      if (cores == 1) {
        one_core = ms;
        const double busy = Measure([&] { pairs = CountOn(columns, 1); });
        Add("population_us", "population, in columns, one core", MicrosEach(busy), 4, "us per resident");
        Add("population_18m_s", "  18 million residents", MicrosEach(busy) * 18, 2, "s");
      } else {
        Add("population_threads_us", "population, " + std::to_string(cores) + " threads", MicrosEach(ms), 4,
            "us per resident");
        Add("population_speedup", "  against one core", one_core / ms, 2, "times");
      }
    }
    Add("columns_us", "  building the columns", MicrosEach(building), 3, "us per resident");
    Add("columns_bytes", "  memory of the columns",
        static_cast<double>(BytesInUse() - before) / static_cast<double>(profiles_.size()), 1, "bytes per resident");
  }

  static Pairs CountOn(const Columns& columns, std::size_t cores) {
    const std::size_t blocks = (columns.size() + Columns::kBlock - 1) / Columns::kBlock;
    std::vector<Pairs> parts(cores);
    const auto work = [&](std::size_t core) {
      const Columns::Counts counts =
          columns.Count(blocks * core / cores * Columns::kBlock,
                        std::min(blocks * (core + 1) / cores * Columns::kBlock, columns.size()));
      parts[core].eligible = std::accumulate(counts.eligible.begin(), counts.eligible.end(), std::uint64_t{0});
      parts[core].unknown = std::accumulate(counts.unknown.begin(), counts.unknown.end(), std::uint64_t{0});
    };
    std::vector<std::jthread> others;
    for (std::size_t core = 1; core < cores; ++core) others.emplace_back(work, core);
    work(0);
    others.clear();
    Pairs out;
    for (const Pairs& part : parts) {
      out.eligible += part.eligible;
      out.unknown += part.unknown;
    }
    return out;
  }

  // rules::Evaluate gives reasons, and is what the engine must agree with.
  void Definition() {
    Progress("comparing with the definition");
    const std::size_t count = std::min(profiles_.size(), kCheckedByDefinition);
    value::Arena arena;
    engine::Scratch scratch;
    std::size_t checked = 0;
    const auto begin = Clock::now();
    std::vector<rules::Answer> expected;
    for (std::size_t p = 0; p < count; ++p) {
      for (const std::uint32_t i : engine_->rules()) {
        arena.Reset();
        expected.push_back(rules::Evaluate(ruleset_->rules()[i], profiles_[p], day_, arena).answer);
      }
    }
    const double ms = MillisSince(begin);
    for (std::size_t p = 0; p < count; ++p) {
      const engine::Answers answers = table_->Answer(profiles_[p].slots(), scratch);
      for (std::size_t r = 0; r < rules_; ++r) agree_ = agree_ && answers.of(r) == expected[checked++];
    }
    Add("definition_us", "rules::Evaluate, with reasons", ms * 1000 / static_cast<double>(count), 2, "us per resident");
    Add("eligible_pairs", "eligible pairs", static_cast<double>(pairs_.eligible), 0, "");
    Add("unknown_pairs", "unknown pairs", static_cast<double>(pairs_.unknown), 0, "");
    Add("checked_pairs", "pairs checked against the definition", static_cast<double>(checked), 0,
        agree_ ? "all agree" : "NOT ALL AGREE");
  }

  void Print() const {
    char number[64];
    if (arguments_.json) {
      std::string out;
      for (const Figure& f : figures_) {
        std::snprintf(number, sizeof(number), "%.*f", f.digits, f.value);
        out += (out.empty() ? "{" : ",\n ") + ("\"" + f.key + "\": ") + number;
      }
      std::cout << out << ",\n \"agree\": " << (agree_ ? "true" : "false") << "}\n";
      return;
    }
    for (const Figure& f : figures_) {
      std::snprintf(number, sizeof(number), "%14.*f", f.digits, f.value);
      std::cout << f.title << std::string(40 - std::min<std::size_t>(f.title.size(), 40), ' ') << number << "  "
                << f.unit << "\n";
    }
  }

  const BenchArguments& arguments_;
  Date day_{};
  std::shared_ptr<const rules::RuleSet> ruleset_;
  std::shared_ptr<const engine::Engine> engine_;
  std::shared_ptr<const engine::Table> table_;
  std::size_t rules_ = 0;
  std::vector<facts::Profile> profiles_;
  std::vector<value::Value> rows_;
  value::Arena texts_of_rows_;
  std::vector<std::string> texts_;  // of the profiles' facts
  std::size_t bytes_ = 0;
  Pairs pairs_;
  std::uint64_t kept_ = 0;
  bool agree_ = true;
  std::vector<Figure> figures_;
};

}  // namespace

int RulesBench(const BenchArguments& arguments) { return Bench(arguments).Run(); }

}  // namespace zhitui::daemon
