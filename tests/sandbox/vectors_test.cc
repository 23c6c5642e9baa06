// Published and independently computed values of the providers' signatures and encodings.
#include <gtest/gtest.h>

#include "sandbox/acs3.h"
#include "sandbox/aliyun.h"
#include "sandbox/crypto.h"
#include "sandbox/jpush.h"
#include "sandbox/text.h"
#include "sandbox/wechat_fields.h"

namespace sandbox {
namespace {

constexpr char kEmptySha256[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

TEST(Acs3, SignsThePublishedRunInstancesSample) {
  const Pairs query = {{"ImageId", "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"}, {"RegionId", "cn-shanghai"}};
  const Pairs headers = {{"host", "ecs.cn-shanghai.aliyuncs.com"},
                         {"x-acs-action", "RunInstances"},
                         {"x-acs-content-sha256", kEmptySha256},
                         {"x-acs-date", "2023-10-26T10:22:32Z"},
                         {"x-acs-signature-nonce", "3156853299f313e23d1673dc12e1703d"},
                         {"x-acs-version", "2014-05-26"}};
  std::vector<std::string> names;
  for (const auto& [name, value] : headers) names.push_back(name);
  EXPECT_EQ(
      Acs3Signature("YourAccessKeySecret", Acs3CanonicalRequest("POST", "/", query, headers, names, kEmptySha256)),
      "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0");
}

TEST(Acs3, SignsTheSendSmsOfTheOfficialSdkWithSm3) {
  const Pairs query = {{"TemplateParam", R"({"name":"张三","item":"高龄津贴"})"},
                       {"PhoneNumbers", "13800138000"},
                       {"OutId", "m-1"},
                       {"SignName", "福田政务"},
                       {"TemplateCode", "SMS_154950909"}};
  const Pairs headers = {{"host", "dysmsapi.aliyuncs.com"},
                         {"x-acs-action", "SendSms"},
                         {"x-acs-content-sha256", Sm3Hex("")},
                         {"x-acs-date", "2026-01-15T02:00:00Z"},
                         {"x-acs-signature-nonce", "0123456789abcdef0123456789abcdef"},
                         {"x-acs-version", "2017-05-25"}};
  std::vector<std::string> names;
  for (const auto& [name, value] : headers) names.push_back(name);
  EXPECT_EQ(Acs3Signature("testsecret", Acs3CanonicalRequest("POST", "/", query, headers, names, Sm3Hex("")),
                          Acs3Algorithm::kSm3),
            "5dafe80b7ffe1ba4a8fe6fe26bd5ca664a41efdaee4a42e0270afe1605a41e60");
}

TEST(Acs3, BuildsTheCanonicalSendSmsRequestOfTheOfficialSdk) {
  const Pairs query = {{"TemplateParam", R"({"name":"张三","item":"高龄津贴"})"},
                       {"PhoneNumbers", "13800138000"},
                       {"OutId", "m-1"},
                       {"SignName", "福田政务"},
                       {"TemplateCode", "SMS_154950909"}};
  const Pairs headers = {{"x-acs-version", "2017-05-25"},
                         {"x-acs-action", " SendSms "},
                         {"user-agent", "not signed"},
                         {"host", "dysmsapi.aliyuncs.com"},
                         {"x-acs-content-sha256", kEmptySha256},
                         {"x-acs-date", "2026-01-15T02:00:00Z"},
                         {"x-acs-signature-nonce", "0123456789abcdef0123456789abcdef"}};
  const std::string expected =
      "POST\n/\n"
      "OutId=m-1&PhoneNumbers=13800138000&SignName=%E7%A6%8F%E7%94%B0%E6%94%BF%E5%8A%A1&TemplateCode=SMS_154950909&"
      "TemplateParam=%7B%22name%22%3A%22%E5%BC%A0%E4%B8%89%22%2C%22item%22%3A%22%E9%AB%98%E9%BE%84%E6%B4%A5%E8%B4%B4%"
      "22%7D\n"
      "host:dysmsapi.aliyuncs.com\n"
      "x-acs-action:SendSms\n"
      "x-acs-content-sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
      "x-acs-date:2026-01-15T02:00:00Z\n"
      "x-acs-signature-nonce:0123456789abcdef0123456789abcdef\n"
      "x-acs-version:2017-05-25\n"
      "\n"
      "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version\n"
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  const std::string canonical = Acs3CanonicalRequest(
      "POST", "/", query, headers,
      {"host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version"},
      kEmptySha256);
  EXPECT_EQ(canonical, expected);
  EXPECT_EQ(Sha256Hex(canonical), "b056653feb934fd71869d6f6b9714f42053c88c8ddf68dbebbc35ba50825579a");
  EXPECT_EQ(Acs3Signature("testsecret", canonical), "2d09d64bc5a81f42fb81379340cf585acb5187085036508c170982c1d2d11784");
}

TEST(Acs3, SignsWhatTheOfficialSdkSentToALocalServer) {
  const Pairs query = {{"PhoneNumbers", "13800138000"},
                       {"SignName", "福田政务"},
                       {"TemplateCode", "SMS_154950909"},
                       {"TemplateParam", R"({"name":"张三","item":"高龄津贴"})"},
                       {"OutId", "m-1"}};
  const Pairs headers = {{"host", "127.0.0.1:18080"},
                         {"x-acs-action", "SendSms"},
                         {"x-acs-content-sha256", kEmptySha256},
                         {"x-acs-credentials-provider", "static_ak"},
                         {"x-acs-date", "2026-01-15T02:00:00Z"},
                         {"x-acs-signature-nonce", "0123456789abcdef0123456789abcdef"},
                         {"x-acs-version", "2017-05-25"}};
  std::vector<std::string> names;
  for (const auto& [name, value] : headers) names.push_back(name);
  EXPECT_EQ(Acs3Signature("testsecret", Acs3CanonicalRequest("POST", "/", query, headers, names, kEmptySha256)),
            "60522c60c57fd8ce40214213f19b7005ae3828947a7bb434099aa4e6fbaeb4d9");
}

TEST(Acs3, EncodesEverythingButTheUnreservedCharacters) {
  EXPECT_EQ(PercentEncode("aZ09-_.~"), "aZ09-_.~");
  EXPECT_EQ(PercentEncode("!'()*+ /=&"), "%21%27%28%29%2A%2B%20%2F%3D%26");
}

TEST(WechatSignature, IsTheWorkedExample) {
  EXPECT_EQ(WechatSignature("futiantoken", "1768442400", "n0nce"), "bd601c61a1c8a2ebb40c81f6d5ec0a7232e03e47");
}

TEST(JpushAuthorization, IsTheHeaderOfTheDocumentedReportCall) {
  EXPECT_EQ(BasicAuthorization("7d431e42dfa6a6d693ac2d04", "5e987ac6d2e04d95a9d8f0d1"),
            "Basic N2Q0MzFlNDJkZmE2YTZkNjkzYWMyZDA0OjVlOTg3YWM2ZDJlMDRkOTVhOWQ4ZjBkMQ==");
}

TEST(Digests, AreThoseOfTheStandards) {
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha1Hex("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  // RFC 4231 case 2
  EXPECT_EQ(HmacSha256Hex("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  // RFC 4648 section 10
  EXPECT_EQ(Base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(Base64("fooba"), "Zm9vYmE=");
  EXPECT_EQ(Base64(""), "");
}

TEST(SmsSegments, FollowTheProvidersTable) {
  for (const auto& [units, segments] : std::vector<std::pair<size_t, size_t>>{
           {1, 1}, {68, 1}, {70, 1}, {71, 2}, {134, 2}, {135, 3}, {160, 3}, {500, 8}}) {
    EXPECT_EQ(SmsSegments(units), segments) << units;
  }
  EXPECT_EQ(Utf16Length(*DecodeUtf8("【华为云】")), 5U);
  EXPECT_EQ(Utf16Length(*DecodeUtf8("a😀")), 3U);
}

TEST(MainlandNumber, TakesTheDocumentedPrefixesOnly) {
  for (const char* text : {"13800138000", "8613800138000", "+8613800138000", "008613800138000"}) {
    EXPECT_EQ(MainlandNumber(text), "13800138000") << text;
  }
  for (const char* text : {"", "1380013800", "138001380000", "12800138000", "+113800138000", "1380013800a", "106000"}) {
    EXPECT_FALSE(MainlandNumber(text)) << text;
  }
}

TEST(Utf8, RefusesOverlongSurrogateAndCutSequences) {
  EXPECT_TRUE(DecodeUtf8("a\xC3\xA9\xE9\xAB\x98\xF0\x9F\x98\x80"));
  for (const char* text :
       {"\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE9\xAB", "\x80", "\xFF"}) {
    EXPECT_FALSE(DecodeUtf8(text));
  }
  EXPECT_EQ(EncodeUtf8(*DecodeUtf8("高龄é😀")), "高龄é😀");
}

TEST(IsoUtc, RoundTripsAndRefusesWhatIsNoDate) {
  EXPECT_EQ(ParseIsoUtc("2026-01-15T02:00:00Z"), 1768442400000);
  EXPECT_EQ(ParseIsoUtc("2024-02-29T00:00:00Z"), 1709164800000);
  EXPECT_EQ(IsoUtc(1768442400007), "2026-01-15T02:00:00.007Z");
  EXPECT_EQ(ParseIsoUtc("2026-01-15T02:00:00.007Z"), 1768442400007);
  EXPECT_EQ(BeijingTime(1768442400000), "2026-01-15 10:00:00");
  EXPECT_EQ(BeijingDay(1768496400000), "20260116");
  for (const char* text : {"2025-02-29T00:00:00Z", "2026-01-15T24:00:00Z", "2026-01-15 02:00:00Z",
                           "2026-01-15T02:00:00", "2026-01-15T02:00:00+08:00", ""}) {
    EXPECT_FALSE(ParseIsoUtc(text)) << text;
  }
}

struct FieldCase {
  const char* key;
  const char* good;
  const char* bad;
};

TEST(WechatFields, HoldToTheLimitOfTheirPrefix) {
  const std::vector<FieldCase> cases = {
      {"thing1", "一二三四五六七八九十一二三四五六七八九十", "一二三四五六七八九十一二三四五六七八九十一"},
      {"thing20", "高龄津贴 200元/月!", "两\n行"},
      {"const1", "审核通过", "一二三四五六七八九十一二三四五六七八九十一"},
      {"character_string1", "NO-2026/0001#A", "编号1"},
      {"character_string2", "12345678901234567890123456789012", "123456789012345678901234567890123"},
      {"number1", "12345.67", "12,345"},
      {"number2", "12345678901234567890123456789012", "123456789012345678901234567890123"},
      {"letter1", "abcXYZ", "abc1"},
      {"symbol1", "+-*/=", "+-*/=!"},
      {"symbol2", "——", "a"},
      {"time1", "15:01", "24:00"},
      {"time2", "2019年10月1日 15:01", "2019年10月1日"},
      {"time3", "2019年10月1日 15:01~2019年10月2日 16:00", "15:01-16:00"},
      {"time4", "09:00~17:30", "09:00~"},
      {"date1", "2019年10月1日", "2019年13月1日"},
      {"date2", "2019年10月1日 15:01", "15:01"},
      {"date3", "2018-01-01", "2018-02-29"},
      {"date4", "2018/01/01", "2018/01-01"},
      {"date5", "2018.01.01~2018.02.01", "18.01.01"},
      {"amount1", "¥200", "¥¥200"},
      {"amount2", "200.50元", "200元/月"},
      {"amount3", "1234567890", "12345678901"},
      {"phone_number1", "+86-0755-12345678", "+86-0755-123456789"},
      {"phone_number2", "12345", "电话12345"},
      {"car_number1", "粤B12345挂", "粤B123456789"},
      {"name1", "欧阳一二三四五六七八", "欧阳一二三四五六七八九"},
      {"name2", "Zhang Xiaoming Peter", "Zhang Xiaoming Peters"},
      {"name3", "张**", "张3"},
      {"phrase1", "审核通过了", "审核已经通过"},
      {"phrase2", "已办结", "OK"},
      {"enum1", "男", "一二三四五六七八九十一二三四五六七八九十一"},
      {"keyword1", "高龄津贴", "一二三四五六七八九十一二三四五六七八九十一"},
  };
  for (const FieldCase& one : cases) {
    EXPECT_EQ(WechatFieldFault(one.key, one.good), "") << one.key << ' ' << one.good;
    EXPECT_EQ(WechatFieldFault(one.key, one.bad), "value invalid") << one.key << ' ' << one.bad;
    EXPECT_EQ(WechatFieldFault(one.key, ""), "value is empty") << one.key;
  }
}

TEST(WechatFields, RefuseKeysOfNoKnownKind) {
  EXPECT_EQ(WechatFieldFault("title", "x"), "invalid");
  EXPECT_EQ(WechatFieldFault("thing", "x"), "invalid");
  EXPECT_EQ(WechatFieldFault("thing1a", "x"), "invalid");
  EXPECT_EQ(WechatFieldFault("first1", "x"), "invalid");
  EXPECT_EQ(WechatFieldFault("first", "a long opening line that nobody will be shown"), "");
}

TEST(WechatFields, SeeEscapedCjkButNotEscapedAscii) {
  EXPECT_TRUE(HasEscapedNonAscii(R"({"a":"\u9ad8"})"));
  EXPECT_TRUE(HasEscapedNonAscii(R"({"a":"\ud83d\ude00"})"));
  EXPECT_TRUE(HasEscapedNonAscii(R"({"a":"\\\u00e9"})"));
  EXPECT_FALSE(HasEscapedNonAscii(R"({"a":"\u000a\u007f\n\"高"})"));
  EXPECT_FALSE(HasEscapedNonAscii(R"({"a":"C:\\u9ad8"})"));
  EXPECT_FALSE(HasEscapedNonAscii("\\"));
}

TEST(WechatFields, AreShownWithoutEmoji) { EXPECT_EQ(WechatShownValue("生日快乐🎂!"), "生日快乐!"); }

}  // namespace
}  // namespace sandbox
