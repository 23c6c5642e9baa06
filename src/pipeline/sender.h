#pragma once

// The second step of deliver: takes notifications that are due, checks them once more, claims (durable intent), hands
// them to the dispatcher, records outcomes and receipts, resolves what was left open by a crash or a time-out.

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "pipeline/contacts.h"
#include "pipeline/core.h"

namespace zhitui::pipeline {

class Sender {
 public:
  Sender(Core& core, Contacts& contacts) : core_(core), contacts_(contacts) {
    contacts_.OnAnswer([this](const std::string& id, Instant at) { return MarkRead(id, at); });
  }

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

  // Moves the ledger by a provider's receipts, and takes what people answered. Durable when it returns. Any thread.
  Status Receive(const std::string& connector, const std::vector<delivery::Receipt>& receipts,
                 const std::vector<delivery::Signal>& signals);

 private:
  struct Loaded {
    delivery::Notification n;
    std::uint64_t version = 0;
    decide::Decision decision;
    std::optional<SubjectView> subject;
    planning::Recipient recipient;
    LoadedReach reach;
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
    std::optional<Contacts::Entry> entry;  // to be found by what comes back from there
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
  Status ApplyReceipt(const std::string& connector, const std::string& notification_id,
                      const delivery::Receipt& receipt, Instant now, bool* moved);
  // What a receipt says of the contact point it was sent to.
  Status TellContact(const std::string& connector, const delivery::Notification& n, const delivery::Receipt& receipt,
                     Instant now);
  Status TakeReceipt(const delivery::Connector& by, const delivery::Receipt& receipt, Instant now);
  // The person answered the message: as good as read.
  Status MarkRead(const std::string& notification_id, Instant at);
  // Nothing goes to a dead contact point, nor without a grant where one is needed; "" or the reason.
  static std::string Unreachable(const delivery::Connector& connector, const message::Content& content,
                                 delivery::ContactPoint* point);
  Status KeepEarly(const std::string& connector, const delivery::Receipt& receipt, Instant now,
                   std::string* notification_id);
  void ExpectReceipt(const std::string& attempt_id);
  void GotReceipt(const std::string& attempt_id);
  Status Clean(Instant now);
  // Says once when a provider falls silent, and once when it is back.
  void WatchSilence();

  Core& core_;
  Contacts& contacts_;
  std::atomic<bool> claiming_{true};
  std::unordered_map<std::string, Flight> flights_;  // by notification id
  std::map<std::string, Instant> waiting_;           // notification id -> real time of the next look
  std::map<std::string, bool> silent_;               // by connector
  bool track_receipts_ = false;
  std::mutex expected_mutex_;
  std::set<std::string> early_;  // attempts whose receipt came before their outcome was recorded
  std::map<std::string, std::chrono::steady_clock::time_point> expected_;  // attempt id -> until
};

}  // namespace zhitui::pipeline
