#include "cel/functions.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>

#include "cel/text.h"

namespace zhitui::cel {
namespace {

using value::Kind;
using value::Type;
using value::TypeRep;

constexpr std::array kOperators{
    FunctionRow{"_+_(int, int) -> int", nullptr, "", "", ""},
    FunctionRow{"_+_(uint, uint) -> uint", nullptr, "", "", ""},
    FunctionRow{"_+_(double, double) -> double", nullptr, "", "", ""},
    FunctionRow{"_+_(string, string) -> string", nullptr, "", "", ""},
    FunctionRow{"_+_(bytes, bytes) -> bytes", nullptr, "", "", ""},
    FunctionRow{"_+_(list(A), list(A)) -> list(A)", nullptr, "", "", ""},
    FunctionRow{"_+_(timestamp, duration) -> timestamp", nullptr, "", "", ""},
    FunctionRow{"_+_(duration, timestamp) -> timestamp", nullptr, "", "", ""},
    FunctionRow{"_+_(duration, duration) -> duration", nullptr, "", "", ""},
    FunctionRow{"_+_(date, period) -> date", nullptr, "", "", ""},
    FunctionRow{"_+_(period, date) -> date", nullptr, "", "", ""},
    FunctionRow{"_+_(period, period) -> period", nullptr, "", "", ""},
    FunctionRow{"_+_(decimal, decimal) -> decimal", nullptr, "", "", ""},
    FunctionRow{"_+_(decimal, int) -> decimal", nullptr, "", "", ""},
    FunctionRow{"_+_(int, decimal) -> decimal", nullptr, "", "", ""},
    FunctionRow{"_-_(int, int) -> int", nullptr, "", "", ""},
    FunctionRow{"_-_(uint, uint) -> uint", nullptr, "", "", ""},
    FunctionRow{"_-_(double, double) -> double", nullptr, "", "", ""},
    FunctionRow{"_-_(timestamp, timestamp) -> duration", nullptr, "", "", ""},
    FunctionRow{"_-_(timestamp, duration) -> timestamp", nullptr, "", "", ""},
    FunctionRow{"_-_(duration, duration) -> duration", nullptr, "", "", ""},
    FunctionRow{"_-_(date, period) -> date", nullptr, "", "", ""},
    FunctionRow{"_-_(date, date) -> int", nullptr, "", "", ""},
    FunctionRow{"_-_(period, period) -> period", nullptr, "", "", ""},
    FunctionRow{"_-_(decimal, decimal) -> decimal", nullptr, "", "", ""},
    FunctionRow{"_-_(decimal, int) -> decimal", nullptr, "", "", ""},
    FunctionRow{"_-_(int, decimal) -> decimal", nullptr, "", "", ""},
    FunctionRow{"_*_(int, int) -> int", nullptr, "", "", ""},
    FunctionRow{"_*_(uint, uint) -> uint", nullptr, "", "", ""},
    FunctionRow{"_*_(double, double) -> double", nullptr, "", "", ""},
    FunctionRow{"_*_(decimal, decimal) -> decimal", nullptr, "", "", ""},
    FunctionRow{"_*_(decimal, int) -> decimal", nullptr, "", "", ""},
    FunctionRow{"_*_(int, decimal) -> decimal", nullptr, "", "", ""},
    FunctionRow{"_/_(int, int) -> int", nullptr, "", "", ""},
    FunctionRow{"_/_(uint, uint) -> uint", nullptr, "", "", ""},
    FunctionRow{"_/_(double, double) -> double", nullptr, "", "", ""},
    FunctionRow{"_%_(int, int) -> int", nullptr, "", "", ""},
    FunctionRow{"_%_(uint, uint) -> uint", nullptr, "", "", ""},
    FunctionRow{"-_(int) -> int", nullptr, "", "", ""},
    FunctionRow{"-_(double) -> double", nullptr, "", "", ""},
    FunctionRow{"-_(decimal) -> decimal", nullptr, "", "", ""},
};

struct NamedKind {
  std::string_view name;
  Kind kind;
};
constexpr std::array kNamedKinds{
    NamedKind{"bool", Kind::kBool},           NamedKind{"int", Kind::kInt},           NamedKind{"uint", Kind::kUint},
    NamedKind{"double", Kind::kDouble},       NamedKind{"string", Kind::kString},     NamedKind{"bytes", Kind::kBytes},
    NamedKind{"timestamp", Kind::kTimestamp}, NamedKind{"duration", Kind::kDuration}, NamedKind{"date", Kind::kDate},
    NamedKind{"period", Kind::kPeriod},       NamedKind{"decimal", Kind::kDecimal},   NamedKind{"net_ip", Kind::kIp},
    NamedKind{"net_cidr", Kind::kCidr},
};

void SkipBlanks(std::string_view& s) {
  while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
}

Type EatType(std::string_view& s) {
  SkipBlanks(s);
  std::size_t n = 0;
  while (n < s.size() && (std::isalnum(static_cast<unsigned char>(s[n])) != 0 || s[n] == '_')) ++n;
  const std::string_view name = s.substr(0, n);
  s.remove_prefix(n);
  for (const NamedKind& k : kNamedKinds) {
    if (k.name == name) return value::Primitive(k.kind);
  }
  if (name == "dyn") return value::Dyn();
  if (name == "null_type") return value::NullType();
  if (name.size() == 1 && name[0] >= 'A' && name[0] <= 'Z') return value::TypeParam(std::string(name));
  if (name != "list" && name != "map" && name != "type" && name != "optional_type") return nullptr;
  if (s.empty() || s.front() != '(') return nullptr;
  s.remove_prefix(1);
  const Type first = EatType(s);
  if (first == nullptr) return nullptr;
  Type second = nullptr;
  if (name == "map") {
    if (s.empty() || s.front() != ',') return nullptr;
    s.remove_prefix(1);
    second = EatType(s);
    if (second == nullptr) return nullptr;
  }
  if (s.empty() || s.front() != ')') return nullptr;
  s.remove_prefix(1);
  if (name == "list") return value::ListOf(first);
  if (name == "type") return value::TypeOf(first);
  if (name == "optional_type") return value::OptionalOf(first);
  return value::MapOf(first, second);
}

std::int16_t RuntimeKind(Type type) {
  switch (type->tag) {
    case TypeRep::Tag::kPrimitive:
      return static_cast<std::int16_t>(type->primitive);
    case TypeRep::Tag::kNull:
      return static_cast<std::int16_t>(Kind::kNull);
    case TypeRep::Tag::kList:
      return static_cast<std::int16_t>(Kind::kList);
    case TypeRep::Tag::kMap:
    case TypeRep::Tag::kRecord:
      return static_cast<std::int16_t>(Kind::kMap);
    case TypeRep::Tag::kOptional:
      return static_cast<std::int16_t>(Kind::kOptional);
    case TypeRep::Tag::kType:
      return static_cast<std::int16_t>(Kind::kType);
    default:
      return -1;
  }
}

class Registry {
 public:
  Registry() {
    for (const FunctionRow& row : kOperators) Add(row);
    for (const auto rows : {StandardFunctions(), LawFunctions(), CalendarFunctions(), TextFunctions(),
                            FormatFunctions(), TimeFunctions(), NetworkFunctions(), ExtensionFunctions()}) {
      for (const FunctionRow& row : rows) Add(row);
    }
    for (auto& [name, function] : functions_) {
      for (Overload& o : function.overloads) o.function = &function;
      if (name.find('_') != 0 && name != "-_") names_.push_back(name);
    }
  }

  const std::map<std::string, Function, std::less<>>& functions() const { return functions_; }
  const std::vector<std::string>& names() const { return names_; }

 private:
  void Add(const FunctionRow& row) {
    Overload o;
    o.signature = std::string(row.signature);
    o.run = row.run;
    o.transfer = row.transfer;
    std::string_view rest = row.signature;
    // A receiver is a type in front of the last dot before the arguments; "optional.of" has a name there instead.
    const std::size_t arrow = rest.find(" -> ");
    std::size_t open = rest.rfind('(', arrow);
    int nested = 0;  // the parenthesis that opens the arguments, past those of nested types
    for (std::size_t i = arrow; i-- > 0;) {
      if (rest[i] == ')') ++nested;
      if (rest[i] == '(' && --nested == 0) {
        open = i;
        break;
      }
    }
    std::string_view name = rest.substr(0, open);
    const std::size_t dot = name.rfind('.');
    if (dot != std::string_view::npos) {
      std::string_view receiver = name.substr(0, dot);
      if (const Type type = EatType(receiver); type != nullptr && receiver.empty()) {
        o.member = true;
        o.params.push_back(type);
        name.remove_prefix(dot + 1);
      }
    }
    std::string_view args = rest.substr(open + 1, arrow - open - 2);
    while (!args.empty()) {
      o.params.push_back(EatType(args));
      if (!args.empty()) args.remove_prefix(1);  // the comma
    }
    std::string_view result = rest.substr(arrow + 4);
    o.result = EatType(result);
    for (const Type t : o.params) o.kinds.push_back(RuntimeKind(t));
    Function& f = functions_[std::string(name)];
    f.name = std::string(name);
    if (f.summary.zh.empty()) f.summary = Text{std::string(row.zh), std::string(row.en)};
    f.overloads.push_back(std::move(o));
  }

  std::map<std::string, Function, std::less<>> functions_;
  std::vector<std::string> names_;
};

// Built once, never changed.
const Registry& TheRegistry() {
  static const Registry* const registry = new Registry();
  return *registry;
}

}  // namespace

Value Call::Fail(std::string_view message) const {
  auto* info = arena.NewArray<value::ErrorInfo>(1);
  *info = value::ErrorInfo{message, offset};
  return Value::Error(info);
}

bool Call::Charge(std::size_t bytes) const {
  constexpr std::size_t kBytesPerStep = 16;
  const std::uint64_t cost = bytes / kBytesPerStep;
  if (steps <= cost) {
    steps = 0;
    return false;
  }
  steps -= cost;
  return true;
}

value::Type ParseTypeName(std::string_view name) {
  const Type type = EatType(name);
  return name.empty() ? type : nullptr;
}

const Function* FindFunction(std::string_view name) {
  const auto& functions = TheRegistry().functions();
  const auto it = functions.find(name);
  return it == functions.end() ? nullptr : &it->second;
}

const std::vector<std::string>& FunctionNames() { return TheRegistry().names(); }

std::vector<FunctionDoc> Functions() {
  std::vector<FunctionDoc> docs;
  for (const auto& [name, function] : TheRegistry().functions()) {
    for (const Overload& o : function.overloads) {
      if (o.run != nullptr) docs.push_back({name, o.signature, function.summary});
    }
  }
  const auto macro = [&docs](const char* name, const char* signature, const char* zh, const char* en) {
    docs.push_back({name, signature, Text{zh, en}});
  };
  macro("has", "has(a.b) -> bool", "字段有值（明确为空时为 false，未知时为未知）",
        "The field has a value: false when it is known to be none, unknown when it is missing");
  macro("all", "list(A).all(x, bool) -> bool", "每个元素都满足条件", "Every element meets the condition");
  macro("exists", "list(A).exists(x, bool) -> bool", "至少一个元素满足条件",
        "At least one element meets the condition");
  macro("exists_one", "list(A).exists_one(x, bool) -> bool", "恰好一个元素满足条件",
        "Exactly one element meets the condition");
  macro("filter", "list(A).filter(x, bool) -> list(A)", "满足条件的元素", "The elements that meet the condition");
  macro("map", "list(A).map(x, B) -> list(B)", "由每个元素算出的列表", "A list computed from each element");
  std::stable_sort(docs.begin(), docs.end(),
                   [](const FunctionDoc& a, const FunctionDoc& b) { return a.name < b.name; });
  return docs;
}

}  // namespace zhitui::cel
