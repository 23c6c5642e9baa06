// Stored form of a subject's state and the JSON form of a decision.
#include <nlohmann/json.hpp>

#include "decide/decide.h"

namespace zhitui::decide {
namespace {

constexpr std::uint64_t kStateVersion = 2;  // 1: without RuleState::corrected

using Json = nlohmann::ordered_json;

void PutDate(ByteWriter& w, const std::optional<Date>& day) {
  w.Bool(day.has_value());
  if (day) w.I64(day->time_since_epoch().count());
}
std::optional<Date> GetDate(ByteReader& r) {
  if (!r.Bool()) return std::nullopt;
  return Date(std::chrono::days(r.I64()));
}

Json ToJsonText(const Text& text) {
  Json out = {{"zh", text.zh}};
  if (!text.en.empty()) out["en"] = text.en;
  return out;
}
Text FromJsonText(const Json& json) {
  Text text;
  if (json.is_object()) {
    text.zh = json.value("zh", "");
    text.en = json.value("en", "");
  }
  return text;
}

std::optional<Date> DateField(const Json& json, const char* key) {
  if (!json.contains(key)) return std::nullopt;
  const Result<Date> day = ParseDate(json.at(key).get<std::string>());
  return day ? std::optional<Date>(*day) : std::nullopt;
}

}  // namespace

std::optional<Date> SubjectState::NextDue() const {
  std::optional<Date> next;
  for (const RuleState& s : rules) {
    if (s.due && (!next || *s.due < *next)) next = s.due;
  }
  return next;
}

std::string SubjectState::Encode() const {
  ByteWriter w;
  w.U64(kStateVersion);
  w.Str(ruleset);
  w.I64(now.time_since_epoch().count());
  w.Bool(dead);
  w.U64(rules.size());
  for (const RuleState& s : rules) {
    w.Str(s.rule);
    w.U64(static_cast<std::uint64_t>(s.standing));
    w.Bool(s.amount.has_value());
    if (s.amount) {
      w.I64(s.amount->coefficient);
      w.U64(s.amount->scale);
    }
    w.I64(s.since.time_since_epoch().count());
    w.I64(s.occurrence.time_since_epoch().count());
    w.U64(s.flips);
    PutDate(w, s.upcoming);
    PutDate(w, s.until);
    PutDate(w, s.told_upcoming);
    PutDate(w, s.told_reminder);
    PutDate(w, s.due);
    PutDate(w, s.corrected);
  }
  return w.Take();
}

Result<SubjectState> SubjectState::Decode(std::string_view bytes) {
  ByteReader r(bytes);
  SubjectState state;
  const std::uint64_t version = r.U64();
  if (version != 1 && version != kStateVersion) return Fatal("a subject's state has an unknown version");
  state.ruleset = r.Str();
  state.now = Instant(Millis(r.I64()));
  state.dead = r.Bool();
  const std::size_t n = r.Count(10);
  state.rules.reserve(n);
  for (std::size_t i = 0; i < n; ++i) {
    RuleState s;
    s.rule = r.Str();
    const std::uint64_t standing = r.U64();
    if (standing > 3) return Fatal("a subject's state is damaged");
    s.standing = static_cast<Standing>(standing);
    if (r.Bool()) {
      value::Decimal amount;
      amount.coefficient = r.I64();
      amount.scale = static_cast<std::uint8_t>(r.U64());
      s.amount = amount;
    }
    s.since = Date(std::chrono::days(r.I64()));
    s.occurrence = Date(std::chrono::days(r.I64()));
    s.flips = static_cast<std::uint32_t>(r.U64());
    s.upcoming = GetDate(r);
    s.until = GetDate(r);
    s.told_upcoming = GetDate(r);
    s.told_reminder = GetDate(r);
    s.due = GetDate(r);
    if (version > 1) s.corrected = GetDate(r);
    state.rules.push_back(std::move(s));
  }
  if (!r.ok() || !r.AtEnd()) return Fatal("a subject's state is damaged");
  return state;
}

std::string Decision::ToJson() const {
  Json j;
  j["decision"] = id;
  j["kind"] = kind;
  j["subject"] = subject;
  j["rule"] = rule;
  j["topic"] = topic;
  j["title"] = ToJsonText(title);
  j["owner"] = owner;
  j["transition"] = TransitionName(transition);
  if (told_as != transition) j["told_as"] = TransitionName(told_as);
  j["notify"] = notify;
  j["occurrence"] = FormatDate(occurrence);
  j["at"] = FormatInstant(at);
  if (amount) j["amount"] = amount->ToString();
  if (!unit.empty()) j["unit"] = unit;
  if (from) j["from"] = FormatDate(*from);
  if (until) j["until"] = FormatDate(*until);
  if (!reason.empty()) j["reason"] = reason;
  if (!message.empty()) j["message"] = message;
  if (!channels.empty()) {
    j["channels"] = Json::array();
    for (const Channel c : channels) j["channels"].push_back(ChannelName(c));
  }
  if (escalate_after.count() > 0) j["escalate_after_ms"] = escalate_after.count();
  for (const Recipient& r : recipients) j["recipients"].push_back({{"id", r.id}, {"kind", r.kind}});
  j["criteria"] = Json::array();
  for (const CriterionResult& c : criteria) {
    Json item = {{"id", c.id}, {"truth", c.truth}, {"label", ToJsonText(c.label)}};
    if (!c.law.empty()) item["law"] = c.law;
    j["criteria"].push_back(std::move(item));
  }
  if (!apply_url.empty()) j["apply_url"] = apply_url;
  if (!deadline.zh.empty()) j["deadline"] = ToJsonText(deadline);
  if (!materials.empty()) {
    j["materials"] = Json::array();
    for (const Text& m : materials) j["materials"].push_back(ToJsonText(m));
  }
  j["ruleset"] = ruleset;
  return j.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Decision> Decision::FromJson(std::string_view text) {
  try {
    const Json j = Json::parse(text);
    Decision d;
    d.id = j.at("decision").get<std::string>();
    d.kind = j.at("kind").get<std::string>();
    d.subject = j.at("subject").get<std::string>();
    d.rule = j.at("rule").get<std::string>();
    d.topic = j.value("topic", "");
    if (j.contains("title")) d.title = FromJsonText(j.at("title"));
    d.owner = j.value("owner", "");
    const std::optional<Transition> transition = ParseTransition(j.at("transition").get<std::string>());
    if (!transition) return Invalid("a decision has an unknown transition");
    d.transition = *transition;
    d.told_as = ParseTransition(j.value("told_as", TransitionName(*transition))).value_or(*transition);
    d.notify = j.value("notify", -1);
    const std::optional<Date> occurrence = DateField(j, "occurrence");
    const Result<Instant> at = ParseInstant(j.at("at").get<std::string>());
    if (!occurrence || !at) return Invalid("a decision has a bad date");
    d.occurrence = *occurrence;
    d.at = *at;
    if (j.contains("amount")) {
      d.amount = value::Decimal::Parse(j.at("amount").get<std::string>());
      if (!d.amount) return Invalid("a decision has a bad amount");
    }
    d.unit = j.value("unit", "");
    d.from = DateField(j, "from");
    d.until = DateField(j, "until");
    d.reason = j.value("reason", "");
    d.message = j.value("message", "");
    if (j.contains("channels")) {
      for (const Json& c : j.at("channels")) {
        if (const std::optional<Channel> channel = ParseChannel(c.get<std::string>())) d.channels.push_back(*channel);
      }
    }
    d.escalate_after = Millis(j.value("escalate_after_ms", std::int64_t{0}));
    if (j.contains("recipients")) {
      for (const Json& r : j.at("recipients")) {
        d.recipients.push_back({r.at("id").get<std::string>(), r.at("kind").get<std::string>()});
      }
    }
    if (j.contains("criteria")) {
      for (const Json& c : j.at("criteria")) {
        d.criteria.push_back({c.at("id").get<std::string>(), c.at("truth").get<std::string>(),
                              FromJsonText(c.at("label")), c.value("law", "")});
      }
    }
    d.apply_url = j.value("apply_url", "");
    if (j.contains("deadline")) d.deadline = FromJsonText(j.at("deadline"));
    if (j.contains("materials")) {
      for (const Json& m : j.at("materials")) d.materials.push_back(FromJsonText(m));
    }
    d.ruleset = j.value("ruleset", "");
    return d;
  } catch (const nlohmann::json::exception&) {
    return Invalid("a decision record is not the JSON it should be");
  }
}

}  // namespace zhitui::decide
