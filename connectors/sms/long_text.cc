#include "sms/long_text.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/base.h"

namespace zhitui::sms {
namespace {

constexpr char32_t kReplacement = 0xfffd;
constexpr std::uint8_t kEscape = 0x1b;

// 3GPP TS 23.038, 6.2.1. The escape to the extension table is handled apart.
constexpr std::array<char32_t, 128> kGsm = {
    U'@',  0xa3, U'$',  0xa5,  0xe8,  0xe9,  0xf9,  0xec,  0xf2,  0xc7,  U'\n', 0xd8,         0xf8, U'\r', 0xc5, 0xe5,
    0x394, U'_', 0x3a6, 0x393, 0x39b, 0x3a9, 0x3a0, 0x3a8, 0x3a3, 0x398, 0x39e, kReplacement, 0xc6, 0xe6,  0xdf, 0xc9,
    U' ',  U'!', U'"',  U'#',  0xa4,  U'%',  U'&',  U'\'', U'(',  U')',  U'*',  U'+',         U',', U'-',  U'.', U'/',
    U'0',  U'1', U'2',  U'3',  U'4',  U'5',  U'6',  U'7',  U'8',  U'9',  U':',  U';',         U'<', U'=',  U'>', U'?',
    0xa1,  U'A', U'B',  U'C',  U'D',  U'E',  U'F',  U'G',  U'H',  U'I',  U'J',  U'K',         U'L', U'M',  U'N', U'O',
    U'P',  U'Q', U'R',  U'S',  U'T',  U'U',  U'V',  U'W',  U'X',  U'Y',  U'Z',  0xc4,         0xd6, 0xd1,  0xdc, 0xa7,
    0xbf,  U'a', U'b',  U'c',  U'd',  U'e',  U'f',  U'g',  U'h',  U'i',  U'j',  U'k',         U'l', U'm',  U'n', U'o',
    U'p',  U'q', U'r',  U's',  U't',  U'u',  U'v',  U'w',  U'x',  U'y',  U'z',  0xe4,         0xf6, 0xf1,  0xfc, 0xe0,
};

// 6.2.1.1; what it does not have is shown as in the default alphabet.
char32_t Extended(std::uint8_t septet) {
  switch (septet) {
    case 0x0a:
      return U'\f';
    case 0x14:
      return U'^';
    case 0x28:
      return U'{';
    case 0x29:
      return U'}';
    case 0x2f:
      return U'\\';
    case 0x3c:
      return U'[';
    case 0x3d:
      return U'~';
    case 0x3e:
      return U']';
    case 0x40:
      return U'|';
    case 0x65:
      return 0x20ac;
    default:
      return septet < kGsm.size() ? kGsm[septet] : kReplacement;
  }
}

void AppendUtf8(char32_t c, std::string& out) {
  const auto byte = [&](char32_t v) { out.push_back(static_cast<char>(v)); };
  if (c < 0x80) {
    byte(c);
  } else if (c < 0x800) {
    byte(0xc0 | c >> 6);
    byte(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    byte(0xe0 | c >> 12);
    byte(0x80 | (c >> 6 & 0x3f));
    byte(0x80 | (c & 0x3f));
  } else {
    byte(0xf0 | c >> 18);
    byte(0x80 | (c >> 12 & 0x3f));
    byte(0x80 | (c >> 6 & 0x3f));
    byte(0x80 | (c & 0x3f));
  }
}

void AppendUnit(char32_t unit, std::string& out) {
  out.push_back(static_cast<char>(unit >> 8 & 0xff));
  out.push_back(static_cast<char>(unit & 0xff));
}

std::uint8_t At(std::string_view bytes, std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); }
char32_t UnitAt(std::string_view bytes, std::size_t i) {
  return static_cast<char32_t>(At(bytes, i)) << 8 | At(bytes, i + 1);
}
bool High(char32_t unit) { return unit >= 0xd800 && unit < 0xdc00; }
bool Low(char32_t unit) { return unit >= 0xdc00 && unit < 0xe000; }

// Where the segment that begins at `from` ends.
std::size_t Cut(std::string_view ucs2, std::size_t from) {
  const std::size_t end = from + kLongSegmentBytes;
  if (end >= ucs2.size()) return ucs2.size();
  return High(UnitAt(ucs2, end - 2)) ? end - 2 : end;
}

}  // namespace

std::optional<std::string> ToUcs2(std::string_view utf8) {
  if (!IsValidUtf8(utf8)) return std::nullopt;
  std::string out;
  out.reserve(2 * utf8.size());
  for (std::size_t i = 0; i < utf8.size();) {
    const std::uint8_t lead = At(utf8, i);
    const std::size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    char32_t c = size == 1 ? lead : lead & (0x7fU >> size);
    for (std::size_t k = 1; k < size; ++k) c = c << 6 | (At(utf8, i + k) & 0x3fU);
    i += size;
    if (c < 0x10000) {
      AppendUnit(c, out);
    } else {
      AppendUnit(0xd800 + ((c - 0x10000) >> 10), out);
      AppendUnit(0xdc00 + ((c - 0x10000) & 0x3ff), out);
    }
  }
  return out;
}

std::string FromUcs2(std::string_view bytes) {
  std::string out;
  std::size_t i = 0;
  while (i + 1 < bytes.size()) {
    const char32_t unit = UnitAt(bytes, i);
    i += 2;
    if (High(unit) && i + 1 < bytes.size() && Low(UnitAt(bytes, i))) {
      AppendUtf8(0x10000 + ((unit - 0xd800) << 10) + (UnitAt(bytes, i) - 0xdc00), out);
      i += 2;
    } else {
      AppendUtf8(High(unit) || Low(unit) ? kReplacement : unit, out);
    }
  }
  if (i < bytes.size()) AppendUtf8(kReplacement, out);
  return out;
}

std::string FromLatin1(std::string_view bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); ++i) AppendUtf8(At(bytes, i), out);
  return out;
}

std::string FromGsm(std::string_view septets) {
  std::string out;
  for (std::size_t i = 0; i < septets.size(); ++i) {
    const std::uint8_t septet = At(septets, i);
    if (septet == kEscape && i + 1 < septets.size()) {
      AppendUtf8(Extended(At(septets, ++i)), out);
    } else {
      AppendUtf8(septet < kGsm.size() ? kGsm[septet] : kReplacement, out);
    }
  }
  return out;
}

std::vector<std::string> SplitUcs2(std::string_view ucs2, std::uint8_t reference) {
  if (ucs2.size() <= kSegmentBytes) return {std::string(ucs2)};
  std::vector<std::string_view> texts;
  for (std::size_t from = 0; from < ucs2.size();) {
    const std::size_t end = Cut(ucs2, from);
    texts.push_back(ucs2.substr(from, end - from));
    from = end;
  }
  if (texts.size() > 255) return {};
  std::vector<std::string> out;
  for (const std::string_view text : texts) {
    std::string segment = {
        5, 0, 3, static_cast<char>(reference), static_cast<char>(texts.size()), static_cast<char>(out.size() + 1)};
    out.push_back(segment.append(text));
  }
  return out;
}

std::size_t SegmentsOf(std::string_view utf8) {
  const std::optional<std::string> ucs2 = ToUcs2(utf8);
  if (!ucs2) return 0;
  if (ucs2->size() <= kSegmentBytes) return 1;
  std::size_t count = 0;
  for (std::size_t from = 0; from < ucs2->size(); ++count) from = Cut(*ucs2, from);
  return count;
}

std::optional<UserData> ParseUserData(std::string_view bytes) {
  if (bytes.empty()) return std::nullopt;
  const std::size_t size = At(bytes, 0);
  if (size + 1 > bytes.size()) return std::nullopt;
  UserData data;
  data.text = bytes.substr(size + 1);
  std::string_view elements = bytes.substr(1, size);
  while (!elements.empty()) {
    if (elements.size() < 2) return std::nullopt;
    const std::uint8_t id = At(elements, 0);
    const std::size_t length = At(elements, 1);
    if (length + 2 > elements.size()) return std::nullopt;
    const std::string_view value = elements.substr(2, length);
    elements.remove_prefix(length + 2);
    // Concatenation with a reference of one byte or of two.
    if (!(id == 0 && length == 3) && !(id == 8 && length == 4)) continue;
    Part part;
    part.reference = id == 0 ? At(value, 0) : static_cast<std::uint16_t>(UnitAt(value, 0));
    part.total = At(value, length - 2);
    part.number = At(value, length - 1);
    // An element that makes no sense is to be ignored (23.040, 9.2.3.24.1).
    if (part.number == 0 || part.number > part.total || part.total == 1) continue;
    data.part = part;
  }
  return data;
}

std::optional<Joiner::Joined> Joiner::Add(std::string_view key, const Part& part, std::string_view text,
                                          std::string_view context, Time now) {
  const std::string full = std::string(key) + '/' + std::to_string(part.reference) + '/' + std::to_string(part.total);
  Open& open = open_[full];
  if (open.total == 0) {
    open.total = part.total;
    open.context = context;
    open.due = now + timeout_;
    open.bytes = full.size() + context.size();
    bytes_ += open.bytes;
  }
  std::string& place = open.parts[part.number];
  open.bytes += text.size() - place.size();
  bytes_ += text.size() - place.size();
  place = text;
  MakeRoom(full);
  if (open.parts.size() < open.total) return std::nullopt;
  return Join(full, open);
}

std::vector<Joiner::Joined> Joiner::Overdue(Time now) const {
  std::vector<Joined> out;
  for (const auto& [key, open] : open_) {
    if (open.due <= now) out.push_back(Join(key, open));
  }
  return out;
}

void Joiner::Forget(const std::string& key) {
  const auto at = open_.find(key);
  if (at == open_.end()) return;
  bytes_ -= at->second.bytes;
  open_.erase(at);
}

std::optional<Joiner::Time> Joiner::NextDue() const {
  std::optional<Time> next;
  for (const auto& [key, open] : open_) next = next ? std::min(*next, open.due) : open.due;
  return next;
}

Joiner::Joined Joiner::Join(const std::string& key, const Open& open) {
  Joined joined;
  joined.key = key;
  joined.context = open.context;
  joined.whole = open.parts.size() == open.total;
  for (const auto& [number, text] : open.parts) joined.text += text;
  return joined;
}

void Joiner::MakeRoom(const std::string& keep) {
  while (open_.size() > 1 && (open_.size() > max_messages_ || bytes_ > max_bytes_)) {
    const auto oldest = std::min_element(open_.begin(), open_.end(), [&](const auto& a, const auto& b) {
      if ((a.first == keep) != (b.first == keep)) return b.first == keep;
      return a.second.due < b.second.due;
    });
    ++dropped_;
    Forget(oldest->first);
  }
}

}  // namespace zhitui::sms
