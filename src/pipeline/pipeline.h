#pragma once

// pipeline: the decide loop and the deliver loop; the one room that joins streams, store, decisions and connectors.
//
// Life of an event: Source.Poll -> lane by subject -> facts decode -> dues that fell before it -> merge -> decide ->
// Store.Apply {record, due, outbox} in one atomic step -> outbox to the topics -> commit.
// Life of a notification: decision record -> plan -> Store.Apply {notification, due} -> commit; later the sender takes
// what is due -> re-check -> claim (durable intent) -> Connector.Send -> outcome (durable) -> receipts move it on.
//
// Promises
// - An event is never lost and never applied twice: the subject's record holds the last applied offset of each source
//   partition and is written only if it is still the version that was read.
// - Bad input costs one dead letter with its reason, never a partition.
// - A message is never sent twice by us and never silently not sent: intent before the request, outcome after; between
//   them it is unknown, and the connector's policy decides (resend with the same key, query, park).
// - No offset passes an outbox entry that has not been produced.
// - With a driven clock the clock advances past T only when every event, due, decision, send in flight and expected
//   receipt up to T is settled, and it resumes where it was.
//
// Threads: Run uses one thread for events and plans, `lanes` threads for evaluation, one for sends; the connectors'
// workers belong to the Dispatcher. Replay uses the calling thread and lanes. ApplyReceipts, ReadSubject and Append may
// be called from any thread, as may Publish and ruleset.

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/base.h"
#include "decide/decide.h"
#include "delivery/delivery.h"
#include "facts/facts.h"
#include "message/message.h"
#include "planning/planning.h"
#include "rules/rules.h"
#include "store/store.h"
#include "stream/stream.h"

namespace zhitui::pipeline {

struct Topics {
  std::string decisions = "zhitui.decisions";
  std::string deliveries = "zhitui.deliveries";
  std::string dead_letters = "zhitui.dead-letters";
  std::string contacts = "zhitui.contacts";  // what became of contact points
  std::string subscription_prefix = "zhitui.topic.";
  std::string ledger;  // compacted copy of intents and outcomes; empty: the store itself is the truth (embedded)
};

struct Options {
  std::map<std::string, facts::DecodeOptions> inputs;  // by topic
  Topics topics;
  std::size_t batch = 500;
  std::size_t lanes = 2;
  std::size_t sends_in_flight = 256;
  Millis produce_deadline{10'000};
  Millis max_future{300'000};                 // an event recorded further ahead of the clock than this is a dead letter
  Millis claim_lease{30'000};                 // another instance's claim is left alone for so long (real time)
  Millis query_again{1'000};                  // between two queries for one unknown outcome (real time)
  Millis receipt_wait{2'000};                 // Replay: how long an expected receipt may take (real time)
  Millis index_kept{7LL * 24 * 3600 * 1000};  // provider-id index entries
  std::string instance = "zhitui-0";          // stable name of this instance
  std::string epoch;                          // differs for every start
  planning::Policy policy;
  message::RenderOptions render;
};

struct Parts {
  std::shared_ptr<store::Store> store;
  std::vector<std::unique_ptr<stream::Source>> sources;  // inputs and the decisions topic
  std::shared_ptr<stream::Sink> sink;
  std::shared_ptr<const rules::RuleSet> ruleset;
  std::shared_ptr<const message::TemplateSet> templates;
  std::shared_ptr<delivery::Dispatcher> dispatcher;
  const Clock* clock = nullptr;       // product time
  const Clock* real_clock = nullptr;  // provider windows, leases
  Logger* logger = nullptr;
  Metrics* metrics = nullptr;
};

// Counts since the start of this process.
struct Totals {
  std::uint64_t events = 0;  // read and decoded
  std::uint64_t applied = 0;
  std::uint64_t replayed = 0;  // already applied earlier
  std::uint64_t stale = 0;     // changed nothing because later facts were there
  std::uint64_t dead_letters = 0;
  std::uint64_t dues = 0;         // time events fired
  std::uint64_t evaluations = 0;  // rules evaluated
  std::uint64_t decisions = 0;
  std::uint64_t planned = 0;
  std::uint64_t suppressed = 0;
  std::uint64_t attempts = 0;  // requests to providers
  std::uint64_t receipts = 0;
  std::map<std::string, std::uint64_t> decisions_by;  // "<rule> <transition>"
};

// A subject as stored: for recommendations, from the same state as the push.
struct SubjectView {
  facts::Profile profile;
  decide::SubjectState state;
  std::shared_ptr<const rules::RuleSet> ruleset;  // by whose schema the profile was read; set by ReadSubject
};

class Pipeline {
 public:
  Pipeline(Options options, Parts parts);
  ~Pipeline();

  // Runs until `stop` is set: then stops polling, finishes what is in hand, commits, returns within `drain`.
  // An error is a reason to stop the process (kFatal, or a dependency lost for too long): nothing is skipped.
  Status Run(const std::atomic<bool>& stop, Millis drain);

  // Drives `clock` (the same object as parts.clock) from where it was left, or from its start, to `until`.
  // Events recorded after `until` are left unread. `progress` is called about once a second and at the end.
  Status Replay(DrivenClock& clock, Instant until, const std::atomic<bool>& stop,
                const std::function<void(Instant now, const Totals&)>& progress);

  // Reads the clock stored by an earlier Replay; nullopt: none.
  Result<std::optional<Instant>> StoredClock();

  // Other rules and messages, while Run goes on: batches after this are decided by them, and every subject is marked
  // for evaluation, some shards at a time between the batches. What needs time is done in the calling thread. kInvalid,
  // and nothing changes: a kind of subject is no longer declared. Replay goes on with the rules it began with.
  Status Publish(std::shared_ptr<const rules::RuleSet> ruleset, std::shared_ptr<const message::TemplateSet> templates);
  std::shared_ptr<const rules::RuleSet> ruleset() const;  // that is in use now

  // nullopt: nothing is known about this subject.
  Result<std::optional<SubjectView>> ReadSubject(const std::string& kind, const std::string& id);

  // Appends checked events to the input log; durable when it returns.
  Status Append(const std::vector<Record>& records);
  // The topic that carries a kind's CloudEvents; empty: none.
  std::string InputTopicOf(const std::string& kind) const;

  // A provider's call-back. kInvalid: no such connector. kUnavailable: the provider should try again.
  Result<delivery::CallbackReply> Callback(const std::string& connector, const delivery::CallbackRequest& request);

  // True once the input has been read to the end seen at start and the store answers.
  bool Ready() const;
  Totals totals() const;

  // Every notification in the store by state and channel, and those parked as unknown. Walks all of it.
  struct LedgerCount {
    std::map<std::string, std::uint64_t> by_state;                           // "delivered" -> n
    std::map<std::string, std::map<std::string, std::uint64_t>> by_channel;  // "sms" -> state -> n
    std::map<std::string, std::uint64_t> by_reason;                          // suppressed, failed, expired
    std::map<std::string, std::uint64_t> accepted_by_connector;              // attempts that a provider took
    std::vector<std::string> unknown;                                        // attempt ids
  };
  Result<LedgerCount> CountLedger();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace zhitui::pipeline
