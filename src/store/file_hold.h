#pragma once

#include <memory>
#include <string>

#include "base/base.h"

namespace zhitui::store {

// The exclusive hold of this process on a store file: flock on "<path>.lock". The kernel lets go of it when the process
// ends in whatever way, so nothing has to be cleaned up after kill -9. Stores of one process share one hold. The lock
// file stays: removing it would let two processes hold two different files of that name.
class FileHold {
 public:
  // kUnavailable when another process holds it, kInvalid when the lock file cannot be made. Thread-safe.
  static Result<std::shared_ptr<FileHold>> Take(const std::string& path);

  FileHold(const FileHold&) = delete;
  FileHold& operator=(const FileHold&) = delete;
  ~FileHold();

 private:
  explicit FileHold(int fd) : fd_(fd) {}
  const int fd_;
};

}  // namespace zhitui::store
