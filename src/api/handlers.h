#pragma once

// One function per route. Thread-safe; none throws on bad input.

#include "api/call.h"

namespace zhitui::api {

Reply PostEvents(const Options& options, const Deps& deps, const Call& call);
Reply GetRecommendations(const Options& options, const Deps& deps, const Call& call);
Reply PostEvaluate(const Options& options, const Deps& deps, const Call& call);
Reply Receipts(const Options& options, const Deps& deps, const Call& call);

}  // namespace zhitui::api
