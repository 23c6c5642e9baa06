#pragma once

// Reads lines of a growing file block by block, in bounded memory, and hashes what it passes.

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>

#include "base/base.h"

namespace zhitui::stream {

// A file descriptor.
class File {
 public:
  File() = default;
  File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  File& operator=(File&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~File();
  // kInvalid: there is no such regular file, or it may not be read.
  static Result<File> Open(const std::string& path);

  struct Stat {
    std::int64_t size = 0;
    Instant modified{};
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
  };
  Result<Stat> Look() const;
  // Up to `size` bytes at `offset`; fewer only at the end of the file.
  Result<std::size_t> ReadAt(std::int64_t offset, char* into, std::size_t size) const;

 private:
  int fd_ = -1;
};

// The hash of a prefix of a file: h(0) is empty, every full block of kHashBlock bytes gives h = SHA-256(h ‖ block), and
// the rest behind the last full block is folded in the same way. So a prefix's hash is found from the one block it ends
// in and the chain before.
inline constexpr std::int64_t kHashBlock = 1 << 20;
std::string ChainHash(std::string_view before, std::string_view block);  // 32 bytes

class NdjsonReader {
 public:
  NdjsonReader(File file, std::size_t max_line) : file_(std::move(file)), max_line_(max_line) {}

  // Starts at `offset` whose chain hash before its block is `chain`. In the middle of a line: the rest of it is passed
  // over.
  Status StartAt(std::int64_t offset, std::string chain);

  struct Line {
    std::int64_t offset = 0;
    std::string_view bytes;  // without its end; valid until the next call. A prefix when size > bytes.size()
    std::uint64_t size = 0;
    std::int64_t end = 0;  // the offset behind it
  };
  enum class Step : std::uint8_t { kLine, kMore, kEnd };
  // kLine: `line` is set (never blank). kMore: a block was passed without a whole line, call again. kEnd: at the end of
  // the file as it is now. kFatal: the file is shorter than what was read of it.
  Result<Step> Next(Line& line);

  std::int64_t position() const { return line_start_; }  // of the next line
  Instant modified() const { return modified_; }
  const File& file() const { return file_; }

  // The hash of the first `offset` bytes; `offset` lies between the last one asked for (or the start) and position().
  Result<std::string> HashUpTo(std::int64_t offset);

 private:
  enum class Refilled : std::uint8_t { kMore, kEnd };
  Result<Refilled> Refill();
  bool TakeLine(std::int64_t end_of_text, std::int64_t next, std::string_view tail, Line& line);

  File file_;
  const std::size_t max_line_;
  std::string block_;             // the bytes of the block at block_start_ read so far
  std::int64_t block_start_ = 0;  // a multiple of kHashBlock
  std::size_t cursor_ = 0;        // in block_
  std::string pending_;           // the start of a line whose end is in a later block, at most max_line_ bytes
  std::string taken_;             // what Line::bytes views when the line came from pending_
  std::int64_t line_start_ = 0;
  bool skipping_ = false;  // in the rest of a line that is done
  Instant modified_{};
  std::deque<std::pair<std::int64_t, std::string>> chain_;  // (block start, hash of all before it), rising
};

}  // namespace zhitui::stream
