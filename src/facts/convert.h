#pragma once

// JSON values -> typed values by a fact's declaration. Inside the facts room only.

#include <simdjson.h>

#include <string>
#include <string_view>
#include <vector>

#include "facts/tree.h"

namespace zhitui::facts {

namespace json = simdjson::ondemand;

// A copy of `text` with the padding that simdjson reads past the end; one buffer per thread, valid until the next call.
simdjson::padded_string_view Padded(std::string_view text);
json::parser& ThreadParser();

// `name` as it may appear in a refusal: what does not look like a name is not repeated, it may be someone's data.
std::string SafeName(std::string_view name);

Refused NotJson(std::string detail = "not well-formed JSON");

Value TimestampOf(Instant at);

inline constexpr unsigned kMoneyScale = 2;

// The largest JSON text that is looked at, whatever the caller allows.
inline constexpr std::size_t kMaxJsonBytes = std::size_t{16} << 20;

class Converter {
 public:
  // `scratch` is working memory that callers reuse.
  Converter(value::Arena* arena, std::vector<Value>* scratch) : arena_(*arena), scratch_(*scratch) {}

  // `old` is what a record fact holds now (RFC 7396 merges into it) or nullptr (nothing to merge into). False:
  // refused(), whose detail begins at `def`.
  bool Convert(const FactDef& def, json::value& in, const Value* old, Value* out);
  // `rule` reads on from the name: ".city: expected text".
  bool Refuse(Refusal reason, std::string rule);
  Refused& refused() { return refused_; }

 private:
  bool ConvertScalar(const FactDef& def, json::value& in, json::json_type type, Value* out);
  bool ConvertString(const FactDef& def, std::string_view text, Value* out);
  bool ConvertList(const FactDef& def, json::value& in, Value* out);
  bool ConvertRecord(const FactDef& def, json::value& in, const Value* old, bool patch, Value* out);
  bool Element(const FactDef& def, json::value& in, Value* out);
  bool Broken();

  value::Arena& arena_;
  std::vector<Value>& scratch_;
  Refused refused_;
};

// The place of a code among the declared values, from 1; 0 where none are declared. nullopt: not one of them.
std::optional<std::uint16_t> CodeNumber(const FactDef& def, std::string_view code);

// Whether an int or decimal lies within min and max of the declaration.
bool InRange(const FactDef& def, const Value& v);

}  // namespace zhitui::facts
