#include "facts/convert.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

namespace zhitui::facts {
namespace {

const char* Expected(FactType type) {
  switch (type) {
    case FactType::kBool:
      return "true or false";
    case FactType::kInt:
      return "a whole number such as 12";
    case FactType::kDecimal:
      return "a decimal such as 1.25 or \"1.25\", at most 18 digits";
    case FactType::kMoney:
      return "an amount such as 12.50 or \"12.50\", at most 2 decimals";
    case FactType::kString:
      return "text";
    case FactType::kCode:
      return "a code in quotes";
    case FactType::kDate:
      return "a date such as 2026-03-01";
    case FactType::kTimestamp:
      return "a time such as 2026-03-01T08:00:00+08:00";
    case FactType::kList:
      return "a list";
    case FactType::kRecord:
      return "an object";
  }
  return "";
}

std::string_view TrimJson(std::string_view s) {
  while (!s.empty() && (s.back() == ' ' || s.back() == '\n' || s.back() == '\r' || s.back() == '\t'))
    s.remove_suffix(1);
  return s;
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// RFC 8259 number; `whole` says that it has neither fraction nor exponent.
bool IsJsonNumber(std::string_view s, bool* whole) {
  std::size_t i = s.starts_with('-') ? 1 : 0;
  const std::size_t first = i;
  while (i < s.size() && IsDigit(s[i])) ++i;
  if (i == first || (s[first] == '0' && i - first > 1)) return false;
  *whole = i == s.size();
  if (i < s.size() && s[i] == '.') {
    const std::size_t point = i++;
    while (i < s.size() && IsDigit(s[i])) ++i;
    if (i == point + 1) return false;
  }
  if (i < s.size() && (s[i] == 'e' || s[i] == 'E')) {
    ++i;
    if (i < s.size() && (s[i] == '+' || s[i] == '-')) ++i;
    const std::size_t digits = i;
    while (i < s.size() && IsDigit(s[i])) ++i;
    if (i == digits) return false;
  }
  return i == s.size();
}

// What a number must be, as a refusal says it.
std::string RangeOf(const FactDef& def) {
  std::string out = ": expected ";
  if (def.min) out += "at least " + def.min->ToString() + (def.max ? " and " : "");
  if (def.max) out += "at most " + def.max->ToString();
  return out;
}

const value::UnknownSet kNoSlots{};

}  // namespace

Value TimestampOf(Instant at) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(at);
  const auto millis = (at - seconds).count();
  return Value::Timestamp(seconds.time_since_epoch().count(), static_cast<std::uint32_t>(millis) * 1'000'000U);
}

simdjson::padded_string_view Padded(std::string_view text) {
  thread_local std::vector<char> buffer;
  if (buffer.size() < text.size() + simdjson::SIMDJSON_PADDING) buffer.resize(text.size() + simdjson::SIMDJSON_PADDING);
  if (!text.empty()) std::memcpy(buffer.data(), text.data(), text.size());
  std::memset(buffer.data() + text.size(), 0, simdjson::SIMDJSON_PADDING);
  return simdjson::padded_string_view(buffer.data(), text.size(), buffer.size());
}

json::parser& ThreadParser() {
  thread_local json::parser parser;
  return parser;
}

std::string SafeName(std::string_view name) {
  const bool safe =
      !name.empty() && name.size() <= 64 &&
      ((name[0] >= 'a' && name[0] <= 'z') || (name[0] >= 'A' && name[0] <= 'Z')) &&
      std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || IsDigit(c) || c == '_' || c == '.' || c == '-';
      });
  return safe ? std::string(name) : "(not a name)";
}

Refused NotJson(std::string detail) { return {Refusal::kNotJson, std::move(detail)}; }

std::optional<std::uint16_t> CodeNumber(const FactDef& def, std::string_view code) {
  if (def.values.empty()) return 0;
  const auto it = std::find(def.values.begin(), def.values.end(), code);
  if (it == def.values.end()) return std::nullopt;
  return static_cast<std::uint16_t>(it - def.values.begin() + 1);
}

bool InRange(const FactDef& def, const Value& v) {
  const value::Decimal d = v.is(value::Kind::kInt) ? value::Decimal{v.AsInt(), 0} : v.AsDecimal();
  return (!def.min || value::Decimal::Compare(d, *def.min) >= 0) &&
         (!def.max || value::Decimal::Compare(d, *def.max) <= 0);
}

bool Converter::Refuse(Refusal reason, std::string rule) {
  refused_ = {reason, std::move(rule)};
  return false;
}

bool Converter::Broken() { return Refuse(Refusal::kNotJson, ": not well-formed JSON"); }

bool Converter::ConvertString(const FactDef& def, std::string_view text, Value* out) {
  switch (def.type) {
    case FactType::kString:
      *out = Value::String(arena_.Copy(text));
      return true;
    case FactType::kCode: {
      if (text.empty()) break;
      const std::optional<std::uint16_t> number = CodeNumber(def, text);
      if (!number) {
        std::string rule = ": expected one of ";
        for (std::size_t i = 0; i < def.values.size() && i < 8; ++i) rule += (i == 0 ? "" : ", ") + def.values[i];
        return Refuse(Refusal::kWrongType, rule + (def.values.size() > 8 ? ", …" : ""));
      }
      *out = Value::Code(arena_.Copy(text), *number);
      return true;
    }
    case FactType::kDate: {
      const Result<Date> date = ParseDate(text);
      if (!date) break;
      *out = Value::OfDate(*date);
      return true;
    }
    case FactType::kTimestamp: {
      const Result<Instant> at = ParseInstant(text);
      if (!at) break;
      *out = TimestampOf(*at);
      return true;
    }
    case FactType::kDecimal:
    case FactType::kMoney: {
      bool whole = false;
      if (!IsJsonNumber(text, &whole)) break;
      const std::optional<value::Decimal> decimal = value::Decimal::Parse(text);
      if (!decimal || (def.type == FactType::kMoney && decimal->scale > kMoneyScale)) break;
      *out = Value::OfDecimal(*decimal);
      return InRange(def, *out) || Refuse(Refusal::kWrongType, RangeOf(def));
    }
    default:
      break;
  }
  return Refuse(Refusal::kWrongType, std::string(": expected ") + Expected(def.type));
}

bool Converter::ConvertScalar(const FactDef& def, json::value& in, json::json_type type, Value* out) {
  const auto wrong = [&] { return Refuse(Refusal::kWrongType, std::string(": expected ") + Expected(def.type)); };
  switch (type) {
    case json::json_type::boolean: {
      bool v = false;
      if (in.get_bool().get(v) != simdjson::SUCCESS) return Broken();
      if (def.type != FactType::kBool) return wrong();
      *out = Value::Bool(v);
      return true;
    }
    case json::json_type::string: {
      std::string_view text;
      if (in.get_string().get(text) != simdjson::SUCCESS) return Broken();
      return ConvertString(def, text, out);
    }
    case json::json_type::number: {
      const std::string_view text = TrimJson(in.raw_json_token());
      bool whole = false;
      if (!IsJsonNumber(text, &whole)) return Broken();
      if (def.type == FactType::kDecimal || def.type == FactType::kMoney) return ConvertString(def, text, out);
      if (def.type != FactType::kInt || !whole) return wrong();
      std::int64_t v = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
      if (error != std::errc() || end != text.data() + text.size()) return wrong();
      *out = Value::Int(v);
      return InRange(def, *out) || Refuse(Refusal::kWrongType, RangeOf(def));
    }
    default:
      return wrong();
  }
}

bool Converter::Element(const FactDef& def, json::value& in, Value* out) {
  json::json_type type{};
  if (in.type().get(type) != simdjson::SUCCESS) return Broken();
  if (type == json::json_type::null) {
    bool null = false;
    if (in.is_null().get(null) != simdjson::SUCCESS || !null) return Broken();
    if (!def.nullable) return Refuse(Refusal::kNotNullable, ": may not be null");
    *out = Value::Null();
    return true;
  }
  if (def.type == FactType::kRecord) return ConvertRecord(def, in, nullptr, false, out);
  return Convert(def, in, nullptr, out);
}

bool Converter::ConvertList(const FactDef& def, json::value& in, Value* out) {
  json::array array;
  if (in.get_array().get(array) != simdjson::SUCCESS) return Broken();
  const std::size_t base = scratch_.size();
  for (auto item : array) {
    json::value element;
    if (std::move(item).get(element) != simdjson::SUCCESS) return Broken();
    const std::size_t index = scratch_.size() - base;
    if (index >= def.max_items) {
      return Refuse(Refusal::kTooMany, ": more than " + std::to_string(def.max_items) + " items");
    }
    Value v;
    if (!Element(def.element.front(), element, &v)) {
      refused_.detail.insert(0, "[" + std::to_string(index) + "]");
      return false;
    }
    scratch_.push_back(v);
  }
  const std::size_t n = scratch_.size() - base;
  Value* items = arena_.NewArray<Value>(n);
  std::copy_n(scratch_.begin() + static_cast<std::ptrdiff_t>(base), n, items);
  scratch_.resize(base);
  *out = Value::List({items, n});
  return true;
}

// Fields stand in the order of their declaration, so equal records are stored alike. `patch`: null withdraws a field
// that may not be null, and fields that are not named stay as they are in `old`.
bool Converter::ConvertRecord(const FactDef& def, json::value& in, const Value* old, bool patch, Value* out) {
  json::object object;
  if (in.get_object().get(object) != simdjson::SUCCESS) return Broken();
  const std::size_t base = scratch_.size();
  const std::size_t n = def.fields.size();
  scratch_.resize(base + 2 * n, Value::Unknown(&kNoSlots));  // values, then whether the object named them
  if (old != nullptr && old->is(value::Kind::kMap)) {
    for (const value::MapEntry& entry : old->AsMap()) {
      for (std::size_t i = 0; i < n; ++i) {
        if (def.fields[i].name == entry.key.AsString()) scratch_[base + i] = entry.value;
      }
    }
  }
  for (auto item : object) {
    json::field field;
    std::string_view name;
    if (std::move(item).get(field) != simdjson::SUCCESS || field.unescaped_key().get(name) != simdjson::SUCCESS)
      return Broken();
    const auto found =
        std::find_if(def.fields.begin(), def.fields.end(), [&](const FactDef& f) { return f.name == name; });
    if (found == def.fields.end()) {
      return Refuse(Refusal::kUnknownFact, "." + SafeName(name) + ": not a field of this record");
    }
    const auto i = static_cast<std::size_t>(found - def.fields.begin());
    const auto at = [&] { refused_.detail.insert(0, "." + found->name); };
    if (!scratch_[base + n + i].is(value::Kind::kUnknown)) {
      Refuse(Refusal::kNotJson, ": the same name twice");
      at();
      return false;
    }
    scratch_[base + n + i] = Value::Bool(true);
    json::value& v = field.value();
    json::json_type type{};
    if (v.type().get(type) != simdjson::SUCCESS) return Broken();
    Value converted = Value::Unknown(&kNoSlots);
    bool good = true;
    if (patch && type == json::json_type::null && !found->nullable) {
      bool null = false;
      good = v.is_null().get(null) == simdjson::SUCCESS && null ? true : Broken();
    } else if (patch && found->type == FactType::kRecord && type == json::json_type::object) {
      const Value held = scratch_[base + i];
      good = ConvertRecord(*found, v, &held, true, &converted);
    } else {
      good = Element(*found, v, &converted);
    }
    if (!good) {
      at();
      return false;
    }
    scratch_[base + i] = converted;
  }
  std::size_t present = 0;
  for (std::size_t i = 0; i < n; ++i) present += scratch_[base + i].is(value::Kind::kUnknown) ? 0 : 1;
  value::MapEntry* entries = arena_.NewArray<value::MapEntry>(present);
  std::size_t at = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (scratch_[base + i].is(value::Kind::kUnknown)) continue;
    entries[at++] = {Value::String(def.fields[i].name), scratch_[base + i]};
  }
  scratch_.resize(base);
  *out = Value::Map({entries, present});
  return true;
}

bool Converter::Convert(const FactDef& def, json::value& in, const Value* old, Value* out) {
  json::json_type type{};
  if (in.type().get(type) != simdjson::SUCCESS) return Broken();
  if (def.type == FactType::kList && type == json::json_type::array) return ConvertList(def, in, out);
  if (def.type == FactType::kRecord && type == json::json_type::object) return ConvertRecord(def, in, old, true, out);
  if (def.type == FactType::kList || def.type == FactType::kRecord || type == json::json_type::array ||
      type == json::json_type::object) {
    return Refuse(Refusal::kWrongType, std::string(": expected ") + Expected(def.type));
  }
  return ConvertScalar(def, in, type, out);
}

}  // namespace zhitui::facts
