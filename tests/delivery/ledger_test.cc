#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "delivery/delivery.h"

namespace zhitui::delivery {
namespace {

using A = AttemptState;
using N = NotificationState;

Instant At(std::int64_t seconds) { return Instant(Millis(1'768'442'400'000 + seconds * 1000)); }

LadderPolicy Policy(std::uint32_t tries, std::int64_t escalate_s = 0) {
  LadderPolicy policy;
  policy.next_try = [tries](std::uint32_t failed, std::optional<Millis> hint, Instant now) -> std::optional<Instant> {
    if (failed >= tries) return std::nullopt;
    return now + hint.value_or(Millis(30'000));
  };
  policy.escalate_after = Millis(escalate_s * 1000);
  return policy;
}

Notification Planned(std::vector<Channel> channels) {
  Notification n;
  n.id = "n1";
  n.channels = std::move(channels);
  n.next = At(0);
  return n;
}

std::string Claimed(Notification& n, std::int64_t at = 0) {
  EXPECT_TRUE(PrepareClaim(n));
  return Claim(n, "c", {"key", At(600)}, "i/1", At(at), At(at)).id;
}

SendResult Result(Verdict verdict, std::string provider_id = {}) {
  SendResult result;
  result.verdict = verdict;
  result.provider_id = std::move(provider_id);
  result.code = "code";
  return result;
}

Receipt Report(std::string attempt, ReceiptState state) {
  Receipt receipt;
  receipt.attempt_id = std::move(attempt);
  receipt.state = state;
  return receipt;
}

TEST(Ledger, AnAcceptedMessageEndsTheLadderUnlessItEscalates) {
  Notification n = Planned({Channel::kApp, Channel::kSms});
  std::string id = Claimed(n);
  EXPECT_EQ(id, "n1-1");
  EXPECT_EQ(n.state, N::kSending);
  EXPECT_TRUE(Settle(n, id, Result(Verdict::kAccepted, "p1"), At(1), Policy(3)));
  EXPECT_EQ(n.state, N::kAccepted);
  EXPECT_FALSE(n.next.has_value());
  EXPECT_FALSE(n.Final()) << "an undelivered report would still go on";

  Notification e = Planned({Channel::kApp, Channel::kSms});
  id = Claimed(e);
  EXPECT_TRUE(Settle(e, id, Result(Verdict::kAccepted), At(1), Policy(3, 60)));
  EXPECT_EQ(e.next, At(61));
  EXPECT_EQ(Claimed(e, 61), "n1-2");
  EXPECT_EQ(e.attempts.back().channel, Channel::kSms);
  EXPECT_EQ(e.state, N::kAccepted) << "never back to sending";
  EXPECT_TRUE(Settle(e, "n1-2", Result(Verdict::kAccepted), At(62), Policy(3, 60)));
  EXPECT_FALSE(e.next.has_value());
  EXPECT_TRUE(e.Final());
}

TEST(Ledger, RetriesOnTheRungThenGoesToTheNextThenFails) {
  for (const Verdict verdict : {Verdict::kRetryLater, Verdict::kThrottled, Verdict::kNotSent}) {
    Notification n = Planned({Channel::kApp, Channel::kSms});
    SendResult result = Result(verdict);
    result.retry_after = Millis(5000);
    std::string id = Claimed(n);
    EXPECT_TRUE(Settle(n, id, result, At(10), Policy(2)));
    EXPECT_EQ(n.next, At(15)) << "the provider's hint reaches the policy";
    EXPECT_EQ(n.rung, 0U);
    EXPECT_EQ(n.state, N::kSending);
    id = Claimed(n);
    EXPECT_TRUE(Settle(n, id, result, At(20), Policy(2)));
    EXPECT_EQ(n.next, At(20)) << "the next rung is tried at once";
    EXPECT_EQ(n.rung, 1U);
    EXPECT_EQ(n.failed_on_rung, 0U);
    id = Claimed(n);
    EXPECT_TRUE(Settle(n, id, result, At(30), Policy(1)));
    EXPECT_EQ(n.state, N::kFailed);
    EXPECT_EQ(n.reason, std::string("sms: ") + VerdictName(verdict) + " code");
    EXPECT_FALSE(n.next.has_value());
    EXPECT_TRUE(n.Final());
  }
}

TEST(Ledger, APermanentRefusalIsNotTriedAgainOnThatRung) {
  for (const Verdict verdict : {Verdict::kDropContact, Verdict::kFixMessage, Verdict::kStopChannel}) {
    Notification n = Planned({Channel::kApp, Channel::kSms});
    std::string id = Claimed(n);
    EXPECT_TRUE(Settle(n, id, Result(verdict), At(1), Policy(9)));
    EXPECT_EQ(n.rung, 1U);
    EXPECT_EQ(n.next, At(1));
    id = Claimed(n);
    EXPECT_TRUE(Settle(n, id, Result(verdict), At(2), Policy(9)));
    EXPECT_EQ(n.state, N::kFailed);
  }
}

TEST(Ledger, WhatIsUnknownIsSettledOnlyByProof) {
  Notification n = Planned({Channel::kSms});
  const std::string id = Claimed(n);
  EXPECT_TRUE(Settle(n, id, Result(Verdict::kUnknown), At(1), Policy(9)));
  EXPECT_EQ(n.attempts[0].state, A::kUnknown);
  EXPECT_EQ(n.state, N::kSending);
  EXPECT_EQ(n.next, At(1));
  for (const Verdict verdict :
       {Verdict::kNotSent, Verdict::kRetryLater, Verdict::kThrottled, Verdict::kStopChannel, Verdict::kUnknown}) {
    Notification again = n;
    EXPECT_TRUE(Settle(again, id, Result(verdict), At(2), Policy(9)));
    EXPECT_EQ(again.attempts[0].state, A::kUnknown) << VerdictName(verdict) << " of a second try is about that try";
    EXPECT_GT(*again.next, At(2));
    EXPECT_FALSE(PrepareClaim(again)) << "no second attempt while the first is open";
    Notification last = n;
    EXPECT_TRUE(Settle(last, id, Result(verdict), At(2), Policy(1)));
    EXPECT_EQ(last.attempts[0].state, A::kParked) << "when the policy gives up a person decides";
    EXPECT_EQ(last.state, N::kUnknown);
    EXPECT_TRUE(last.Final());
  }
  Notification taken = n;
  EXPECT_TRUE(Settle(taken, id, Result(Verdict::kAccepted), At(2), Policy(9)));
  EXPECT_EQ(taken.state, N::kAccepted);
  Notification absent = n;
  EXPECT_TRUE(SettleAbsent(absent, id, At(2), Policy(9)));
  EXPECT_EQ(absent.attempts[0].state, A::kRejected);
  EXPECT_EQ(absent.state, N::kSending);
  EXPECT_TRUE(absent.next.has_value());
  EXPECT_EQ(Claimed(absent, 40), "n1-2") << "a new attempt has a new id";
}

TEST(Ledger, AParkedAttemptWaitsForAPersonAndForReports) {
  Notification n = Planned({Channel::kApp, Channel::kSms});
  const std::string id = Claimed(n);
  Park(n, id, At(5));
  EXPECT_EQ(n.state, N::kUnknown);
  EXPECT_TRUE(n.Final());
  EXPECT_FALSE(PrepareClaim(n));
  EXPECT_FALSE(Settle(n, id, Result(Verdict::kNotSent), At(6), Policy(9)));
  Notification heard = n;
  EXPECT_TRUE(Apply(heard, Report(id, ReceiptState::kDelivered), At(6), Policy(9)));
  EXPECT_EQ(heard.state, N::kDelivered);
  EXPECT_TRUE(SettleAbsent(n, id, At(6), Policy(9)));
  EXPECT_EQ(n.state, N::kSending);
  EXPECT_TRUE(n.next.has_value());
}

TEST(Ledger, AResultForASettledAttemptChangesNothing) {
  Notification n = Planned({Channel::kApp, Channel::kSms});
  const std::string id = Claimed(n);
  EXPECT_TRUE(Settle(n, id, Result(Verdict::kAccepted, "p1"), At(1), Policy(3)));
  const std::string before = n.Encode();
  for (int v = 0; v <= static_cast<int>(Verdict::kUnknown); ++v) {
    EXPECT_FALSE(Settle(n, id, Result(static_cast<Verdict>(v)), At(2), Policy(3)));
  }
  EXPECT_FALSE(Settle(n, "n1-9", Result(Verdict::kAccepted), At(2), Policy(3)));
  EXPECT_FALSE(SettleAbsent(n, id, At(2), Policy(3)));
  Park(n, id, At(2));
  EXPECT_EQ(n.Encode(), before);
}

TEST(Ledger, AnUndeliveredReportGoesToTheNextRung) {
  Notification n = Planned({Channel::kWechat, Channel::kSms});
  const std::string id = Claimed(n);
  EXPECT_TRUE(Settle(n, id, Result(Verdict::kAccepted, "77"), At(1), Policy(3)));
  Receipt receipt;
  receipt.provider_id = "77";
  receipt.state = ReceiptState::kUndelivered;
  receipt.code = "user block";
  EXPECT_TRUE(Apply(n, receipt, At(2), Policy(3)));
  EXPECT_FALSE(Apply(n, receipt, At(3), Policy(3))) << "a duplicate";
  EXPECT_EQ(n.rung, 1U);
  EXPECT_EQ(n.next, At(2));
  EXPECT_EQ(Claimed(n, 2), "n1-2");
  EXPECT_TRUE(Settle(n, "n1-2", Result(Verdict::kAccepted), At(3), Policy(3)));
  EXPECT_TRUE(Apply(n, Report("n1-2", ReceiptState::kUndelivered), At(4), Policy(3)));
  EXPECT_EQ(n.state, N::kFailed);
  EXPECT_EQ(n.reason, "sms: undelivered");
  EXPECT_TRUE(Apply(n, Report("n1-1", ReceiptState::kDelivered), At(5), Policy(3))) << "the phone knows better";
  EXPECT_EQ(n.state, N::kDelivered);
}

TEST(Ledger, AnUndeliveredReportOfAnOlderRungDoesNotMoveTheLadder) {
  Notification n = Planned({Channel::kApp, Channel::kWechat, Channel::kSms});
  Claimed(n);
  Settle(n, "n1-1", Result(Verdict::kAccepted), At(1), Policy(3, 60));
  Claimed(n, 61);
  Settle(n, "n1-2", Result(Verdict::kAccepted), At(62), Policy(3, 60));
  const std::optional<Instant> next = n.next;
  EXPECT_TRUE(Apply(n, Report("n1-1", ReceiptState::kUndelivered), At(63), Policy(3, 60)));
  EXPECT_EQ(n.rung, 1U);
  EXPECT_EQ(n.next, next);
}

TEST(Ledger, WhenOnlyAParkedAttemptIsLeftAPersonIsAsked) {
  Notification n = Planned({Channel::kApp, Channel::kWechat});
  Claimed(n);
  Settle(n, "n1-1", Result(Verdict::kAccepted), At(1), Policy(3, 60));
  Claimed(n, 61);
  Park(n, "n1-2", At(62));
  EXPECT_EQ(n.state, N::kAccepted) << "the first message is still in the air";
  EXPECT_TRUE(Apply(n, Report("n1-1", ReceiptState::kUndelivered), At(63), Policy(3, 60)));
  EXPECT_EQ(n.state, N::kUnknown);
}

TEST(Ledger, AReadMessageStopsTheEscalation) {
  Notification n = Planned({Channel::kApp, Channel::kSms});
  Claimed(n);
  Settle(n, "n1-1", Result(Verdict::kAccepted), At(1), Policy(3, 60));
  EXPECT_TRUE(Apply(n, Report("n1-1", ReceiptState::kDelivered), At(2), Policy(3, 60)));
  EXPECT_EQ(n.next, At(61)) << "delivered is not read: the time runs on from the acceptance";
  EXPECT_TRUE(Apply(n, Report("n1-1", ReceiptState::kRead), At(3), Policy(3, 60)));
  EXPECT_FALSE(n.next.has_value());
  EXPECT_TRUE(n.Final());
  EXPECT_FALSE(PrepareClaim(n));
}

TEST(Ledger, UnknownReceiptsAreLeftAlone) {
  Notification n = Planned({Channel::kApp});
  Claimed(n);
  const std::string before = n.Encode();
  EXPECT_FALSE(Apply(n, Report("n1-7", ReceiptState::kRead), At(1), Policy(3)));
  EXPECT_FALSE(Apply(n, Receipt{}, At(1), Policy(3))) << "an attempt without a provider id is not the empty id";
  EXPECT_EQ(n.Encode(), before);
}

TEST(Ledger, AnEndedLadderIsNotTriedAgainAndAnOpenAttemptIsNotForgotten) {
  Notification n = Planned({Channel::kApp});
  Claimed(n);
  EXPECT_FALSE(End(n, N::kSuppressed, "recipient_dead"));
  Settle(n, "n1-1", Result(Verdict::kNotSent), At(1), Policy(3));
  EXPECT_TRUE(End(n, N::kSuppressed, "recipient_dead"));
  EXPECT_EQ(n.state, N::kSuppressed);
  EXPECT_EQ(n.reason, "recipient_dead");
  EXPECT_FALSE(PrepareClaim(n));
  EXPECT_TRUE(n.Final());

  Notification sent = Planned({Channel::kApp, Channel::kSms});
  Claimed(sent);
  Settle(sent, "n1-1", Result(Verdict::kAccepted), At(1), Policy(3, 60));
  EXPECT_TRUE(End(sent, N::kExpired, "expired"));
  EXPECT_EQ(sent.state, N::kAccepted) << "what was told stays told";
  EXPECT_FALSE(sent.next.has_value());
}

// Every order of every choice of up to five events on one attempt, against the rule written down independently: a
// report outweighs an answer, read outweighs delivered outweighs undelivered, the first conclusive answer stands.
TEST(Ledger, EveryOrderOfAnswersAndReportsEndsWhereTheRuleSays) {
  enum Event { kTaken, kUnclear, kNotTaken, kUndelivered, kDelivered, kRead, kEvents };
  std::size_t cases = 0;
  for (int length = 1; length <= 5; ++length) {
    std::vector<int> order(static_cast<std::size_t>(length), 0);
    while (true) {
      Notification n = Planned({Channel::kSms});
      const std::string id = Claimed(n);
      A expected = A::kClaimed;
      bool undelivered = false;
      bool delivered = false;
      bool read = false;
      for (const int event : order) {
        switch (event) {
          case kTaken:
            Settle(n, id, Result(Verdict::kAccepted), At(1), Policy(100));
            if (expected == A::kClaimed || expected == A::kUnknown) expected = A::kAccepted;
            break;
          case kUnclear:
            Settle(n, id, Result(Verdict::kUnknown), At(1), Policy(100));
            if (expected == A::kClaimed) expected = A::kUnknown;
            break;
          case kNotTaken:
            Settle(n, id, Result(Verdict::kRetryLater), At(1), Policy(100));
            if (expected == A::kClaimed) expected = A::kRejected;
            break;
          case kUndelivered:
            Apply(n, Report(id, ReceiptState::kUndelivered), At(1), Policy(100));
            undelivered = true;
            break;
          case kDelivered:
            Apply(n, Report(id, ReceiptState::kDelivered), At(1), Policy(100));
            delivered = true;
            break;
          default:
            Apply(n, Report(id, ReceiptState::kRead), At(1), Policy(100));
            read = true;
            break;
        }
      }
      if (undelivered) expected = A::kUndelivered;
      if (delivered) expected = A::kDelivered;
      if (read) expected = A::kRead;
      ASSERT_EQ(n.attempts[0].state, expected) << ::testing::PrintToString(order);
      const N state = read                       ? N::kRead
                      : delivered                ? N::kDelivered
                      : undelivered              ? N::kFailed
                      : expected == A::kAccepted ? N::kAccepted
                                                 : N::kSending;
      ASSERT_EQ(n.state, state) << ::testing::PrintToString(order);
      ++cases;
      std::size_t digit = 0;
      while (digit < order.size() && ++order[digit] == kEvents) order[digit++] = 0;
      if (digit == order.size()) break;
    }
  }
  EXPECT_EQ(cases, 6U + 36U + 216U + 1296U + 7776U);
}

int Rank(A state) {
  switch (state) {
    case A::kClaimed:
      return 0;
    case A::kUnknown:
      return 1;
    case A::kParked:
      return 2;
    case A::kAccepted:
    case A::kRejected:
      return 3;
    case A::kUndelivered:
      return 4;
    case A::kDelivered:
      return 5;
    case A::kRead:
      return 6;
  }
  return -1;
}

bool Air(A state) { return state == A::kAccepted || state == A::kDelivered || state == A::kRead; }

// Later states may replace earlier ones; from `unknown` the ladder may go on once the question is answered.
bool Forward(N from, N to) {
  if (from == to) return true;
  const auto rank = [](N s) {
    switch (s) {
      case N::kPlanned:
        return 0;
      case N::kSending:
      case N::kUnknown:
        return 1;
      case N::kAccepted:
        return 2;
      case N::kFailed:
      case N::kSuppressed:
      case N::kExpired:
        return 3;
      case N::kDelivered:
        return 4;
      case N::kRead:
        return 5;
    }
    return -1;
  };
  if ((from == N::kSuppressed || from == N::kExpired) && to == N::kAccepted)
    return true;                                               // it had been taken after all
  if (from == N::kAccepted && to == N::kUnknown) return true;  // the accepted one was not delivered, the next is parked
  return rank(to) > rank(from) || (rank(from) == 1 && rank(to) == 1);
}

TEST(Ledger, RandomHistoriesNeverGoBackNeverTellTwiceAndNeverForget) {
  for (unsigned seed = 0; seed < 10000; ++seed) {
    std::mt19937 random(seed);
    const auto pick = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
    std::vector<Channel> ladder = {Channel::kApp, Channel::kWechat, Channel::kSms};
    ladder.resize(1 + pick(3));
    const LadderPolicy policy = Policy(1 + pick(3), pick(2) == 0 ? 0 : 60);
    Notification n = Planned(ladder);
    for (int step = 1; step <= 40; ++step) {
      const Notification before = n;
      const std::string bytes = n.Encode();
      const std::string id = "n1-" + std::to_string(1 + pick(static_cast<unsigned>(n.attempts.size()) + 1));
      bool changed = true;
      switch (pick(8)) {
        case 0:
        case 1:
          if (n.next && PrepareClaim(n)) {
            for (const Attempt& a : n.attempts) {
              if (a.channel != n.channel()) continue;
              ASSERT_TRUE(a.state == A::kRejected || a.state == A::kUndelivered)
                  << seed << ": told twice on one channel after " << AttemptStateName(a.state);
            }
            Claim(n, "c", {"k", At(0)}, "i", At(step), At(step));
          }
          break;
        case 2:
        case 3:
          changed = Settle(n, id, Result(static_cast<Verdict>(pick(8))), At(step), policy);
          break;
        case 4:
        case 5: {
          const Receipt receipt = Report(id, static_cast<ReceiptState>(pick(3)));
          changed = Apply(n, receipt, At(step), policy);
          Notification twice = n;
          ASSERT_FALSE(Apply(twice, receipt, At(step + 1), policy)) << seed << ": a duplicate was applied";
          break;
        }
        case 6:
          changed = SettleAbsent(n, id, At(step), policy);
          break;
        default:
          if (pick(4) == 0) {
            changed = End(n, pick(2) == 0 ? N::kSuppressed : N::kExpired, "why");
          } else if (pick(2) == 0) {
            Park(n, id, At(step));
          }
          break;
      }
      if (!changed) {
        ASSERT_EQ(n.Encode(), bytes) << seed << ": refused, but changed";
      }
      ASSERT_TRUE(Forward(before.state, n.state))
          << seed << ": " << NotificationStateName(before.state) << " -> " << NotificationStateName(n.state);
      ASSERT_GE(n.rung, before.rung);
      ASSERT_LT(n.rung, n.channels.size());
      int open = 0;
      bool air = false;
      bool delivered = false;
      bool read = false;
      bool parked = false;
      for (std::size_t i = 0; i < n.attempts.size(); ++i) {
        const A state = n.attempts[i].state;
        if (i < before.attempts.size() && state != before.attempts[i].state) {
          ASSERT_GT(Rank(state), Rank(before.attempts[i].state)) << seed;
        }
        open += state == A::kClaimed || state == A::kUnknown ? 1 : 0;
        air = air || Air(state);
        delivered = delivered || state == A::kDelivered;
        read = read || state == A::kRead;
        parked = parked || state == A::kParked;
      }
      ASSERT_LE(open, 1) << seed;
      ASSERT_EQ(read, n.state == N::kRead) << seed;
      ASSERT_EQ(!read && delivered, n.state == N::kDelivered) << seed;
      const bool over = n.state == N::kFailed || n.state == N::kSuppressed || n.state == N::kExpired;
      if (n.state == N::kFailed) {
        ASSERT_TRUE(open == 0 && !air && !parked) << seed;
      }
      if (!air && !over) {
        ASSERT_TRUE(open == 1 || n.next.has_value() || n.state == N::kUnknown)
            << seed << ": silently not sent in state " << NotificationStateName(n.state);
      }
      if (n.next) {
        ASSERT_FALSE(n.Final()) << seed;
      }
      if (over || n.state == N::kRead || n.state == N::kUnknown) {
        Notification copy = n;
        ASSERT_FALSE(PrepareClaim(copy)) << seed;
      }
    }
  }
}

TEST(Record, ANotificationReadsBackAsItWasWritten) {
  Notification n = Planned({Channel::kApp, Channel::kSms});
  n.decision = std::string("{\"zh\":\"高龄津贴\"}\0x", 24);
  n.kind = "resident";
  n.recipient = "subject";
  n.reason = "r";
  n.planned_at = Instant(Millis(-5));
  n.expires = At(9);
  Claimed(n);
  Settle(n, "n1-1", Result(Verdict::kRetryLater, "p"), At(1), Policy(3));
  Claimed(n);
  n.attempts.back().content_hash = "h";
  const std::string bytes = n.Encode();
  const zhitui::Result<Notification> back = Notification::Decode(bytes);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->Encode(), bytes);
  EXPECT_EQ(back->id, n.id);
  EXPECT_EQ(back->decision, n.decision);
  EXPECT_EQ(back->kind, "resident");
  EXPECT_EQ(back->recipient, "subject");
  EXPECT_EQ(back->state, n.state);
  EXPECT_EQ(back->reason, "r");
  EXPECT_EQ(back->channels, n.channels);
  EXPECT_EQ(back->planned_at, n.planned_at);
  EXPECT_EQ(back->expires, n.expires);
  EXPECT_EQ(back->next, n.next);
  EXPECT_EQ(back->failed_on_rung, 1U);
  ASSERT_EQ(back->attempts.size(), 2U);
  EXPECT_EQ(back->attempts[0].state, A::kRejected);
  EXPECT_EQ(back->attempts[0].verdict, Verdict::kRetryLater);
  EXPECT_EQ(back->attempts[0].provider_id, "p");
  EXPECT_EQ(back->attempts[1].key.key, "key");
  EXPECT_EQ(back->attempts[1].key.expires, At(600));
  EXPECT_EQ(back->attempts[1].claimed_by, "i/1");
  EXPECT_EQ(back->attempts[1].content_hash, "h");
}

TEST(Record, DamagedBytesAreRefusedAndNeverRead) {
  Notification n = Planned({Channel::kApp});
  Claimed(n);
  const std::string bytes = n.Encode();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(Notification::Decode(bytes.substr(0, size)).has_value()) << size;
  }
  EXPECT_FALSE(Notification::Decode(bytes + "x").has_value());
  std::string version = bytes;
  version[0] = 9;
  EXPECT_FALSE(Notification::Decode(version).has_value());
  std::mt19937 random(7);
  for (int i = 0; i < 20000; ++i) {
    std::string broken = bytes;
    broken[random() % broken.size()] = static_cast<char>(random());
    if (const auto read = Notification::Decode(broken)) {
      ASSERT_LE(static_cast<int>(read->state), static_cast<int>(N::kUnknown));
      for (const Channel c : read->channels) ASSERT_LE(static_cast<int>(c), static_cast<int>(Channel::kSms));
    }
  }
}

TEST(Record, AnEmptyLadderHasAChannelAndNothingToClaim) {
  Notification n;
  EXPECT_EQ(n.channel(), Channel::kApp);
  EXPECT_FALSE(PrepareClaim(n));
  EXPECT_TRUE(End(n, N::kSuppressed, "unreachable"));
  EXPECT_EQ(n.state, N::kSuppressed);
  EXPECT_TRUE(Notification::Decode(n.Encode()).has_value());
}

}  // namespace
}  // namespace zhitui::delivery
