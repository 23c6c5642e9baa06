#include "authoring/chinese.h"

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "authoring/authoring.h"

namespace zhitui::authoring {
namespace {

constexpr std::string_view kAny = "{}";
constexpr int kMaxDepth = 4;  // of parts within parts

// A number or a day, which is the same in both languages.
bool IsNumber(std::string_view text) { return text.find_first_not_of("0123456789.-") == std::string_view::npos; }

// A pattern of a catalogue, taken apart.
struct Pattern {
  std::vector<std::string_view> words;  // around the {}
  std::string_view zh;

  // What stands at each {}; each is as short as what follows it allows.
  std::optional<std::vector<std::string_view>> Match(std::string_view text) const {
    if (!text.starts_with(words.front())) return std::nullopt;
    text.remove_prefix(words.front().size());
    std::vector<std::string_view> parts;
    for (std::size_t i = 1; i < words.size(); ++i) {
      const bool last = i + 1 == words.size();
      if (last && !text.ends_with(words[i])) return std::nullopt;
      const std::size_t at = last ? text.size() - words[i].size() : text.find(words[i]);
      if (at == std::string_view::npos) return std::nullopt;
      parts.push_back(text.substr(0, at));
      text.remove_prefix(at + words[i].size());
    }
    return parts;
  }
};

class Catalogue {
 public:
  explicit Catalogue(std::span<const Phrase> phrases) {
    for (const Phrase& phrase : phrases) {
      if (phrase.en.find(kAny) == std::string_view::npos) {
        whole_.emplace(phrase.en, phrase.zh);
        continue;
      }
      Pattern& pattern = patterns_.emplace_back();
      pattern.zh = phrase.zh;
      std::string_view rest = phrase.en;
      for (std::size_t at = rest.find(kAny); at != std::string_view::npos; at = rest.find(kAny)) {
        pattern.words.push_back(rest.substr(0, at));
        rest.remove_prefix(at + kAny.size());
      }
      pattern.words.push_back(rest);
    }
    const auto weight = [](const Pattern& p) {
      std::size_t out = 0;
      for (const std::string_view w : p.words) out += w.size();
      return out;
    };
    std::stable_sort(patterns_.begin(), patterns_.end(),
                     [&](const Pattern& a, const Pattern& b) { return weight(a) > weight(b); });
  }

  // `out` is what the phrase says in Chinese, `parts` what it leaves open.
  bool Find(std::string_view english, std::string_view* out, std::vector<std::string_view>* parts) const {
    parts->clear();
    if (const auto it = whole_.find(english); it != whole_.end()) {
      *out = it->second;
      return true;
    }
    for (const Pattern& pattern : patterns_) {
      if (auto found = pattern.Match(english)) {
        *out = pattern.zh;
        *parts = std::move(*found);
        return true;
      }
    }
    return false;
  }

 private:
  std::map<std::string_view, std::string_view, std::less<>> whole_;
  std::vector<Pattern> patterns_;
};

std::string Translate(const Catalogue& catalogue, std::string_view english, int depth);

std::string TranslatePart(std::string_view english, int depth) {
  static const Catalogue parts(Parts());
  return depth == kMaxDepth || IsNumber(english) ? std::string(english) : Translate(parts, english, depth + 1);
}

std::string Translate(const Catalogue& catalogue, std::string_view english, int depth) {
  std::string_view zh;
  std::vector<std::string_view> parts;
  if (!catalogue.Find(english, &zh, &parts)) return {};
  std::string out;
  for (std::size_t i = 0; i < zh.size();) {
    const std::string_view rest = zh.substr(i);
    const bool looked_up = rest.starts_with("{t");
    const std::size_t digit = looked_up ? 2 : 1;
    const bool place = rest.starts_with('{') && rest.size() > digit + 1 && rest[digit] >= '1' && rest[digit] <= '9' &&
                       rest[digit + 1] == '}';
    const std::size_t n = place ? static_cast<std::size_t>(rest[digit] - '1') : parts.size();
    if (n >= parts.size()) {
      out += zh[i++];
      continue;
    }
    out += looked_up ? TranslatePart(parts[n], depth) : std::string(parts[n]);
    i += digit + 2;
  }
  return out;
}

// The first byte of a Chinese character; punctuation begins with others.
bool IsHan(char c) { return static_cast<unsigned char>(c) >= 0xE4 && static_cast<unsigned char>(c) <= 0xE9; }

// Text in back quotes has a space between it and a Chinese character.
std::string Spaced(std::string_view text) {
  std::string out;
  bool inside = false;
  bool han = false;  // the last character outside of back quotes
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c != '`') {
      if ((c & 0xC0) != 0x80) han = IsHan(c);
      out += c;
      continue;
    }
    if (!inside && han) out += ' ';
    out += c;
    if (inside && i + 1 < text.size() && IsHan(text[i + 1])) out += ' ';
    inside = !inside;
    han = false;
  }
  return out;
}

}  // namespace

std::string InChinese(std::string_view english) {
  static const Catalogue sentences(Phrases());
  return Spaced(Translate(sentences, english, 0));
}

Diagnostics InLanguage(Diagnostics diagnostics, std::string_view lang) {
  if (lang != "zh") return diagnostics;
  for (Diagnostic& d : diagnostics) {
    for (std::string* text : {&d.message, &d.hint}) {
      if (std::string zh = InChinese(*text); !zh.empty()) *text = std::move(zh);
    }
  }
  return diagnostics;
}

}  // namespace zhitui::authoring
