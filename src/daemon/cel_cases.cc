#include "daemon/cel_cases.h"

#include <cmath>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>

#include "cel/cel.h"
#include "daemon/commands.h"
#include "value/value.h"

namespace zhitui::daemon {
namespace {

using nlohmann::json;
using value::Arena;
using value::Kind;
using value::MapEntry;
using value::Type;
using value::Value;

constexpr std::size_t kMaxLine = 1 << 20;
constexpr int kMaxDepth = 64;

// A case that asks for something the language here does not have, such as a protobuf message.
struct Unsupported : std::runtime_error {
  using std::runtime_error::runtime_error;
};

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
  const std::optional<cel::Program> p = cel::Compile(cel::Source{text, "case", {}}, cel::Env(), nullptr, &d);
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
  throw Unsupported("values of kind " + key);
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
  if (key == "type_param") return value::TypeParam(v.get<std::string>());
  if (key == "abstract") {
    std::vector<Type> parts;
    for (const json& part : v.at(1)) parts.push_back(ReadType(part));
    return value::Abstract(v.at(0).get<std::string>(), std::move(parts));
  }
  throw Unsupported("types of kind " + key);
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

using What = CelOutcome::What;

// The variables and functions that a case declares, and its values.
struct Bound {
  cel::Env env;
  std::vector<Value> slots;
};

void Bind(const json& c, Arena& arena, Bound& out) {
  out.env.SetContainer(c.value("container", ""));
  out.env.SetUnchecked(c.value("disable_check", false));
  const json bindings = c.value("bindings", json::object());
  std::set<std::string> typed;
  for (const json& d : c.value("type_env", json::array())) {
    const std::string name = d.at("name");
    if (d.contains("function")) {
      for (const json& overload : d.at("function")) {
        std::vector<Type> params;
        for (const json& param : overload.at("params")) params.push_back(ReadType(param));
        out.env.DeclareFunction(name, params, ReadType(overload.at("result")), overload.value("instance", false));
      }
      continue;
    }
    const Value v = bindings.contains(name) ? ReadValue(bindings[name], arena) : Value::Unknown(nullptr);
    out.env.AddVariable(name, ReadType(d.at("type")), static_cast<std::uint32_t>(out.slots.size()));
    out.slots.push_back(v);
    typed.insert(name);
  }
  for (const auto& [name, v] : bindings.items()) {
    if (typed.contains(name)) continue;
    out.env.AddVariable(name, value::Dyn(), static_cast<std::uint32_t>(out.slots.size()));
    out.slots.push_back(ReadValue(v, arena));
  }
}

std::string Shown(const Value& v) { return value::ToDisplay(v) + " (" + value::KindName(v.kind()) + ")"; }

void Run(const json& c, CelOutcome& out) {
  if (c.value("needs_proto", false)) {
    std::string why;
    for (const json& reason : c.value("proto_reasons", json::array())) {
      why += (why.empty() ? ": " : ", ") + reason.get<std::string>();
    }
    out.what = What::kSkipped;
    out.note = "needs protobuf" + why;
    return;
  }
  const auto fail = [&](const std::string& expected, const std::string& got) {
    out.what = What::kFailed;
    out.note = "expected " + expected + "\ngot      " + got;
  };
  Arena arena;
  Bound bound;
  Bind(c, arena, bound);
  const json& expect = c.at("expect");
  Diagnostics diagnostics;
  const std::optional<cel::Program> p =
      cel::Compile(cel::Source{out.expression, "case", {}}, bound.env, nullptr, &diagnostics);
  const std::string wanted_error = expect.contains("error") ? "the error " + expect["error"].dump() : std::string();
  if (!p) {
    if (wanted_error.empty()) fail(expect.dump(), "a mistake: " + FormatDiagnostics(diagnostics));
    return;
  }
  json wanted = expect;
  if (expect.contains("typed_result")) {
    const json& typed = expect["typed_result"];
    const Type type = ReadType(typed.at("deduced_type"));
    if (p->type() != type) return fail("type " + value::TypeName(type), "type " + value::TypeName(p->type()));
    if (!typed.contains("result")) return;
    wanted = json{{"value", typed["result"]}};
  }
  if (c.value("check_only", false)) return;
  const Value got = p->Evaluate({bound.slots, MakeDate(2026, 1, 1)}, arena);
  if (!wanted_error.empty()) {
    if (!got.is(Kind::kError)) fail(wanted_error, Shown(got));
    return;
  }
  if (!wanted.contains("value")) throw Unsupported("results of kind " + wanted.begin().key());
  const Value expected = ReadValue(wanted["value"], arena);
  if (!Identical(got, expected)) fail(Shown(expected), Shown(got));
}

// Refuses what nests deeper than kMaxDepth, before anything is built of it.
json ParseLine(std::string_view line) {
  if (line.size() > kMaxLine) throw std::invalid_argument("longer than 1 MiB");
  json out = json::parse(line, [](int depth, json::parse_event_t, json&) {
    if (depth > kMaxDepth) throw std::invalid_argument("nested deeper than " + std::to_string(kMaxDepth));
    return true;
  });
  if (!out.is_object()) throw std::invalid_argument("not a JSON object");
  return out;
}

}  // namespace

CelOutcome RunCelCase(std::string_view line) {
  CelOutcome out;
  try {
    const json c = ParseLine(line);
    out.suite = c.value("suite", c.value("file", ""));
    out.expression = c.at("expr").get<std::string>();
    out.name = c.value("file", "") + "/" + c.value("section", "") + "/" + c.value("name", "") + ":" +
               std::to_string(c.value("line", 0));
    try {
      Run(c, out);
    } catch (const Unsupported& e) {
      out.what = What::kSkipped;
      out.note = std::string("there are no ") + e.what();
    }
  } catch (const std::exception& e) {
    out.what = What::kMalformed;
    out.note = e.what();
  }
  return out;
}

int CelTest(const CelTestArguments& arguments) {
  std::ifstream in(arguments.file, std::ios::binary);
  if (!in) return Fail(EX_NOINPUT, "cannot read " + arguments.file);
  struct Tally {
    std::size_t passed = 0;
    std::size_t failed = 0;
    std::size_t skipped = 0;
  };
  std::map<std::string, Tally> suites;
  Tally all;
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const CelOutcome o = RunCelCase(line);
    if (o.what == What::kMalformed) {
      return Fail(EX_DATAERR, arguments.file + ":" + std::to_string(number) + ": " + o.note);
    }
    if (!arguments.suite.empty() && o.suite != arguments.suite) continue;
    Tally& suite = suites[o.suite];
    switch (o.what) {
      case What::kPassed:
        ++suite.passed;
        ++all.passed;
        break;
      case What::kSkipped:
        ++suite.skipped;
        ++all.skipped;
        break;
      default:
        ++suite.failed;
        ++all.failed;
    }
    if (arguments.json) {
      static const char* const kWords[] = {"passed", "failed", "skipped"};
      json out{{"case", o.name}, {"suite", o.suite}, {"outcome", kWords[static_cast<int>(o.what)]}};
      if (!o.note.empty()) out["note"] = o.note;
      std::cout << out.dump() << "\n";
    } else if (o.what != What::kPassed) {
      std::cout << (o.what == What::kFailed ? "failed  " : "skipped ") << o.name << "\n";
      if (o.what == What::kFailed) std::cout << "  " << o.expression << "\n";
      std::string note = o.note;
      for (std::size_t at = 0; (at = note.find('\n', at)) != std::string::npos; at += 3) note.replace(at, 1, "\n  ");
      std::cout << "  " << note << "\n";
    }
  }
  if (!arguments.json) {
    for (const auto& [name, tally] : suites) {
      std::printf("%-20s %5zu passed %5zu failed %5zu skipped\n", name.c_str(), tally.passed, tally.failed,
                  tally.skipped);
    }
    std::fflush(stdout);
  }
  std::ostream& last = arguments.json ? std::cerr : std::cout;
  last << all.passed << " passed, " << all.failed << " failed, " << all.skipped << " skipped\n";
  return all.failed == 0 ? EX_OK : 1;
}

}  // namespace zhitui::daemon
