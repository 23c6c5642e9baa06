#include "authoring/longest.h"

namespace zhitui::authoring {

decide::Decision LongestDecision(const rules::Rule& rule, const rules::Notify& notify) {
  decide::Decision d;
  d.kind = rule.kind;
  d.rule = rule.id;
  d.topic = rule.topic;
  d.title = rule.title;
  d.owner = rule.owner;
  d.occurrence = MakeDate(2030, 12, 31);
  d.from = MakeDate(2030, 12, 31);
  d.until = MakeDate(2031, 12, 31);
  if (!rule.amounts.empty()) d.amount = value::Decimal{1'000'000, 2};  // 10000.00
  d.unit = rule.unit;
  d.message = notify.message;
  for (const rules::Criterion& criterion : rule.criteria) {
    d.criteria.push_back({criterion.id, "true", criterion.label, ""});
  }
  d.apply_url = rule.apply.url;
  d.deadline = rule.apply.deadline;
  for (const rules::Material& material : rule.apply.materials) d.materials.push_back(material.label);
  return d;
}

}  // namespace zhitui::authoring
