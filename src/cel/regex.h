#pragma once

#include <memory>
#include <string_view>

namespace re2 {
class RE2;
}

namespace zhitui::cel {

// A regular expression of at most 4096 bytes and 1 MiB of program; nullptr when it is wrong or larger. Matching is
// linear in the text and may run in many threads.
std::shared_ptr<const re2::RE2> CompileRegex(std::string_view pattern);

}  // namespace zhitui::cel
