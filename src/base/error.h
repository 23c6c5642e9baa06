#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <utility>

namespace zhitui {

// What the caller can do next; every Error carries exactly one.
enum class ErrorKind : std::uint8_t {
  kInvalid,      // the input is wrong: fix it or dead-letter it, a retry gives the same answer
  kUnavailable,  // a dependency does not answer: retry with back-off
  kDuplicate,    // already done: treat as success
  kDeadline,     // ran out of time: the effect is unknown unless the function says otherwise
  kFatal,        // an invariant is broken or a resource is exhausted: stop, do not skip
};

struct Error {
  ErrorKind kind = ErrorKind::kFatal;
  std::string message;  // one sentence, no resident data
};

template <class T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

inline std::unexpected<Error> Invalid(std::string message) {
  return std::unexpected(Error{ErrorKind::kInvalid, std::move(message)});
}
inline std::unexpected<Error> Unavailable(std::string message) {
  return std::unexpected(Error{ErrorKind::kUnavailable, std::move(message)});
}
inline std::unexpected<Error> Duplicate(std::string message) {
  return std::unexpected(Error{ErrorKind::kDuplicate, std::move(message)});
}
inline std::unexpected<Error> Deadline(std::string message) {
  return std::unexpected(Error{ErrorKind::kDeadline, std::move(message)});
}
inline std::unexpected<Error> Fatal(std::string message) {
  return std::unexpected(Error{ErrorKind::kFatal, std::move(message)});
}

const char* ErrorKindName(ErrorKind kind);

}  // namespace zhitui
