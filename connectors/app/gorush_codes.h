#pragma once

// What gorush's error texts mean: they are those of APNs, of Firebase's Go SDK and of Huawei, passed on as they are.

#include <string>
#include <string_view>

#include "delivery/delivery.h"

namespace zhitui::app {

struct GorushError {
  delivery::Verdict verdict = delivery::Verdict::kUnknown;
  std::string code;  // a word of ours or APNs' reason, never the text
};
// kUnknown for what gorush tries again by itself (its log has the failed tries also when the last one succeeded) and
// for texts that the table does not know.
GorushError GorushErrorOf(std::string_view text);

}  // namespace zhitui::app
