// GET /v1/subjects/{kind}/{id}/recommendations and POST /v1/evaluate: what a subject can get, will get, or what is
// missing. The first reads the state that the notifications came from; the second stores nothing.

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/handlers.h"
#include "api/slices.h"
#include "facts/facts.h"

namespace zhitui::api {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::chrono::days kHorizon{130 * 366};  // longer than any life

Date HorizonOf(Date today) { return std::min(today + kHorizon, MakeDate(9999, 12, 31)); }

std::string Dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string In(const Json& text, const std::string& locale) {
  const std::string zh = text.value("zh", "");
  return locale == "en" ? text.value("en", zh) : zh;
}

// What a person is told of one rule, and the whole determination below it.
Json ItemOf(const Json& full, const std::string& locale, const char* truth) {
  Json item;
  item["rule"] = full.at("rule");
  item["title"] = In(full.at("title"), locale);
  item["owner"] = full.at("owner");
  Json& reasons = item["reasons"] = Json::array();
  for (const Json& criterion : full.at("criteria")) {
    if (criterion.at("truth") != truth) continue;
    Json reason = {{"criterion", criterion.at("id")}, {"text", In(criterion.at("label"), locale)}};
    if (criterion.contains("law")) reason["law"] = criterion.at("law");
    reasons.push_back(std::move(reason));
  }
  return item;
}

struct Lists {
  Json eligible = Json::array();
  Json upcoming = Json::array();
  Json unknown = Json::array();
};

void Sort(const rules::Rule& rule, const pipeline::SubjectView& view, Date today, const std::string& locale,
          value::Arena& arena, Lists& lists) {
  const rules::Determination d = rules::Evaluate(rule, view.profile, today, arena);
  const rules::Outlook outlook = rules::LookAhead(rule, view.profile, d, today, HorizonOf(today), arena);
  const bool upcoming = d.answer == rules::Answer::kIneligible && outlook.eligible_from;
  if (d.answer == rules::Answer::kIneligible && !upcoming) return;
  Json full = Json::parse(rules::ToJson(rule, view.profile, d, outlook, today));
  if (d.answer == rules::Answer::kEligible) {
    Json item = ItemOf(full, locale, "true");
    const auto state = std::find_if(view.state.rules.begin(), view.state.rules.end(),
                                    [&](const decide::RuleState& s) { return s.rule == rule.id; });
    if (state != view.state.rules.end()) item["since"] = FormatDate(state->since);
    item["amount"] = full.at("amount");
    if (full.contains("unit")) item["unit"] = full.at("unit");
    item["until"] = full.at("eligible_until");
    item["determination"] = std::move(full);
    lists.eligible.push_back(std::move(item));
  } else if (upcoming) {
    Json item = ItemOf(full, locale, "false");
    item["from"] = full.at("eligible_from");
    item["determination"] = std::move(full);
    lists.upcoming.push_back(std::move(item));
  } else {
    Json item = ItemOf(full, locale, "unknown");
    item["missing"] = full.at("missing");
    item["determination"] = std::move(full);
    lists.unknown.push_back(std::move(item));
  }
}

}  // namespace

Reply GetRecommendations(const Options&, const Deps& deps, const Call& call) {
  const std::string& kind = call.params[0];
  const std::string& id = call.params[1];
  std::string locale = "zh";
  for (const auto& [name, value] : call.query) {
    if (name != "locale" || (value != "zh" && value != "en")) {
      return Problem(400, "bad-query", "the only query parameter is locale, zh or en");
    }
    locale = value;
  }
  if (deps.pipeline->ruleset()->SchemaOf(kind) == nullptr) {
    return Problem(404, "unknown-kind", "no such kind of subject");
  }
  const Result<std::optional<pipeline::SubjectView>> view = deps.pipeline->ReadSubject(kind, id);
  if (!view) {
    deps.logger->Error("subject_not_read", {{"request_id", call.request_id}, {"error", view.error().message}});
    return ProblemOf(view.error());
  }
  if (!*view) return Problem(404, "unknown-subject", "nothing is known about this subject");
  const rules::RuleSet& ruleset = *(*view)->ruleset;
  const Instant now = (*view)->state.now;
  const Date today = kShanghai.DateOf(now);
  Lists lists;
  if (!(*view)->state.dead) {
    value::Arena arena;
    for (const std::uint32_t i : ruleset.RulesOf(kind)) {
      arena.Reset();
      Sort(ruleset.rules()[i], **view, today, locale, arena, lists);
    }
  }
  Json out;
  out["kind"] = kind;
  out["id"] = id;
  out["at"] = FormatInstant(now);
  out["ruleset"] = ruleset.hash();
  out["locale"] = locale;
  out["eligible"] = std::move(lists.eligible);
  out["upcoming"] = std::move(lists.upcoming);
  out["unknown"] = std::move(lists.unknown);
  Reply reply;
  reply.body = Dump(out);
  return reply;
}

Reply PostEvaluate(const Options&, const Deps& deps, const Call& call) {
  if (call.MediaType() != "application/json") {
    return Problem(415, "unsupported-media-type", "send application/json");
  }
  const auto members = MembersOf(call.body);
  if (!members) return Problem(400, "not-json", "the body is not a JSON object with different names");
  std::string kind;
  std::string_view facts;
  Instant at = deps.clock->Now();
  for (const auto& [name, raw] : *members) {
    if (name == "facts") {
      if (!raw.starts_with('{')) return Problem(400, "bad-request", "facts: expected an object");
      facts = raw;
      continue;
    }
    if (name != "kind" && name != "at") {
      return Problem(400, "bad-request", "expected only kind, facts and at");
    }
    if (!raw.starts_with('"')) return Problem(400, "bad-request", name + ": expected text");
    const std::string text = Json::parse(raw).get<std::string>();
    if (name == "kind") {
      kind = text;
    } else if (const Result<Date> day = ParseDate(text)) {
      at = kShanghai.StartOf(*day);
    } else if (const Result<Instant> instant = ParseInstant(text)) {
      at = *instant;
    } else {
      return Problem(400, "bad-request", "at: expected a date such as 2026-03-01 or a time with its offset");
    }
  }
  if (kind.empty() || facts.empty()) return Problem(400, "bad-request", "kind and facts are both needed");
  const std::shared_ptr<const rules::RuleSet> in_use = deps.pipeline->ruleset();
  const rules::RuleSet& ruleset = *in_use;
  const std::shared_ptr<const facts::Schema> schema = ruleset.SchemaOf(kind);
  if (schema == nullptr) return Problem(400, "unknown-kind", "kind: no such kind of subject");
  facts::Profile profile(schema);
  if (const auto set = profile.SetFromJson(facts); !set) {
    return Problem(400, "facts-refused", set.error().detail,
                   "\"reason\":" + JsonQuote(facts::RefusalName(set.error().reason)));
  }
  const Date today = kShanghai.DateOf(at);
  std::string determinations;
  value::Arena arena;
  for (const std::uint32_t i : ruleset.RulesOf(kind)) {
    arena.Reset();
    const rules::Rule& rule = ruleset.rules()[i];
    const rules::Determination d = rules::Evaluate(rule, profile, today, arena);
    const rules::Outlook outlook = rules::LookAhead(rule, profile, d, today, HorizonOf(today), arena);
    determinations += (determinations.empty() ? "" : ",") + rules::ToJson(rule, profile, d, outlook, today);
  }
  Reply reply;
  reply.body = R"({"kind":)" + JsonQuote(kind) + R"(,"day":")" + FormatDate(today) + R"(","ruleset":")" +
               ruleset.hash() + R"(","determinations":[)" + determinations + "]}";
  return reply;
}

}  // namespace zhitui::api
