#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace zhitui::message {

// One {{name}} of a text.
struct Placeholder {
  std::size_t begin = 0;  // of the first brace
  std::size_t end = 0;    // behind the last brace
  std::string name;       // without blanks around it
  bool closed = true;
};
std::vector<Placeholder> FindPlaceholders(std::string_view text);

}  // namespace zhitui::message
