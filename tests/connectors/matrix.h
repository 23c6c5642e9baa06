#pragma once

// The matrix provider x what can happen: what a connector must make of it, and how many requests the simulator must
// have seen. A provider's integration test lists its rows; Check runs them and prints one aligned line each.

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "delivery/delivery.h"

namespace zhitui::testing {

struct MatrixRow {
  std::string what;                                          // "throttled", "time-out after acceptance" …
  std::string contact;                                       // magic contact that makes it happen
  delivery::Verdict verdict = delivery::Verdict::kAccepted;  // of the send
  std::string code;                                          // "": any
  std::uint64_t requests = 1;  // messages submitted at the simulator for this row, token requests not counted
  std::uint64_t accepted = 0;  // new messages there
  Millis timeout{5000};
};

struct MatrixCounts {
  std::uint64_t requests = 0;
  std::uint64_t accepted = 0;
};

// `request` makes a request with a key of its own for a contact; `counts` reads the simulator.
inline void CheckMatrix(delivery::Connector& connector, const std::vector<MatrixRow>& rows,
                        const std::function<delivery::SendRequest(const std::string& contact)>& request,
                        const std::function<MatrixCounts()>& counts) {
  for (const MatrixRow& row : rows) {
    SCOPED_TRACE(connector.name() + ": " + row.what);
    const MatrixCounts before = counts();
    delivery::SendRequest r = request(row.contact);
    r.timeout = row.timeout;
    const delivery::SendResult result = connector.Send(r);
    const MatrixCounts after = counts();
    EXPECT_STREQ(delivery::VerdictName(result.verdict), delivery::VerdictName(row.verdict)) << "code " << result.code;
    if (!row.code.empty()) {
      EXPECT_EQ(result.code, row.code);
    }
    EXPECT_EQ(after.requests - before.requests, row.requests) << "requests at the simulator";
    EXPECT_EQ(after.accepted - before.accepted, row.accepted) << "messages at the simulator";
    std::printf("  %-20s %-36s %-14s %-28s %llu request%s, %llu message%s\n", connector.name().c_str(),
                row.what.c_str(), delivery::VerdictName(result.verdict), result.code.c_str(),
                static_cast<unsigned long long>(after.requests - before.requests),
                after.requests - before.requests == 1 ? " " : "s",
                static_cast<unsigned long long>(after.accepted - before.accepted),
                after.accepted - before.accepted == 1 ? "" : "s");
  }
}

}  // namespace zhitui::testing
