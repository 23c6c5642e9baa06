#pragma once

// The texts that people write back, as CMPP delivers them. Pure but for the character tables of the system (iconv).

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/base.h"
#include "sms/cmpp_pdu.h"

namespace zhitui::sms {

// Msg_Fmt 8 UCS2, 15 GBK, 0 and 3 ASCII; others are read as GBK when that gives a text. Bytes that are no text become
// U+FFFD. 4 (binary): empty.
std::string CmppText(std::uint8_t msg_fmt, std::string_view bytes);

// Joins the parts of long replies. Bounded: kMaxOpen messages of at most kMaxParts parts; the oldest gives way, told
// with "…" for what is missing. Not thread-safe.
class ReplyJoiner {
 public:
  static constexpr std::size_t kMaxOpen = 64;
  static constexpr std::size_t kMaxParts = 10;
  using Time = std::chrono::steady_clock::time_point;

  struct Whole {
    std::string phone;
    std::string dest_id;
    std::uint64_t msg_id = 0;  // of the first part that is there
    std::string text;
  };

  explicit ReplyJoiner(Millis wait) : wait_(wait) {}
  // Adds a part; the same part twice is one, even after Drop (until `wait` is over). What is whole or has to give way
  // comes out of Take.
  void Add(const CmppDeliver& deliver, const CmppPart& part, Time now);
  // What is whole, too old or had to give way. Stays until Drop: when the store refuses it, the next Take gives it
  // again.
  std::vector<Whole> Take(Time now) const;
  void Drop(Time now);               // what Take gives at `now`
  std::optional<Time> next() const;  // when the oldest is too old

 private:
  struct Open {
    Time until{};
    std::uint8_t total = 0;
    std::map<std::uint8_t, std::pair<std::uint64_t, std::string>> parts;  // number -> Msg_Id, text
    bool told = false;
    bool Ends(Time now) const { return !told && (parts.size() == total || until <= now); }
  };
  using Key = std::tuple<std::string, std::string, std::uint16_t, std::uint8_t>;  // phone, number, reference, total

  const Millis wait_;
  std::map<Key, Open> open_;
};

// 13800138000 of +8613800138000, 008613800138000 or 8613800138000; others as they are.
std::string DomesticNumber(std::string_view number);

}  // namespace zhitui::sms
