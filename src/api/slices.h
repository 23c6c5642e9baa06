#pragma once

// Cuts JSON text into the raw text of its members or items, so that numbers keep every digit they were sent with.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zhitui::api {

// nullopt: not JSON, not an object, or the same name twice. Names are unescaped; values are views of `json`.
std::optional<std::vector<std::pair<std::string, std::string_view>>> MembersOf(std::string_view json);
// nullopt: not JSON, or not an array.
std::optional<std::vector<std::string_view>> ItemsOf(std::string_view json);

}  // namespace zhitui::api
