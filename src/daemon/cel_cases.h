#pragma once

// Conformance cases of the Common Expression Language, one JSON object a line: an expression, what it is bound to, and
// the value, error or type it must give (the public suite of cel-spec in that form).

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace zhitui::daemon {

struct CelOutcome {
  enum class What { kPassed, kFailed, kSkipped, kMalformed } what = What::kPassed;
  std::string suite;
  std::string name;  // file/section/name:line of the case
  std::string expression;
  std::string note;  // failed: expected and got; skipped: why; malformed: what is wrong with the line
};

// Runs one line. At most 1 MiB, nested at most 64 deep.
CelOutcome RunCelCase(std::string_view line);

}  // namespace zhitui::daemon
