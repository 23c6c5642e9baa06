#include "gtest/gtest.h"

#include "delivery/delivery.h"

namespace zhitui::delivery {
namespace {

Instant At(std::int64_t ms) { return Instant(Millis(ms)); }

TEST(ContactId, OnePhoneHasOneNameHoweverItIsWritten) {
  const std::string id = ContactId(Channel::kSms, "13800138000");
  EXPECT_EQ(ContactId(Channel::kSms, "+8613800138000"), id);
  EXPECT_EQ(ContactId(Channel::kSms, "0086 138-0013-8000"), id);
  EXPECT_EQ(ContactId(Channel::kSms, "8613800138000"), id);
  EXPECT_NE(ContactId(Channel::kSms, "13800138001"), id);
  EXPECT_TRUE(id.starts_with("sms-"));
  EXPECT_EQ(id.find("138"), std::string::npos) << "the name does not tell the number";
}

TEST(ContactId, TheSameTextOnTwoChannelsIsTwoContacts) {
  EXPECT_NE(ContactId(Channel::kApp, "x").substr(4), ContactId(Channel::kSms, "x").substr(4));
}

TEST(ContactPoint, IsVerifiedByAMessageThatArrivesAndBouncedByOneThatDoesNot) {
  ContactPoint p;
  EXPECT_TRUE(p.Verify("aliyun", At(1)));
  EXPECT_FALSE(p.Verify("aliyun", At(2))) << "nothing new";
  EXPECT_EQ(p.since, At(1));
  EXPECT_TRUE(p.Bounce("aliyun", "UNDELIV", At(3)));
  EXPECT_TRUE(p.Bounce("aliyun", "UNDELIV", At(4)));
  EXPECT_EQ(p.bounces, 2U);
  EXPECT_EQ(p.since, At(3));
  EXPECT_TRUE(p.Verify("cmpp", At(5)));
  EXPECT_EQ(p.bounces, 0U);
  EXPECT_EQ(p.connector, "cmpp");
}

TEST(ContactPoint, ADeadOneIsRevivedByNothingButItsReturn) {
  ContactPoint p;
  EXPECT_TRUE(p.Kill("wechat", "40003", At(1)));
  EXPECT_FALSE(p.Kill("wechat", "40003", At(2)));
  EXPECT_FALSE(p.Verify("wechat", At(3))) << "a late receipt";
  EXPECT_FALSE(p.Bounce("wechat", "x", At(3)));
  EXPECT_EQ(p.state, ContactState::kDead);
  EXPECT_TRUE(p.Return("wechat", At(4)));
  EXPECT_EQ(p.state, ContactState::kUntried);
  EXPECT_FALSE(p.Return("wechat", At(5)));
}

TEST(ContactPoint, OneGrantIsOneMessage) {
  ContactPoint p;
  EXPECT_FALSE(p.TakeGrant("benefit"));
  EXPECT_TRUE(p.Grant("benefit", "s1"));
  EXPECT_FALSE(p.Grant("benefit", "s1")) << "the provider called back twice";
  EXPECT_TRUE(p.Grant("benefit", "s2"));
  EXPECT_TRUE(p.TakeGrant("benefit"));
  EXPECT_FALSE(p.TakeGrant("other"));
  EXPECT_TRUE(p.TakeGrant("benefit"));
  EXPECT_FALSE(p.TakeGrant("benefit"));
}

TEST(ContactPoint, ARefusalEndsTheGrantsAndANewGrantEndsTheRefusal) {
  ContactPoint p;
  p.Grant("benefit", "s1");
  EXPECT_TRUE(p.Refuse("benefit", "s2"));
  EXPECT_TRUE(p.Refuses("benefit"));
  EXPECT_FALSE(p.TakeGrant("benefit"));
  EXPECT_TRUE(p.Grant("benefit", "s3"));
  EXPECT_FALSE(p.Refuses("benefit"));
  EXPECT_TRUE(p.TakeGrant("benefit"));
}

TEST(Reach, ANewContactOfAChannelReplacesTheOneBefore) {
  Reach reach;
  EXPECT_TRUE(reach.Use(Channel::kSms, "sms-a", At(1)));
  EXPECT_FALSE(reach.Use(Channel::kSms, "sms-a", At(2)));
  EXPECT_TRUE(reach.Use(Channel::kApp, "app-a", At(2)));
  EXPECT_TRUE(reach.Use(Channel::kSms, "sms-b", At(3)));
  EXPECT_EQ(reach.Find("sms-a")->state, ContactState::kReplaced);
  EXPECT_EQ(reach.Find("app-a")->state, ContactState::kUntried) << "another channel";
  EXPECT_TRUE(reach.Use(Channel::kSms, "sms-a", At(4))) << "the person went back to the old one";
  EXPECT_EQ(reach.Find("sms-a")->state, ContactState::kUntried);
  EXPECT_EQ(reach.Find("sms-b")->state, ContactState::kReplaced);
}

TEST(Reach, ADeadContactStaysDeadWhenTheProfileNamesItAgain) {
  Reach reach;
  reach.Use(Channel::kSms, "sms-a", At(1));
  reach.Find("sms-a")->Kill("cmpp", "MK:0001", At(2));
  reach.Use(Channel::kSms, "sms-b", At(3));
  reach.Use(Channel::kSms, "sms-a", At(4));
  EXPECT_EQ(reach.Find("sms-a")->state, ContactState::kDead);
}

TEST(Reach, ForgetsTheOldestReplacedOnesAndNeverTheOneInUse) {
  Reach reach;
  for (int i = 0; i < 100; ++i) reach.Use(Channel::kApp, "app-" + std::to_string(i), At(i));
  EXPECT_EQ(reach.points.size(), Reach::kMaxPoints);
  EXPECT_NE(reach.Find("app-99"), nullptr);
  EXPECT_NE(reach.Find("app-68"), nullptr);
  EXPECT_EQ(reach.Find("app-67"), nullptr);
}

TEST(Reach, IsReadAsItWasWritten) {
  Reach reach;
  reach.Use(Channel::kWechat, "wechat-a", At(7));
  ContactPoint& p = *reach.Find("wechat-a");
  p.Bounce("wechat", "failed:user block", At(8));
  p.Grant("a", "s1");
  p.Grant("a", "s2");
  p.Refuse("b", "s3");
  const Result<Reach> read = Reach::Decode(reach.Encode());
  ASSERT_TRUE(read);
  ASSERT_EQ(read->points.size(), 1U);
  const ContactPoint& q = read->points[0];
  EXPECT_EQ(q.id, "wechat-a");
  EXPECT_EQ(q.channel, Channel::kWechat);
  EXPECT_EQ(q.state, ContactState::kBounced);
  EXPECT_EQ(q.since, At(8));
  EXPECT_EQ(q.connector, "wechat");
  EXPECT_EQ(q.code, "failed:user block");
  EXPECT_EQ(q.bounces, 1U);
  EXPECT_EQ(q.grants, (std::map<std::string, std::uint32_t>{{"a", 2}}));
  EXPECT_EQ(q.refused, std::vector<std::string>{"b"});
  EXPECT_EQ(q.seen, (std::vector<std::string>{"s1", "s2", "s3"}));
}

TEST(Reach, ADamagedRecordIsRefused) {
  Reach reach;
  reach.Use(Channel::kSms, "sms-a", At(1));
  const std::string bytes = reach.Encode();
  for (std::size_t n = 1; n < bytes.size(); ++n) EXPECT_FALSE(Reach::Decode(bytes.substr(0, n))) << n;
  EXPECT_FALSE(Reach::Decode(bytes + "x"));
  EXPECT_FALSE(Reach::Decode("\x7f"));
}

TEST(Reply, AgreementIsTheWordAloneHoweverItIsTyped) {
  for (const char* text : {"同意", " 同意。", "“同意”", "「同意」!", "同意\n", "　同意　"}) {
    EXPECT_EQ(ReadReply(text), ReplyMeaning::kAgree) << text;
  }
  for (const char* text : {"不同意", "同意吗", "我同意吗？", "", "好的", "同 意"}) {
    EXPECT_EQ(ReadReply(text), ReplyMeaning::kOther) << text;
  }
}

TEST(Reply, OptOutWordsCountInFullWidthAndLowerCaseToo) {
  for (const char* text : {"R", "r", "Ｒ", "TD", "td ", "Ｔｄ", "T", "N", "退订", "拒收。", "[退订]"}) {
    EXPECT_EQ(ReadReply(text), ReplyMeaning::kOptOut) << text;
  }
  for (const char* text : {"RR", "退订吗", "TDX", "NO", "收到"}) {
    EXPECT_EQ(ReadReply(text), ReplyMeaning::kOther) << text;
  }
}

TEST(Reply, BrokenUtf8IsOnlyAnotherText) {
  EXPECT_EQ(ReadReply("\xE5\x90"), ReplyMeaning::kOther);
  EXPECT_EQ(ReadReply("\xFF\xFE同意"), ReplyMeaning::kOther);
}

}  // namespace
}  // namespace zhitui::delivery
