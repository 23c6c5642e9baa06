#include "api/slices.h"

#include "gtest/gtest.h"

namespace zhitui::api {
namespace {

using Members = std::vector<std::pair<std::string, std::string_view>>;

TEST(Slices, ValuesKeepEveryDigitTheyWereSentWith) {
  const auto members = MembersOf(R"( {"a": 0.10000000000000000001 , "b":1e2,"c":[1, 2]} )");
  ASSERT_TRUE(members);
  EXPECT_EQ(*members, (Members{{"a", "0.10000000000000000001"}, {"b", "1e2"}, {"c", "[1, 2]"}}));
}

TEST(Slices, BracketsCommasAndQuotesInsideStringsAreText) {
  const auto members = MembersOf(R"({"a,}":"]\"},{","b":{"x":"\\"},"\u4e2d":"\\\\"})");
  ASSERT_TRUE(members);
  EXPECT_EQ(*members, (Members{{"a,}", R"("]\"},{")"}, {"b", R"({"x":"\\"})"}, {"中", R"("\\\\")"}}));
}

TEST(Slices, EmptyContainersHaveNoParts) {
  EXPECT_TRUE(MembersOf(" { } ")->empty());
  EXPECT_TRUE(ItemsOf("[ ]")->empty());
}

TEST(Slices, ItemsOfAListAreItsElements) {
  const auto items = ItemsOf(R"([{"a":[1,{"b":2}]},"x,y",[[]],null])");
  ASSERT_TRUE(items);
  EXPECT_EQ(*items, (std::vector<std::string_view>{R"({"a":[1,{"b":2}]})", R"("x,y")", "[[]]", "null"}));
}

TEST(Slices, WhatIsNotOneJsonValueOfTheKindIsRefused) {
  for (const char* text : {"", " ", "{", "[1]", "{\"a\":1}x", "{\"a\":1,}", "{\"a\" 1}", "\"a\"", "{\"a\":01}",
                           "{'a':1}", "{\"a\":\"\xff\"}"}) {
    EXPECT_FALSE(MembersOf(text)) << text;
  }
  for (const char* text : {"", "{}", "[1,]", "[1] [2]", "[", "1"}) EXPECT_FALSE(ItemsOf(text)) << text;
}

TEST(Slices, TheSameNameTwiceIsRefusedHoweverItIsSpelt) {
  EXPECT_FALSE(MembersOf(R"({"a":1,"a":2})"));
  EXPECT_FALSE(MembersOf(R"({"a":1,"\u0061":2})"));
}

}  // namespace
}  // namespace zhitui::api
