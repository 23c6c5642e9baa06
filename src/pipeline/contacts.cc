#include "pipeline/contacts.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

namespace zhitui::pipeline {
namespace {

constexpr int kConflictRetries = 16;
constexpr std::size_t kMaxPeople = 8;  // who share one phone
constexpr std::size_t kMaxOffers = 8;
constexpr std::size_t kMaxEarlyGrants = 32;
constexpr std::uint64_t kIndexVersion = 1;
// 同意 to an older offer is not taken for an application.
constexpr std::chrono::days kOfferLife(180);
constexpr std::string_view kRefusedSignatures = "consent.refused_signatures";
constexpr std::string_view kRefusedChannels = "consent.refused_channels";

std::string IndexKey(const std::string& contact) { return "contact:" + contact; }

// Puts `item` first and keeps at most `limit`. False: it was first already.
template <class T>
bool Front(std::vector<T>& list, const T& item, std::size_t limit) {
  if (!list.empty() && list.front() == item) return false;
  std::erase(list, item);
  list.insert(list.begin(), item);
  if (list.size() > limit) list.resize(limit);
  return true;
}

const char* FactOf(Channel channel) {
  switch (channel) {
    case Channel::kApp:
      return "contacts.app";
    case Channel::kWechat:
      return "contacts.wechat";
    case Channel::kSms:
      return "contacts.phone";
  }
  return "";
}

Record ChangeRecord(const Topics& topics, const std::string& kind, const std::string& recipient,
                    const delivery::ContactPoint& point, Instant now) {
  const char* state = delivery::ContactStateName(point.state);
  nlohmann::ordered_json data = {
      {"recipient", recipient},        {"kind", kind},   {"channel", ChannelName(point.channel)},
      {"fact", FactOf(point.channel)}, {"state", state}, {"at", FormatInstant(point.since)}};
  if (!point.connector.empty()) data["connector"] = point.connector;
  if (!point.code.empty()) data["code"] = point.code;
  Record r;
  r.topic = topics.contacts;
  r.key = recipient;
  r.headers = CloudEventHeaders(
      StableId().Add(kind).Add(recipient).Add(point.id).Add(state).Add(point.since.time_since_epoch().count()).Hex(),
      std::string("zhitui.contact.") + state, recipient, now);
  r.value = data.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  return r;
}

}  // namespace

std::string ReachKey(std::string_view kind, std::string_view id) { return SubjectKey(kind, id); }

std::string Contacts::Index::Encode() const {
  ByteWriter out;
  out.U64(kIndexVersion);
  out.U64(people.size());
  for (const auto& [kind, id] : people) {
    out.Str(kind);
    out.Str(id);
  }
  out.U64(offers.size());
  for (const std::string& offer : offers) out.Str(offer);
  out.U64(grants.size());
  for (const auto& [tmpl, signal] : grants) {
    out.Str(tmpl);
    out.Str(signal);
  }
  return out.Take();
}

Result<Contacts::Index> Contacts::Index::Decode(std::string_view bytes) {
  Index index;
  if (bytes.empty()) return index;
  ByteReader in(bytes);
  if (in.U64() != kIndexVersion) return Fatal("an index entry of a contact has an unknown version");
  const auto pairs = [&](std::vector<std::pair<std::string, std::string>>& list) {
    list.resize(in.Count(2));
    for (auto& [first, second] : list) {
      first = in.Str();
      second = in.Str();
    }
  };
  pairs(index.people);
  index.offers.resize(in.Count());
  for (std::string& offer : index.offers) offer = in.Str();
  pairs(index.grants);
  if (!in.ok() || !in.AtEnd()) return Fatal("an index entry of a contact is damaged");
  return index;
}

void Contacts::AddWrite(store::Transaction& t, const LoadedReach& loaded, const std::string& kind,
                        const std::string& recipient, Instant now) const {
  const std::string value = loaded.reach.Encode();
  if (loaded.version > 0 && value == loaded.before.Encode()) return;
  if (loaded.version == 0 && loaded.reach.points.empty()) return;
  t.writes.push_back({store::Space::kContact, ReachKey(kind, recipient), loaded.version, value, std::nullopt});
  delivery::Reach before = loaded.before;
  for (const delivery::ContactPoint& point : loaded.reach.points) {
    const delivery::ContactPoint* old = before.Find(point.id);
    const delivery::ContactState was = old == nullptr ? delivery::ContactState::kUntried : old->state;
    if (point.state == was) continue;
    t.outbox.push_back(EncodeOutbox(ChangeRecord(core_.options.topics, kind, recipient, point, now)));
    core_.parts.metrics
        ->GetCounter(
            "zhitui_contact_changes_total", "Contact points that changed their state",
            {{"channel", std::string(ChannelName(point.channel))}, {"state", delivery::ContactStateName(point.state)}})
        .Add();
  }
}

Status Contacts::Update(const std::string& kind, const std::string& recipient, Instant now,
                        const std::function<bool(delivery::Reach&)>& change) {
  const Shard shard = ShardOf(recipient);
  for (int i = 0; i < kConflictRetries; ++i) {
    const store::RecordKey key{shard, store::Space::kContact, ReachKey(kind, recipient)};
    Result<std::vector<store::StoredRecord>> stored = core_.parts.store->Load({&key, 1});
    if (!stored) return std::unexpected(stored.error());
    Result<delivery::Reach> reach = delivery::Reach::Decode((*stored)[0].value);
    if (!reach) return std::unexpected(reach.error());
    LoadedReach loaded{*reach, (*stored)[0].version, *reach};
    if (!change(loaded.reach)) return {};
    store::Transaction t;
    t.shard = shard;
    AddWrite(t, loaded, kind, recipient, now);
    if (t.writes.empty()) return {};
    Result<std::vector<store::Applied>> applied = core_.Apply({&t, 1});
    if (!applied) return std::unexpected(applied.error());
    if ((*applied)[0] == store::Applied::kConflict) continue;
    return core_.Drain({&shard, 1});
  }
  return Unavailable("a record of contact points keeps changing");
}

Status Contacts::Meet(const std::vector<Met>& people, Instant now) {
  if (people.empty()) return {};
  std::vector<store::RecordKey> keys;
  for (const Met& met : people) {
    keys.push_back({ShardOf(met.recipient), store::Space::kContact, ReachKey(met.kind, met.recipient)});
  }
  Result<std::vector<store::StoredRecord>> stored = core_.parts.store->Load(keys);
  if (!stored) return std::unexpected(stored.error());
  const auto use = [&](const Met& met, delivery::Reach& reach) {
    bool changed = false;
    for (const auto& [channel, id] : met.points) changed = reach.Use(channel, id, now) || changed;
    return changed;
  };
  std::vector<store::Transaction> transactions;
  std::vector<const Met*> of;
  std::vector<Shard> touched;
  std::vector<Entry> entries;
  for (std::size_t i = 0; i < people.size(); ++i) {
    Result<delivery::Reach> reach = delivery::Reach::Decode((*stored)[i].value);
    if (!reach) return std::unexpected(reach.error());
    LoadedReach loaded{*reach, (*stored)[i].version, *reach};
    for (const auto& [channel, id] : people[i].points) {
      if (reach->Find(id) == nullptr) entries.push_back({id, people[i].kind, people[i].recipient, ""});
    }
    if (!use(people[i], loaded.reach)) continue;
    store::Transaction t;
    t.shard = ShardOf(people[i].recipient);
    AddWrite(t, loaded, people[i].kind, people[i].recipient, now);
    touched.push_back(t.shard);
    transactions.push_back(std::move(t));
    of.push_back(&people[i]);
  }
  Result<std::vector<store::Applied>> applied = core_.Apply(transactions);
  if (!applied) return std::unexpected(applied.error());
  for (std::size_t i = 0; i < of.size(); ++i) {
    if ((*applied)[i] == store::Applied::kApplied) continue;
    const Status s =
        Update(of[i]->kind, of[i]->recipient, now, [&](delivery::Reach& reach) { return use(*of[i], reach); });
    if (!s) return s;
  }
  if (Status s = Register(entries); !s) return s;
  return core_.Drain(touched);
}

Status Contacts::ChangeIndex(const std::string& contact, const std::function<bool(Index&)>& change) {
  const Shard shard = ShardOf(contact);
  for (int i = 0; i < kConflictRetries; ++i) {
    const store::RecordKey key{shard, store::Space::kMeta, IndexKey(contact)};
    Result<std::vector<store::StoredRecord>> stored = core_.parts.store->Load({&key, 1});
    if (!stored) return std::unexpected(stored.error());
    Result<Index> index = Index::Decode((*stored)[0].value);
    if (!index) return std::unexpected(index.error());
    if (!change(*index)) return {};
    store::Transaction t;
    t.shard = shard;
    t.writes.push_back({store::Space::kMeta, IndexKey(contact), (*stored)[0].version, index->Encode(), std::nullopt});
    Result<std::vector<store::Applied>> applied = core_.Apply({&t, 1});
    if (!applied) return std::unexpected(applied.error());
    if ((*applied)[0] == store::Applied::kApplied) return {};
  }
  return Unavailable("an index entry of a contact keeps changing");
}

Status Contacts::Register(const std::vector<Entry>& entries) {
  if (entries.empty()) return {};
  std::map<std::string, std::vector<const Entry*>> by_contact;
  for (const Entry& e : entries) by_contact[e.contact].push_back(&e);
  std::vector<store::RecordKey> keys;
  for (const auto& [contact, list] : by_contact)
    keys.push_back({ShardOf(contact), store::Space::kMeta, IndexKey(contact)});
  Result<std::vector<store::StoredRecord>> stored = core_.parts.store->Load(keys);
  if (!stored) return std::unexpected(stored.error());

  std::vector<std::pair<const Entry*, std::pair<std::string, std::string>>> early;  // grants to hand over
  const auto add = [&](const std::vector<const Entry*>& list, Index& index) {
    bool changed = false;
    for (const Entry* e : list) {
      if (Front(index.people, std::pair(e->kind, e->recipient), kMaxPeople)) changed = true;
      if (!e->offer.empty() && Front(index.offers, e->offer, kMaxOffers)) changed = true;
    }
    return changed;
  };
  std::vector<store::Transaction> transactions;
  std::vector<const std::vector<const Entry*>*> of;
  std::size_t at = 0;
  for (const auto& [contact, list] : by_contact) {
    const store::StoredRecord& old = (*stored)[at++];
    Result<Index> index = Index::Decode(old.value);
    if (!index) return std::unexpected(index.error());
    for (auto& grant : index->grants) early.emplace_back(list.front(), grant);
    if (!add(list, *index)) continue;
    store::Transaction t;
    t.shard = ShardOf(contact);
    t.writes.push_back({store::Space::kMeta, IndexKey(contact), old.version, index->Encode(), std::nullopt});
    transactions.push_back(std::move(t));
    of.push_back(&list);
  }
  Result<std::vector<store::Applied>> applied = core_.Apply(transactions);
  if (!applied) return std::unexpected(applied.error());
  for (std::size_t i = 0; i < transactions.size(); ++i) {
    if ((*applied)[i] == store::Applied::kApplied) continue;
    if (Status s = ChangeIndex(of[i]->front()->contact, [&](Index& index) { return add(*of[i], index); }); !s) return s;
  }
  // First the person has the grant, then the index forgets it: a crash in between counts it once, by its signal.
  for (const auto& [entry, grant] : early) {
    const Status s = Update(entry->kind, entry->recipient, core_.Now(), [&](delivery::Reach& reach) {
      delivery::ContactPoint* point = reach.Find(entry->contact);
      return point != nullptr && point->Grant(grant.first, grant.second);
    });
    if (!s) return s;
    const Status forgotten =
        ChangeIndex(entry->contact, [&](Index& index) { return std::erase(index.grants, grant) > 0; });
    if (!forgotten) return forgotten;
  }
  return {};
}

void Contacts::Count(const delivery::Connector& by, const delivery::Signal& signal, const char* result) const {
  core_.parts.metrics
      ->GetCounter("zhitui_signals_total", "Replies, grants and refusals by what became of them",
                   {{"connector", by.name()}, {"kind", delivery::SignalName(signal.kind)}, {"result", result}})
      .Add();
}

Status Contacts::Receive(const delivery::Connector& by, const std::vector<delivery::Signal>& signals) {
  for (const delivery::Signal& signal : signals) {
    if (Status s = Take(by, signal); !s) return s;
  }
  return {};
}

Status Contacts::Take(const delivery::Connector& by, const delivery::Signal& signal) {
  const std::string contact = delivery::ContactId(by.channel(), signal.contact);
  const std::string name = StableId()
                               .Add("signal")
                               .Add(by.name())
                               .Add(signal.provider_id)
                               .Add(contact)
                               .Add(signal.provider_id.empty() ? signal.text : std::string())
                               .Add(signal.provider_id.empty() ? signal.at.time_since_epoch().count() : 0)
                               .Hex();
  const store::RecordKey key{ShardOf(contact), store::Space::kMeta, IndexKey(contact)};
  Result<std::vector<store::StoredRecord>> stored = core_.parts.store->Load({&key, 1});
  if (!stored) return std::unexpected(stored.error());
  Result<Index> index = Index::Decode((*stored)[0].value);
  if (!index) return std::unexpected(index.error());

  if (index->people.empty()) {
    if (signal.kind != delivery::SignalKind::kGrant) {
      Count(by, signal, "unknown_contact");
      return {};
    }
    // The person is met later; until then the grant waits here.
    Count(by, signal, "kept");
    return ChangeIndex(contact, [&](Index& entry) {
      const std::pair grant(signal.text, name);
      if (entry.grants.size() >= kMaxEarlyGrants) return false;
      if (std::find(entry.grants.begin(), entry.grants.end(), grant) != entry.grants.end()) return false;
      entry.grants.push_back(grant);
      return true;
    });
  }
  if (signal.kind == delivery::SignalKind::kReply) return Reply(by, signal, name, *index);
  const Instant now = core_.Now();
  for (const auto& [kind, id] : index->people) {
    const Status s = Update(kind, id, now, [&](delivery::Reach& reach) {
      delivery::ContactPoint* point = reach.Find(contact);
      if (point == nullptr) return false;
      switch (signal.kind) {
        case delivery::SignalKind::kGrant:
          return point->Grant(signal.text, name);
        case delivery::SignalKind::kRefusal:
          return point->Refuse(signal.text, name);
        case delivery::SignalKind::kGone:
          return point->Kill(by.name(), "gone", now);
        case delivery::SignalKind::kBack:
          return point->Return(by.name(), now);
        case delivery::SignalKind::kReply:
          break;
      }
      return false;
    });
    if (!s) return s;
  }
  Count(by, signal, "taken");
  return {};
}

Status Contacts::Reply(const delivery::Connector& by, const delivery::Signal& signal, const std::string& name,
                       const Index& index) {
  const std::string contact = delivery::ContactId(by.channel(), signal.contact);
  const Instant now = core_.Now();
  for (const auto& [kind, id] : index.people) {
    const Status s = Update(kind, id, now, [&](delivery::Reach& reach) {
      delivery::ContactPoint* point = reach.Find(contact);
      return point != nullptr && point->Verify(by.name(), now);
    });
    if (!s) return s;
  }
  switch (delivery::ReadReply(signal.text)) {
    case delivery::ReplyMeaning::kAgree: {
      bool answered = false;
      if (Status s = Agree(signal, name, index, &answered); !s) return s;
      Count(by, signal, answered ? "agreed" : "no_offer");
      return {};
    }
    case delivery::ReplyMeaning::kOptOut: {
      if (Status s = OptOut(signal, name, index); !s) return s;
      Count(by, signal, "opted_out");
      return {};
    }
    case delivery::ReplyMeaning::kOther:
      break;
  }
  Count(by, signal, "other");
  return {};
}

Status Contacts::Agree(const delivery::Signal& signal, const std::string& name, const Index& index, bool* answered) {
  const std::shared_ptr<const RuleBook> book = core_.Book();
  const Instant at = std::min(signal.at, core_.Now());
  for (const std::string& offer : index.offers) {
    const std::optional<Shard> shard = decide::ShardOfNotification(offer);
    if (!shard) continue;
    const store::RecordKey key{*shard, store::Space::kNotification, offer};
    Result<std::vector<store::StoredRecord>> stored = core_.parts.store->Load({&key, 1});
    if (!stored) return std::unexpected(stored.error());
    if ((*stored)[0].version == 0) continue;
    Result<delivery::Notification> n = delivery::Notification::Decode((*stored)[0].value);
    if (!n) return std::unexpected(n.error());
    Result<decide::Decision> decision = decide::Decision::FromJson(n->decision);
    if (!decision) return std::unexpected(decision.error());
    const rules::Rule* rule = book->ruleset->Find(decision->rule);
    if (rule == nullptr || rule->apply.reply.empty() || at - n->planned_at > kOfferLife) continue;
    const Status told = Tell(decision->kind, decision->subject, rule->apply.reply,
                             JsonQuote(FormatDate(kShanghai.DateOf(at))), name, at);
    if (!told) return told;
    *answered = true;
    return answered_ ? answered_(offer, at) : Status();
  }
  return {};
}

Status Contacts::OptOut(const delivery::Signal& signal, const std::string& name, const Index& index) {
  const std::shared_ptr<const RuleBook> book = core_.Book();
  const Instant at = std::min(signal.at, core_.Now());
  for (const auto& [kind, id] : index.people) {
    const std::shared_ptr<const facts::Schema> schema = book->ruleset->SchemaOf(kind);
    if (schema == nullptr) continue;
    const bool by_signature =
        schema->Find(kRefusedSignatures).has_value() && !core_.options.policy.sms_signature.empty();
    const std::string fact(by_signature ? kRefusedSignatures : kRefusedChannels);
    const std::string item =
        by_signature ? core_.options.policy.sms_signature : std::string(ChannelName(Channel::kSms));
    const std::optional<std::uint32_t> slot = schema->Find(fact);
    if (!slot) {
      core_.log().Error("opt_out_without_fact", {{"kind", kind}, {"fact", fact}});
      continue;
    }
    const store::RecordKey key{ShardOf(id), store::Space::kSubject, SubjectKey(kind, id)};
    Result<std::vector<store::StoredRecord>> stored = core_.parts.store->Load({&key, 1});
    if (!stored) return std::unexpected(stored.error());
    Result<std::optional<SubjectView>> view = Core::View(*book->ruleset, kind, (*stored)[0].value);
    if (!view) return std::unexpected(view.error());
    nlohmann::json list = nlohmann::json::array();
    if (view->has_value()) {
      const value::Value& known = (*view)->profile.slots()[*slot];
      if (known.is(value::Kind::kList)) {
        for (const value::Value& v : known.AsList()) list.push_back(std::string(v.AsString()));
      }
    }
    if (std::find(list.begin(), list.end(), item) != list.end()) continue;
    list.push_back(item);
    if (Status s = Tell(kind, id, fact, list.dump(), name, at); !s) return s;
  }
  return {};
}

Status Contacts::Tell(const std::string& kind, const std::string& subject, const std::string& fact,
                      const std::string& json, const std::string& name, Instant at) {
  const std::shared_ptr<const facts::Schema> schema = core_.Book()->ruleset->SchemaOf(kind);
  const std::optional<std::uint32_t> slot = schema == nullptr ? std::nullopt : schema->Find(fact);
  const std::string topic = core_.InputTopicOf(kind);
  if (!slot || topic.empty()) {
    core_.log().Error("reply_has_no_place", {{"kind", kind}, {"fact", fact}});
    return {};
  }
  Record r;
  r.topic = topic;
  r.key = subject;
  r.headers = CloudEventHeaders(StableId().Add(name).Add(subject).Add(fact).Hex(),
                                "zhitui." + kind + ".profile.patched", subject, at);
  for (Header& h : r.headers) {
    if (h.name == "ce_source") h.value = "/zhitui/" + schema->facts()[*slot].source;
  }
  r.headers.push_back({"ce_recordedtime", FormatInstant(core_.Now())});
  r.value = "{" + JsonQuote(fact) + ":" + json + "}";
  return core_.parts.sink->Produce({&r, 1}, core_.options.produce_deadline);
}

}  // namespace zhitui::pipeline
