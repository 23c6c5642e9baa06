#include "daemon/census.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/base.h"

namespace zhitui::daemon {
namespace {

using Json = nlohmann::ordered_json;
using value::Decimal;

class Telling {
 public:
  explicit Telling(const Census& census) : c_(census) {}

  static Sum Difference(const Counts& c) {
    const std::optional<Decimal> difference = Decimal::Subtract(c.amount.value, c.amount_before.value);
    Sum out{difference.value_or(Decimal{0, 0})};
    out.overflow = c.amount.overflow || c.amount_before.overflow || !difference;
    return out;
  }

  Json JsonOf(const Counts& c, std::size_t row) const {
    Json out{{"rule", c_.names[row]}, {"eligible", c.eligible}, {"unknown", c.unknown}, {"ineligible", c.ineligible}};
    const std::string& unit = c_.units[row];
    if (!unit.empty()) {
      out["unit"] = unit;
      out["amount"] = c.amount.ToString();
    }
    if (c_.compare()) {
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
    Json out{{"at", c_.at}, {"subjects", c_.subjects}, {"dead", c_.dead}, {"bad_lines", c_.bad_lines}};
    out["ruleset"] = c_.draft_hash;
    if (c_.compare()) out["against"] = c_.against_hash;
    out["rules"] = Json::array();
    for (std::size_t row = 0; row < c_.names.size(); ++row) out["rules"].push_back(JsonOf(c_.rules[row], row));
    out["totals"] = Json::array();
    for (const auto& [unit, sums] : c_.totals) {
      Json one{{"unit", unit}, {"amount", sums.amount.ToString()}};
      if (c_.compare()) {
        one["amount_before"] = sums.amount_before.ToString();
        one["difference"] = Difference(sums).ToString();
      }
      out["totals"].push_back(std::move(one));
    }
    if (c_.compare()) {
      out["messages"] = Json::array();
      for (const auto& [key, count] : c_.messages) {
        const std::vector<std::string> parts = Split(key);
        Json channels = Json::array();  // empty: all that the message has
        for (std::string_view rest = parts[2]; !rest.empty();) {
          const std::size_t blank = std::min(rest.find(' '), rest.size());
          channels.push_back(std::string(rest.substr(0, blank)));
          rest.remove_prefix(std::min(blank + 1, rest.size()));
        }
        out["messages"].push_back(
            {{"message", parts[0]}, {"on", parts[1]}, {"channels", std::move(channels)}, {"people", count}});
      }
    }
    if (!c_.by.empty()) {
      out["groups"] = Json::array();
      for (const auto& [key, rows] : c_.groups) {
        const std::vector<std::string> parts = Split(key);
        for (const auto& [row, counts] : rows) {
          Json one;
          for (std::size_t i = 0; i < c_.by.size(); ++i) one[c_.by[i]] = parts[i];
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
    const std::string& unit = c_.units[row];
    std::vector<std::string> out{std::to_string(c.eligible), std::to_string(c.unknown)};
    if (c_.compare()) {
      for (const std::uint64_t n : {c.gains, c.loses, c.unsure, c.more, c.less}) out.push_back(std::to_string(n));
      out.push_back(unit.empty() ? "" : c.amount_before.ToString());
    }
    out.push_back(unit.empty() ? "" : c.amount.ToString());
    out.push_back(unit);
    return out;
  }

  std::vector<std::string> Heads() const {
    std::vector<std::string> out{"eligible", "unknown"};
    if (c_.compare()) out.insert(out.end(), {"gain", "lose", "unsure", "more", "less", "before"});
    out.insert(out.end(), {c_.compare() ? "after" : "amount", ""});
    return out;
  }

  std::string ToText() const {
    std::string out = std::to_string(c_.subjects) + " subjects on " + c_.at + ", " + std::to_string(c_.dead) +
                      " of them dead and left out\n";
    if (c_.compare()) out += "draft " + c_.draft + " against " + c_.against + "\n";
    std::vector<std::vector<std::string>> table;
    const auto add = [&table](std::vector<std::string> names, std::vector<std::string> cells) {
      names.insert(names.end(), cells.begin(), cells.end());
      table.push_back(std::move(names));
    };
    add({"rule"}, Heads());
    for (std::size_t row = 0; row < c_.names.size(); ++row) add({c_.names[row]}, CellsOf(c_.rules[row], row));
    out += "\n" + Aligned(table, 1);
    if (!c_.totals.empty()) {
      table.clear();
      table.push_back({"all rules"});
      if (c_.compare()) table.back().emplace_back("before");
      table.back().emplace_back(c_.compare() ? "after" : "amount");
      if (c_.compare()) table.back().emplace_back("difference");
      for (const auto& [unit, sums] : c_.totals) {
        table.push_back({unit});
        if (c_.compare()) table.back().push_back(sums.amount_before.ToString());
        table.back().push_back(sums.amount.ToString());
        if (c_.compare()) table.back().push_back(Difference(sums).ToString());
      }
      out += "\n" + Aligned(table, 1);
    }
    if (c_.compare() && !c_.messages.empty()) {
      table.clear();
      table.push_back({"message", "when", "channels", "people"});
      for (const auto& [key, count] : c_.messages) {
        std::vector<std::string> cells = Split(key);
        if (cells.back().empty()) cells.back() = "all it has";
        add(std::move(cells), {std::to_string(count)});
      }
      out += "\n" + Aligned(table, 3);
    }
    if (!c_.by.empty()) {
      table.clear();
      std::vector<std::string> names = c_.by;
      names.emplace_back("rule");
      add(names, Heads());
      for (const auto& [key, rows] : c_.groups) {
        for (const auto& [row, counts] : rows) {
          std::vector<std::string> group = Split(key);
          group.push_back(c_.names[row]);
          add(std::move(group), CellsOf(counts, row));
        }
      }
      out += "\n" + Aligned(table, c_.by.size() + 1);
    }
    return out;
  }

 private:
  const Census& c_;
};

}  // namespace

std::string ToJson(const Census& census) { return Telling(census).ToJson(); }
std::string ToText(const Census& census) { return Telling(census).ToText(); }

}  // namespace zhitui::daemon
