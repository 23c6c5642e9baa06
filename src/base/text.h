#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace zhitui {

// Text in the product's languages; zh is required, en falls back to zh.
struct Text {
  std::string zh;
  std::string en;
  const std::string& In(std::string_view locale) const { return locale == "en" && !en.empty() ? en : zh; }
  bool operator==(const Text&) const = default;
};

bool IsValidUtf8(std::string_view bytes);
// A JSON string literal with its quotes: control characters escaped, UTF-8 kept as it is.
std::string JsonQuote(std::string_view utf8);
// 138****1234; anything that is not an 11-digit mobile number becomes "***".
std::string MaskPhone(std::string_view phone);

}  // namespace zhitui
