// A determination for programs (JSON) and for people (text). A sensitive fact is named; its value is shown only where
// the caller says so.

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

void Write(JsonWriter& json, const Law& law) {
  json.BeginObject();
  json.Key("title").String(law.title);
  if (!law.url.empty()) json.Key("url").String(law.url);
  json.EndObject();
}

void Write(JsonWriter& json, const std::optional<Date>& day) {
  if (!day) return json.Null();
  json.String(FormatDate(*day));
}

// A text from elsewhere may hold anything; what is no UTF-8 is left out rather than breaking the answer.
void WriteMember(JsonWriter& json, std::string_view name, const Value& v) {
  const std::string text = value::ToJson(v);
  if (IsValidUtf8(text)) json.Key(name).Raw(text);
}

// Without the end of the object.
void BeginFact(JsonWriter& json, const facts::Profile& profile, std::uint32_t slot, bool show_sensitive) {
  const facts::FactDef& fact = profile.schema().facts()[slot];
  const bool known = profile.Has(slot);
  json.BeginObject();
  json.Key("name").String(fact.name);
  Write(json.Key("label"), fact.label);
  json.Key("known").Bool(known);
  if (fact.sensitive) json.Key("sensitive").Bool(true);
  if (known && (show_sensitive || !fact.sensitive)) WriteMember(json, "value", profile.slots()[slot]);
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

// What the rule cites beside the larger area's rule that it stands on.
std::vector<Law> OwnLaws(const Rule& rule) {
  std::vector<Law> out = rule.laws;
  if (!rule.over) return out;
  std::erase_if(out, [&](const Law& law) {
    return std::any_of(rule.over->laws.begin(), rule.over->laws.end(), [&](const Law& l) { return l.id == law.id; });
  });
  return out;
}

// Of the rules of smaller areas those that decide, or may do so as long as facts are missing.
std::vector<const RuleOfArea*> Deciding(const Rule& rule, const facts::Profile& profile, Date today) {
  std::vector<const RuleOfArea*> out;
  value::Arena arena;
  for (const SmallerRule& smaller : rule.smaller) {
    const Value v = smaller.decides.Evaluate({profile.slots(), today}, arena);
    if (!v.is(Kind::kBool) || v.AsBool()) out.push_back(&smaller.rule);
  }
  return out;
}

void Write(JsonWriter& json, const RuleOfArea& rule) {
  json.BeginObject();
  json.Key("rule").String(rule.id);
  Write(json.Key("title"), rule.title);
  json.Key("owner").String(rule.owner);
  json.Key("area").String(rule.area);
  json.Key("laws").BeginArray();
  for (const Law& law : rule.laws) Write(json, law);
  json.EndArray();
  json.EndObject();
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
  if (unit == "CNY/quarter") return "元/季度";
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

// Without the end of the object.
void BeginDetermination(JsonWriter& json, const Rule& rule, const facts::Profile& profile,
                        const Determination& determination, const Outlook& outlook, Date today, bool show_sensitive) {
  json.BeginObject();
  json.Key("rule").String(rule.id);
  Write(json.Key("title"), rule.title);
  json.Key("owner").String(rule.owner);
  json.Key("area").String(rule.area);
  json.Key("topic").String(rule.topic);
  if (rule.over) Write(json.Key("over"), *rule.over);
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
    if (const Law* law = LawOf(rule, criterion.law)) Write(json.Key("law"), *law);
    if (criterion.id == kNoSmallerArea) {
      json.Key("decided_by").BeginArray();
      for (const RuleOfArea* smaller : Deciding(rule, profile, today)) Write(json, *smaller);
      json.EndArray();
    }
    json.Key("facts").BeginArray();
    for (const std::uint32_t slot : criterion.when.slots()) {
      BeginFact(json, profile, slot, show_sensitive);
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
}

void WriteChange(JsonWriter& json, const facts::Profile& profile, const Change& change, bool show_sensitive) {
  using Relation = Change::Relation;
  BeginFact(json, profile, change.slot, show_sensitive);
  json.Key("relation").String(RelationName(change.relation));
  if (change.relation != Relation::kNone && change.relation != Relation::kSome) WriteMember(json, "to", change.to);
  if (change.relation == Relation::kBetween) WriteMember(json, "upper", change.upper);
  if (change.relation == Relation::kNot && !change.upper.AsList().empty()) WriteMember(json, "prefixes", change.upper);
  json.EndObject();
}

void WriteRemedy(JsonWriter& json, const Rule& rule, const facts::Profile& profile, const Remedy& remedy,
                 bool show_sensitive) {
  json.BeginObject();
  Write(json.Key("wait_until"), remedy.wait_until);
  json.Key("choices").BeginArray();
  for (const std::vector<Change>& choice : remedy.choices) {
    json.BeginArray();
    for (const Change& change : choice) WriteChange(json, profile, change, show_sensitive);
    json.EndArray();
  }
  json.EndArray();
  json.Key("complete").Bool(remedy.complete);
  json.Key("settled").BeginArray();
  for (const std::size_t i : remedy.settled) json.String(rule.criteria[i].id);
  json.EndArray();
  json.EndObject();
}

// What a person reads of an answer: the words of one language.
class Words {
 public:
  Words(std::string_view locale, const facts::Schema& schema) : zh_(locale != "en"), locale_(locale), schema_(schema) {}

  bool zh() const { return zh_; }
  std::string Say(std::string_view in_zh, std::string_view in_en) const { return std::string(zh_ ? in_zh : in_en); }
  std::string_view locale() const { return locale_; }
  const std::string& LabelOf(std::uint32_t slot) const { return schema_.facts()[slot].label.In(locale_); }
  const std::string& SourceOf(std::uint32_t slot) const {
    const std::string& id = schema_.facts()[slot].source;
    const auto it = schema_.sources().find(id);
    return it == schema_.sources().end() ? id : it->second.In(locale_);
  }

  std::string AnswerWord(const Rule& rule, const Determination& determination) const {
    if (!determination.in_force) return Say("规定未生效或已失效", "not in force");
    if (determination.answer == Answer::kUnknown) return Say("尚不能确定", "not known yet");
    if (determination.answer == Answer::kIneligible) return Say("不符合条件", "not eligible");
    std::string out = Say("符合条件", "eligible");
    if (determination.amount) {
      out += Say("，", ", ") + determination.amount->ToString() + (zh_ ? "" : " ") + UnitIn(rule.unit, zh_);
    }
    return out;
  }
  const char* TruthWord(Truth truth) const {
    static constexpr std::array<const char*, 4> kZh = {"否", "是", "未知", "出错"};
    static constexpr std::array<const char*, 4> kEn = {"no", "yes", "unknown", "error"};
    return (zh_ ? kZh : kEn)[static_cast<std::size_t>(truth)];
  }

  // A value in a line of text; a list by its length, and its ends.
  std::string ValueWord(const Value& v) const {
    if (v.is(Kind::kUnknown)) return Say("未知", "not known");
    if (v.is(Kind::kNull)) return Say("无", "none");
    if (v.is(Kind::kBool)) return v.AsBool() ? Say("是", "yes") : Say("否", "no");
    if (v.is(Kind::kString)) {
      const bool plain = v.AsString().size() <= kMaxPlain && !v.AsString().empty() &&
                         std::none_of(v.AsString().begin(), v.AsString().end(),
                                      [](char c) { return static_cast<unsigned char>(c) < 0x21 || c == 0x7f; });
      return plain ? std::string(v.AsString()) : value::ToDisplay(v, kMaxPlain);
    }
    if (v.is(Kind::kList)) {
      const std::span<const Value> items = v.AsList();
      std::string out = zh_ ? std::to_string(items.size()) + " 项" : std::to_string(items.size()) + " entries";
      if (items.empty() || items[0].is(Kind::kMap)) return out;
      std::string ends = ValueWord(items.front());
      if (items.size() > 2) ends += " …";
      if (items.size() > 1) ends += " " + ValueWord(items.back());
      return out + Say("：", ": ") + ends;
    }
    return value::ToDisplay(v, kMaxPlain);
  }
  static bool Hidden(const facts::Profile& profile, std::uint32_t slot, bool show_sensitive) {
    return profile.schema().facts()[slot].sensitive && !show_sensitive && profile.Has(slot);
  }
  std::string Present(const facts::Profile& profile, std::uint32_t slot, bool show_sensitive) const {
    if (Hidden(profile, slot, show_sensitive)) return Say("不显示（敏感）", "not shown (sensitive)");
    return ValueWord(profile.slots()[slot]);
  }
  std::string Listed(std::span<const Value> values, std::string_view joint) const {
    std::string out;
    for (const Value& v : values) out += (out.empty() ? "" : std::string(joint)) + ValueWord(v);
    return out;
  }

  std::string ChangeWord(const facts::Profile& profile, const Change& change, bool show_sensitive) const {
    const std::string change_word = LabelOf(change.slot) + RelationWord(change);
    if (Hidden(profile, change.slot, show_sensitive)) {
      return change_word + Say("（现在的值不显示）", " (the present value is not shown)");
    }
    const std::string now = ValueWord(profile.slots()[change.slot]);
    return change_word + (zh_ ? "（现在：" + now + "）" : " (now: " + now + ")");
  }

 private:
  static constexpr std::size_t kMaxPlain = 120;

  std::string RelationWord(const Change& change) const {
    using Relation = Change::Relation;
    const bool date = change.to.is(Kind::kDate);
    const auto to = [&] { return ValueWord(change.to); };
    switch (change.relation) {
      case Relation::kIs:
        return " = " + to();
      case Relation::kOneOf:
        return " = " + Listed(change.to.AsList(), Say(" 或 ", " or "));
      case Relation::kNot: {
        const std::string values = Listed(change.to.AsList(), Say("、", " or "));
        const std::string prefixes = Listed(change.upper.AsList(), Say("、", " or "));
        std::string out;
        if (!values.empty()) out = Say("不是 ", " is not ") + values;
        if (!values.empty() && !prefixes.empty()) out += Say("，也", ",");
        if (!prefixes.empty()) out += zh_ ? "不以 " + prefixes + " 开头" : " does not begin with " + prefixes;
        return out;
      }
      case Relation::kStartsWith:
        return zh_ ? "以 " + to() + " 开头" : " begins with " + to();
      case Relation::kAtLeast:
        return (date ? Say("不早于 ", " not before ") : Say("至少 ", " at least ")) + to();
      case Relation::kAtMost:
        return (date ? Say("不晚于 ", " not after ") : Say("至多 ", " at most ")) + to();
      case Relation::kBetween:
        return Say("为 ", " from ") + to() + Say(" 至 ", " to ") + ValueWord(change.upper);
      case Relation::kNone:
        return " = " + ValueWord(Value::Null());
      case Relation::kSome:
        return Say("有记录", " on record");
    }
    return {};
  }

  bool zh_;
  std::string_view locale_;
  const facts::Schema& schema_;
};

std::string Heading(const Rule& rule, Date today, std::string_view locale) {
  return rule.title.In(locale) + " (" + rule.id + "), " + FormatDate(today) + "\n";
}

// "深圳市民政局（4403）的“高龄津贴”（senior-allowance）"
std::string AreaWord(const std::string& owner, const std::string& area, const Text& title, const std::string& id,
                     const Words& words) {
  const std::string& name = title.In(words.locale());
  return words.zh() ? owner + "（" + area + "）的“" + name + "”（" + id + "）"
                    : owner + " (" + area + "): " + name + " (" + id + ")";
}
std::string AreaWord(const RuleOfArea& rule, const Words& words) {
  return AreaWord(rule.owner, rule.area, rule.title, rule.id, words);
}

std::string Titles(const std::vector<Law>& laws, const Words& words) {
  std::string out;
  for (const Law& law : laws) out += (out.empty() ? "" : words.Say("、", ", ")) + law.title;
  return out;
}

std::string LawWord(const Law& law, const Words& words) {
  return words.Say("依据：", "law: ") + law.title + (law.url.empty() ? "" : " " + law.url);
}

// Which area's rule this is, and in place of which; with every law on a line of its own, or beside it.
void AddAreas(const Rule& rule, const Words& words, bool lines, Table& table) {
  if (!rule.over) return;
  const auto add = [&](std::string name, std::string what, const std::vector<Law>& laws) {
    table.Row(std::move(name), std::move(what), lines ? "" : Titles(laws, words));
    if (!lines) return;
    for (const Law& law : laws) table.Row("", LawWord(law, words));
  };
  add(words.Say("规定", "rule"), AreaWord(rule.owner, rule.area, rule.title, rule.id, words), OwnLaws(rule));
  add(words.Say("代替", "in place of"), AreaWord(*rule.over, words), rule.over->laws);
}

void AddMissing(const Determination& determination, const Words& words, Table& table) {
  for (const std::uint32_t slot : determination.missing) {
    table.Row(words.Say("缺少", "missing"), words.LabelOf(slot), words.SourceOf(slot));
  }
  if (!determination.error.empty()) table.Row(words.Say("错误", "error"), determination.error);
}

void AddDays(const Outlook& outlook, const Words& words, Table& table) {
  if (outlook.eligible_from) table.Row(words.Say("符合之日", "eligible from"), FormatDate(*outlook.eligible_from));
  if (outlook.eligible_until) table.Row(words.Say("终止之日", "until"), FormatDate(*outlook.eligible_until));
  if (outlook.next_change && outlook.next_change != outlook.eligible_from &&
      outlook.next_change != outlook.eligible_until) {
    table.Row(words.Say("下次变化", "next change"), FormatDate(*outlook.next_change));
  }
}

void AddApply(const Rule& rule, const facts::Profile& profile, const Determination& determination,
              const Outlook& outlook, Date today, const Words& words, Table& table) {
  if (determination.answer != Answer::kEligible && !outlook.eligible_from) return;
  if (!rule.apply.url.empty()) table.Row(words.Say("办理", "apply"), rule.apply.url);
  if (!rule.apply.deadline.zh.empty()) {
    table.Row(words.Say("期限", "deadline"), rule.apply.deadline.In(words.locale()));
  }
  value::Arena arena;
  for (const Material& material : rule.apply.materials) {
    const bool have = OnFile(material, profile, today, arena).value_or(false);
    table.Row(words.Say("材料", "bring"), material.label.In(words.locale()),
              have ? words.Say("已归档", "on file") : "");
  }
}

// Which criteria no change can meet, and what they read.
std::string SettledWord(const Rule& rule, const Remedy& remedy, const Words& words) {
  std::string out;
  for (const std::size_t i : remedy.settled) {
    const Criterion& criterion = rule.criteria[i];
    std::string facts;
    for (const std::uint32_t slot : criterion.when.slots()) {
      facts += (facts.empty() ? "" : words.Say("、", ", ")) + words.LabelOf(slot);
    }
    const std::string label =
        words.zh() ? "“" + criterion.label.In(words.locale()) + "”" : "\"" + criterion.label.In(words.locale()) + "\"";
    if (!out.empty()) out += words.Say("；", "; ");
    if (facts.empty()) {
      out += label + words.Say("只看日期，与资料无关", " depends on the day alone");
    } else {
      out += label + (words.zh() ? "由不能改变的资料决定（" + facts + "）"
                                 : " depends on what cannot be changed (" + facts + ")");
    }
  }
  return out;
}

void AddRemedy(const Rule& rule, const facts::Profile& profile, const Determination& determination,
               const Remedy& remedy, bool show_sensitive, const Words& words, Table& table) {
  if (determination.answer == Answer::kEligible) return;
  if (profile.Dead()) {
    const std::string& label = words.LabelOf(*profile.schema().alive_unless());
    table.Row(words.Say("注意", "note"), words.zh() ? "已登记" + label + "，任何规定都不再适用"
                                                    : label + " is on record: no rule applies any more");
    return;
  }
  std::string name = words.Say("办法", "to qualify");
  const auto add = [&](std::string text) {
    table.Row(name, std::move(text));
    name.clear();
  };
  if (remedy.wait_until) {
    add(words.Say("等到 ", "wait until ") + FormatDate(*remedy.wait_until) +
        words.Say("，其他不用改变", ", nothing else has to change"));
  }
  for (const std::vector<Change>& choice : remedy.choices) {
    std::string begin = name.empty() ? words.Say("或者：", "or: ") : words.Say("需要：", "needs: ");
    for (const Change& change : choice) {
      add(begin + words.ChangeWord(profile, change, show_sensitive));
      begin = words.Say("并且：", "and: ");
    }
  }
  if (!name.empty() && determination.in_force) {
    const std::string settled = SettledWord(rule, remedy, words);
    if (determination.answer == Answer::kUnknown) {
      add(words.Say("先补齐缺少的资料，才能确定", "the missing facts have to be known first"));
    } else {
      add(remedy.complete ? words.Say("没有找到三项以内的改变", "no change of up to three facts was found")
                          : words.Say("在搜索的限度内没有找到三项以内的改变",
                                      "no change of up to three facts was found within the limits of the search"));
    }
    if (!settled.empty()) add(settled);
  }
}

}  // namespace

std::string ToJson(const Rule& rule, const facts::Profile& profile, const Determination& determination,
                   const Outlook& outlook, Date today) {
  JsonWriter json;
  BeginDetermination(json, rule, profile, determination, outlook, today, false);
  json.EndObject();
  return json.Take();
}

std::string ExplainJson(const Rule& rule, const facts::Profile& profile, const Determination& determination,
                        const Outlook& outlook, const Remedy& remedy, Date today, bool show_sensitive) {
  JsonWriter json;
  BeginDetermination(json, rule, profile, determination, outlook, today, show_sensitive);
  json.Key("alive").Bool(!profile.Dead());
  WriteRemedy(json.Key("remedy"), rule, profile, remedy, show_sensitive);
  json.EndObject();
  return json.Take();
}

std::string ToText(const Rule& rule, const facts::Profile& profile, const Determination& determination,
                   const Outlook& outlook, Date today, std::string_view locale) {
  const Words words(locale, profile.schema());
  Table table;
  table.Row(words.Say("结果", "answer"), words.AnswerWord(rule, determination));
  AddAreas(rule, words, false, table);
  for (std::size_t i = 0; i < rule.criteria.size(); ++i) {
    const Law* law = LawOf(rule, rule.criteria[i].law);
    table.Row(words.TruthWord(determination.criteria[i]), rule.criteria[i].label.In(locale),
              law == nullptr ? "" : law->title);
    if (rule.criteria[i].id != kNoSmallerArea) continue;
    for (const RuleOfArea* smaller : Deciding(rule, profile, today)) {
      table.Row("", AreaWord(*smaller, words), Titles(smaller->laws, words));
    }
  }
  AddMissing(determination, words, table);
  AddDays(outlook, words, table);
  AddApply(rule, profile, determination, outlook, today, words, table);
  return Heading(rule, today, locale) + table.ToString();
}

std::string ExplainText(const Rule& rule, const facts::Profile& profile, const Determination& determination,
                        const Outlook& outlook, const Remedy& remedy, Date today, std::string_view locale,
                        bool show_sensitive) {
  const Words words(locale, profile.schema());
  Table table;
  table.Row(words.Say("结果", "answer"), words.AnswerWord(rule, determination));
  AddAreas(rule, words, true, table);
  for (std::size_t i = 0; i < rule.criteria.size(); ++i) {
    const Criterion& criterion = rule.criteria[i];
    table.Row(words.TruthWord(determination.criteria[i]), criterion.label.In(locale));
    for (const std::uint32_t slot : criterion.when.slots()) {
      table.Row("", words.LabelOf(slot) + words.Say("：", ": ") + words.Present(profile, slot, show_sensitive));
    }
    if (const Law* law = LawOf(rule, criterion.law)) table.Row("", LawWord(*law, words));
    if (criterion.id != kNoSmallerArea) continue;
    for (const RuleOfArea* smaller : Deciding(rule, profile, today)) {
      table.Row("", words.Say("另行规定：", "decided by: ") + AreaWord(*smaller, words));
      for (const Law& law : smaller->laws) table.Row("", LawWord(law, words));
    }
  }
  AddMissing(determination, words, table);
  AddDays(outlook, words, table);
  AddRemedy(rule, profile, determination, remedy, show_sensitive, words, table);
  AddApply(rule, profile, determination, outlook, today, words, table);
  return Heading(rule, today, locale) + table.ToString();
}

}  // namespace zhitui::rules
