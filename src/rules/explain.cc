// A determination for programs (JSON) and for people (text). A sensitive fact is named, its value is not shown.

#include <algorithm>
#include <array>

#include "rules/json_writer.h"
#include "rules/rules.h"

namespace zhitui::rules {
namespace {

using value::Kind;
using value::Value;

constexpr std::array<const char*, 4> kTruthNames = {"false", "true", "unknown", "error"};

void Write(JsonWriter& json, const Text& text) {
  json.BeginObject();
  json.Key("zh").String(text.zh);
  if (!text.en.empty()) json.Key("en").String(text.en);
  json.EndObject();
}

void Write(JsonWriter& json, const std::optional<Date>& day) {
  if (!day) return json.Null();
  json.String(FormatDate(*day));
}

// Value and all, without the end of the object.
void BeginFact(JsonWriter& json, const facts::Profile& profile, std::uint32_t slot) {
  const facts::FactDef& fact = profile.schema().facts()[slot];
  const bool known = profile.Has(slot);
  json.BeginObject();
  json.Key("name").String(fact.name);
  Write(json.Key("label"), fact.label);
  json.Key("known").Bool(known);
  if (fact.sensitive) {
    json.Key("sensitive").Bool(true);
  } else if (known) {
    // A text from elsewhere may hold anything; what is no UTF-8 is left out rather than breaking the answer.
    const std::string value = value::ToJson(profile.slots()[slot]);
    if (IsValidUtf8(value)) json.Key("value").Raw(value);
  }
}

void WriteMissing(JsonWriter& json, const facts::Schema& schema, std::uint32_t slot) {
  const facts::FactDef& fact = schema.facts()[slot];
  json.BeginObject();
  json.Key("name").String(fact.name);
  Write(json.Key("label"), fact.label);
  json.Key("source").BeginObject();
  json.Key("id").String(fact.source);
  if (const auto it = schema.sources().find(fact.source); it != schema.sources().end()) {
    Write(json.Key("label"), it->second);
  }
  json.EndObject();
  json.EndObject();
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
  JsonWriter json;
  json.BeginObject();
  json.Key("rule").String(rule.id);
  Write(json.Key("title"), rule.title);
  json.Key("owner").String(rule.owner);
  json.Key("area").String(rule.area);
  json.Key("topic").String(rule.topic);
  json.Key("day").String(FormatDate(today));
  json.Key("answer").String(AnswerName(determination.answer));
  json.Key("in_force").Bool(determination.in_force);
  json.Key("amount");
  if (determination.amount) {
    json.String(determination.amount->ToString());
  } else {
    json.Null();
  }
  if (!rule.unit.empty()) json.Key("unit").String(rule.unit);

  json.Key("criteria").BeginArray();
  for (std::size_t i = 0; i < rule.criteria.size(); ++i) {
    const Criterion& criterion = rule.criteria[i];
    json.BeginObject();
    json.Key("id").String(criterion.id);
    Write(json.Key("label"), criterion.label);
    json.Key("truth").String(kTruthNames[static_cast<std::size_t>(determination.criteria[i])]);
    if (const Law* law = LawOf(rule, criterion.law)) {
      json.Key("law").BeginObject();
      json.Key("title").String(law->title);
      if (!law->url.empty()) json.Key("url").String(law->url);
      json.EndObject();
    }
    json.Key("facts").BeginArray();
    for (const std::uint32_t slot : criterion.when.slots()) {
      BeginFact(json, profile, slot);
      json.EndObject();
    }
    json.EndArray();
    json.EndObject();
  }
  json.EndArray();
  json.Key("missing").BeginArray();
  for (const std::uint32_t slot : determination.missing) WriteMissing(json, profile.schema(), slot);
  json.EndArray();
  if (!determination.error.empty()) json.Key("error").String(determination.error);

  Write(json.Key("next_change"), outlook.next_change);
  Write(json.Key("eligible_from"), outlook.eligible_from);
  Write(json.Key("eligible_until"), outlook.eligible_until);

  json.Key("apply").BeginObject();
  if (!rule.apply.url.empty()) json.Key("url").String(rule.apply.url);
  if (!rule.apply.deadline.zh.empty()) Write(json.Key("deadline"), rule.apply.deadline);
  json.Key("materials").BeginArray();
  value::Arena arena;
  for (const Material& material : rule.apply.materials) {
    json.BeginObject();
    json.Key("id").String(material.id);
    Write(json.Key("label"), material.label);
    json.Key("on_file");
    if (const std::optional<bool> on_file = OnFile(material, profile, today, arena)) {
      json.Bool(*on_file);
    } else {
      json.Null();
    }
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  json.EndObject();
  return json.Take();
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
