#include "planning/planning.h"

#include <algorithm>

namespace zhitui::planning {
namespace {

using value::Kind;
using value::Value;

template <class T>
bool Contains(const std::vector<T>& list, const T& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

const Value* Fact(const facts::Profile& profile, std::string_view name) {
  const std::optional<std::uint32_t> slot = profile.schema().Find(name);
  return slot ? &profile.slots()[*slot] : nullptr;
}

std::string StringFact(const facts::Profile& profile, std::string_view name) {
  const Value* v = Fact(profile, name);
  return v != nullptr && v->is(Kind::kString) ? std::string(v->AsString()) : std::string();
}

std::vector<std::string> ListFact(const facts::Profile& profile, std::string_view name) {
  std::vector<std::string> out;
  const Value* v = Fact(profile, name);
  if (v == nullptr || !v->is(Kind::kList)) return out;
  for (const Value& item : v->AsList()) {
    if (item.is(Kind::kString)) out.emplace_back(item.AsString());
  }
  return out;
}

std::vector<Channel> ChannelsFact(const facts::Profile& profile, std::string_view name) {
  std::vector<Channel> out;
  for (const std::string& item : ListFact(profile, name)) {
    const std::optional<Channel> channel = ParseChannel(item);
    if (channel && !Contains(out, *channel)) out.push_back(*channel);
  }
  return out;
}

// A refusal of "benefits" covers "benefits.elderly".
bool TopicRefused(const std::vector<std::string>& refused, const std::string& topic) {
  return std::any_of(refused.begin(), refused.end(), [&](const std::string& r) {
    return !r.empty() && topic.starts_with(r) && (topic.size() == r.size() || topic[r.size()] == '.');
  });
}

// Why the person hears nothing at all about this, or "".
std::string Refusal(const decide::Decision& decision, const Recipient& recipient) {
  if (!recipient.known) return "recipient_unknown";
  if (recipient.dead) return "recipient_dead";
  if (!recipient.consents) return "no_consent";
  if (TopicRefused(recipient.refused_topics, decision.topic)) return "topic_refused";
  return {};
}

bool ChannelRefused(const Recipient& recipient, Channel channel, const Policy& policy) {
  return Contains(recipient.refused_channels, channel) ||
         (channel == Channel::kSms && Contains(recipient.refused_signatures, policy.sms_signature));
}

}  // namespace

Recipient ReadRecipient(const facts::Profile* profile) {
  Recipient r;
  if (profile == nullptr) return r;
  r.known = true;
  r.dead = profile->Dead();
  r.contacts[static_cast<std::size_t>(Channel::kApp)] = StringFact(*profile, "contacts.app");
  r.contacts[static_cast<std::size_t>(Channel::kWechat)] = StringFact(*profile, "contacts.wechat");
  r.contacts[static_cast<std::size_t>(Channel::kSms)] = StringFact(*profile, "contacts.phone");
  r.preferred = ChannelsFact(*profile, "preferences.channels");
  r.refused_channels = ChannelsFact(*profile, "consent.refused_channels");
  r.refused_topics = ListFact(*profile, "consent.refused_topics");
  r.refused_signatures = ListFact(*profile, "consent.refused_signatures");
  const Value* consent = Fact(*profile, "consent.messages");
  r.consents = consent == nullptr || !consent->IsFalse();
  if (StringFact(*profile, "preferences.locale") == "en") r.locale = "en";
  return r;
}

Plan MakePlan(const decide::Decision& decision, const Recipient& recipient, const message::Template* tmpl, Instant now,
              const Policy& policy) {
  Plan plan;
  plan.suppressed = Refusal(decision, recipient);
  if (!plan.suppressed.empty()) return plan;
  if (tmpl == nullptr) {
    plan.suppressed = "no_template";
    return plan;
  }
  const auto possible = [&](Channel c) {
    return Contains(decision.channels, c) && tmpl->Has(c) && !recipient.contacts[static_cast<std::size_t>(c)].empty() &&
           !ChannelRefused(recipient, c, policy);
  };
  for (const Channel c : recipient.preferred) {
    if (possible(c)) plan.channels.push_back(c);
  }
  for (const Channel c : decision.channels) {
    if (possible(c) && !Contains(plan.channels, c)) plan.channels.push_back(c);
  }
  if (plan.channels.empty()) {
    plan.suppressed = "unreachable";
    return plan;
  }
  plan.due = OutsideQuietHours(now, policy);
  plan.expires = now + policy.expires_after;
  return plan;
}

std::string Recheck(const decide::Decision& decision, const Recipient& recipient, Channel channel,
                    const Policy& policy) {
  std::string refused = Refusal(decision, recipient);
  if (!refused.empty()) return refused;
  if (ChannelRefused(recipient, channel, policy)) return "channel_refused";
  if (recipient.contacts[static_cast<std::size_t>(channel)].empty()) return "no_contact";
  return {};
}

Instant OutsideQuietHours(Instant at, const Policy& policy) {
  if (policy.quiet_from == policy.quiet_until) return at;
  const Instant midnight = kShanghai.StartOf(kShanghai.DateOf(at));
  const Millis time_of_day = at - midnight;
  const Instant end = midnight + policy.quiet_until;
  if (policy.quiet_from < policy.quiet_until) {
    return time_of_day >= policy.quiet_from && time_of_day < policy.quiet_until ? end : at;
  }
  if (time_of_day >= policy.quiet_from) return end + std::chrono::days(1);
  return time_of_day < policy.quiet_until ? end : at;
}

std::optional<Instant> NextTry(std::uint32_t failed_attempts, std::optional<Millis> hint, Instant now,
                               const Policy& policy) {
  if (failed_attempts == 0 || failed_attempts > policy.retry_after.size()) return std::nullopt;
  const Millis wait = std::max(policy.retry_after[failed_attempts - 1], hint.value_or(Millis(0)));
  return OutsideQuietHours(now + wait, policy);
}

}  // namespace zhitui::planning
