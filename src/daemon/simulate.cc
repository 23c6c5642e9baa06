// `zhitui rules simulate`: what a ruleset, or a change of it, means for a file of profiles.

#include <unistd.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "daemon/census.h"
#include "daemon/commands.h"
#include "engine/engine.h"
#include "facts/facts.h"

namespace zhitui::daemon {
namespace {

using Json = nlohmann::ordered_json;
using rules::Answer;
using value::Decimal;

constexpr std::size_t kLinesAtOnce = 8192;
constexpr std::size_t kBytesAtOnce = 32 << 20;
constexpr std::size_t kMaxLine = 1 << 20;
constexpr std::size_t kMaxGroupName = 120;  // bytes
constexpr std::size_t kMaxGroups = 10'000;
constexpr std::size_t kMaxBadShown = 20;
constexpr auto kProgressEvery = std::chrono::seconds(5);
constexpr int kBandYears = 10;

// One side of the comparison: a ruleset and its tables of the day.
struct Side {
  struct Kind {
    std::shared_ptr<const facts::Schema> schema;
    std::shared_ptr<const engine::Table> table;
    std::vector<const rules::Rule*> rules;  // by their number in answers
    std::vector<std::uint32_t> rows;        // of the report, likewise
  };
  std::shared_ptr<const rules::RuleSet> ruleset;
  std::map<std::string, Kind, std::less<>> kinds;

  const Kind* Find(std::string_view kind) const {
    const auto it = kinds.find(kind);
    return it == kinds.end() ? nullptr : &it->second;
  }
};

// A fact by which people are counted.
struct Grouping {
  std::string name;
  bool age_band = false;
};

// A text as a cell of a table: one line, not too long.
std::string GroupName(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = ' ';
  }
  if (text.size() <= kMaxGroupName) return text;
  std::size_t end = kMaxGroupName;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

std::string GroupOf(const Grouping& grouping, const facts::Profile& profile, std::uint32_t slot, Date day) {
  const value::Value& v = profile.slots()[slot];
  if (v.is(value::Kind::kUnknown)) return "unknown";
  if (v.is(value::Kind::kNull)) return "none";
  if (!grouping.age_band)
    return GroupName(v.is(value::Kind::kString) ? std::string(v.AsString()) : value::ToDisplay(v));
  const int age = value::AgeInYears(v.AsDate(), day);
  if (age < 0) return "unborn";
  char band[32];
  std::snprintf(band, sizeof(band), "%02d-%02d", age / kBandYears * kBandYears, age / kBandYears * kBandYears + 9);
  return band;
}

struct Line {
  std::size_t number;
  std::string text;
};

// Lines of any length in bounded memory: what is beyond the limit is read and dropped, but for one byte that tells.
class LineReader {
 public:
  explicit LineReader(std::istream& in) : in_(in), buffer_(1 << 18) {}

  bool Next(std::string* line) {
    line->clear();
    bool any = false;
    for (;;) {
      if (at_ == end_ && !Fill()) return any;
      any = true;
      const char* from = buffer_.data() + at_;
      const void* found = std::memchr(from, '\n', end_ - at_);
      const std::size_t count =
          found == nullptr ? end_ - at_ : static_cast<std::size_t>(static_cast<const char*>(found) - from);
      line->append(from, std::min(count, kMaxLine + 1 - line->size()));
      at_ += count + (found == nullptr ? 0 : 1);
      if (found != nullptr) return true;
    }
  }
  std::uint64_t bytes() const { return bytes_; }

 private:
  bool Fill() {
    in_.read(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
    at_ = 0;
    end_ = static_cast<std::size_t>(in_.gcount());
    bytes_ += end_;
    return end_ > 0;
  }

  std::istream& in_;
  std::vector<char> buffer_;
  std::size_t at_ = 0;
  std::size_t end_ = 0;
  std::uint64_t bytes_ = 0;
};

struct Found {
  Answer answer = Answer::kIneligible;
  std::optional<Decimal> amount;
};

// What one thread works with and has counted.
struct Worker {
  engine::Scratch scratch;
  value::Arena arena;
  std::map<std::string, facts::Profile, std::less<>> after;
  std::map<std::string, facts::Profile, std::less<>> before;
  std::vector<Found> now;  // by row; between profiles all are ineligible
  std::vector<Found> then;
  std::vector<std::uint32_t> touched;  // rows that are not
  std::vector<Counts> rules;
  std::map<std::string, std::uint64_t, std::less<>> alive;  // subjects that were answered, by kind
  std::unordered_map<std::string, std::map<std::uint32_t, Counts>> groups;
  std::map<std::string, std::uint64_t> messages;
  std::uint64_t subjects = 0;
  std::uint64_t dead = 0;
  std::vector<std::pair<std::size_t, std::string>> bad;  // line, reason
  std::uint64_t bad_lines = 0;
  std::string changed;  // lines for --subjects
};

class Simulation {
 public:
  explicit Simulation(const SimulateArguments& arguments) : arguments_(arguments) {}

  int Run() {
    const Result<Date> day = ParseDate(arguments_.at);
    if (!day) return Fail(EX_USAGE, "--at takes a date such as 2026-03-01");
    day_ = *day;
    if (!arguments_.subjects.empty() && arguments_.against.empty()) {
      return Fail(EX_USAGE, "--subjects lists who is affected by a change: name the rules in force with --against");
    }
    int code = EX_OK;
    if (!Load(arguments_.rules, draft_, &code)) return code;
    if (!arguments_.against.empty() && !Load(arguments_.against, in_force_, &code)) return code;
    NumberRules();
    if (!ParseGroupings(&code)) return code;
    std::ifstream file;
    std::istream* in = &std::cin;
    std::error_code none;
    if (arguments_.profiles != "-") {
      file.open(arguments_.profiles, std::ios::binary);
      if (!file) return Fail(EX_NOINPUT, "cannot read " + arguments_.profiles);
      total_bytes_ = std::filesystem::file_size(arguments_.profiles, none);
      if (none) total_bytes_ = 0;
      in = &file;
    }
    std::ofstream changed;
    if (!arguments_.subjects.empty()) {
      changed.open(arguments_.subjects, std::ios::binary);
      if (!changed) return Fail(EX_CANTCREAT, "cannot write " + arguments_.subjects);
      using std::filesystem::perms;
      std::filesystem::permissions(arguments_.subjects, perms::owner_read | perms::owner_write, none);
    }
    workers_.resize(std::max<std::size_t>(arguments_.threads, 1));
    for (Worker& worker : workers_) {
      worker.rules.resize(ids_.size());
      worker.now.resize(ids_.size());
      worker.then.resize(ids_.size());
    }
    if (!ReadAll(*in, changed, &code)) return code;
    Merge();
    if (!arguments_.subjects.empty() && !changed.flush()) {
      return Fail(EX_IOERR, "cannot write all of " + arguments_.subjects);
    }
    std::cout << (arguments_.json ? ToJson(census_) : ToText(census_));
    for (const auto& [number, reason] : bad_) {
      std::cerr << arguments_.profiles << ":" << number << ": " << reason << "\n";
    }
    if (census_.bad_lines == 0) return EX_OK;
    return Fail(EX_DATAERR, std::to_string(census_.bad_lines) + " of the lines are no profiles and were left out");
  }

 private:
  bool compare() const { return in_force_.ruleset != nullptr; }

  bool Load(const std::string& folder, Side& side, int* code) {
    const std::optional<authoring::Report> report = RulesOrExit(folder, code);
    if (!report) return false;
    side.ruleset = report->ruleset;
    for (const std::string& kind : side.ruleset->kinds()) {
      const auto engine = engine::Engine::Build(side.ruleset, kind);
      Side::Kind& of = side.kinds[kind];
      of.schema = side.ruleset->SchemaOf(kind);
      of.table = engine->At(day_);
      for (const std::uint32_t rule : engine->rules()) of.rules.push_back(&side.ruleset->rules()[rule]);
    }
    return true;
  }

  // Rules of both sides with one id share a row.
  void NumberRules() {
    for (const Side* side : {&draft_, &in_force_}) {
      if (side->ruleset == nullptr) continue;
      for (const rules::Rule& rule : side->ruleset->rules()) ids_.emplace(rule.id, 0);
    }
    std::uint32_t next = 0;
    for (auto& [id, row] : ids_) {
      row = next++;
      names_.push_back(id);
      after_.push_back(draft_.ruleset->Find(id));
      before_.push_back(compare() ? in_force_.ruleset->Find(id) : nullptr);
    }
    for (Side* side : {&draft_, &in_force_}) {
      for (auto& [kind, of] : side->kinds) {
        for (const rules::Rule* rule : of.rules) of.rows.push_back(ids_.at(rule->id));
      }
    }
  }

  // "street" is the one fact of that name or that ends so; "age_band" is made of the date of birth.
  static std::optional<std::uint32_t> FindFact(const facts::Schema& schema, const std::string& name) {
    if (const auto slot = schema.Find(name)) return slot;
    std::optional<std::uint32_t> found;
    for (std::uint32_t slot = 0; slot < schema.facts().size(); ++slot) {
      if (!schema.facts()[slot].name.ends_with("." + name)) continue;
      if (found) return std::nullopt;
      found = slot;
    }
    return found;
  }

  bool ParseGroupings(int* code) {
    std::string_view rest = arguments_.by;
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      Grouping grouping;
      grouping.name = rest.substr(0, comma);
      rest.remove_prefix(std::min(comma + 1, rest.size()));
      grouping.age_band = grouping.name == "age_band";
      bool known = false;
      for (const std::string& kind : draft_.ruleset->kinds()) {
        const facts::Schema& schema = *draft_.ruleset->SchemaOf(kind);
        const auto slot = FindFact(schema, grouping.age_band ? "birth_date" : grouping.name);
        if (!slot) continue;
        const facts::FactDef& fact = schema.facts()[*slot];
        if (fact.type == facts::FactType::kList || fact.type == facts::FactType::kRecord) {
          *code = Fail(EX_USAGE, "--by " + grouping.name + ": a list or record is no group; name a single fact");
          return false;
        }
        if (fact.sensitive && !grouping.age_band) {
          *code = Fail(EX_USAGE, "--by " + grouping.name + ": the fact is sensitive; group by another one");
          return false;
        }
        known = true;
        slots_by_kind_[kind].resize(groupings_.size() + 1);
        slots_by_kind_[kind].back() = slot;
      }
      if (!known) {
        *code = Fail(EX_USAGE, "--by " + grouping.name + ": no kind declares such a fact, or several facts end so");
        return false;
      }
      groupings_.push_back(std::move(grouping));
    }
    for (auto& [kind, slots] : slots_by_kind_) slots.resize(groupings_.size());
    return true;
  }

  bool ReadAll(std::istream& in, std::ofstream& changed, int* code) {
    const ForEach each = OnThreads(workers_.size());
    LineReader reader(in);
    std::vector<Line> lines;
    std::size_t number = 0;
    std::string text;
    bool more = true;
    while (more) {
      lines.clear();
      std::size_t bytes = 0;
      while (lines.size() < kLinesAtOnce && bytes < kBytesAtOnce && (more = reader.Next(&text))) {
        ++number;
        bytes += text.size();
        if (text.find_first_not_of(" \t\r") != std::string::npos) lines.push_back({number, std::move(text)});
      }
      read_bytes_ = reader.bytes();
      each(workers_.size(), [&](std::size_t w) {
        const std::size_t begin = lines.size() * w / workers_.size();
        const std::size_t end = lines.size() * (w + 1) / workers_.size();
        for (std::size_t i = begin; i < end; ++i) One(lines[i], workers_[w]);
      });
      std::size_t groups = 0;
      for (Worker& worker : workers_) {
        changed << worker.changed;
        worker.changed.clear();
        groups = std::max(groups, worker.groups.size());
      }
      if (groups > kMaxGroups) {
        *code = Fail(EX_USAGE, "--by " + arguments_.by + " makes more than " + std::to_string(kMaxGroups) +
                                   " groups; name facts with fewer values");
        return false;
      }
      Progress(number, !more);
    }
    if (in.bad()) {
      *code = Fail(EX_IOERR, "cannot read all of " + arguments_.profiles);
      return false;
    }
    return true;
  }

  void Progress(std::size_t number, bool last) {
    const bool terminal = isatty(STDERR_FILENO) != 0;
    const auto now = std::chrono::steady_clock::now();
    if (!last && now - shown_ < (terminal ? std::chrono::milliseconds(200) : kProgressEvery)) return;
    if (last && !terminal && shown_ == started_) return;
    shown_ = now;
    const double seconds = std::chrono::duration<double>(now - started_).count();
    char line[128];
    if (total_bytes_ > 0) {
      std::snprintf(line, sizeof(line), "%zu profiles, %d %%, %.0f s", number,
                    static_cast<int>(100.0 * static_cast<double>(read_bytes_) / static_cast<double>(total_bytes_)),
                    seconds);
    } else {
      std::snprintf(line, sizeof(line), "%zu profiles, %.0f s", number, seconds);
    }
    if (terminal) {
      std::cerr << "\r" << line << (last ? "\n" : "") << std::flush;
    } else {
      std::cerr << line << "\n";
    }
  }

  void Refuse(Worker& worker, const Line& line, const facts::Refused& refused) const {
    ++worker.bad_lines;
    if (worker.bad.size() < kMaxBadShown) {
      worker.bad.emplace_back(line.number, std::string(facts::RefusalName(refused.reason)) + ": " + refused.detail);
    }
  }

  // The kind's profile of a side, filled from the line; nullptr and `refused` when the facts do not fit. What only the
  // other side declares is passed over, so that a draft may add and drop facts.
  static const facts::Profile* Fill(const Side::Kind& of, const Side::Kind* other,
                                    std::map<std::string, facts::Profile, std::less<>>& profiles,
                                    const facts::ProfileLine& line, facts::Refused* refused) {
    auto it = profiles.find(line.kind);
    if (it == profiles.end()) it = profiles.emplace(line.kind, facts::Profile(of.schema)).first;
    it->second.Clear();
    if (const auto set = it->second.SetFromJson(line.facts, other == nullptr ? nullptr : other->schema.get()); !set) {
      *refused = set.error();
      return nullptr;
    }
    return &it->second;
  }

  void Determine(const Side::Kind& of, const facts::Profile& profile, Worker& worker, std::vector<Found>& found) const {
    const engine::Answers answers = of.table->Answer(profile.slots(), worker.scratch);
    const std::size_t first = worker.touched.size();
    for (std::size_t word = 0; word < answers.eligible().size(); ++word) {
      const std::uint64_t eligible = answers.eligible()[word];
      for (std::uint64_t left = eligible | answers.unknown()[word]; left != 0; left &= left - 1) {
        const auto bit = static_cast<std::size_t>(std::countr_zero(left));
        const std::size_t number = word * 64 + bit;
        found[of.rows[number]].answer = (eligible >> bit & 1) != 0 ? Answer::kEligible : Answer::kUnknown;
        worker.touched.push_back(static_cast<std::uint32_t>(number));
      }
    }
    worker.arena.Reset();
    for (std::size_t i = first; i < worker.touched.size(); ++i) {
      const std::uint32_t number = worker.touched[i];
      worker.touched[i] = of.rows[number];
      const rules::Rule& rule = *of.rules[number];
      Found& one = found[of.rows[number]];
      if (one.answer != Answer::kEligible || rule.amounts.empty()) continue;
      const std::size_t row = of.table->AmountRow(number, profile.slots(), worker.scratch);
      const value::Value is = rule.amounts[row].is.Evaluate({profile.slots(), day_}, worker.arena);
      one.amount = is.is(value::Kind::kInt) ? Decimal{is.AsInt(), 0} : is.AsDecimal();
    }
  }

  void One(const Line& line, Worker& worker) const {
    const std::expected<facts::ProfileLine, facts::Refused> parts = facts::SplitProfileLine(line.text);
    if (!parts) return Refuse(worker, line, parts.error());
    const Side::Kind* draft = draft_.Find(parts->kind);
    const Side::Kind* in_force = in_force_.Find(parts->kind);
    if (draft == nullptr && in_force == nullptr) {
      return Refuse(worker, line, {facts::Refusal::kUnknownKind, "kind: not declared under facts/"});
    }
    facts::Refused refused;
    const facts::Profile* after = nullptr;
    const facts::Profile* before = nullptr;
    if (draft != nullptr && (after = Fill(*draft, in_force, worker.after, *parts, &refused)) == nullptr) {
      return Refuse(worker, line, refused);
    }
    if (in_force != nullptr && (before = Fill(*in_force, draft, worker.before, *parts, &refused)) == nullptr) {
      return Refuse(worker, line, refused);
    }
    ++worker.subjects;
    const facts::Profile& known = after != nullptr ? *after : *before;
    if (known.Dead()) {
      ++worker.dead;
      return;
    }
    ++worker.alive[parts->kind];
    if (after != nullptr) Determine(*draft, *after, worker, worker.now);
    if (before != nullptr) Determine(*in_force, *before, worker, worker.then);
    std::sort(worker.touched.begin(), worker.touched.end());
    worker.touched.erase(std::unique(worker.touched.begin(), worker.touched.end()), worker.touched.end());
    std::map<std::uint32_t, Counts>* group = worker.touched.empty() ? nullptr : GroupFor(known, parts->kind, worker);
    for (const std::uint32_t row : worker.touched) {
      Counts one;
      Compare(row, worker.now[row], compare() ? &worker.then[row] : nullptr, one, worker, parts->subject);
      worker.rules[row].Add(one);
      if (group != nullptr && (one.eligible > 0 || one.unknown > 0 || one.changes())) (*group)[row].Add(one);
      worker.now[row] = {};
      worker.then[row] = {};
    }
    worker.touched.clear();
  }

  std::map<std::uint32_t, Counts>* GroupFor(const facts::Profile& profile, const std::string& kind,
                                            Worker& worker) const {
    const auto slots = slots_by_kind_.find(kind);
    if (slots == slots_by_kind_.end() || groupings_.empty()) return nullptr;
    std::string key;
    for (std::size_t i = 0; i < groupings_.size(); ++i) {
      if (i > 0) key += '\t';
      key += slots->second[i] ? GroupOf(groupings_[i], profile, *slots->second[i], day_) : "-";
    }
    if (worker.groups.size() > kMaxGroups && !worker.groups.contains(key)) return nullptr;
    return &worker.groups[key];
  }

  void Compare(std::uint32_t row, const Found& now, const Found* then, Counts& one, Worker& worker,
               const std::string& subject) const {
    one.eligible = now.answer == Answer::kEligible ? 1 : 0;
    one.unknown = now.answer == Answer::kUnknown ? 1 : 0;
    if (now.amount) one.amount.Add(*now.amount);
    if (then == nullptr) return;
    if (then->amount) one.amount_before.Add(*then->amount);
    const bool was = then->answer == Answer::kEligible;
    const bool is = now.answer == Answer::kEligible;
    if (is && !was) {
      one.gains = 1;
      Tell(row, rules::NotifyOn::kEligible, worker);
    } else if (was && now.answer == Answer::kIneligible) {
      one.loses = 1;
      Tell(row, rules::NotifyOn::kCeased, worker);
    } else if (was && !is) {
      one.unsure = 1;
    } else if (is && now.amount && then->amount) {
      const int order = Decimal::Compare(*now.amount, *then->amount);
      one.more = order > 0 ? 1 : 0;
      one.less = order < 0 ? 1 : 0;
      if (order != 0) Tell(row, rules::NotifyOn::kAmountChanged, worker);
    }
    if (!one.changes() || arguments_.subjects.empty()) return;
    Json changed{{"subject", subject},
                 {"rule", names_[row]},
                 {"from", rules::AnswerName(then->answer)},
                 {"to", rules::AnswerName(now.answer)}};
    if (then->amount) changed["amount_from"] = then->amount->ToString();
    if (now.amount) changed["amount_to"] = now.amount->ToString();
    worker.changed += changed.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  }

  // What the person would be sent.
  void Tell(std::uint32_t row, rules::NotifyOn on, Worker& worker) const {
    for (const rules::Notify& notify : RuleOf(row).notify) {
      if (notify.on != on) continue;
      std::string channels;
      for (const Channel channel : notify.channels) {
        channels += (channels.empty() ? "" : " ") + std::string(ChannelName(channel));
      }
      ++worker.messages[notify.message + "\t" + rules::NotifyOnName(on) + "\t" + channels];
    }
  }

  void Merge() {
    Census& all = census_;
    all.at = arguments_.at;
    all.draft = arguments_.rules;
    all.draft_hash = draft_.ruleset->hash();
    all.against = arguments_.against;
    if (compare()) all.against_hash = in_force_.ruleset->hash();
    for (const Grouping& grouping : groupings_) all.by.push_back(grouping.name);
    all.names = names_;
    all.rules.resize(names_.size());
    std::map<std::string, std::uint64_t, std::less<>> alive;
    for (Worker& worker : workers_) {
      for (std::size_t i = 0; i < names_.size(); ++i) all.rules[i].Add(worker.rules[i]);
      for (const auto& [key, rows] : worker.groups) {
        for (const auto& [row, counts] : rows) all.groups[key][row].Add(counts);
      }
      for (const auto& [message, count] : worker.messages) all.messages[message] += count;
      for (const auto& [kind, count] : worker.alive) alive[kind] += count;
      all.subjects += worker.subjects;
      all.dead += worker.dead;
      all.bad_lines += worker.bad_lines;
      bad_.insert(bad_.end(), worker.bad.begin(), worker.bad.end());
    }
    for (std::size_t row = 0; row < names_.size(); ++row) {
      Counts& c = all.rules[row];
      c.ineligible = alive[RuleOf(row).kind] - c.eligible - c.unknown;
      const std::string& unit = all.units.emplace_back(RuleOf(row).unit);
      if (unit.empty()) continue;
      all.totals[unit].amount.Add(c.amount);
      all.totals[unit].amount_before.Add(c.amount_before);
    }
    std::sort(bad_.begin(), bad_.end());
    if (bad_.size() > kMaxBadShown) bad_.resize(kMaxBadShown);
  }

  // By the draft, or as it stands in the rules that the draft repeals.
  const rules::Rule& RuleOf(std::size_t row) const { return *(after_[row] != nullptr ? after_[row] : before_[row]); }

  const SimulateArguments& arguments_;
  Date day_{};
  Side draft_;
  Side in_force_;
  std::map<std::string, std::uint32_t> ids_;
  std::vector<std::string> names_;         // of each row
  std::vector<const rules::Rule*> after_;  // nullptr: repealed by the draft
  std::vector<const rules::Rule*> before_;
  std::vector<Grouping> groupings_;
  std::map<std::string, std::vector<std::optional<std::uint32_t>>, std::less<>> slots_by_kind_;
  std::vector<Worker> workers_;
  Census census_;
  std::vector<std::pair<std::size_t, std::string>> bad_;  // the first lines that are no profiles
  std::uint64_t total_bytes_ = 0;
  std::uint64_t read_bytes_ = 0;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point shown_ = started_;
};

}  // namespace

int RulesSimulate(const SimulateArguments& arguments) { return Simulation(arguments).Run(); }

}  // namespace zhitui::daemon
