#include "delivery/contact.h"

#include <algorithm>
#include <array>
#include <utility>

namespace zhitui::delivery {
namespace {

constexpr std::uint64_t kVersion = 1;
constexpr std::size_t kMobileDigits = 11;
constexpr std::uint32_t kMaxGrants = 100;  // of one template at one point
constexpr std::size_t kMaxTemplates = 64;
constexpr std::size_t kMaxSeen = 32;

std::string Mobile(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c >= '0' && c <= '9') digits += c;
  }
  for (const std::string_view prefix : {"0086", "86"}) {
    if (digits.size() == kMobileDigits + prefix.size() && digits.starts_with(prefix))
      return digits.substr(prefix.size());
  }
  return digits;
}

bool Note(std::vector<std::string>& seen, const std::string& signal) {
  if (signal.empty()) return true;
  if (std::find(seen.begin(), seen.end(), signal) != seen.end()) return false;
  if (seen.size() >= kMaxSeen) seen.erase(seen.begin());
  seen.push_back(signal);
  return true;
}

std::int64_t Ms(Instant at) { return at.time_since_epoch().count(); }

void Write(ByteWriter& out, const ContactPoint& p) {
  out.Str(p.id);
  out.U64(static_cast<std::uint64_t>(p.channel));
  out.U64(static_cast<std::uint64_t>(p.state));
  out.I64(Ms(p.since));
  out.Str(p.connector);
  out.Str(p.code);
  out.U64(p.bounces);
  out.U64(p.grants.size());
  for (const auto& [tmpl, left] : p.grants) {
    out.Str(tmpl);
    out.U64(left);
  }
  for (const auto* list : {&p.refused, &p.seen}) {
    out.U64(list->size());
    for (const std::string& text : *list) out.Str(text);
  }
}

bool Read(ByteReader& in, ContactPoint& p) {
  p.id = in.Str();
  const std::uint64_t channel = in.U64();
  const std::uint64_t state = in.U64();
  if (channel > static_cast<std::uint64_t>(Channel::kSms) ||
      state > static_cast<std::uint64_t>(ContactState::kReplaced))
    return false;
  p.channel = static_cast<Channel>(channel);
  p.state = static_cast<ContactState>(state);
  p.since = Instant(Millis(in.I64()));
  p.connector = in.Str();
  p.code = in.Str();
  p.bounces = static_cast<std::uint32_t>(in.U64());
  for (std::size_t i = 0, n = in.Count(2); i < n; ++i) {
    std::string tmpl(in.Str());
    p.grants[std::move(tmpl)] = static_cast<std::uint32_t>(in.U64());
  }
  for (auto* list : {&p.refused, &p.seen}) {
    list->resize(in.Count());
    for (std::string& text : *list) text = in.Str();
  }
  return in.ok();
}

// One code point of UTF-8; U+FFFD for what is none.
char32_t Next(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const unsigned lead = byte(at);
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  char32_t c = lead < 0x80 ? lead : lead & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0U) != 0x80U) {
      ++at;
      return U'\uFFFD';
    }
    c = (c << 6U) | (byte(at + i) & 0x3FU);
  }
  at += length;
  return c;
}

bool AroundWords(char32_t c) {
  constexpr std::u32string_view kMarks = U" \t\r\n\u3000.,!?;:'\"()[]<>~-_。，！？；：、·…“”‘’「」『』【】《》（）";
  return kMarks.find(c) != std::u32string_view::npos;
}

}  // namespace

const char* ContactStateName(ContactState state) {
  switch (state) {
    case ContactState::kUntried:
      return "untried";
    case ContactState::kVerified:
      return "verified";
    case ContactState::kBounced:
      return "bounced";
    case ContactState::kDead:
      return "dead";
    case ContactState::kReplaced:
      return "replaced";
  }
  return "untried";
}

std::string ContactId(Channel channel, std::string_view contact) {
  constexpr std::size_t kDigits = 32;
  const std::string text = channel == Channel::kSms ? Mobile(contact) : std::string(contact);
  const std::string name(ChannelName(channel));
  return name + "-" + Sha256Hex(name + ":" + text).substr(0, kDigits);
}

bool ContactPoint::Verify(const std::string& by, Instant now) {
  if (state == ContactState::kDead || state == ContactState::kReplaced || state == ContactState::kVerified)
    return false;
  state = ContactState::kVerified;
  since = now;
  connector = by;
  code.clear();
  bounces = 0;
  return true;
}

bool ContactPoint::Bounce(const std::string& by, const std::string& reason, Instant now) {
  if (state == ContactState::kDead || state == ContactState::kReplaced) return false;
  if (state != ContactState::kBounced) since = now;
  state = ContactState::kBounced;
  connector = by;
  code = reason;
  ++bounces;
  return true;
}

bool ContactPoint::Kill(const std::string& by, const std::string& reason, Instant now) {
  if (state == ContactState::kDead) return false;
  state = ContactState::kDead;
  since = now;
  connector = by;
  code = reason;
  grants.clear();
  return true;
}

bool ContactPoint::Return(const std::string& by, Instant now) {
  if (state != ContactState::kDead) return false;
  state = ContactState::kUntried;
  since = now;
  connector = by;
  code.clear();
  bounces = 0;
  return true;
}

bool ContactPoint::Grant(const std::string& tmpl, const std::string& signal) {
  if (!grants.contains(tmpl) && grants.size() >= kMaxTemplates) return false;
  if (!Note(seen, signal)) return false;
  std::uint32_t& left = grants[tmpl];
  left = std::min(left + 1, kMaxGrants);
  std::erase(refused, tmpl);
  return true;
}

bool ContactPoint::Refuse(const std::string& tmpl, const std::string& signal) {
  if (refused.size() >= kMaxTemplates || !Note(seen, signal)) return false;
  grants.erase(tmpl);
  if (!Refuses(tmpl)) refused.push_back(tmpl);
  return true;
}

bool ContactPoint::Refuses(std::string_view tmpl) const {
  return std::find(refused.begin(), refused.end(), tmpl) != refused.end();
}

bool ContactPoint::TakeGrant(const std::string& tmpl) {
  const auto found = grants.find(tmpl);
  if (found == grants.end() || found->second == 0) return false;
  if (--found->second == 0) grants.erase(found);
  return true;
}

ContactPoint* Reach::Find(std::string_view id) {
  for (ContactPoint& p : points) {
    if (p.id == id) return &p;
  }
  return nullptr;
}

bool Reach::Use(Channel channel, const std::string& id, Instant now) {
  bool changed = false;
  for (ContactPoint& p : points) {
    // A dead one stays dead, should the profile name it once more.
    if (p.channel != channel || p.id == id || p.state == ContactState::kReplaced || p.state == ContactState::kDead)
      continue;
    p.state = ContactState::kReplaced;
    p.since = now;
    p.grants.clear();
    changed = true;
  }
  if (ContactPoint* known = Find(id)) {
    if (known->state != ContactState::kReplaced) return changed;
    known->state = ContactState::kUntried;
    known->since = now;
    known->code.clear();
    known->bounces = 0;
    return true;
  }
  if (points.size() >= kMaxPoints) {
    const auto oldest =
        std::min_element(points.begin(), points.end(), [](const ContactPoint& a, const ContactPoint& b) {
          const bool a_gone = a.state == ContactState::kReplaced;
          const bool b_gone = b.state == ContactState::kReplaced;
          return a_gone != b_gone ? a_gone : a.since < b.since;
        });
    points.erase(oldest);
  }
  ContactPoint point;
  point.id = id;
  point.channel = channel;
  point.since = now;
  points.push_back(std::move(point));
  return true;
}

std::string Reach::Encode() const {
  ByteWriter out;
  out.U64(kVersion);
  out.U64(points.size());
  for (const ContactPoint& p : points) Write(out, p);
  return out.Take();
}

Result<Reach> Reach::Decode(std::string_view bytes) {
  Reach reach;
  if (bytes.empty()) return reach;
  ByteReader in(bytes);
  if (in.U64() != kVersion) {
    return Invalid("a record of contact points of another version: read it with the release that wrote it");
  }
  constexpr std::size_t kSmallest = 10;  // one byte a field
  reach.points.resize(in.Count(kSmallest));
  for (ContactPoint& p : reach.points) {
    if (!Read(in, p)) return Invalid("a record of contact points is damaged");
  }
  if (!in.ok() || !in.AtEnd()) return Invalid("a record of contact points is damaged");
  return reach;
}

ReplyMeaning ReadReply(std::string_view text) {
  constexpr char32_t kFullWidth = 0xFEE0;  // distance of a full-width form from its ASCII character
  std::u32string word;
  for (std::size_t at = 0; at < text.size();) {
    char32_t c = Next(text, at);
    if (c >= 0xFF01 && c <= 0xFF5E) c -= kFullWidth;
    if (c >= U'a' && c <= U'z') c -= U'a' - U'A';
    word += c;
  }
  while (!word.empty() && AroundWords(word.back())) word.pop_back();
  std::size_t begin = 0;
  while (begin < word.size() && AroundWords(word[begin])) ++begin;
  word.erase(0, begin);
  if (word == U"同意") return ReplyMeaning::kAgree;
  constexpr std::array<std::u32string_view, 6> kOptOut = {U"R", U"T", U"TD", U"N", U"退订", U"拒收"};
  if (std::find(kOptOut.begin(), kOptOut.end(), word) != kOptOut.end()) return ReplyMeaning::kOptOut;
  return ReplyMeaning::kOther;
}

}  // namespace zhitui::delivery
