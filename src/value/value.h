#pragma once

// value: what facts and expressions compute with: Value, Type, Decimal, Date, Period, and the arena that owns their
// storage. Pure and thread-compatible; a const Value may be read by many threads as long as its arena lives.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/base.h"

namespace zhitui::value {

// Bump allocator for everything a Value points to. Reset keeps the memory, so a warmed-up arena does not call malloc.
// Not thread-safe.
class Arena {
 public:
  Arena();
  ~Arena();
  Arena(Arena&&) noexcept;
  Arena& operator=(Arena&&) noexcept;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  void* Allocate(std::size_t bytes, std::size_t align);
  template <class T>
  T* NewArray(std::size_t n) {
    static_assert(std::is_trivially_destructible_v<T>);
    return static_cast<T*>(Allocate(n * sizeof(T), alignof(T)));
  }
  std::string_view Copy(std::string_view s);
  void Reset();
  std::size_t bytes_used() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// How a result that has too many digits is rounded: to the nearest, halves away from zero or to the even digit; towards
// zero or away from it; up or down.
enum class Rounding : std::uint8_t { kHalfUp, kHalfEven, kDown, kUp, kCeil, kFloor };
// "half_up", "half_even", "down", "up", "ceil", "floor".
std::optional<Rounding> ParseRounding(std::string_view name);

// An exact decimal: coefficient * 10^-scale, scale 0 to 18. Arithmetic that does not fit 64 bits of coefficient is an
// error, never a rounding. Equal numbers compare equal whatever their scale (1.50 == 1.5).
struct Decimal {
  std::int64_t coefficient = 0;
  std::uint8_t scale = 0;

  // "-12.50"; no exponent, at most 18 digits after the point.
  static std::optional<Decimal> Parse(std::string_view text);
  std::string ToString() const;  // keeps the scale: "12.50"
  static std::optional<Decimal> Add(Decimal a, Decimal b);
  static std::optional<Decimal> Subtract(Decimal a, Decimal b);
  static std::optional<Decimal> Multiply(Decimal a, Decimal b);
  // To `digits` digits after the point, -18 to 18; -2 is whole hundreds. The result has that scale where it fits.
  static std::optional<Decimal> Round(Decimal a, int digits, Rounding mode);
  // a / b, rounded once to `digits` as above; nullopt when b is 0, too.
  static std::optional<Decimal> Divide(Decimal a, Decimal b, int digits, Rounding mode);
  static int Compare(Decimal a, Decimal b);  // <0, 0, >0
};
inline constexpr int kMaxDecimalDigits = 18;

// Which day stands for one that the month does not have: 30 February, or 29 February of a common year.
enum class MonthEnd : std::uint8_t {
  kLastDay,  // the last day of the month (Civil Code of the PRC, art. 202)
  kNextDay,  // the day after it, the first of the next month
};

// A civil period. Months and days are added in that order; a day past the end of the month becomes its last day.
struct Period {
  std::int32_t months = 0;
  std::int32_t days = 0;
  bool operator==(const Period&) const = default;
  // "2 months", "1 year", "60 days", "1 year 6 months" (units year(s), month(s), week(s), day(s)), or ISO 8601
  // "P1Y2M3D".
  static std::optional<Period> Parse(std::string_view text);
  std::string ToString() const;  // ISO 8601: "P1Y2M3D", "P0D"
};
// nullopt when the result leaves the years 0001 to 9999.
// 2026-01-31 + 1 month = 2026-02-28; 2024-02-29 + 1 year = 2025-02-28 (kNextDay: 2026-03-01; 2025-03-01).
std::optional<Date> AddPeriod(Date day, Period period, MonthEnd rule = MonthEnd::kLastDay);

// Completed years between two days: the largest n with birth + n years <= on, so who is born on 29 February completes a
// year on 28 February of a common year (Civil Code of the PRC, art. 202: where the month has no corresponding day, its
// last day; with kNextDay on 1 March). Negative when on < birth.
int AgeInYears(Date birth, Date on, MonthEnd rule = MonthEnd::kLastDay);
// Completed months: the largest n with from + n months <= to; negative when to < from.
int MonthsBetween(Date from, Date to, MonthEnd rule = MonthEnd::kLastDay);

enum class Kind : std::uint8_t {
  kNull,
  kBool,
  kInt,
  kUint,
  kDouble,
  kString,
  kBytes,
  kList,
  kMap,
  kTimestamp,
  kDuration,
  kDate,
  kPeriod,
  kDecimal,
  kType,
  kOptional,
  kIp,
  kCidr,
  kUnknown,
  kError,
};
const char* KindName(Kind kind);  // CEL's names: "int", "google.protobuf.Timestamp", "date", "null_type" …

// An IP address (prefix: all its bits) or a block of them, as kIp and kCidr hold it.
struct Network {
  std::array<std::uint8_t, 16> bytes{};  // IPv4 as ::ffff:a.b.c.d
  std::uint8_t family = 6;               // 4 or 6, as it was written
  std::uint8_t prefix = 128;             // 0 to 32 or 128 bits

  bool IsV4() const;                      // also one written as a mapped IPv6 address
  std::string ToString(Kind kind) const;  // RFC 5952; with "/24" for kCidr
};

class Value;

struct MapEntry;  // key and value, below

// The facts whose absence left an expression open, as sorted distinct slots.
struct UnknownSet {
  std::uint32_t count = 0;
  const std::uint32_t* slots = nullptr;
};

struct ErrorInfo {
  std::string_view message;  // CEL's wording where it has one: "no such overload", "divide by zero"
  std::uint32_t offset = 0;  // byte offset into the expression's source
};

// 16 bytes, trivially copyable. Strings, lists, maps, unknowns and errors point into an arena or into constants.
class Value {
 public:
  constexpr Value() : i_(0) {}
  static Value Null() { return {}; }
  static Value Bool(bool v) { return Value(Kind::kBool, 0, v ? 1 : 0); }
  static Value Int(std::int64_t v) { return Value(Kind::kInt, 0, v); }
  static Value Uint(std::uint64_t v) { return Value(Kind::kUint, 0, static_cast<std::int64_t>(v)); }
  static Value Double(double v);
  static Value String(std::string_view v) { return Value(Kind::kString, v.size(), v.data()); }  // not copied
  // A text that is the number-th, from 1, of the values declared for its fact; 0: not known. The number only speeds up
  // looking it up: it is no part of the value.
  static Value Code(std::string_view v, std::uint16_t number) {  // not copied
    Value out = String(v);
    out.code_ = number;
    return out;
  }
  static Value Bytes(std::string_view v) { return Value(Kind::kBytes, v.size(), v.data()); }      // not copied
  static Value List(std::span<const Value> v) { return Value(Kind::kList, v.size(), v.data()); }  // not copied
  static Value Map(std::span<const MapEntry> v);  // not copied; keys distinct
  static Value OfDate(Date d) { return Value(Kind::kDate, 0, d.time_since_epoch().count()); }
  static Value OfPeriod(Period p);
  static Value OfDecimal(Decimal d) { return Value(Kind::kDecimal, d.scale, d.coefficient); }
  static Value Timestamp(std::int64_t seconds, std::uint32_t nanos) { return Value(Kind::kTimestamp, nanos, seconds); }
  static Value Duration(std::int64_t seconds, std::int32_t nanos) {
    return Value(Kind::kDuration, static_cast<std::uint32_t>(nanos), seconds);
  }
  static Value Type(std::string_view name);  // not copied
  static Value Optional(const Value* v);     // nullptr: none; not copied
  static Value OfNetwork(Kind kind, const Network* network) {
    return Value(kind, 0, network);
  }  // kIp, kCidr; not copied
  static Value Unknown(const UnknownSet* set) { return Value(Kind::kUnknown, 0, set); }  // not copied
  static Value Error(const ErrorInfo* info) { return Value(Kind::kError, 0, info); }     // not copied

  Kind kind() const { return kind_; }
  bool is(Kind k) const { return kind_ == k; }
  bool IsTrue() const { return kind_ == Kind::kBool && i_ != 0; }
  bool IsFalse() const { return kind_ == Kind::kBool && i_ == 0; }

  bool AsBool() const { return i_ != 0; }
  std::int64_t AsInt() const { return i_; }
  std::uint64_t AsUint() const { return static_cast<std::uint64_t>(i_); }
  double AsDouble() const { return d_; }
  std::string_view AsString() const { return {static_cast<const char*>(p_), aux_}; }  // also bytes and type names
  std::uint16_t CodeNumber() const { return code_; }
  std::span<const Value> AsList() const { return {static_cast<const Value*>(p_), aux_}; }
  std::span<const MapEntry> AsMap() const;
  Date AsDate() const { return Date(std::chrono::days(i_)); }
  Period AsPeriod() const;
  Decimal AsDecimal() const { return Decimal{i_, static_cast<std::uint8_t>(aux_)}; }
  std::int64_t Seconds() const { return i_; }
  std::int32_t Nanos() const { return static_cast<std::int32_t>(aux_); }
  const Value* AsOptional() const;
  const Network& AsNetwork() const { return *static_cast<const Network*>(p_); }
  const UnknownSet& AsUnknown() const;
  const ErrorInfo& AsError() const;

 private:
  constexpr Value(Kind k, std::uint32_t aux, std::int64_t i) : kind_(k), aux_(aux), i_(i) {}
  Value(Kind k, std::size_t aux, const void* p) : kind_(k), aux_(static_cast<std::uint32_t>(aux)), p_(p) {}

  Kind kind_ = Kind::kNull;
  std::uint16_t code_ = 0;
  std::uint32_t aux_ = 0;  // length, scale or nanos
  union {
    std::int64_t i_;
    double d_;
    const void* p_;
  };
};
static_assert(sizeof(Value) == 16);

struct MapEntry {
  Value key;
  Value value;
};

// CEL equality: numbers compare across int, uint and double by their mathematical value (only the double 2^63 equals
// the largest int, and 2^64 the largest uint, as CEL's conformance suite has it), decimals with int and uint; lists and
// maps deep; values of unrelated kinds are unequal; NaN equals nothing. Not for unknowns and errors.
bool Equals(const Value& a, const Value& b);
// Order of two comparable values (numbers across kinds, strings by code point, bytes, bool, timestamp, duration, date,
// decimal with int); nullopt: not comparable (NaN included).
std::optional<int> Compare(const Value& a, const Value& b);
// Copies everything the value points to into `arena`.
Value DeepCopy(const Value& v, Arena& arena);

// As people read it in explanations and errors: 2026-03-01, 12.50, "text", [1, 2], {"a": 1}; at most `limit` bytes.
std::string ToDisplay(const Value& v, std::size_t limit = 200);
// JSON; dates, decimals, timestamps and bytes (base64) as strings, non-finite doubles as strings.
std::string ToJson(const Value& v);

// Static types, interned for the life of the process: compare pointers.
struct TypeRep;
using Type = const TypeRep*;
struct TypeRep {
  enum class Tag : std::uint8_t {
    kDyn,
    kNull,
    kPrimitive,
    kList,
    kMap,
    kRecord,
    kOptional,
    kType,
    kAbstract,
    kTypeParam,
    kError
  };
  Tag tag = Tag::kDyn;
  Kind primitive = Kind::kNull;                      // kPrimitive
  Type key = nullptr;                                // kMap
  Type element = nullptr;                            // kList, kMap (value), kOptional, kType
  bool nullable = false;                             // a fact that may be null ("known to be none")
  std::string name;                                  // kRecord, kAbstract, kTypeParam
  std::vector<std::pair<std::string, Type>> fields;  // kRecord; sorted by name. kAbstract: its parts, without names
};
Type Dyn();
Type NullType();
Type Primitive(Kind kind);
Type ListOf(Type element);
Type MapOf(Type key, Type element);
Type OptionalOf(Type element);
Type TypeOf(Type element);
Type TypeParam(std::string name);
Type ErrorType();
// A record with named fields; values of it are maps with string keys. Two records of one name must have equal fields.
Type Record(std::string name, std::vector<std::pair<std::string, Type>> fields);
// A type known only by name and parameters, of functions that are declared and have no implementation.
Type Abstract(std::string name, std::vector<Type> parts);
Type Nullable(Type type);
std::string TypeName(Type type);  // "list(string)", "map(string, int)", "date"

}  // namespace zhitui::value
