// A determination for programs (JSON) and for people (text). A sensitive fact is named, its value is not shown.

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

#include "rules/rules.h"

namespace zhitui::rules {
namespace {

using Json = nlohmann::ordered_json;
using value::Kind;
using value::Value;

constexpr std::array<const char*, 4> kTruthNames = {"false", "true", "unknown", "error"};

Json JsonText(const Text& text) {
  Json out = {{"zh", text.zh}};
  if (!text.en.empty()) out["en"] = text.en;
  return out;
}

Json JsonDay(const std::optional<Date>& day) { return day ? Json(FormatDate(*day)) : Json(nullptr); }

Json JsonFact(const facts::Profile& profile, std::uint32_t slot) {
  const facts::FactDef& fact = profile.schema().facts()[slot];
  Json out = {{"name", fact.name}, {"label", JsonText(fact.label)}};
  const bool known = profile.Has(slot);
  out["known"] = known;
  if (fact.sensitive) {
    out["sensitive"] = true;
  } else if (known) {
    // A fact's own text may hold anything; what is not JSON is left out rather than breaking the answer.
    Json value = Json::parse(value::ToJson(profile.slots()[slot]), nullptr, false);
    if (!value.is_discarded()) out["value"] = std::move(value);
  }
  return out;
}

Json JsonMissing(const facts::Schema& schema, std::uint32_t slot) {
  const facts::FactDef& fact = schema.facts()[slot];
  Json out = {{"name", fact.name}, {"label", JsonText(fact.label)}, {"source", {{"id", fact.source}}}};
  if (const auto it = schema.sources().find(fact.source); it != schema.sources().end()) {
    out["source"]["label"] = JsonText(it->second);
  }
  return out;
}

const Law* LawOf(const Rule& rule, const std::string& id) {
  const auto it = std::find_if(rule.laws.begin(), rule.laws.end(), [&](const Law& law) { return law.id == id; });
  return it == rule.laws.end() ? nullptr : &*it;
}

// Whether the material is on file: nullopt when that is not known.
std::optional<bool> OnFile(const Material& material, const facts::Profile& profile, Date today, value::Arena& arena) {
  if (!material.on_file) return std::nullopt;
  const Value v = material.on_file->Evaluate({profile.slots(), today}, arena);
  if (!v.is(Kind::kBool)) return std::nullopt;
  return v.AsBool();
}

std::string UnitIn(const std::string& unit, bool zh) {
  if (!zh) return unit;
  if (unit == "CNY/month") return "元/月";
  if (unit == "CNY/year") return "元/年";
  if (unit == "CNY") return "元";
  return unit;
}

// Rows of two or three columns, aligned by what a terminal shows.
class Table {
 public:
  void Row(std::string a, std::string b, std::string c = "") {
    rows_.push_back({std::move(a), std::move(b), std::move(c)});
  }
  std::string ToString() const {
    std::array<std::size_t, 2> width{};
    for (const auto& row : rows_) {
      for (std::size_t i = 0; i < width.size(); ++i) {
        if (!row[i + 1].empty()) width[i] = std::max(width[i], DisplayWidth(row[i]));
      }
    }
    std::string out;
    for (const auto& row : rows_) {
      out += "  ";
      for (std::size_t i = 0; i < row.size(); ++i) {
        if (row[i].empty() && i == 2) break;
        out += row[i];
        const bool last = i == 2 || row[i + 1].empty();
        if (last) break;
        out.append(width[i] - DisplayWidth(row[i]) + 2, ' ');
      }
      out += '\n';
    }
    return out;
  }

 private:
  std::vector<std::array<std::string, 3>> rows_;
};

}  // namespace

std::string ToJson(const Rule& rule, const facts::Profile& profile, const Determination& determination,
                   const Outlook& outlook, Date today) {
  Json out;
  out["rule"] = rule.id;
  out["title"] = JsonText(rule.title);
  out["owner"] = rule.owner;
  out["area"] = rule.area;
  out["topic"] = rule.topic;
  out["day"] = FormatDate(today);
  out["answer"] = AnswerName(determination.answer);
  out["in_force"] = determination.in_force;
  out["amount"] = determination.amount ? Json(determination.amount->ToString()) : Json(nullptr);
  if (!rule.unit.empty()) out["unit"] = rule.unit;

  Json& criteria = out["criteria"] = Json::array();
  for (std::size_t i = 0; i < rule.criteria.size(); ++i) {
    const Criterion& criterion = rule.criteria[i];
    Json one = {{"id", criterion.id},
                {"label", JsonText(criterion.label)},
                {"truth", kTruthNames[static_cast<std::size_t>(determination.criteria[i])]}};
    if (const Law* law = LawOf(rule, criterion.law)) {
      one["law"] = {{"title", law->title}};
      if (!law->url.empty()) one["law"]["url"] = law->url;
    }
    Json& facts = one["facts"] = Json::array();
    for (const std::uint32_t slot : criterion.when.slots()) facts.push_back(JsonFact(profile, slot));
    criteria.push_back(std::move(one));
  }
  Json& missing = out["missing"] = Json::array();
  for (const std::uint32_t slot : determination.missing) missing.push_back(JsonMissing(profile.schema(), slot));
  if (!determination.error.empty()) out["error"] = determination.error;

  out["next_change"] = JsonDay(outlook.next_change);
  out["eligible_from"] = JsonDay(outlook.eligible_from);
  out["eligible_until"] = JsonDay(outlook.eligible_until);

  Json& apply = out["apply"] = Json::object();
  if (!rule.apply.url.empty()) apply["url"] = rule.apply.url;
  if (!rule.apply.deadline.zh.empty()) apply["deadline"] = JsonText(rule.apply.deadline);
  Json& materials = apply["materials"] = Json::array();
  value::Arena arena;
  for (const Material& material : rule.apply.materials) {
    const std::optional<bool> on_file = OnFile(material, profile, today, arena);
    materials.push_back({{"id", material.id},
                         {"label", JsonText(material.label)},
                         {"on_file", on_file ? Json(*on_file) : Json(nullptr)}});
  }
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string ToText(const Rule& rule, const facts::Profile& profile, const Determination& determination,
                   const Outlook& outlook, Date today, std::string_view locale) {
  const bool zh = locale != "en";
  const auto say = [zh](const char* in_zh, const char* in_en) { return std::string(zh ? in_zh : in_en); };
  Table table;

  std::string answer;
  if (!determination.in_force) {
    answer = say("规定未生效或已失效", "not in force");
  } else if (determination.answer == Answer::kEligible) {
    answer = say("符合条件", "eligible");
    if (determination.amount) {
      answer += say("，", ", ") + determination.amount->ToString() + (zh ? "" : " ") + UnitIn(rule.unit, zh);
    }
  } else {
    answer = determination.answer == Answer::kIneligible ? say("不符合条件", "not eligible")
                                                         : say("尚不能确定", "not known yet");
  }
  table.Row(say("结果", "answer"), answer);

  static constexpr std::array<const char*, 4> kZh = {"否", "是", "未知", "出错"};
  static constexpr std::array<const char*, 4> kEn = {"no", "yes", "unknown", "error"};
  for (std::size_t i = 0; i < rule.criteria.size(); ++i) {
    const auto truth = static_cast<std::size_t>(determination.criteria[i]);
    const Law* law = LawOf(rule, rule.criteria[i].law);
    table.Row(zh ? kZh[truth] : kEn[truth], rule.criteria[i].label.In(locale), law == nullptr ? "" : law->title);
  }
  for (const std::uint32_t slot : determination.missing) {
    const facts::FactDef& fact = profile.schema().facts()[slot];
    const auto it = profile.schema().sources().find(fact.source);
    const std::string source = it == profile.schema().sources().end() ? fact.source : it->second.In(locale);
    table.Row(say("缺少", "missing"), fact.label.In(locale), source);
  }
  if (!determination.error.empty()) table.Row(say("错误", "error"), determination.error);
  if (outlook.eligible_from) table.Row(say("符合之日", "eligible from"), FormatDate(*outlook.eligible_from));
  if (outlook.eligible_until) table.Row(say("终止之日", "until"), FormatDate(*outlook.eligible_until));
  if (outlook.next_change && outlook.next_change != outlook.eligible_from &&
      outlook.next_change != outlook.eligible_until) {
    table.Row(say("下次变化", "next change"), FormatDate(*outlook.next_change));
  }
  if (determination.answer == Answer::kEligible || outlook.eligible_from) {
    if (!rule.apply.url.empty()) table.Row(say("办理", "apply"), rule.apply.url);
    if (!rule.apply.deadline.zh.empty()) table.Row(say("期限", "deadline"), rule.apply.deadline.In(locale));
    value::Arena arena;
    for (const Material& material : rule.apply.materials) {
      const bool have = OnFile(material, profile, today, arena).value_or(false);
      table.Row(say("材料", "bring"), material.label.In(locale), have ? say("已归档", "on file") : "");
    }
  }
  return rule.title.In(locale) + " (" + rule.id + "), " + FormatDate(today) + "\n" + table.ToString();
}

}  // namespace zhitui::rules
