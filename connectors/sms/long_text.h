#pragma once

// The text of short messages: coding, cutting a long one into segments and joining the segments of one that came
// (3GPP TS 23.038 and 23.040). Pure. Not part of the room's door.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace zhitui::sms {

inline constexpr std::size_t kSegmentBytes = 140;      // of a message alone
inline constexpr std::size_t kLongSegmentBytes = 134;  // beside the six bytes of its user data header

// UTF-16, most significant byte first. nullopt: not valid UTF-8.
std::optional<std::string> ToUcs2(std::string_view utf8);
// UTF-8. Half a surrogate pair and an odd last byte become U+FFFD.
std::string FromUcs2(std::string_view bytes);
std::string FromLatin1(std::string_view bytes);
// The GSM default alphabet with its extension table, one septet a byte. What is in neither becomes U+FFFD.
std::string FromGsm(std::string_view septets);

// The bytes of `ucs2` as they are when they fit one message, else segments of at most 134 bytes, each after its header
// 05 00 03 reference total number; a surrogate pair stays whole. Empty: more than 255 segments.
std::vector<std::string> SplitUcs2(std::string_view ucs2, std::uint8_t reference);
// How many SplitUcs2 makes of it; 0 for text that is not valid UTF-8.
std::size_t SegmentsOf(std::string_view utf8);

// The place of a segment in its message.
struct Part {
  std::uint16_t reference = 0;
  std::uint8_t total = 1;
  std::uint8_t number = 1;  // from 1 to total
};
struct UserData {
  std::optional<Part> part;  // of more than one
  std::string_view text;     // after the header
};
// Bytes that begin with a user data header. nullopt: its lengths do not fit.
std::optional<UserData> ParseUserData(std::string_view bytes);

// Puts the segments of long messages together. Bounded: at most `messages` unfinished ones and `bytes` of them; the
// oldest are dropped to make room. Not thread-safe.
class Joiner {
 public:
  using Time = std::chrono::steady_clock::time_point;
  struct Joined {
    std::string key;
    std::string text;  // the bytes of the segments that are there, in order
    bool whole = false;
    std::string context;
  };

  Joiner(std::size_t messages, std::size_t bytes, std::chrono::milliseconds timeout)
      : max_messages_(messages), max_bytes_(bytes), timeout_(timeout) {}

  // `key` names who wrote to whom in which coding; the reference is added to it. `context` is kept with the first
  // segment that comes. A segment that came before takes its place again. The message when it is whole: it stays until
  // Forget, so that a caller that cannot pass it on may be given its last segment again.
  std::optional<Joined> Add(std::string_view key, const Part& part, std::string_view text, std::string_view context,
                            Time now);
  // Those that have waited for the time-out; they stay until Forget.
  std::vector<Joined> Overdue(Time now) const;
  void Forget(const std::string& key);
  std::optional<Time> NextDue() const;
  std::size_t size() const { return open_.size(); }
  std::uint64_t dropped() const { return dropped_; }

 private:
  struct Open {
    std::map<std::uint8_t, std::string> parts;
    std::uint8_t total = 0;
    std::string context;
    Time due;
    std::size_t bytes = 0;
  };
  static Joined Join(const std::string& key, const Open& open);
  void MakeRoom(const std::string& keep);

  const std::size_t max_messages_;
  const std::size_t max_bytes_;
  const std::chrono::milliseconds timeout_;
  std::map<std::string, Open, std::less<>> open_;
  std::size_t bytes_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace zhitui::sms
