#include "cel/env.h"

#include <algorithm>

#include "cel/checker.h"
#include "cel/functions.h"
#include "cel/parser.h"

namespace zhitui::cel {

bool Names::IsGroup(std::string_view prefix) const {
  std::string start(prefix);
  start += '.';
  const auto it = names.lower_bound(start);
  return it != names.end() && it->first.starts_with(start);
}

Env::Env() : impl_(std::make_unique<Impl>()) {
  static const std::shared_ptr<const Declaration>* const today = [] {
    auto d = std::make_shared<Declaration>();
    d->what = Declaration::What::kToday;
    d->name = "today";
    d->type = value::Primitive(value::Kind::kDate);
    return new std::shared_ptr<const Declaration>(std::move(d));
  }();
  impl_->names["today"] = *today;
}
Env::~Env() = default;
Env::Env(Env&&) noexcept = default;
Env& Env::operator=(Env&&) noexcept = default;

Env Env::Extend(const Env& base) {
  Env env;
  *env.impl_ = *base.impl_;
  return env;
}

namespace {

// What each day knows of entries of which some were entered after the fact: the days on which another entry wins.
std::vector<DatedValue> AsKnownEachDay(const std::vector<DatedValue>& all) {
  std::vector<Date> days;
  for (const DatedValue& e : all) days.push_back(std::max(e.from, e.entered.value_or(e.from)));
  std::sort(days.begin(), days.end());
  days.erase(std::unique(days.begin(), days.end()), days.end());
  std::vector<DatedValue> out;
  const DatedValue* current = nullptr;
  for (const Date day : days) {
    const DatedValue* winner = WinnerAsKnown(all, day, day);
    if (winner == nullptr || winner == current) continue;
    current = winner;
    out.push_back({day, winner->value});
  }
  return out;
}

}  // namespace

const DatedValue* WinnerAsKnown(const std::vector<DatedValue>& all, Date day, Date known) {
  const DatedValue* winner = nullptr;
  for (const DatedValue& e : all) {
    if (e.from > day) break;
    if (!e.entered || *e.entered <= known) winner = &e;
  }
  return winner;
}

void Env::AddVariable(const std::string& name, value::Type type, std::uint32_t slot, Sizes sizes) {
  auto d = std::make_shared<Declaration>();
  d->what = Declaration::What::kVariable;
  d->name = name;
  d->type = type;
  d->slot = slot;
  d->sizes = std::move(sizes);
  impl_->names[name] = std::move(d);
}

void Env::AddDated(const std::string& name, value::Type type, std::vector<DatedValue> entries) {
  auto d = std::make_shared<Declaration>();
  d->what = Declaration::What::kDated;
  d->name = name;
  d->type = type;
  d->arena = std::make_shared<value::Arena>();
  d->entries = std::move(entries);
  for (DatedValue& e : d->entries) e.value = value::DeepCopy(e.value, *d->arena);
  if (std::any_of(d->entries.begin(), d->entries.end(), [](const DatedValue& e) { return e.entered.has_value(); })) {
    d->entered = std::move(d->entries);
    d->entries = AsKnownEachDay(d->entered);
  }
  impl_->names[name] = std::move(d);
}

void Env::AddLet(const std::string& name, const Source& source, Diagnostics* diagnostics) {
  auto d = std::make_shared<Declaration>();
  d->name = name;
  d->what = Declaration::What::kBroken;
  d->type = value::ErrorType();
  Reporter reporter(source, diagnostics);
  const Limits limits;
  std::unique_ptr<Ast> ast = Parse(source, limits, reporter);
  if (ast != nullptr) {
    const Checked checked = Check(*ast, *impl_, nullptr, limits, reporter);
    if (reporter.count() == 0) {
      d->what = Declaration::What::kLet;
      d->type = ast->root->type;
      d->nodes = checked.nodes;
      d->depth = checked.depth;
      d->body = std::move(ast);
      d->text = std::make_shared<const std::string>(source.text);
    }
  }
  impl_->names[name] = std::move(d);
}

void Env::DeclareFunction(const std::string& name, std::vector<value::Type> params, value::Type result, bool member) {
  // A copy: environments that extend one another share what was there before.
  std::shared_ptr<Function>& slot = impl_->functions[name];
  auto function = slot == nullptr ? std::make_shared<Function>() : std::make_shared<Function>(*slot);
  function->name = name;
  Overload overload;
  overload.signature = name;
  for (const value::Type param : params) overload.signature += "," + value::TypeName(param);
  overload.kinds.assign(params.size(), -1);
  overload.params = std::move(params);
  overload.result = result;
  overload.member = member;
  function->overloads.push_back(std::move(overload));
  for (Overload& o : function->overloads) o.function = function.get();
  slot = std::move(function);
}

void Env::SetContainer(std::string container) { impl_->container = std::move(container); }
void Env::SetCalendar(std::shared_ptr<const Calendar> calendar) { impl_->calendar = std::move(calendar); }
void Env::SetUnchecked(bool unchecked) { impl_->unchecked = unchecked; }

}  // namespace zhitui::cel
