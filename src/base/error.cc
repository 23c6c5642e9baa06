#include "base/error.h"

namespace zhitui {

const char* ErrorKindName(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalid:
      return "invalid";
    case ErrorKind::kUnavailable:
      return "unavailable";
    case ErrorKind::kDuplicate:
      return "duplicate";
    case ErrorKind::kDeadline:
      return "deadline";
    case ErrorKind::kFatal:
      return "fatal";
  }
  return "fatal";
}

}  // namespace zhitui
