#pragma once

// The second step of deliver: takes notifications that are due, checks them once more, claims (durable intent), hands
// them to the dispatcher, records outcomes and receipts, resolves what was left open by a crash or a time-out.

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "pipeline/core.h"

namespace zhitui::pipeline {

class Sender {
 public:
  explicit Sender(Core& core) : core_(core) {}

  // One round: collects outcomes (waiting up to `wait` when requests are in flight), records them, starts what is due
  // at or before `now`. Gives the number of things it moved; 0: nothing to do now.
  Result<std::size_t> Step(Instant now, Millis wait);

  std::size_t in_flight() const { return flights_.size(); }
  // Open attempts that wait for real time to pass (another instance's lease, the next query of an unknown outcome).
  std::size_t waiting() const { return waiting_.size(); }
  // Accepted attempts whose receipt may still come within Options::receipt_wait.
  std::size_t ExpectedReceipts();

  // Replay waits for receipts; a running service does not.
  void TrackReceipts() { track_receipts_ = true; }

  // No new claims; what is in flight is still recorded by Step.
  void StopClaiming() { claiming_ = false; }

  // Moves the ledger by a provider's receipts. Any thread.
  Status Receive(const std::string& connector, const std::vector<delivery::Receipt>& receipts);

 private:
  struct Loaded {
    delivery::Notification n;
    std::uint64_t version = 0;
    decide::Decision decision;
    std::optional<SubjectView> subject;
    planning::Recipient recipient;
  };
  struct Flight {
    delivery::Notification n;
    std::uint64_t version = 0;
    decide::Decision decision;
  };
  struct Start {  // a claim that becomes a job once it is durable
    std::string connector;
    delivery::Dispatcher::Job job;
    Flight flight;
  };

  Result<std::size_t> RecordOutcomes(Instant now, Millis wait);
  Result<std::size_t> StartDue(Channel channel, Instant now);
  Result<std::vector<Loaded>> LoadAll(const std::vector<store::DueEntry>& due);
  // Adds to `transactions` what must be written and to `starts` what must be sent after it.
  void Consider(Loaded item, Instant now, std::vector<store::Transaction>& transactions, std::vector<Start>& starts);
  bool Resolve(Loaded& item, Instant now, std::vector<store::Transaction>& transactions, std::vector<Start>& starts);
  void Close(Loaded& item, delivery::NotificationState state, const std::string& reason, Instant now,
             std::vector<store::Transaction>& transactions);
  void NextRung(Loaded& item, const std::string& reason, Instant now);
  store::Transaction Change(const delivery::Notification& n, std::uint64_t version, const decide::Decision& decision,
                            Instant now) const;
  delivery::LadderPolicy Ladder(const decide::Decision& decision) const;
  Status WriteOutcome(const delivery::Dispatcher::Done& done, Instant now);
  Status PublishIntents(const std::vector<store::Transaction>& transactions);
  Status Index(const std::string& connector, const std::string& provider_id, const std::string& notification_id,
               Instant now);
  Status ApplyReceipt(const std::string& notification_id, const delivery::Receipt& receipt, Instant now, bool* moved);
  Status KeepEarly(const std::string& connector, const delivery::Receipt& receipt, Instant now,
                   std::string* notification_id);
  void ExpectReceipt(const std::string& attempt_id);
  void GotReceipt(const std::string& attempt_id);
  Status Clean(Instant now);

  Core& core_;
  std::atomic<bool> claiming_{true};
  std::unordered_map<std::string, Flight> flights_;  // by notification id
  std::map<std::string, Instant> waiting_;           // notification id -> real time of the next look
  bool track_receipts_ = false;
  std::mutex expected_mutex_;
  std::set<std::string> early_;  // attempts whose receipt came before their outcome was recorded
  std::map<std::string, std::chrono::steady_clock::time_point> expected_;  // attempt id -> until
};

}  // namespace zhitui::pipeline
