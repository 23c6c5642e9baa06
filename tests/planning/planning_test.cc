#include "planning/planning.h"

#include <gtest/gtest.h>

namespace zhitui::planning {
namespace {

Instant At(const char* text) { return *ParseInstant(text); }

decide::Decision SomeDecision() {
  decide::Decision d;
  d.topic = "benefits.elderly";
  d.channels = {Channel::kApp, Channel::kWechat, Channel::kSms};
  return d;
}

message::Template FullTemplate() {
  message::Template t;
  t.app_body.zh = "x";
  t.wechat_template = "t";
  t.wechat_fields = {{"thing1", {"x", ""}}};
  t.sms_template = "t";
  t.sms_text.zh = "x";
  return t;
}

Recipient Reachable() {
  Recipient r;
  r.known = true;
  r.contacts = {"device", "openid", "13800131234"};
  return r;
}

const Instant kNoon = At("2026-03-02T12:00:00+08:00");

TEST(Plan, PutsThePersonsPreferenceBeforeTheRulesOrder) {
  Recipient r = Reachable();
  r.preferred = {Channel::kSms};
  const message::Template t = FullTemplate();
  const Plan plan = MakePlan(SomeDecision(), r, &t, kNoon, {});
  EXPECT_EQ(plan.channels, (std::vector<Channel>{Channel::kSms, Channel::kApp, Channel::kWechat}));
  EXPECT_EQ(plan.due, kNoon);
}

TEST(Plan, LeavesOutWhatCannotReachOrWasRefusedOrHasNoText) {
  const message::Template t = FullTemplate();
  Recipient no_app = Reachable();
  no_app.contacts[0].clear();
  EXPECT_EQ(MakePlan(SomeDecision(), no_app, &t, kNoon, {}).channels,
            (std::vector<Channel>{Channel::kWechat, Channel::kSms}));
  Recipient refuses = Reachable();
  refuses.refused_channels = {Channel::kSms, Channel::kWechat};
  EXPECT_EQ(MakePlan(SomeDecision(), refuses, &t, kNoon, {}).channels, (std::vector<Channel>{Channel::kApp}));
  message::Template only_sms;
  only_sms.sms_template = "t";
  only_sms.sms_text.zh = "x";
  EXPECT_EQ(MakePlan(SomeDecision(), Reachable(), &only_sms, kNoon, {}).channels,
            (std::vector<Channel>{Channel::kSms}));
  decide::Decision app_only = SomeDecision();
  app_only.channels = {Channel::kApp};
  EXPECT_EQ(MakePlan(app_only, Reachable(), &t, kNoon, {}).channels, (std::vector<Channel>{Channel::kApp}));
}

TEST(Plan, IsNeverEmptyWithoutAReason) {
  const message::Template t = FullTemplate();
  Recipient r = Reachable();
  r.dead = true;
  EXPECT_EQ(MakePlan(SomeDecision(), r, &t, kNoon, {}).suppressed, "recipient_dead");
  EXPECT_EQ(MakePlan(SomeDecision(), Recipient{}, &t, kNoon, {}).suppressed, "recipient_unknown");
  r = Reachable();
  r.consents = false;
  EXPECT_EQ(MakePlan(SomeDecision(), r, &t, kNoon, {}).suppressed, "no_consent");
  r = Reachable();
  r.contacts = {};
  EXPECT_EQ(MakePlan(SomeDecision(), r, &t, kNoon, {}).suppressed, "unreachable");
  EXPECT_EQ(MakePlan(SomeDecision(), Reachable(), nullptr, kNoon, {}).suppressed, "no_template");
}

TEST(Plan, ARefusedTopicCoversItsSubtopicsButNotItsNamesakes) {
  const message::Template t = FullTemplate();
  Recipient r = Reachable();
  for (const char* refused : {"benefits", "benefits.elderly"}) {
    r.refused_topics = {refused};
    EXPECT_EQ(MakePlan(SomeDecision(), r, &t, kNoon, {}).suppressed, "topic_refused") << refused;
  }
  for (const char* other : {"benefits.elder", "benefit", "benefits.elderly.more"}) {
    r.refused_topics = {other};
    EXPECT_EQ(MakePlan(SomeDecision(), r, &t, kNoon, {}).suppressed, "") << other;
  }
}

TEST(QuietHours, EndAtEightInShanghai) {
  const Policy policy;
  EXPECT_EQ(OutsideQuietHours(At("2026-03-02T20:59:59.999+08:00"), policy), At("2026-03-02T20:59:59.999+08:00"));
  EXPECT_EQ(OutsideQuietHours(At("2026-03-02T21:00:00+08:00"), policy), At("2026-03-03T08:00:00+08:00"));
  EXPECT_EQ(OutsideQuietHours(At("2026-03-03T00:00:00+08:00"), policy), At("2026-03-03T08:00:00+08:00"));
  EXPECT_EQ(OutsideQuietHours(At("2026-03-03T07:59:59.999+08:00"), policy), At("2026-03-03T08:00:00+08:00"));
  EXPECT_EQ(OutsideQuietHours(At("2026-03-03T08:00:00+08:00"), policy), At("2026-03-03T08:00:00+08:00"));
  EXPECT_EQ(OutsideQuietHours(At("2026-12-31T23:00:00+08:00"), policy), At("2027-01-01T08:00:00+08:00"));
}

TEST(QuietHours, MayLieWithinADayOrNotExist) {
  Policy midday;
  midday.quiet_from = Millis(12 * 3600'000);
  midday.quiet_until = Millis(14 * 3600'000);
  EXPECT_EQ(OutsideQuietHours(kNoon, midday), At("2026-03-02T14:00:00+08:00"));
  EXPECT_EQ(OutsideQuietHours(At("2026-03-02T23:00:00+08:00"), midday), At("2026-03-02T23:00:00+08:00"));
  Policy none;
  none.quiet_from = none.quiet_until;
  EXPECT_EQ(OutsideQuietHours(At("2026-03-02T03:00:00+08:00"), none), At("2026-03-02T03:00:00+08:00"));
}

// Every minute of three days: the answer is the first allowed minute at or after it.
TEST(QuietHours, AgreeWithCountingMinutes) {
  const Policy policy;
  const auto quiet = [](Instant at) {
    const auto minute = (at - kShanghai.StartOf(kShanghai.DateOf(at))) / std::chrono::minutes(1);
    return minute >= 21 * 60 || minute < 8 * 60;
  };
  for (Instant at = At("2026-03-01T00:00:00+08:00"); at < At("2026-03-04T00:00:00+08:00");
       at += std::chrono::minutes(1)) {
    Instant expected = at;
    while (quiet(expected)) expected += std::chrono::minutes(1);
    ASSERT_EQ(OutsideQuietHours(at, policy), expected);
  }
}

TEST(Retry, ClimbsTheLadderThenGivesUp) {
  const Policy policy;
  EXPECT_EQ(NextTry(1, std::nullopt, kNoon, policy), kNoon + Millis(30'000));
  EXPECT_EQ(NextTry(4, std::nullopt, kNoon, policy), kNoon + Millis(7'200'000));
  EXPECT_EQ(NextTry(5, std::nullopt, kNoon, policy), std::nullopt);
}

TEST(Retry, WaitsAsLongAsTheProviderAsksAndNotIntoTheNight) {
  const Policy policy;
  EXPECT_EQ(NextTry(1, Millis(90'000), kNoon, policy), kNoon + Millis(90'000));
  EXPECT_EQ(NextTry(2, Millis(1), kNoon, policy), kNoon + Millis(300'000));
  EXPECT_EQ(NextTry(4, std::nullopt, At("2026-03-02T20:00:00+08:00"), policy), At("2026-03-03T08:00:00+08:00"));
}

TEST(Recheck, TellsTheReasonsOfOneChannelFromThoseOfThePerson) {
  Recipient r = Reachable();
  EXPECT_EQ(Recheck(SomeDecision(), r, Channel::kSms, Policy()), "");
  r.refused_channels = {Channel::kSms};
  EXPECT_EQ(Recheck(SomeDecision(), r, Channel::kSms, Policy()), "channel_refused");
  EXPECT_EQ(Recheck(SomeDecision(), r, Channel::kApp, Policy()), "");
  r.contacts[0].clear();
  EXPECT_EQ(Recheck(SomeDecision(), r, Channel::kApp, Policy()), "no_contact");
  r.dead = true;
  EXPECT_EQ(Recheck(SomeDecision(), r, Channel::kWechat, Policy()), "recipient_dead");
}

}  // namespace
}  // namespace zhitui::planning
