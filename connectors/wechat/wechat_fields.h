#pragma once

// The field rules of template messages by key prefix (类目模板 参数规则). Pure.

#include <string>
#include <string_view>

namespace zhitui::wechat {

// "" when `value` fits the rule of `key` ("thing1", "time2"); otherwise what is wrong, without the value.
std::string FieldFault(std::string_view key, std::string_view value);

}  // namespace zhitui::wechat
