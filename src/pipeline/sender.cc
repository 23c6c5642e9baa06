#include "pipeline/sender.h"

#include <algorithm>

#include "pipeline/decider.h"
#include "pipeline/planner.h"

namespace zhitui::pipeline {
namespace {

constexpr int kConflictRetries = 16;
constexpr std::size_t kCleanBatch = 256;
constexpr std::size_t kEarlyAttempts = 10'000;

// Reasons of planning::Recheck that rule out one channel, not the message.
bool OnlyThisChannel(const std::string& reason) { return reason == "channel_refused" || reason == "no_contact"; }

delivery::SendRequest Request(const delivery::Attempt& attempt, const delivery::Notification& n, std::string contact,
                              message::Content content) {
  delivery::SendRequest request;
  request.attempt_id = attempt.id;
  request.notification_id = n.id;
  request.contact = std::move(contact);
  request.content = std::move(content);
  request.key = attempt.key;
  return request;
}

}  // namespace

Result<std::size_t> Sender::Step(Instant now, Millis wait) {
  Result<std::size_t> moved = RecordOutcomes(now, flights_.empty() ? Millis(0) : wait);
  WatchSilence();
  if (!moved || !claiming_) return moved;
  for (const Channel channel : kChannels) {
    Result<std::size_t> started = StartDue(channel, now);
    if (!started) return started;
    *moved += *started;
  }
  if (Status s = Clean(now); !s) return std::unexpected(s.error());
  return moved;
}

void Sender::WatchSilence() {
  for (const auto& [connector, silent] : core_.parts.dispatcher->Silent()) {
    bool& was = silent_[connector];
    if (was == silent) continue;
    was = silent;
    if (silent) {
      core_.log().Warn("connector_silent", {{"connector", connector}});
    } else {
      core_.log().Info("connector_answers", {{"connector", connector}});
    }
    core_.parts.metrics
        ->GetCounter("zhitui_connector_silences_total", "Providers that fell silent and came back",
                     {{"connector", connector}, {"now", silent ? "silent" : "answering"}})
        .Add();
  }
}

store::Transaction Sender::Change(const delivery::Notification& n, std::uint64_t version,
                                  const decide::Decision& decision, Instant now) const {
  store::Transaction t;
  t.shard = decide::ShardOfNotification(n.id).value_or(0);
  t.writes.push_back(NotificationWrite(n, version));
  t.outbox.push_back(EncodeOutbox(DeliveryRecord(core_.options.topics, n, decision, now)));
  return t;
}

delivery::LadderPolicy Sender::Ladder(const decide::Decision& decision) const {
  delivery::LadderPolicy policy;
  policy.escalate_after = decision.escalate_after;
  policy.next_try = [this](std::uint32_t failed, std::optional<Millis> hint, Instant now) {
    return planning::NextTry(failed, hint, now, core_.options.policy);
  };
  return policy;
}

Status Sender::PublishIntents(const std::vector<store::Transaction>& transactions) {
  if (core_.options.topics.ledger.empty() || transactions.empty()) return {};
  std::vector<Record> records;
  for (const store::Transaction& t : transactions) {
    for (const store::RecordWrite& w : t.writes) {
      if (w.space != store::Space::kNotification) continue;
      Record r;
      r.topic = core_.options.topics.ledger;
      r.key = w.key;
      r.value = w.value;
      records.push_back(std::move(r));
    }
  }
  return core_.parts.sink->Produce(records, core_.options.produce_deadline);
}

// ---- Outcomes
// --------------------------------------------------------------------------------------------------------

Result<std::size_t> Sender::RecordOutcomes(Instant now, Millis wait) {
  std::vector<delivery::Dispatcher::Done> done = core_.parts.dispatcher->Collect(wait);
  if (done.empty()) return std::size_t{0};
  std::vector<store::Transaction> transactions;
  std::vector<const delivery::Dispatcher::Done*> of;
  std::vector<Shard> touched;
  std::vector<std::pair<const delivery::Dispatcher::Done*, std::string>> index;
  for (delivery::Dispatcher::Done& d : done) {
    const auto flight = flights_.find(d.request.notification_id);
    if (flight == flights_.end()) continue;
    delivery::Notification& n = flight->second.n;
    const delivery::Attempt* attempt = n.FindAttempt(d.request.attempt_id);
    const std::string connector = attempt != nullptr ? attempt->connector : std::string();
    const std::shared_ptr<delivery::Connector> by = core_.parts.dispatcher->Named(connector);
    if (d.query && d.found != delivery::Found::kYes) {
      // Not finding it is no proof that it was not taken; with no positive answer in time a person decides.
      const Millis settle = by ? by->settle_time() : Millis(0);
      if (attempt != nullptr && core_.RealNow() - attempt->claimed_real < settle) {
        waiting_[n.id] = core_.RealNow() + core_.options.query_again;
        flights_.erase(flight);
        continue;
      }
      delivery::Park(n, d.request.attempt_id, now);
    } else {
      delivery::Settle(n, d.request.attempt_id, d.result, now, Ladder(flight->second.decision));
      if (d.result.verdict == delivery::Verdict::kUnknown) waiting_[n.id] = core_.RealNow() + core_.options.query_again;
      if (d.result.verdict == delivery::Verdict::kAccepted && by && by->sends_receipts()) {
        ExpectReceipt(d.request.attempt_id);
        if (!by->receipts_name_attempt() && !d.result.provider_id.empty()) index.emplace_back(&d, by->receipt_scope());
      }
    }
    core_.parts.metrics
        ->GetCounter("zhitui_sends_total", "Requests to providers by verdict",
                     {{"connector", connector}, {"verdict", delivery::VerdictName(d.result.verdict)}})
        .Add();
    if (attempt != nullptr && d.result.verdict == delivery::Verdict::kDropContact) {
      // Before the outcome: once that is there, nobody asks this provider again.
      const std::string contact = attempt->contact;
      const Status s = contacts_.Update(n.kind, n.recipient, now, [&](delivery::Reach& reach) {
        delivery::ContactPoint* point = reach.Find(contact);
        return point != nullptr && point->Kill(connector, d.result.code, now);
      });
      if (!s) return std::unexpected(s.error());
    }
    transactions.push_back(Change(n, flight->second.version, flight->second.decision, now));
    touched.push_back(transactions.back().shard);
    of.push_back(&d);
  }
  Result<std::vector<store::Applied>> applied = core_.Apply(transactions);
  if (!applied) return std::unexpected(applied.error());
  if (Status s = PublishIntents(transactions); !s) return std::unexpected(s.error());
  for (std::size_t i = 0; i < of.size(); ++i) {
    // A receipt came in between: settle on top of it.
    if ((*applied)[i] == store::Applied::kConflict) {
      if (Status s = WriteOutcome(*of[i], now); !s) return std::unexpected(s.error());
    }
    flights_.erase(of[i]->request.notification_id);
  }
  for (const auto& [d, scope] : index) {
    if (Status s = Index(scope, d->result.provider_id, d->request.notification_id, now); !s)
      return std::unexpected(s.error());
  }
  if (Status s = core_.Drain(touched); !s) return std::unexpected(s.error());
  return done.size();
}

Status Sender::WriteOutcome(const delivery::Dispatcher::Done& done, Instant now) {
  const std::string& id = done.request.notification_id;
  const Shard shard = decide::ShardOfNotification(id).value_or(0);
  for (int i = 0; i < kConflictRetries; ++i) {
    const store::RecordKey key{shard, store::Space::kNotification, id};
    Result<std::vector<store::StoredRecord>> stored = core_.parts.store->Load({&key, 1});
    if (!stored) return std::unexpected(stored.error());
    Result<delivery::Notification> n = delivery::Notification::Decode((*stored)[0].value);
    if (!n) return std::unexpected(n.error());
    Result<decide::Decision> decision = decide::Decision::FromJson(n->decision);
    if (!decision) return std::unexpected(decision.error());
    if (done.query && done.found != delivery::Found::kYes) {
      delivery::Park(*n, done.request.attempt_id, now);
    } else if (!delivery::Settle(*n, done.request.attempt_id, done.result, now, Ladder(*decision))) {
      return {};
    }
    const std::vector<store::Transaction> t = {Change(*n, (*stored)[0].version, *decision, now)};
    Result<std::vector<store::Applied>> applied = core_.Apply(t);
    if (!applied) return std::unexpected(applied.error());
    if ((*applied)[0] == store::Applied::kApplied) return PublishIntents(t);
  }
  return Unavailable("a notification keeps changing under its outcome");
}

// ---- Starting
// --------------------------------------------------------------------------------------------------------

Result<std::size_t> Sender::StartDue(Channel channel, Instant now) {
  if (flights_.size() >= core_.options.sends_in_flight) return std::size_t{0};
  const std::size_t limit = core_.options.sends_in_flight - flights_.size();
  Result<std::vector<store::DueEntry>> due = core_.TakeDue(SendQueue(channel), now, limit + flights_.size());
  if (!due) return std::unexpected(due.error());
  const Instant real = core_.RealNow();
  // One message at a time to one person: what the first one tells of the contact holds for the next.
  std::set<std::string> busy;
  for (const auto& [id, flight] : flights_) busy.insert(ReachKey(flight.n.kind, flight.n.recipient));
  std::erase_if(*due, [&](const store::DueEntry& e) {
    if (flights_.contains(e.key)) return true;
    const auto wait = waiting_.find(e.key);
    if (wait == waiting_.end()) return false;
    if (wait->second > real) return true;
    waiting_.erase(wait);
    return false;
  });
  if (due->empty()) return std::size_t{0};
  if (due->size() > limit) due->resize(limit);
  Result<std::vector<Loaded>> items = LoadAll(*due);
  if (!items) return std::unexpected(items.error());

  std::vector<store::Transaction> transactions;
  std::vector<Start> starts;
  for (Loaded& item : *items) {
    if (!busy.insert(ReachKey(item.n.kind, item.n.recipient)).second) continue;  // stays due
    Consider(std::move(item), now, transactions, starts);
  }
  Result<std::vector<store::Applied>> applied = core_.Apply(transactions);
  if (!applied) return std::unexpected(applied.error());
  if (Status s = PublishIntents(transactions); !s) return std::unexpected(s.error());

  std::map<std::string, bool> conflict;
  std::vector<Shard> touched;
  for (std::size_t i = 0; i < transactions.size(); ++i) {
    touched.push_back(transactions[i].shard);
    if ((*applied)[i] == store::Applied::kConflict) conflict[transactions[i].writes[0].key] = true;
  }
  std::vector<Contacts::Entry> entries;
  for (const Start& start : starts) {
    if (start.entry && !conflict.contains(start.flight.n.id)) entries.push_back(*start.entry);
  }
  if (Status s = contacts_.Register(entries); !s) return std::unexpected(s.error());
  for (Start& start : starts) {
    const std::string id = start.flight.n.id;
    if (conflict.contains(id)) continue;
    const std::string connector = start.connector;
    flights_.emplace(id, std::move(start.flight));
    ++core_.counters.attempts;
    if (!core_.parts.dispatcher->Submit(connector, std::move(start.job))) {
      // The claim stands and nothing was sent; it is resolved like any other open attempt.
      flights_.erase(id);
      waiting_[id] = real + core_.options.query_again;
    }
  }
  if (Status s = core_.Drain(touched); !s) return std::unexpected(s.error());
  return transactions.size() + starts.size();
}

Result<std::vector<Sender::Loaded>> Sender::LoadAll(const std::vector<store::DueEntry>& due) {
  std::vector<store::RecordKey> keys;
  for (const store::DueEntry& e : due) keys.push_back({e.shard, store::Space::kNotification, e.key});
  Result<std::vector<store::StoredRecord>> stored = core_.parts.store->Load(keys);
  if (!stored) return std::unexpected(stored.error());
  std::vector<Loaded> items;
  std::vector<store::RecordKey> people;
  for (std::size_t i = 0; i < due.size(); ++i) {
    if ((*stored)[i].version == 0) continue;
    Loaded item;
    Result<delivery::Notification> n = delivery::Notification::Decode((*stored)[i].value);
    if (!n) return std::unexpected(n.error());
    Result<decide::Decision> decision = decide::Decision::FromJson(n->decision);
    if (!decision) return std::unexpected(decision.error());
    item.n = std::move(*n);
    item.version = (*stored)[i].version;
    item.decision = std::move(*decision);
    people.push_back({ShardOf(item.decision.subject), store::Space::kSubject,
                      SubjectKey(item.decision.kind, item.decision.subject)});
    people.push_back({ShardOf(item.n.recipient), store::Space::kSubject, SubjectKey(item.n.kind, item.n.recipient)});
    people.push_back({ShardOf(item.n.recipient), store::Space::kContact, ReachKey(item.n.kind, item.n.recipient)});
    items.push_back(std::move(item));
  }
  Result<std::vector<store::StoredRecord>> records = core_.parts.store->Load(people);
  if (!records) return std::unexpected(records.error());
  const std::shared_ptr<const RuleBook> book = core_.Book();
  for (std::size_t i = 0; i < items.size(); ++i) {
    Loaded& item = items[i];
    Result<std::optional<SubjectView>> subject =
        Core::View(*book->ruleset, item.decision.kind, (*records)[3 * i].value);
    Result<std::optional<SubjectView>> recipient = Core::View(*book->ruleset, item.n.kind, (*records)[3 * i + 1].value);
    if (!subject || !recipient) return std::unexpected(!subject ? subject.error() : recipient.error());
    item.recipient = planning::ReadRecipient(recipient->has_value() ? &(*recipient)->profile : nullptr);
    item.subject = std::move(*subject);
    Result<delivery::Reach> reach = delivery::Reach::Decode((*records)[3 * i + 2].value);
    if (!reach) return std::unexpected(reach.error());
    item.reach = {*reach, (*records)[3 * i + 2].version, *reach};
  }
  return items;
}

void Sender::Close(Loaded& item, delivery::NotificationState state, const std::string& reason, Instant now,
                   std::vector<store::Transaction>& transactions) {
  // What is in the air already keeps its state; only the ladder ends.
  delivery::End(item.n, state, reason);
  if (item.n.state == delivery::NotificationState::kSuppressed) {
    if (item.n.attempts.empty()) {
      ++core_.counters.suppressed;
    } else {
      item.n.state = delivery::NotificationState::kFailed;  // tried, and nothing is left to try
    }
  }
  transactions.push_back(Change(item.n, item.version, item.decision, now));
}

void Sender::NextRung(Loaded& item, const std::string& reason, Instant now) {
  ++item.n.rung;
  item.n.failed_on_rung = 0;
  item.n.reason = reason;
  item.n.next = now;
}

void Sender::Consider(Loaded item, Instant now, std::vector<store::Transaction>& transactions,
                      std::vector<Start>& starts) {
  delivery::Notification& n = item.n;
  if (n.OpenAttempt() != nullptr) {
    Resolve(item, now, transactions, starts);
    return;
  }
  // Moves to the next channel when the message of this one is still unread after the rule's time.
  if (!delivery::PrepareClaim(n)) {
    n.next.reset();
    transactions.push_back(Change(n, item.version, item.decision, now));
    return;
  }
  if (now > n.expires) return Close(item, delivery::NotificationState::kExpired, "too_late", now, transactions);
  if (const Instant allowed = planning::OutsideQuietHours(now, core_.options.policy); allowed > now) {
    n.next = allowed;
    transactions.push_back(Change(n, item.version, item.decision, now));
    return;
  }
  // Told before and true then; a message that tells of an end needs no profile any more.
  const std::string untrue =
      item.subject ? decide::StillTrue(item.decision, item.subject->state) : std::string("subject_unknown");
  if (!untrue.empty()) return Close(item, delivery::NotificationState::kSuppressed, untrue, now, transactions);

  for (; n.rung < n.channels.size();) {
    const Channel channel = n.channels[n.rung];
    const std::string refused = planning::Recheck(item.decision, item.recipient, channel, core_.options.policy);
    if (!refused.empty()) {
      if (!OnlyThisChannel(refused))
        return Close(item, delivery::NotificationState::kSuppressed, refused, now, transactions);
      NextRung(item, refused, now);
      continue;
    }
    delivery::Dispatcher::Route route =
        core_.parts.dispatcher->RouteFor(channel, item.recipient.contacts[static_cast<std::size_t>(channel)]);
    delivery::Connector* connector = route.connector;
    const std::shared_ptr<const RuleBook> book = core_.Book();
    const message::Template* tmpl = book->templates->Find(item.decision.message);
    if (connector == nullptr || tmpl == nullptr) {
      NextRung(item, connector == nullptr ? "no_connector" : "no_template", now);
      continue;
    }
    const std::size_t taken = static_cast<std::size_t>(
        std::count_if(starts.begin(), starts.end(), [&](const Start& s) { return s.connector == connector->name(); }));
    if (core_.parts.dispatcher->Room(connector->name()) <= taken)
      return;  // stays due; looked at again in the next round
    Result<message::Content> content =
        message::Render(*tmpl, item.decision, channel, item.recipient.locale, core_.options.render);
    if (!content || !connector->Check(*content)) {
      core_.log().Error(
          "content_refused",
          {{"rule", item.decision.rule}, {"message", item.decision.message}, {"channel", ChannelName(channel)}});
      NextRung(item, "bad_content", now);
      continue;
    }
    const std::string contact = delivery::ContactId(channel, route.contact);
    const bool first = item.reach.reach.Find(contact) == nullptr;
    item.reach.reach.Use(channel, contact, now);
    if (std::string why = Unreachable(*connector, *content, item.reach.reach.Find(contact)); !why.empty()) {
      item.reach.reach = item.reach.before;
      NextRung(item, why, now);
      continue;
    }
    const std::string attempt_id = n.id + "-" + std::to_string(n.attempts.size() + 1);
    Result<delivery::IdempotencyKey> key = connector->NewKey(attempt_id);
    if (!key) {
      // No attempt was made, so none is counted; the notification's own expiry ends this.
      n.next = planning::NextTry(1, std::nullopt, now, core_.options.policy).value_or(now + Millis(30'000));
      transactions.push_back(Change(n, item.version, item.decision, now));
      return;
    }
    delivery::Attempt& attempt = delivery::Claim(
        n, connector->name(), *key, core_.options.instance + "/" + core_.options.epoch, now, core_.RealNow());
    attempt.content_hash = Sha256Hex(content->Encode()).substr(0, 32);
    attempt.contact = contact;
    n.next = now;  // found again by whoever owns the shard after a crash
    Start start;
    start.connector = connector->name();
    start.job.request = Request(attempt, n, std::move(route.contact), std::move(*content));
    start.flight = {n, item.version + 1, item.decision};
    const rules::Rule* rule = book->ruleset->Find(item.decision.rule);
    const bool offers = channel == Channel::kSms && rule != nullptr && !rule->apply.reply.empty();
    if (first || offers) start.entry = {contact, n.kind, n.recipient, offers ? n.id : std::string()};
    transactions.push_back(Change(n, item.version, item.decision, now));
    contacts_.AddWrite(transactions.back(), item.reach, n.kind, n.recipient, now);
    starts.push_back(std::move(start));
    return;
  }
  n.rung = static_cast<std::uint32_t>(n.channels.size()) - 1;
  Close(item, delivery::NotificationState::kSuppressed, n.reason, now, transactions);
}

std::string Sender::Unreachable(const delivery::Connector& connector, const message::Content& content,
                                delivery::ContactPoint* point) {
  if (point == nullptr) return {};
  if (point->state == delivery::ContactState::kDead) return "contact_dead";
  if (point->Refuses(content.provider_template)) return "template_refused";
  if (connector.needs_grant() && !point->TakeGrant(content.provider_template)) return "no_grant";
  return {};
}

// An attempt that was claimed, or whose outcome is unknown, and is not in flight here.
bool Sender::Resolve(Loaded& item, Instant now, std::vector<store::Transaction>& transactions,
                     std::vector<Start>& starts) {
  delivery::Notification& n = item.n;
  delivery::Attempt* attempt = n.OpenAttempt();
  const Instant real = core_.RealNow();
  const std::string self = core_.options.instance + "/" + core_.options.epoch;
  const bool same_instance = attempt->claimed_by.starts_with(core_.options.instance + "/");
  if (!same_instance && real - attempt->claimed_real < core_.options.claim_lease) {
    waiting_[n.id] = attempt->claimed_real + core_.options.claim_lease;
    return false;
  }
  const auto park = [&](const char* why) {
    delivery::Park(n, attempt->id, now);
    core_.log().Warn("send_parked", {{"attempt", attempt->id}, {"connector", attempt->connector}, {"why", why}});
    transactions.push_back(Change(n, item.version, item.decision, now));
  };
  const std::shared_ptr<delivery::Connector> connector = core_.parts.dispatcher->Named(attempt->connector);
  const std::shared_ptr<const RuleBook> book = core_.Book();
  const message::Template* tmpl = book->templates->Find(item.decision.message);
  if (!connector || tmpl == nullptr) {
    park("no_connector");
    return true;
  }
  // The person may have a new contact at another provider by now; what was sent stays with the one it was sent by.
  delivery::Dispatcher::Route route = core_.parts.dispatcher->RouteFor(
      attempt->channel, item.recipient.contacts[static_cast<std::size_t>(attempt->channel)]);
  Result<message::Content> content =
      message::Render(*tmpl, item.decision, attempt->channel, item.recipient.locale, core_.options.render);
  if (!content || route.contact.empty() || route.connector != connector.get()) {
    park("contact_gone");
    return true;
  }
  const bool query = connector->unknown_policy() == delivery::UnknownPolicy::kQuery;
  if (connector->unknown_policy() == delivery::UnknownPolicy::kPark) {
    park("policy");
    return true;
  }
  if (!query && real >= attempt->key.expires) {
    park("key_expired");
    return true;
  }
  if (core_.parts.dispatcher->Room(connector->name()) <= starts.size()) return false;
  // Fences the earlier claimer: only one process may resolve an attempt.
  attempt->claimed_by = self;
  n.next = now;
  Start start;
  start.connector = connector->name();
  start.job.query = query;
  start.job.request = Request(*attempt, n, std::move(route.contact), std::move(*content));
  start.flight = {n, item.version + 1, item.decision};
  transactions.push_back(Change(n, item.version, item.decision, now));
  starts.push_back(std::move(start));
  return true;
}

// ---- Receipts
// --------------------------------------------------------------------------------------------------------

namespace {

std::string IndexKey(const std::string& connector, const std::string& provider_id) {
  return "pid:" + connector + ":" + provider_id;
}

constexpr std::uint64_t kDeadBit = 4;

// The value under a provider's message id: "n" + notification id, or "e" + receipts that came before the answer.
std::string EncodeEarly(const std::vector<delivery::Receipt>& receipts) {
  ByteWriter w;
  w.U64(receipts.size());
  for (const delivery::Receipt& r : receipts) {
    w.U64(static_cast<std::uint64_t>(r.state) | (r.contact_dead ? kDeadBit : 0));
    w.Str(r.provider_id);
    w.Str(r.code);
    w.I64(r.at.time_since_epoch().count());
  }
  return "e" + w.Take();
}

std::vector<delivery::Receipt> DecodeEarly(std::string_view bytes) {
  ByteReader r(bytes.substr(1));
  std::vector<delivery::Receipt> receipts(r.Count(4));
  for (delivery::Receipt& receipt : receipts) {
    const std::uint64_t state = r.U64();
    receipt.state = static_cast<delivery::ReceiptState>(std::min<std::uint64_t>(state & ~kDeadBit, 2));
    receipt.contact_dead = (state & kDeadBit) != 0;
    receipt.provider_id = r.Str();
    receipt.code = r.Str();
    receipt.at = Instant(Millis(r.I64()));
  }
  if (!r.ok()) receipts.clear();
  return receipts;
}

constexpr std::size_t kEarlyMax = 8;

}  // namespace

Status Sender::Index(const std::string& connector, const std::string& provider_id, const std::string& notification_id,
                     Instant now) {
  const std::string name = IndexKey(connector, provider_id);
  const Shard shard = ShardOf(provider_id);
  for (int i = 0; i < kConflictRetries; ++i) {
    const store::RecordKey key{shard, store::Space::kMeta, name};
    Result<std::vector<store::StoredRecord>> stored = core_.parts.store->Load({&key, 1});
    if (!stored) return std::unexpected(stored.error());
    const store::StoredRecord& old = (*stored)[0];
    if (old.value.starts_with('n')) return {};
    store::Transaction t;
    t.shard = shard;
    t.writes.push_back({store::Space::kMeta, name, old.version, "n" + notification_id,
                        store::Due{kCleanupQueue, now + core_.options.index_kept}});
    Result<std::vector<store::Applied>> applied = core_.Apply({&t, 1});
    if (!applied) return std::unexpected(applied.error());
    if ((*applied)[0] == store::Applied::kConflict) continue;
    if (old.value.starts_with('e')) {
      for (const delivery::Receipt& receipt : DecodeEarly(old.value)) {
        bool moved = false;
        if (Status s = ApplyReceipt(connector, notification_id, receipt, now, &moved); !s) return s;
      }
      GotReceipt(notification_id);
    }
    return {};
  }
  return Unavailable("a receipt index entry keeps changing");
}

Status Sender::KeepEarly(const std::string& connector, const delivery::Receipt& receipt, Instant now,
                         std::string* notification_id) {
  const std::string name = IndexKey(connector, receipt.provider_id);
  const Shard shard = ShardOf(receipt.provider_id);
  for (int i = 0; i < kConflictRetries; ++i) {
    const store::RecordKey key{shard, store::Space::kMeta, name};
    Result<std::vector<store::StoredRecord>> stored = core_.parts.store->Load({&key, 1});
    if (!stored) return std::unexpected(stored.error());
    const store::StoredRecord& old = (*stored)[0];
    if (old.value.starts_with('n')) {
      *notification_id = old.value.substr(1);
      return {};
    }
    std::vector<delivery::Receipt> early;
    if (old.value.starts_with('e')) early = DecodeEarly(old.value);
    if (early.size() >= kEarlyMax) return {};
    early.push_back(receipt);
    store::Transaction t;
    t.shard = shard;
    t.writes.push_back({store::Space::kMeta, name, old.version, EncodeEarly(early),
                        store::Due{kCleanupQueue, now + core_.options.index_kept}});
    Result<std::vector<store::Applied>> applied = core_.Apply({&t, 1});
    if (!applied) return std::unexpected(applied.error());
    if ((*applied)[0] == store::Applied::kApplied) return {};
  }
  return Unavailable("a receipt index entry keeps changing");
}

Status Sender::TellContact(const std::string& connector, const delivery::Notification& n,
                           const delivery::Receipt& receipt, Instant now) {
  for (const delivery::Attempt& attempt : n.attempts) {
    const bool meant =
        receipt.attempt_id.empty() ? attempt.provider_id == receipt.provider_id : attempt.id == receipt.attempt_id;
    if (!meant) continue;
    return contacts_.Update(n.kind, n.recipient, now, [&](delivery::Reach& reach) {
      delivery::ContactPoint* point = reach.Find(attempt.contact);
      if (point == nullptr) return false;
      if (receipt.contact_dead) return point->Kill(connector, receipt.code, now);
      if (receipt.state != delivery::ReceiptState::kUndelivered) return point->Verify(connector, now);
      return point->Bounce(connector, receipt.code, now);
    });
  }
  return {};
}

Status Sender::ApplyReceipt(const std::string& connector, const std::string& notification_id,
                            const delivery::Receipt& receipt, Instant now, bool* moved) {
  const std::optional<Shard> shard = decide::ShardOfNotification(notification_id);
  if (!shard) return {};
  for (int i = 0; i < kConflictRetries; ++i) {
    const store::RecordKey key{*shard, store::Space::kNotification, notification_id};
    Result<std::vector<store::StoredRecord>> stored = core_.parts.store->Load({&key, 1});
    if (!stored) return std::unexpected(stored.error());
    if ((*stored)[0].version == 0) return {};
    Result<delivery::Notification> n = delivery::Notification::Decode((*stored)[0].value);
    if (!n) return std::unexpected(n.error());
    Result<decide::Decision> decision = decide::Decision::FromJson(n->decision);
    if (!decision) return std::unexpected(decision.error());
    if (!delivery::Apply(*n, receipt, now, Ladder(*decision))) return {};
    // Before the ledger: a receipt that is not acknowledged comes again, a state that is written does not.
    if (i == 0) {
      if (Status s = TellContact(connector, *n, receipt, now); !s) return s;
    }
    const std::vector<store::Transaction> t = {Change(*n, (*stored)[0].version, *decision, now)};
    Result<std::vector<store::Applied>> applied = core_.Apply(t);
    if (!applied) return std::unexpected(applied.error());
    if ((*applied)[0] == store::Applied::kConflict) continue;
    *moved = true;
    if (Status s = PublishIntents(t); !s) return s;
    const Shard touched = t[0].shard;
    return core_.Drain({&touched, 1});
  }
  return Unavailable("a notification keeps changing under its receipt");
}

Status Sender::MarkRead(const std::string& notification_id, Instant at) {
  const std::optional<Shard> shard = decide::ShardOfNotification(notification_id);
  if (!shard) return {};
  const store::RecordKey key{*shard, store::Space::kNotification, notification_id};
  Result<std::vector<store::StoredRecord>> stored = core_.parts.store->Load({&key, 1});
  if (!stored) return std::unexpected(stored.error());
  if ((*stored)[0].version == 0) return {};
  Result<delivery::Notification> n = delivery::Notification::Decode((*stored)[0].value);
  if (!n) return std::unexpected(n.error());
  for (const delivery::Attempt& attempt : n->attempts) {
    if (attempt.channel != Channel::kSms) continue;
    delivery::Receipt receipt;
    receipt.attempt_id = attempt.id;
    receipt.state = delivery::ReceiptState::kRead;
    receipt.code = "reply";
    receipt.at = at;
    bool moved = false;
    if (Status s = ApplyReceipt(attempt.connector, notification_id, receipt, core_.Now(), &moved); !s) return s;
  }
  return {};
}

Status Sender::TakeReceipt(const delivery::Connector& by, const delivery::Receipt& receipt, Instant now) {
  ++core_.counters.receipts;
  std::string notification;
  if (!receipt.attempt_id.empty()) {
    const std::size_t dash = receipt.attempt_id.rfind('-');
    if (dash != std::string::npos) notification = receipt.attempt_id.substr(0, dash);
  } else if (!receipt.provider_id.empty()) {
    if (Status s = KeepEarly(by.receipt_scope(), receipt, now, &notification); !s) return s;
    if (notification.empty()) return {};  // kept until the answer names its notification
  }
  bool moved = false;
  if (Status s = ApplyReceipt(by.name(), notification, receipt, now, &moved); !s) return s;
  // An attempt is known to have its receipt even when the receipt moved nothing.
  GotReceipt(receipt.attempt_id.empty() ? notification : receipt.attempt_id);
  return {};
}

Status Sender::Receive(const std::string& connector, const std::vector<delivery::Receipt>& receipts,
                       const std::vector<delivery::Signal>& signals) {
  const std::shared_ptr<delivery::Connector> by = core_.parts.dispatcher->Named(connector);
  if (!by) return Invalid("no such connector");
  const Instant now = core_.Now();
  for (const delivery::Receipt& receipt : receipts) {
    if (Status s = TakeReceipt(*by, receipt, now); !s) return s;
  }
  return contacts_.Receive(*by, signals);
}

void Sender::ExpectReceipt(const std::string& attempt_id) {
  if (!track_receipts_) return;
  const std::scoped_lock lock(expected_mutex_);
  if (early_.erase(attempt_id) > 0) return;
  expected_[attempt_id] = std::chrono::steady_clock::now() + core_.options.receipt_wait;
}

// By attempt id, or by notification id when the receipt does not name the attempt.
void Sender::GotReceipt(const std::string& id) {
  if (!track_receipts_) return;
  const std::scoped_lock lock(expected_mutex_);
  auto it = expected_.lower_bound(id);
  bool found = false;
  while (it != expected_.end() && it->first.starts_with(id)) {
    it = expected_.erase(it);
    found = true;
  }
  if (!found && early_.size() < kEarlyAttempts) early_.insert(id);
}

std::size_t Sender::ExpectedReceipts() {
  const std::scoped_lock lock(expected_mutex_);
  const auto now = std::chrono::steady_clock::now();
  std::erase_if(expected_, [&](const auto& e) { return e.second <= now; });
  return expected_.size();
}

Status Sender::Clean(Instant now) {
  Result<std::vector<store::DueEntry>> due = core_.TakeDue(kCleanupQueue, now, kCleanBatch);
  if (!due) return std::unexpected(due.error());
  if (due->empty()) return {};
  std::vector<store::RecordKey> keys;
  for (const store::DueEntry& e : *due) keys.push_back({e.shard, e.space, e.key});
  Result<std::vector<store::StoredRecord>> stored = core_.parts.store->Load(keys);
  if (!stored) return std::unexpected(stored.error());
  std::vector<store::Transaction> erase;
  for (std::size_t i = 0; i < due->size(); ++i) {
    store::Transaction t;
    t.shard = (*due)[i].shard;
    t.writes.push_back({(*due)[i].space, (*due)[i].key, (*stored)[i].version, std::nullopt, std::nullopt});
    erase.push_back(std::move(t));
  }
  if (auto applied = core_.Apply(erase); !applied) return std::unexpected(applied.error());
  return {};
}

}  // namespace zhitui::pipeline
