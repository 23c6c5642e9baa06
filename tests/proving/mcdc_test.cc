#include "proving/mcdc.h"

#include <functional>

#include "gtest/gtest.h"

namespace zhitui::proving {
namespace {

using cel::Formula;
using Op = cel::Formula::Op;

Formula C(std::uint32_t n) { return {Op::kCondition, {}, n}; }
Formula All(std::vector<Formula> parts) { return {Op::kAll, std::move(parts), 0}; }
Formula Any(std::vector<Formula> parts) { return {Op::kAny, std::move(parts), 0}; }
Formula Not(Formula part) { return {Op::kNot, {std::move(part)}, 0}; }

constexpr Seen kF = Seen::kFalse;
constexpr Seen kT = Seen::kTrue;
constexpr Seen kU = Seen::kUnknown;
constexpr Seen kX = Seen::kFault;

// A formula and the same in C++, for the oracle.
struct Case {
  const char* name;
  Formula formula;
  std::function<bool(const std::vector<bool>&)> plain;
};

std::vector<Case> Cases() {
  using B = const std::vector<bool>&;
  std::vector<Case> out;
  out.push_back({"a", C(0), [](B v) { return v[0]; }});
  out.push_back({"a && b && c", All({C(0), C(1), C(2)}), [](B v) { return v[0] && v[1] && v[2]; }});
  out.push_back({"a || b && !c", Any({C(0), All({C(1), Not(C(2))})}), [](B v) { return v[0] || (v[1] && !v[2]); }});
  out.push_back({"(a || b) && (c || d)", All({Any({C(0), C(1)}), Any({C(2), C(3)})}),
                 [](B v) { return (v[0] || v[1]) && (v[2] || v[3]); }});
  out.push_back({"!(a && b) || c", Any({Not(All({C(0), C(1)})), C(2)}), [](B v) { return !(v[0] && v[1]) || v[2]; }});
  // One condition in two places: exclusive or.
  out.push_back(
      {"a && !b || !a && b", Any({All({C(0), Not(C(1))}), All({Not(C(0)), C(1)})}), [](B v) { return v[0] != v[1]; }});
  return out;
}

std::size_t Arity(const Formula& f) {
  std::size_t n = f.op == Op::kCondition ? f.condition + 1 : 0;
  for (const Formula& part : f.parts) n = std::max(n, Arity(part));
  return n;
}

// All vectors of `n` conditions with values from `values`.
std::vector<Vector> AllVectors(std::size_t n, const std::vector<Seen>& values) {
  std::vector<Vector> out = {{}};
  for (std::size_t i = 0; i < n; ++i) {
    std::vector<Vector> longer;
    for (const Vector& v : out) {
      for (const Seen s : values) {
        longer.push_back(v);
        longer.back().push_back(s);
      }
    }
    out = std::move(longer);
  }
  return out;
}

TEST(Mcdc, AnIndependentConditionIsOneForWhichSomePairOfVectorsShowsIt) {
  for (const Case& one : Cases()) {
    const std::size_t n = Arity(one.formula);
    const std::vector<Vector> all = AllVectors(n, {kF, kT});
    // Every set of up to three vectors, by brute force over the pairs of each.
    std::vector<std::vector<Vector>> sets;
    for (std::size_t i = 0; i < all.size(); ++i) {
      for (std::size_t j = i; j < all.size(); ++j) {
        for (std::size_t k = j; k < all.size(); ++k) sets.push_back({all[i], all[j], all[k]});
      }
    }
    const auto value = [&](const Vector& v, std::size_t flipped) {
      std::vector<bool> plain;
      for (std::size_t i = 0; i < n; ++i) plain.push_back((v[i] == kT) != (i == flipped));
      return one.plain(plain);
    };
    for (const std::vector<Vector>& set : sets) {
      const std::vector<Shown> shown = ShowConditions(one.formula, set, n);
      for (std::size_t c = 0; c < n; ++c) {
        bool expected = false;
        for (const Vector& v : set) {
          for (const Vector& w : set) {
            if (v[c] != kT || w[c] != kF || value(v, n) == value(w, n)) continue;
            expected = expected || (value(v, c) != value(v, n) && value(w, c) != value(w, n));
          }
        }
        EXPECT_EQ(shown[c].independent, expected) << one.name << ", condition " << c;
      }
    }
  }
}

TEST(Mcdc, AllVectorsShowEveryConditionAndOneVectorShowsNone) {
  for (const Case& one : Cases()) {
    const std::size_t n = Arity(one.formula);
    const std::vector<Vector> all = AllVectors(n, {kF, kT});
    for (const Shown& s : ShowConditions(one.formula, all, n)) EXPECT_TRUE(s.independent) << one.name;
    for (const Vector& v : all) {
      for (const Shown& s : ShowConditions(one.formula, {v}, n)) EXPECT_FALSE(s.independent) << one.name;
    }
  }
}

TEST(Mcdc, AnUnknownConditionNeverCountsAndLeavesOpenWhatItDecides) {
  const Formula both = All({C(0), C(1)});
  // a turns nothing while it is not known whether b holds; b itself is never seen.
  std::vector<Shown> shown = ShowConditions(both, {{kT, kU}, {kF, kU}, {kU, kT}, {kU, kF}}, 2);
  EXPECT_FALSE(shown[0].independent);
  EXPECT_FALSE(shown[1].independent);
  // What is unknown behind a condition that decides does no harm: a || b with a known turns where b is false.
  const Formula masked = Any({C(0), All({C(1), C(2)})});
  shown = ShowConditions(masked, {{kT, kF, kU}, {kF, kF, kU}}, 3);
  EXPECT_TRUE(shown[0].independent);
  EXPECT_FALSE(shown[2].seen_true || shown[2].seen_false);
}

TEST(Mcdc, AGuardIsShownThoughWhatStandsBehindItCannotBeAskedWithoutIt) {
  // since != null && age(since, today) >= 1: with null the second part is an error.
  const Formula guarded = All({C(0), C(1)});
  std::vector<Shown> shown = ShowConditions(guarded, {{kF, kX}, {kT, kT}}, 2);
  EXPECT_TRUE(shown[0].independent);
  EXPECT_FALSE(shown[1].independent);
  // Where another condition decides, the guard turns nothing.
  const Formula decided = All({C(0), C(1), C(2)});
  shown = ShowConditions(decided, {{kF, kX, kF}, {kT, kT, kT}}, 3);
  EXPECT_FALSE(shown[0].independent);
  // An unknown is no error: it may be heard of, and then decide.
  shown = ShowConditions(guarded, {{kF, kU}, {kT, kT}}, 2);
  EXPECT_FALSE(shown[0].independent);
}

TEST(Mcdc, AnOutcomeIsKnownExactlyWhenTheTablesOfKleeneGiveOne) {
  // !(a && b) || c, worked out by hand.
  const Formula f = Any({Not(All({C(0), C(1)})), C(2)});
  EXPECT_EQ(Outcome(f, {kF, kU, kU}), true);
  EXPECT_EQ(Outcome(f, {kT, kT, kF}), false);
  EXPECT_EQ(Outcome(f, {kT, kU, kF}), std::nullopt);
  EXPECT_EQ(Outcome(f, {kT, kT, kX}), std::nullopt);
  EXPECT_EQ(Outcome(f, {kU, kU, kT}), true);
}

}  // namespace
}  // namespace zhitui::proving
