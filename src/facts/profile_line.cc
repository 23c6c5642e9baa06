// Lines of profiles, as simulations and benchmarks read them.

#include <simdjson.h>

#include "facts/facts.h"

namespace zhitui::facts {

std::expected<ProfileLine, Refused> SplitProfileLine(std::string_view line) {
  constexpr std::size_t kMaxLine = 1 << 20;
  const auto fail = [](Refusal reason, std::string detail) {
    return std::unexpected(Refused{reason, std::move(detail)});
  };
  if (line.size() > kMaxLine) return fail(Refusal::kTooLarge, "expected at most 1048576 bytes");
  thread_local simdjson::ondemand::parser parser;
  thread_local std::string padded;
  padded.assign(line);
  padded.reserve(line.size() + simdjson::SIMDJSON_PADDING);
  ProfileLine out;
  bool has_facts = false;
  const auto read = [&]() -> simdjson::error_code {
    simdjson::ondemand::document document;
    if (const auto error = parser.iterate(padded).get(document); error != simdjson::SUCCESS) return error;
    simdjson::ondemand::object object;
    if (const auto error = document.get_object().get(object); error != simdjson::SUCCESS) return error;
    for (auto field : object) {
      std::string_view key;
      if (const auto error = field.unescaped_key().get(key); error != simdjson::SUCCESS) return error;
      std::string_view text;
      simdjson::ondemand::value value;
      if (const auto error = field.value().get(value); error != simdjson::SUCCESS) return error;
      if (key == "subject" || key == "kind") {
        std::string& to = key == "subject" ? out.subject : out.kind;
        if (const auto error = value.get_string().get(text); error != simdjson::SUCCESS) return error;
        to = text;
      } else if (key == "facts") {
        simdjson::ondemand::object facts;
        if (const auto error = value.get_object().get(facts); error != simdjson::SUCCESS) return error;
        if (const auto error = facts.raw_json().get(text); error != simdjson::SUCCESS) return error;
        out.facts = text;
        has_facts = true;
      }
    }
    return document.current_location().error() == simdjson::OUT_OF_BOUNDS ? simdjson::SUCCESS : simdjson::TAPE_ERROR;
  };
  switch (read()) {
    case simdjson::SUCCESS:
      break;
    case simdjson::INCORRECT_TYPE:
      return fail(Refusal::kWrongType, "expected {\"subject\": text, \"kind\": text, \"facts\": object}");
    default:
      return fail(Refusal::kNotJson, "expected one JSON object on the line");
  }
  if (out.subject.empty()) return fail(Refusal::kNoSubject, "expected a subject");
  if (out.kind.empty()) return fail(Refusal::kUnknownKind, "expected a kind");
  if (!has_facts) return fail(Refusal::kWrongType, "facts: expected an object");
  return out;
}

}  // namespace zhitui::facts
