#pragma once

#include <map>
#include <memory>
#include <string>

#include "cel/cel.h"
#include "cel/plan.h"

namespace zhitui::cel {

// Takes a boolean program apart; see Program::Split.
class Splitter {
 public:
  explicit Splitter(std::shared_ptr<const Plan> plan) : plan_(std::move(plan)) {}
  Conditions Run();

 private:
  Formula Take(std::uint32_t node);
  Condition Make(std::uint32_t node) const;

  std::shared_ptr<const Plan> plan_;
  Conditions out_;
  std::map<std::string, std::uint32_t, std::less<>> known_;
};

// How a result of an ordered type moves as the value of the only slot below the node grows.
enum class Motion : std::uint8_t { kStill, kRises, kFalls, kMixed };
Motion MotionOf(const Plan& plan, const Node& n);

// A node and what is below it, as text: the same for equal parts of different programs.
std::string CanonicalNode(const Plan& plan, std::uint32_t node);

}  // namespace zhitui::cel
