#include "api/slices.h"

#include <nlohmann/json.hpp>
#include <set>

namespace zhitui::api {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

std::string_view Trim(std::string_view s) {
  const std::size_t from = s.find_first_not_of(kSpace);
  if (from == std::string_view::npos) return {};
  return s.substr(from, s.find_last_not_of(kSpace) - from + 1);
}

// Calls fn(part) for each part between the top-level commas of what stands inside the outer brackets. The text is valid
// JSON.
template <class Fn>
void EachPart(std::string_view json, const Fn& fn) {
  json = json.substr(1, json.size() - 2);
  if (Trim(json).empty()) return;
  std::size_t depth = 0;
  std::size_t from = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      --depth;
    } else if (c == ',' && depth == 0) {
      fn(Trim(json.substr(from, i - from)));
      from = i + 1;
    }
  }
  fn(Trim(json.substr(from)));
}

// The end of the string literal that `s` begins with.
std::size_t StringEnd(std::string_view s) {
  std::size_t i = 1;
  while (s[i] != '"') i += s[i] == '\\' ? 2 : 1;
  return i + 1;
}

}  // namespace

std::optional<std::vector<std::pair<std::string, std::string_view>>> MembersOf(std::string_view json) {
  json = Trim(json);
  if (!json.starts_with('{') || !nlohmann::json::accept(json)) return std::nullopt;
  std::vector<std::pair<std::string, std::string_view>> out;
  std::set<std::string> seen;
  bool twice = false;
  EachPart(json, [&](std::string_view part) {
    const std::size_t end = StringEnd(part);
    std::string name = nlohmann::json::parse(part.substr(0, end)).get<std::string>();
    twice = twice || !seen.insert(name).second;
    out.emplace_back(std::move(name), Trim(part.substr(part.find(':', end) + 1)));
  });
  if (twice) return std::nullopt;
  return out;
}

std::optional<std::vector<std::string_view>> ItemsOf(std::string_view json) {
  json = Trim(json);
  if (!json.starts_with('[') || !nlohmann::json::accept(json)) return std::nullopt;
  std::vector<std::string_view> out;
  EachPart(json, [&](std::string_view part) { out.push_back(part); });
  return out;
}

}  // namespace zhitui::api
