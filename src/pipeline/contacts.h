#pragma once

// Where people are reached: the life of their contact points, and what comes back from them.
//
// A recipient's Reach stands in the recipient's shard, beside the ledger. A small index by contact id, in the contact's
// own shard, tells whose it is, because a reply names only a phone. What providers say before anybody is known to be
// there (a grant given at a page) waits in the index.

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/core.h"

namespace zhitui::pipeline {

std::string ReachKey(std::string_view kind, std::string_view id);  // key in Space::kContact

// A recipient's points as loaded, for one transaction that also changes a notification.
struct LoadedReach {
  delivery::Reach reach;
  std::uint64_t version = 0;
  delivery::Reach before;
};

class Contacts {
 public:
  explicit Contacts(Core& core) : core_(core) {}

  // `answered` moves the ledger when a person answered a notification. Before the first Receive.
  void OnAnswer(std::function<Status(const std::string& notification, Instant at)> answered) {
    answered_ = std::move(answered);
  }

  // People who will be told something, with the contacts the plan may use: those not met before are taken into their
  // reach and the index, and the grants that waited for them are handed over.
  struct Met {
    std::string kind;
    std::string recipient;
    std::vector<std::pair<Channel, std::string>> points;  // ContactId
  };
  Status Meet(const std::vector<Met>& people, Instant now);

  // The write of a changed reach and the records that tell of it, added to `t`; nothing when it did not change.
  // `t` is in the recipient's shard.
  void AddWrite(store::Transaction& t, const LoadedReach& loaded, const std::string& kind, const std::string& recipient,
                Instant now) const;

  // Who is reached where, and what they may answer to. Written in batches, without order.
  struct Entry {
    std::string contact;  // ContactId
    std::string kind;
    std::string recipient;
    std::string offer;  // notification that 同意 would answer; empty: none
  };
  Status Register(const std::vector<Entry>& entries);

  // Changes a recipient's points; does nothing when `change` gives false.
  Status Update(const std::string& kind, const std::string& recipient, Instant now,
                const std::function<bool(delivery::Reach&)>& change);

  // Replies, grants, refusals: durable when it returns. Any thread.
  Status Receive(const delivery::Connector& by, const std::vector<delivery::Signal>& signals);

 private:
  struct Index {
    std::vector<std::pair<std::string, std::string>> people;  // kind, id; the latest first
    std::vector<std::string> offers;                          // notifications, the latest first
    std::vector<std::pair<std::string, std::string>> grants;  // template, signal: given before anybody was known there
    std::string Encode() const;
    static Result<Index> Decode(std::string_view bytes);
  };

  // Changes one index entry until it sticks.
  Status ChangeIndex(const std::string& contact, const std::function<bool(Index&)>& change);
  Status Take(const delivery::Connector& by, const delivery::Signal& signal);
  Status Reply(const delivery::Connector& by, const delivery::Signal& signal, const std::string& name,
               const Index& index);
  Status Agree(const delivery::Signal& signal, const std::string& name, const Index& index, bool* answered);
  Status OptOut(const delivery::Signal& signal, const std::string& name, const Index& index);
  // Appends one merge patch to the input log.
  Status Tell(const std::string& kind, const std::string& subject, const std::string& fact, const std::string& json,
              const std::string& name, Instant at);
  void Count(const delivery::Connector& by, const delivery::Signal& signal, const char* result) const;

  Core& core_;
  std::function<Status(const std::string&, Instant)> answered_;
};

}  // namespace zhitui::pipeline
