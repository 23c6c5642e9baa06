// `zhitui rules simulate`: what a ruleset, or a change of it, means for a file of profiles.

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "daemon/commands.h"
#include "engine/engine.h"
#include "facts/facts.h"

namespace zhitui::daemon {
namespace {

using Json = nlohmann::ordered_json;
using rules::Answer;
using value::Decimal;

constexpr std::size_t kLinesAtOnce = 8192;
constexpr std::size_t kMaxLine = 1 << 20;
constexpr std::size_t kMaxGroups = 10'000;
constexpr std::size_t kMaxBadShown = 20;
constexpr auto kProgressEvery = std::chrono::seconds(5);
constexpr int kBandYears = 10;

// A sum that knows when it has left what a decimal can hold.
struct Sum {
  Decimal value{0, 0};
  bool overflow = false;
  void Add(const Decimal& d) {
    const std::optional<Decimal> next = Decimal::Add(value, d);
    overflow = overflow || !next;
    if (next) value = *next;
  }
  void Add(const Sum& other) {
    overflow = overflow || other.overflow;
    Add(other.value);
  }
  std::string ToString() const { return overflow ? "too large" : value.ToString(); }
};

struct Counts {
  std::uint64_t eligible = 0;
  std::uint64_t unknown = 0;
  std::uint64_t ineligible = 0;
  std::uint64_t gains = 0;   // not eligible by the rules in force, eligible by the draft
  std::uint64_t loses = 0;   // eligible, then ineligible
  std::uint64_t unsure = 0;  // eligible, then unknown
  std::uint64_t more = 0;    // another amount
  std::uint64_t less = 0;
  Sum amount;         // by the draft
  Sum amount_before;  // by the rules in force

  void Add(const Counts& o) {
    eligible += o.eligible;
    unknown += o.unknown;
    ineligible += o.ineligible;
    gains += o.gains;
    loses += o.loses;
    unsure += o.unsure;
    more += o.more;
    less += o.less;
    amount.Add(o.amount);
    amount_before.Add(o.amount_before);
  }
  bool changes() const { return gains + loses + unsure + more + less > 0; }
};

// One side of the comparison: a ruleset and its tables of the day.
struct Side {
  std::shared_ptr<const rules::RuleSet> ruleset;
  std::map<std::string, std::shared_ptr<const engine::Table>, std::less<>> tables;
  std::map<std::string, std::vector<std::uint32_t>, std::less<>>
      row_of;  // kind: number in answers -> row of the report
};

// A fact by which people are counted.
struct Grouping {
  std::string name;
  bool age_band = false;
};

std::string GroupOf(const Grouping& grouping, const facts::Profile& profile, std::uint32_t slot, Date day) {
  const value::Value& v = profile.slots()[slot];
  if (v.is(value::Kind::kUnknown)) return "unknown";
  if (v.is(value::Kind::kNull)) return "none";
  if (!grouping.age_band) return v.is(value::Kind::kString) ? std::string(v.AsString()) : value::ToDisplay(v);
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

// What one thread works with and has counted.
struct Worker {
  engine::Scratch scratch;
  value::Arena arena;
  std::map<std::string, facts::Profile, std::less<>> after;
  std::map<std::string, facts::Profile, std::less<>> before;
  std::vector<Counts> rules;
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
    }
    workers_.resize(std::max<std::size_t>(arguments_.threads, 1));
    for (Worker& worker : workers_) worker.rules.resize(ids_.size());
    if (!ReadAll(*in, changed, &code)) return code;
    Merge();
    if (!arguments_.subjects.empty() && !changed.flush()) {
      return Fail(EX_IOERR, "cannot write all of " + arguments_.subjects);
    }
    std::cout << (arguments_.json ? ToJson() : ToText());
    for (const auto& [number, reason] : all_.bad) {
      std::cerr << arguments_.profiles << ":" << number << ": " << reason << "\n";
    }
    if (all_.bad_lines == 0) return EX_OK;
    return Fail(EX_DATAERR, std::to_string(all_.bad_lines) + " of the lines are no profiles and were left out");
  }

 private:
  bool compare() const { return in_force_.ruleset != nullptr; }

  bool Load(const std::string& folder, Side& side, int* code) {
    const std::optional<authoring::Report> report = RulesOrExit(folder, code);
    if (!report) return false;
    side.ruleset = report->ruleset;
    for (const std::string& kind : side.ruleset->kinds()) {
      const auto engine = engine::Engine::Build(side.ruleset, kind);
      side.tables[kind] = engine->At(day_);
      side.row_of[kind].assign(engine->rules().begin(), engine->rules().end());
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
      for (auto& [kind, rows] : side->row_of) {
        for (std::uint32_t& row : rows) row = ids_.at(side->ruleset->rules()[row].id);
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
    std::vector<Line> lines;
    std::size_t number = 0;
    std::string text;
    bool more = true;
    while (more) {
      lines.clear();
      while (lines.size() < kLinesAtOnce && (more = static_cast<bool>(std::getline(in, text)))) {
        ++number;
        read_bytes_ += text.size() + 1;
        if (text.size() > kMaxLine) text.resize(kMaxLine + 1);
        if (text.find_first_not_of(" \t\r") != std::string::npos) lines.push_back({number, text});
      }
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

  // The kind's profile of a side, filled from the line; nullptr and `refused` when the facts do not fit.
  static const facts::Profile* Fill(const Side& side, std::map<std::string, facts::Profile, std::less<>>& profiles,
                                    const facts::ProfileLine& line, facts::Refused* refused) {
    const std::shared_ptr<const facts::Schema> schema = side.ruleset->SchemaOf(line.kind);
    if (schema == nullptr) {
      *refused = {facts::Refusal::kUnknownKind, "kind: not declared under facts/"};
      return nullptr;
    }
    auto it = profiles.find(line.kind);
    if (it == profiles.end()) it = profiles.emplace(line.kind, facts::Profile(schema)).first;
    it->second.Clear();
    if (const auto set = it->second.SetFromJson(line.facts); !set) {
      *refused = set.error();
      return nullptr;
    }
    return &it->second;
  }

  struct Found {
    Answer answer = Answer::kIneligible;
    std::optional<Decimal> amount;
  };

  void Determine(const Side& side, const std::string& kind, const facts::Profile& profile, Worker& worker,
                 std::vector<Found>& found) const {
    const auto table = side.tables.find(kind);
    const std::vector<std::uint32_t>& rows = side.row_of.find(kind)->second;
    const engine::Answers answers = table->second->Answer(profile.slots(), worker.scratch);
    worker.arena.Reset();
    for (std::size_t r = 0; r < rows.size(); ++r) {
      Found& one = found[rows[r]];
      one.answer = answers.of(r);
      if (one.answer != Answer::kEligible) continue;
      const rules::Rule& rule = *side.ruleset->Find(names_[rows[r]]);
      if (rule.amounts.empty()) continue;
      const std::size_t row = table->second->AmountRow(r, profile.slots(), worker.scratch);
      const value::Value is = rule.amounts[row].is.Evaluate({profile.slots(), day_}, worker.arena);
      one.amount = is.is(value::Kind::kInt) ? Decimal{is.AsInt(), 0} : is.AsDecimal();
    }
  }

  void One(const Line& line, Worker& worker) const {
    const std::expected<facts::ProfileLine, facts::Refused> parts = facts::SplitProfileLine(line.text);
    if (!parts) return Refuse(worker, line, parts.error());
    facts::Refused refused;
    const facts::Profile* after = Fill(draft_, worker.after, *parts, &refused);
    if (after == nullptr) return Refuse(worker, line, refused);
    ++worker.subjects;
    if (after->Dead()) {
      ++worker.dead;
      return;
    }
    std::vector<Found> now(names_.size());
    std::vector<Found> then(compare() ? names_.size() : 0);
    Determine(draft_, parts->kind, *after, worker, now);
    if (compare()) {
      // A kind or fact that only the draft knows does not exist for the rules in force.
      const facts::Profile* before = Fill(in_force_, worker.before, *parts, &refused);
      if (before != nullptr) Determine(in_force_, parts->kind, *before, worker, then);
    }
    std::map<std::uint32_t, Counts>* group = nullptr;
    if (const auto slots = slots_by_kind_.find(parts->kind); slots != slots_by_kind_.end()) {
      std::string key;
      for (std::size_t i = 0; i < groupings_.size(); ++i) {
        if (i > 0) key += '\t';
        key += slots->second[i] ? GroupOf(groupings_[i], *after, *slots->second[i], day_) : "-";
      }
      if (worker.groups.size() <= kMaxGroups || worker.groups.contains(key)) group = &worker.groups[key];
    }
    for (std::uint32_t row = 0; row < names_.size(); ++row) {
      const rules::Rule* rule = after_[row] != nullptr ? after_[row] : before_[row];
      if (rule->kind != parts->kind) continue;
      Counts one;
      Compare(row, now[row], compare() ? &then[row] : nullptr, one, worker, parts->subject);
      worker.rules[row].Add(one);
      if (group != nullptr && (one.eligible > 0 || one.unknown > 0 || one.changes())) (*group)[row].Add(one);
    }
  }

  void Compare(std::uint32_t row, const Found& now, const Found* then, Counts& one, Worker& worker,
               const std::string& subject) const {
    one.eligible = now.answer == Answer::kEligible ? 1 : 0;
    one.unknown = now.answer == Answer::kUnknown ? 1 : 0;
    one.ineligible = now.answer == Answer::kIneligible ? 1 : 0;
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

  // What the person would be sent: by the draft, or by the rule that it repeals.
  void Tell(std::uint32_t row, rules::NotifyOn on, Worker& worker) const {
    const rules::Rule* rule = after_[row] != nullptr ? after_[row] : before_[row];
    for (const rules::Notify& notify : rule->notify) {
      if (notify.on != on) continue;
      std::string channels;
      for (const Channel channel : notify.channels)
        channels += (channels.empty() ? "" : ", ") + std::string(ChannelName(channel));
      ++worker.messages[notify.message + "\t" + rules::NotifyOnName(on) + "\t" + channels];
    }
  }

  void Merge() {
    all_.rules.resize(names_.size());
    for (Worker& worker : workers_) {
      for (std::size_t i = 0; i < names_.size(); ++i) all_.rules[i].Add(worker.rules[i]);
      for (const auto& [key, rows] : worker.groups) {
        for (const auto& [row, counts] : rows) groups_[key][row].Add(counts);
      }
      for (const auto& [message, count] : worker.messages) all_.messages[message] += count;
      all_.subjects += worker.subjects;
      all_.dead += worker.dead;
      all_.bad_lines += worker.bad_lines;
      all_.bad.insert(all_.bad.end(), worker.bad.begin(), worker.bad.end());
    }
    std::sort(all_.bad.begin(), all_.bad.end());
    if (all_.bad.size() > kMaxBadShown) all_.bad.resize(kMaxBadShown);
  }

  std::string UnitOf(std::size_t row) const {
    const rules::Rule* rule = after_[row] != nullptr ? after_[row] : before_[row];
    return rule->unit;
  }

  Json JsonOf(const Counts& c, std::size_t row) const {
    Json out{{"rule", names_[row]}, {"eligible", c.eligible}, {"unknown", c.unknown}, {"ineligible", c.ineligible}};
    const std::string unit = UnitOf(row);
    if (!unit.empty()) {
      out["unit"] = unit;
      out["amount"] = c.amount.ToString();
    }
    if (compare()) {
      out["gains"] = c.gains;
      out["loses"] = c.loses;
      out["becomes_unknown"] = c.unsure;
      if (!unit.empty()) {
        out["amount_rises"] = c.more;
        out["amount_falls"] = c.less;
        out["amount_before"] = c.amount_before.ToString();
      }
    }
    return out;
  }

  std::string ToJson() const {
    Json out{{"at", arguments_.at}, {"subjects", all_.subjects}, {"dead", all_.dead}, {"bad_lines", all_.bad_lines}};
    out["ruleset"] = draft_.ruleset->hash();
    if (compare()) out["against"] = in_force_.ruleset->hash();
    out["rules"] = Json::array();
    for (std::size_t row = 0; row < names_.size(); ++row) out["rules"].push_back(JsonOf(all_.rules[row], row));
    if (compare()) {
      out["messages"] = Json::array();
      for (const auto& [key, count] : all_.messages) {
        const std::vector<std::string> parts = Split(key);
        out["messages"].push_back({{"message", parts[0]}, {"on", parts[1]}, {"channels", parts[2]}, {"people", count}});
      }
    }
    if (!groupings_.empty()) {
      out["groups"] = Json::array();
      for (const auto& [key, rows] : groups_) {
        const std::vector<std::string> parts = Split(key);
        for (const auto& [row, counts] : rows) {
          Json one;
          for (std::size_t i = 0; i < groupings_.size(); ++i) one[groupings_[i].name] = parts[i];
          one.update(JsonOf(counts, row));
          one.erase("ineligible");
          out["groups"].push_back(std::move(one));
        }
      }
    }
    return out.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
  }

  static std::vector<std::string> Split(const std::string& key) {
    std::vector<std::string> out(1);
    for (const char c : key) {
      if (c == '\t') {
        out.emplace_back();
      } else {
        out.back() += c;
      }
    }
    return out;
  }

  // Columns aligned by what a terminal shows; the first `left` of them to the left.
  static std::string Aligned(const std::vector<std::vector<std::string>>& rows, std::size_t left) {
    std::vector<std::size_t> width;
    for (const auto& row : rows) {
      width.resize(std::max(width.size(), row.size()));
      for (std::size_t i = 0; i < row.size(); ++i) width[i] = std::max(width[i], DisplayWidth(row[i]));
    }
    std::string out;
    for (const auto& row : rows) {
      std::string line = " ";
      for (std::size_t i = 0; i < row.size(); ++i) {
        const std::string pad(width[i] - DisplayWidth(row[i]), ' ');
        line += " " + (i < left ? row[i] + pad : pad + row[i]) + " ";
      }
      out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    }
    return out;
  }

  std::vector<std::string> CellsOf(const Counts& c, std::size_t row) const {
    const std::string unit = UnitOf(row);
    std::vector<std::string> out{std::to_string(c.eligible), std::to_string(c.unknown)};
    if (compare()) {
      for (const std::uint64_t n : {c.gains, c.loses, c.unsure, c.more, c.less}) out.push_back(std::to_string(n));
      out.push_back(unit.empty() ? "" : c.amount_before.ToString());
    }
    out.push_back(unit.empty() ? "" : c.amount.ToString());
    out.push_back(unit);
    return out;
  }

  std::vector<std::string> Heads() const {
    std::vector<std::string> out{"eligible", "unknown"};
    if (compare()) out.insert(out.end(), {"gain", "lose", "unsure", "more", "less", "before"});
    out.insert(out.end(), {compare() ? "after" : "amount", ""});
    return out;
  }

  std::string ToText() const {
    std::string out = std::to_string(all_.subjects) + " subjects on " + arguments_.at + ", " +
                      std::to_string(all_.dead) + " of them dead and left out\n";
    if (compare()) out += "draft " + arguments_.rules + " against " + arguments_.against + "\n";
    std::vector<std::vector<std::string>> table;
    const auto add = [&table](std::vector<std::string> names, std::vector<std::string> cells) {
      names.insert(names.end(), cells.begin(), cells.end());
      table.push_back(std::move(names));
    };
    add({"rule"}, Heads());
    for (std::size_t row = 0; row < names_.size(); ++row) add({names_[row]}, CellsOf(all_.rules[row], row));
    out += "\n" + Aligned(table, 1);
    if (compare() && !all_.messages.empty()) {
      table.clear();
      table.push_back({"message", "when", "channels", "people"});
      for (const auto& [key, count] : all_.messages) add(Split(key), {std::to_string(count)});
      out += "\n" + Aligned(table, 3);
    }
    if (!groupings_.empty()) {
      table.clear();
      std::vector<std::string> names;
      for (const Grouping& grouping : groupings_) names.push_back(grouping.name);
      names.emplace_back("rule");
      add(names, Heads());
      for (const auto& [key, rows] : groups_) {
        for (const auto& [row, counts] : rows) {
          std::vector<std::string> group = Split(key);
          group.push_back(names_[row]);
          add(std::move(group), CellsOf(counts, row));
        }
      }
      out += "\n" + Aligned(table, groupings_.size() + 1);
    }
    return out;
  }

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
  Worker all_;
  std::map<std::string, std::map<std::uint32_t, Counts>> groups_;
  std::uint64_t total_bytes_ = 0;
  std::uint64_t read_bytes_ = 0;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point shown_ = started_;
};

}  // namespace

int RulesSimulate(const SimulateArguments& arguments) { return Simulation(arguments).Run(); }

}  // namespace zhitui::daemon
