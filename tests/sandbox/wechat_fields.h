// The field rules of WeChat template messages: what the value of data.<key> may be, by the prefix of the key.
#pragma once

#include <string>
#include <string_view>

namespace sandbox {

// Empty when the value is allowed; otherwise what follows the key in WeChat's error text ("value invalid", ...).
std::string WechatFieldFault(std::string_view key, std::string_view value);
// first and remark are accepted and not shown since 2023-05-04.
bool WechatFieldShown(std::string_view key);
// The value without emoji, as the platform shows it.
std::string WechatShownValue(std::string_view value);
// True when the JSON text spells a non-ASCII character as a \u escape.
bool HasEscapedNonAscii(std::string_view json_text);

}  // namespace sandbox
