// The public CEL conformance cases, read from $ZHITUI_SHARED/conformance/cel (default <source dir>/../shared); skipped
// when they are not there.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "cel/cel.h"

namespace zhitui::cel {
namespace {

using nlohmann::json;
using value::Kind;
using value::MapEntry;
using value::Type;

std::string DecodeBase64(const std::string& in) {
  static const std::string kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  unsigned chunk = 0;
  unsigned bits = 0;
  for (const char c : in) {
    if (c == '=') break;
    chunk = (chunk << 6 | static_cast<unsigned>(kAlphabet.find(c))) & 0xFFFFFU;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out += static_cast<char>(chunk >> bits & 0xFFU);
    }
  }
  return out;
}

double ReadDouble(const json& j) {
  if (!j.is_string()) return j.get<double>();
  if (j == "NaN") return std::nan("");
  return j == "Infinity" ? HUGE_VAL : -HUGE_VAL;
}

// A timestamp or duration through the language itself.
Value Evaluated(const std::string& text, Arena& arena) {
  Diagnostics d;
  const std::optional<Program> p = Compile(Source{text, "case", {}}, Env(), nullptr, &d);
  return p ? value::DeepCopy(p->Evaluate({}, arena), arena) : Value();
}

Value ReadValue(const json& j, Arena& arena) {
  const std::string key = j.begin().key();
  const json& v = j.begin().value();
  if (key == "int") return Value::Int(std::stoll(v.get<std::string>()));
  if (key == "uint") return Value::Uint(std::stoull(v.get<std::string>()));
  if (key == "double") return Value::Double(ReadDouble(v));
  if (key == "string") return Value::String(arena.Copy(v.get<std::string>()));
  if (key == "bytes") return Value::Bytes(arena.Copy(DecodeBase64(v.get<std::string>())));
  if (key == "bool") return Value::Bool(v.get<bool>());
  if (key == "null") return Value::Null();
  if (key == "type") return Value::Type(arena.Copy(v.get<std::string>()));
  if (key == "timestamp") return Evaluated("timestamp('" + v.get<std::string>() + "')", arena);
  if (key == "duration") return Evaluated("duration('" + v.get<std::string>() + "')", arena);
  if (key == "list") {
    Value* out = arena.NewArray<Value>(v.size());
    for (std::size_t i = 0; i < v.size(); ++i) out[i] = ReadValue(v[i], arena);
    return Value::List({out, v.size()});
  }
  if (key == "map") {
    MapEntry* out = arena.NewArray<MapEntry>(v.size());
    for (std::size_t i = 0; i < v.size(); ++i) out[i] = {ReadValue(v[i][0], arena), ReadValue(v[i][1], arena)};
    return Value::Map({out, v.size()});
  }
  throw std::runtime_error("value of kind " + key);
}

Type ReadType(const json& j) {
  if (j.is_string()) {
    const std::map<std::string, Type> types{{"int", value::Primitive(Kind::kInt)},
                                            {"uint", value::Primitive(Kind::kUint)},
                                            {"double", value::Primitive(Kind::kDouble)},
                                            {"bool", value::Primitive(Kind::kBool)},
                                            {"string", value::Primitive(Kind::kString)},
                                            {"bytes", value::Primitive(Kind::kBytes)},
                                            {"null", value::NullType()},
                                            {"dyn", value::Dyn()},
                                            {"any", value::Dyn()},
                                            {"timestamp", value::Primitive(Kind::kTimestamp)},
                                            {"duration", value::Primitive(Kind::kDuration)}};
    return types.at(j.get<std::string>());
  }
  const std::string key = j.begin().key();
  const json& v = j.begin().value();
  if (key == "list") return value::ListOf(ReadType(v));
  if (key == "map") return value::MapOf(ReadType(v[0]), ReadType(v[1]));
  if (key == "type") return value::TypeOf(ReadType(v));
  if (key == "wrapper") return value::Nullable(ReadType(v));
  if (key == "abstract" && v[0] == "optional_type") return value::OptionalOf(ReadType(v[1][0]));
  throw std::runtime_error("type of kind " + key);
}

// Equal and of the same kind, all the way down; NaN is NaN.
bool Identical(const Value& a, const Value& b) {
  if (a.kind() != b.kind()) return false;
  if (a.is(Kind::kDouble) && std::isnan(a.AsDouble())) return std::isnan(b.AsDouble());
  if (a.is(Kind::kList)) {
    if (a.AsList().size() != b.AsList().size()) return false;
    for (std::size_t i = 0; i < a.AsList().size(); ++i) {
      if (!Identical(a.AsList()[i], b.AsList()[i])) return false;
    }
    return true;
  }
  if (a.is(Kind::kMap)) {
    if (a.AsMap().size() != b.AsMap().size()) return false;
    for (const MapEntry& x : a.AsMap()) {
      bool found = false;
      for (const MapEntry& y : b.AsMap()) found = found || (Identical(x.key, y.key) && Identical(x.value, y.value));
      if (!found) return false;
    }
    return true;
  }
  return value::Equals(a, b);
}

struct Outcome {
  enum class What { kPass, kFail, kSkip } what;
  std::string note;
};

Outcome RunCase(const json& c) {
  if (c["needs_proto"].get<bool>()) return {Outcome::What::kSkip, "needs protobuf"};
  Arena arena;
  Env env;
  env.SetContainer(c["container"].get<std::string>());
  env.SetUnchecked(c["disable_check"].get<bool>());
  std::vector<Value> slots;
  std::set<std::string> typed;
  for (const json& d : c["type_env"]) {
    if (!d.contains("type")) return {Outcome::What::kSkip, "declares functions of its own"};
    const std::string name = d["name"];
    const Value v = c["bindings"].contains(name) ? ReadValue(c["bindings"][name], arena) : Value::Unknown(nullptr);
    env.AddVariable(name, ReadType(d["type"]), static_cast<std::uint32_t>(slots.size()));
    slots.push_back(v);
    typed.insert(name);
  }
  for (const auto& [name, v] : c["bindings"].items()) {
    if (typed.contains(name)) continue;
    env.AddVariable(name, value::Dyn(), static_cast<std::uint32_t>(slots.size()));
    slots.push_back(ReadValue(v, arena));
  }
  const json& expect = c["expect"];
  Diagnostics diagnostics;
  const std::optional<Program> p =
      Compile(Source{c["expr"].get<std::string>(), "case", {}}, env, nullptr, &diagnostics);
  if (!p) {
    if (expect.contains("error")) return {Outcome::What::kPass, {}};
    return {Outcome::What::kFail, FormatDiagnostics(diagnostics)};
  }
  json wanted = expect;
  if (expect.contains("typed_result")) {
    const Type type = ReadType(expect["typed_result"]["deduced_type"]);
    if (p->type() != type) {
      return {Outcome::What::kFail, "type " + value::TypeName(p->type()) + ", not " + value::TypeName(type)};
    }
    if (!expect["typed_result"].contains("result")) return {Outcome::What::kPass, {}};
    wanted = json{{"value", expect["typed_result"]["result"]}};
  }
  const Value got = p->Evaluate({slots, MakeDate(2026, 1, 1)}, arena);
  if (wanted.contains("error")) {
    return {got.is(Kind::kError) ? Outcome::What::kPass : Outcome::What::kFail, "got " + value::ToDisplay(got)};
  }
  const Value value = ReadValue(wanted["value"], arena);
  if (Identical(got, value)) return {Outcome::What::kPass, {}};
  return {Outcome::What::kFail, "expected " + value::ToDisplay(value) + " (" + value::KindName(value.kind()) +
                                    "), got " + value::ToDisplay(got) + " (" + value::KindName(got.kind()) + ")"};
}

TEST(Conformance, StandardSuitesPassCompletely) {
  const char* shared = std::getenv("ZHITUI_SHARED");
  const std::string dir = shared != nullptr ? shared : std::string(ZHITUI_SOURCE_DIR) + "/../shared";
  std::ifstream file(dir + "/conformance/cel/cases.ndjson");
  if (!file) GTEST_SKIP() << "no CEL conformance cases in " << dir << "; set ZHITUI_SHARED";
  // Suites in which every case that needs no protobuf passes. The others are counted only.
  const std::set<std::string> complete{"basic",  "bindings_ext", "comparisons",  "conversions", "encoders_ext",
                                       "fields", "fp_math",      "integer_math", "lists",       "logic",
                                       "macros", "macros2",      "math_ext",     "namespace",   "optionals",
                                       "parse",  "plumbing",     "string"};
  struct Tally {
    int passed = 0, failed = 0, skipped = 0;
  };
  std::map<std::string, Tally> tallies;
  for (std::string line; std::getline(file, line);) {
    const json c = json::parse(line);
    const std::string suite = c["suite"];
    Tally& t = tallies[suite];
    Outcome o{Outcome::What::kFail, {}};
    try {
      o = RunCase(c);
    } catch (const std::exception& e) {
      o = {Outcome::What::kSkip, e.what()};
    }
    const std::string name = suite + "/" + c["section"].get<std::string>() + "/" + c["name"].get<std::string>() + ":" +
                             std::to_string(c["line"].get<int>());
    switch (o.what) {
      case Outcome::What::kPass:
        ++t.passed;
        break;
      case Outcome::What::kSkip:
        ++t.skipped;
        std::cout << "skipped " << name << ": " << o.note << "\n";
        break;
      case Outcome::What::kFail:
        ++t.failed;
        if (complete.contains(suite)) {
          ADD_FAILURE() << name << ": " << c["expr"].get<std::string>() << "\n" << o.note;
        } else if (std::getenv("ZHITUI_CEL_VERBOSE") != nullptr) {
          std::cout << "failed " << name << ": " << c["expr"].get<std::string>() << "\n  " << o.note << "\n";
        }
        break;
    }
  }
  for (const auto& [suite, t] : tallies) {
    std::cout << suite << ": " << t.passed << " passed, " << t.failed << " failed, " << t.skipped << " skipped\n";
  }
}

}  // namespace
}  // namespace zhitui::cel
