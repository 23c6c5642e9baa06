#include "pipeline/planner.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "pipeline/decider.h"

namespace zhitui::pipeline {

Record DeliveryRecord(const Topics& topics, const delivery::Notification& n, const decide::Decision& decision,
                      Instant now) {
  const char* state = delivery::NotificationStateName(n.state);
  nlohmann::ordered_json data = {{"notification", n.id},
                                 {"decision", decision.id},
                                 {"rule", decision.rule},
                                 {"topic", decision.topic},
                                 {"transition", decide::TransitionName(decision.transition)},
                                 {"state", state},
                                 {"at", FormatInstant(now)}};
  if (!n.reason.empty()) data["reason"] = n.reason;
  std::string last_attempt;
  if (!n.attempts.empty()) {
    const delivery::Attempt& a = n.attempts.back();
    last_attempt = a.id;
    data["attempt"] = a.id;
    data["channel"] = ChannelName(a.channel);
    data["connector"] = a.connector;
    data["attempt_state"] = delivery::AttemptStateName(a.state);
    if (!a.code.empty()) data["code"] = a.code;
  }
  Record r;
  r.topic = topics.deliveries;
  r.key = n.recipient;
  r.headers = CloudEventHeaders(StableId()
                                    .Add(n.id)
                                    .Add(state)
                                    .Add(last_attempt)
                                    .Add(n.attempts.empty() ? "" : delivery::AttemptStateName(n.attempts.back().state))
                                    .Hex(),
                                std::string("zhitui.delivery.") + state, n.recipient, now);
  r.value = data.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  return r;
}

store::RecordWrite NotificationWrite(const delivery::Notification& n, std::uint64_t expected_version) {
  store::RecordWrite w;
  w.space = store::Space::kNotification;
  w.key = n.id;
  w.expected_version = expected_version;
  w.value = n.Encode();
  if (n.next && !n.channels.empty()) w.due = store::Due{SendQueue(n.channel()), *n.next};
  return w;
}

Status Planner::Plan(const std::vector<Record>& records) {
  struct Open {
    std::string id;
    std::string recipient;
    std::string kind;  // of the recipient
    decide::Decision decision;
    Shard shard = 0;
  };
  std::vector<Open> open;
  std::unordered_set<std::string> in_batch;
  for (const Record& record : records) {
    const std::string* id = record.FindHeader("ce_id");
    const std::string* recipient = record.FindHeader("ce_recipient");
    if (id != nullptr) core_.Seen(*id);
    const std::string* kind = record.FindHeader("ce_recipientkind");
    if (id == nullptr || kind == nullptr || recipient == nullptr || recipient->empty() || !record.value) continue;
    Result<decide::Decision> decision = decide::Decision::FromJson(*record.value);
    const std::optional<Shard> shard = decide::ShardOfNotification(*id);
    if (!decision || !shard) {
      // Only this product writes the topic; a foreign record must not stop it.
      core_.log().Error("decision_unreadable", {{"partition", record.partition}, {"offset", record.offset}});
      continue;
    }
    if (!in_batch.insert(*id).second) continue;
    open.push_back({*id, *recipient, *kind, std::move(*decision), *shard});
  }
  if (open.empty()) return {};

  std::vector<store::RecordKey> keys;
  for (const Open& o : open) {
    keys.push_back({o.shard, store::Space::kNotification, o.id});
    keys.push_back({ShardOf(o.recipient), store::Space::kSubject, SubjectKey(o.kind, o.recipient)});
  }
  Result<std::vector<store::StoredRecord>> stored = core_.parts.store->Load(keys);
  if (!stored) return std::unexpected(stored.error());

  const std::shared_ptr<const RuleBook> book = core_.Book();
  std::vector<store::Transaction> transactions;
  std::vector<Shard> touched;
  std::uint64_t suppressed = 0;
  std::map<std::string, Contacts::Met> met;
  for (std::size_t i = 0; i < open.size(); ++i) {
    const Open& o = open[i];
    if ((*stored)[2 * i].version > 0) continue;  // planned before
    Result<std::optional<SubjectView>> view = Core::View(*book->ruleset, o.kind, (*stored)[2 * i + 1].value);
    if (!view) return std::unexpected(view.error());
    const planning::Recipient recipient = planning::ReadRecipient(view->has_value() ? &(*view)->profile : nullptr);
    const message::Template* tmpl = book->templates->Find(o.decision.message);
    const planning::Plan plan = planning::MakePlan(o.decision, recipient, tmpl, o.decision.at, core_.options.policy);

    delivery::Notification n;
    n.id = o.id;
    n.decision = o.decision.ToJson();
    n.kind = o.kind;
    n.recipient = o.recipient;
    n.planned_at = o.decision.at;
    n.channels = plan.channels;
    n.expires = plan.expires;
    store::Transaction t;
    t.shard = o.shard;
    if (plan.channels.empty()) {
      n.state = delivery::NotificationState::kSuppressed;
      n.reason = plan.suppressed;
      ++suppressed;
    } else {
      n.state = delivery::NotificationState::kPlanned;
      n.next = plan.due;
      Contacts::Met& person = met[ReachKey(o.kind, o.recipient)];
      person.kind = o.kind;
      person.recipient = o.recipient;
      for (const Channel channel : plan.channels) {
        const delivery::Dispatcher::Route route =
            core_.parts.dispatcher->RouteFor(channel, recipient.contacts[static_cast<std::size_t>(channel)]);
        if (route.connector == nullptr) continue;
        const std::pair point(channel, delivery::ContactId(channel, route.contact));
        if (std::find(person.points.begin(), person.points.end(), point) == person.points.end()) {
          person.points.push_back(point);
        }
      }
    }
    t.outbox.push_back(EncodeOutbox(DeliveryRecord(core_.options.topics, n, o.decision, o.decision.at)));
    touched.push_back(o.shard);
    t.writes.push_back(NotificationWrite(n, 0));
    transactions.push_back(std::move(t));
  }
  std::vector<Contacts::Met> people;
  for (auto& [key, person] : met) people.push_back(std::move(person));
  if (Status s = contacts_.Meet(people, core_.Now()); !s) return s;
  // A conflict means that it has been planned meanwhile, by the instance that owned the shard before.
  Result<std::vector<store::Applied>> applied = core_.Apply(transactions);
  if (!applied) return std::unexpected(applied.error());
  core_.counters.planned += transactions.size() - suppressed;
  core_.counters.suppressed += suppressed;
  return core_.Drain(touched);
}

}  // namespace zhitui::pipeline
