#pragma once

#include <vector>

#include "population/events.h"
#include "population/people.h"

namespace zhitui::population {

// What every agency knows at the start instant, one snapshot per agency and person, in the order of the subjects.
std::vector<Event> BaselineEvents(const Options& options, const Society& society);

// What happens in the window, in the order of `time`. Lives the society on: births are added, the dead get their date.
// Events recorded after the window's end are left out. Ids and `order` are not set.
std::vector<Event> LifeEvents(const Options& options, Society& society, Registry& registry);

}  // namespace zhitui::population
