// Content hashes of a rule.

#include "rules/rule_parser.h"

namespace zhitui::rules {
namespace {

void AddDay(StableId& id, const std::optional<Date>& day) { id.Add(day ? FormatDate(*day) : std::string("-")); }

void AddText(StableId& id, const Text& text) { id.Add(text.zh).Add(text.en); }

// The canonical form without the numbers of slots ("resident.sex@2"): a fact that is added elsewhere changes nothing
// here. What stands in quotes is an author's text and stays as it is.
std::string WithoutSlots(const std::string& canonical) {
  std::string out;
  out.reserve(canonical.size());
  bool quoted = false;
  for (std::size_t i = 0; i < canonical.size(); ++i) {
    const char c = canonical[i];
    if (quoted && c == '\\' && i + 1 < canonical.size()) {
      out += c;
      out += canonical[++i];
      continue;
    }
    if (c == '"') quoted = !quoted;
    const auto digit = [&](std::size_t at) {
      return at < canonical.size() && canonical[at] >= '0' && canonical[at] <= '9';
    };
    if (!quoted && c == '@' && digit(i + 1)) {
      while (digit(i + 1)) ++i;
      continue;
    }
    out += c;
  }
  return out;
}

void AddProgram(StableId& id, const cel::Program& program) { id.Add(WithoutSlots(program.canonical())); }

void AddProgram(StableId& id, const std::optional<cel::Program>& program) {
  if (program) {
    AddProgram(id, *program);
  } else {
    id.Add("-");
  }
}

}  // namespace

std::string DeterminationHash(const Rule& rule, const std::vector<Param>& params, const facts::Schema& schema) {
  StableId id;
  id.Add("determination-1").Add(rule.kind).Add(rule.unit).Add(rule.recheck_daily ? "daily" : "");
  AddDay(id, rule.valid_from);
  AddDay(id, rule.valid_until);
  id.Add(static_cast<std::int64_t>(rule.criteria.size()));
  for (const Criterion& criterion : rule.criteria) AddProgram(id, criterion.when);
  id.Add(static_cast<std::int64_t>(rule.amounts.size()));
  for (const AmountRow& row : rule.amounts) {
    AddProgram(id, row.when);
    AddProgram(id, row.is);
  }
  id.Add(static_cast<std::int64_t>(rule.slots.size()));
  for (const std::uint32_t slot : rule.slots) {
    const facts::FactDef& fact = schema.facts()[slot];
    id.Add(fact.name).Add(value::TypeName(fact.value_type)).Add(fact.nullable ? "nullable" : "");
  }
  id.Add(static_cast<std::int64_t>(params.size()));
  for (const Param& param : params) {
    id.Add(param.name).Add(static_cast<std::int64_t>(param.values.size()));
    for (const cel::DatedValue& dated : param.values) {
      if (dated.entered) id.Add("entered " + FormatDate(*dated.entered));
      id.Add(FormatDate(dated.from)).Add(value::KindName(dated.value.kind())).Add(value::ToJson(dated.value));
    }
  }
  return id.Hex();
}

std::string ContentHash(const Rule& rule) {
  StableId id;
  id.Add("rule-1").Add(rule.id).Add(rule.hash).Add(rule.owner).Add(rule.area).Add(rule.topic);
  AddText(id, rule.title);
  id.Add(static_cast<std::int64_t>(rule.laws.size()));
  for (const Law& law : rule.laws) id.Add(law.id).Add(law.title).Add(law.url);
  if (rule.over) id.Add("over " + rule.over->id);
  for (const SmallerRule& smaller : rule.smaller) id.Add("under " + smaller.rule.id);
  for (const Criterion& criterion : rule.criteria) {
    id.Add(criterion.id).Add(criterion.law);
    AddText(id, criterion.label);
  }
  if (!rule.amount_law.empty()) id.Add("amount law " + rule.amount_law);
  for (const AmountRow& row : rule.amounts) {
    if (!row.law.empty()) id.Add("row law " + row.law);
  }
  id.Add(rule.apply.url);
  AddText(id, rule.apply.deadline);
  if (!rule.apply.reply.empty()) id.Add("reply " + rule.apply.reply);
  id.Add(static_cast<std::int64_t>(rule.apply.materials.size()));
  for (const Material& material : rule.apply.materials) {
    id.Add(material.id);
    AddText(id, material.label);
    AddProgram(id, material.on_file);
  }
  id.Add(static_cast<std::int64_t>(rule.notify.size()));
  for (const Notify& notify : rule.notify) {
    id.Add(NotifyOnName(notify.on)).Add(notify.ahead.ToString()).Add(notify.message);
    id.Add(static_cast<std::int64_t>(notify.channels.size()));
    for (const Channel channel : notify.channels) id.Add(ChannelName(channel));
    id.Add(static_cast<std::int64_t>(notify.escalate_after.count()))
        .Add(notify.to_recipients ? "recipients" : "subject");
  }
  return id.Hex();
}

}  // namespace zhitui::rules
