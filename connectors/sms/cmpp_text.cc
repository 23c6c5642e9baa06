#include "sms/cmpp_text.h"

#include <iconv.h>

#include <algorithm>
#include <cerrno>

namespace zhitui::sms {
namespace {

constexpr char kNoText[] = "\xef\xbf\xbd";
constexpr std::size_t kMobileDigits = 11;

std::string FromAscii(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    if (static_cast<unsigned char>(c) < 0x80) {
      out.push_back(c);
    } else {
      out += kNoText;
    }
  }
  return out;
}

std::string FromGbk(std::string_view bytes) {
  iconv_t table = ::iconv_open("UTF-8", "GB18030");
  if (table == reinterpret_cast<iconv_t>(-1)) return FromAscii(bytes);
  std::string in(bytes);
  std::string out;
  char* from = in.data();
  std::size_t left = in.size();
  while (left > 0) {
    char piece[256];
    char* to = piece;
    std::size_t room = sizeof piece;
    const std::size_t done = ::iconv(table, &from, &left, &to, &room);
    out.append(piece, static_cast<std::size_t>(to - piece));
    if (done == static_cast<std::size_t>(-1) && errno != E2BIG) {
      out += kNoText;
      ++from;
      --left;
    }
  }
  ::iconv_close(table);
  return out;
}

}  // namespace

std::string CmppText(std::uint8_t msg_fmt, std::string_view bytes) {
  constexpr std::uint8_t kAscii = 0;
  constexpr std::uint8_t kAsciiCard = 3;
  constexpr std::uint8_t kBinary = 4;
  constexpr std::uint8_t kUcs2 = 8;
  switch (msg_fmt) {
    case kUcs2:
      return Utf8FromUcs2(bytes);
    case kBinary:
      return {};
    case kAscii:
    case kAsciiCard:
      return FromAscii(bytes);
    default:
      return FromGbk(bytes);
  }
}

void ReplyJoiner::Add(const CmppDeliver& deliver, const CmppPart& part, Time now) {
  const Key key{deliver.src_terminal_id, deliver.dest_id, part.reference, part.total};
  auto found = open_.find(key);
  if (found != open_.end() && found->second.told) {
    const auto same = found->second.parts.find(part.number);
    if (same != found->second.parts.end() && same->second.first == deliver.msg_id) return;
    open_.erase(found);  // the phone uses its reference again
    found = open_.end();
  }
  if (found == open_.end()) {
    if (open_.size() >= kMaxOpen) {
      const auto oldest = std::min_element(
          open_.begin(), open_.end(), [](const auto& a, const auto& b) { return a.second.until < b.second.until; });
      if (oldest->second.told) {
        open_.erase(oldest);
      } else {
        oldest->second.until = now;
      }
    }
    found = open_.emplace(key, Open{now + wait_, part.total, {}}).first;
  }
  found->second.parts.try_emplace(part.number, deliver.msg_id, CmppText(deliver.msg_fmt, part.text));
}

std::vector<ReplyJoiner::Whole> ReplyJoiner::Take(Time now) const {
  std::vector<Whole> out;
  for (const auto& [key, open] : open_) {
    if (!open.Ends(now)) continue;
    Whole whole;
    whole.phone = std::get<0>(key);
    whole.dest_id = std::get<1>(key);
    whole.msg_id = open.parts.begin()->second.first;
    std::uint8_t expected = 1;
    for (const auto& [number, part] : open.parts) {
      if (number != expected) whole.text += "…";
      whole.text += part.second;
      expected = static_cast<std::uint8_t>(number + 1);
    }
    if (expected <= open.total) whole.text += "…";
    out.push_back(std::move(whole));
  }
  return out;
}

void ReplyJoiner::Drop(Time now) {
  for (auto at = open_.begin(); at != open_.end();) {
    if (at->second.Ends(now)) {
      at->second.told = true;
      at->second.until = now + wait_;
      for (auto& [number, part] : at->second.parts) part.second.clear();
    }
    at = at->second.told && at->second.until <= now ? open_.erase(at) : std::next(at);
  }
}

std::optional<ReplyJoiner::Time> ReplyJoiner::next() const {
  std::optional<Time> soonest;
  for (const auto& [key, open] : open_) {
    if (!soonest || open.until < *soonest) soonest = open.until;
  }
  return soonest;
}

std::string DomesticNumber(std::string_view number) {
  for (const std::string_view prefix : {"+86", "0086", "86"}) {
    if (number.size() == prefix.size() + kMobileDigits && number.starts_with(prefix)) {
      return std::string(number.substr(prefix.size()));
    }
  }
  return std::string(number);
}

}  // namespace zhitui::sms
