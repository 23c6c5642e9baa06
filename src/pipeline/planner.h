#pragma once

// The first step of deliver: a decision record becomes a planned notification with its due instant, or a suppressed one
// with its reason. Nothing is sent here, so quiet hours hold no offset.

#include <vector>

#include "pipeline/contacts.h"
#include "pipeline/core.h"

namespace zhitui::pipeline {

class Planner {
 public:
  Planner(Core& core, Contacts& contacts) : core_(core), contacts_(contacts) {}
  // On success every record has its notification in the store; the records' offsets may be committed.
  Status Plan(const std::vector<Record>& records);

 private:
  Core& core_;
  Contacts& contacts_;
};

// A notification as the store keeps it. A final one has no due entry.
store::RecordWrite NotificationWrite(const delivery::Notification& n, std::uint64_t expected_version);

}  // namespace zhitui::pipeline
