#pragma once

// The Chinese of what the readers and checkers say. They speak English; each sentence is found by its pattern.

#include <span>
#include <string>
#include <string_view>

namespace zhitui::authoring {

// `{}` in `en` stands for any text. In `zh`, {1} … {9} is the first … ninth of these as it stands, and {t1} … {t9} its
// Chinese, found among the parts ("an int" is a part of its own).
struct Phrase {
  std::string_view en;
  std::string_view zh;
};

// Whole sentences. Of two patterns that fit, the one with more words of its own is meant.
std::span<const Phrase> Phrases();
// What stands inside sentences.
std::span<const Phrase> Parts();

// The Chinese for one sentence; empty where the catalogue has none. Any thread.
std::string InChinese(std::string_view english);

}  // namespace zhitui::authoring
