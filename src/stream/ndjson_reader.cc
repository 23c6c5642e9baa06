#include "stream/ndjson_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace zhitui::stream {
namespace {

// A file at rest this long is complete: its last line counts even without a line end.
constexpr Millis kAtRest{2000};

bool Blank(std::string_view text) { return text.find_first_not_of(" \t\r") == std::string_view::npos; }

std::int64_t BlockOf(std::int64_t offset) { return offset / kHashBlock * kHashBlock; }

}  // namespace

File::~File() {
  if (fd_ >= 0) ::close(fd_);
}

Result<File> File::Open(const std::string& path) {
  File file;
  file.fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a pipe must not hang the open
  if (file.fd_ < 0) return Invalid("cannot open " + path + ": " + std::strerror(errno));
  struct stat st{};
  if (::fstat(file.fd_, &st) != 0 || !S_ISREG(st.st_mode)) return Invalid(path + " is not a regular file");
  return file;
}

Result<File::Stat> File::Look() const {
  struct stat st{};
  if (::fstat(fd_, &st) != 0) return Fatal(std::string("cannot look at the input file: ") + std::strerror(errno));
  Stat out;
  out.size = st.st_size;
  out.modified = Instant(std::chrono::seconds(st.st_mtim.tv_sec) + Millis(st.st_mtim.tv_nsec / 1'000'000));
  out.device = st.st_dev;
  out.inode = st.st_ino;
  return out;
}

Result<std::size_t> File::ReadAt(std::int64_t offset, char* into, std::size_t size) const {
  std::size_t got = 0;
  while (got < size) {
    const ssize_t n = ::pread(fd_, into + got, size - got, static_cast<off_t>(offset) + static_cast<off_t>(got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Unavailable(std::string("cannot read the input file: ") + std::strerror(errno));
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  return got;
}

std::string ChainHash(std::string_view before, std::string_view block) {
  std::string joined;
  joined.reserve(before.size() + block.size());
  joined.append(before).append(block);
  const auto digest = Sha256(joined);
  return std::string(reinterpret_cast<const char*>(digest.data()), digest.size());
}

Status NdjsonReader::StartAt(std::int64_t offset, std::string chain) {
  block_start_ = BlockOf(offset);
  block_.clear();
  chain_.assign(1, {block_start_, std::move(chain)});
  pending_.clear();
  line_start_ = offset;
  skipping_ = false;
  cursor_ = static_cast<std::size_t>(offset - block_start_);
  if (offset > 0) {
    char before = '\n';
    const Result<std::size_t> got = file_.ReadAt(offset - 1, &before, 1);
    if (!got) return std::unexpected(got.error());
    skipping_ = *got == 1 && before != '\n';
  }
  // The block's bytes before the cursor are needed again for its hash.
  while (block_.size() < cursor_) {
    const Result<Refilled> more = Refill();
    if (!more) return std::unexpected(more.error());
    if (*more == Refilled::kEnd) return Fatal("the input file is shorter than what was read of it");
  }
  return {};
}

// Reads on in the current block, or goes to the next one when this one is used up.
Result<NdjsonReader::Refilled> NdjsonReader::Refill() {
  if (block_.size() == static_cast<std::size_t>(kHashBlock)) {
    chain_.emplace_back(block_start_ + kHashBlock, ChainHash(chain_.back().second, block_));
    block_start_ += kHashBlock;
    block_.clear();
    cursor_ = 0;
  }
  const std::size_t had = block_.size();
  block_.resize(static_cast<std::size_t>(kHashBlock));
  const Result<std::size_t> got =
      file_.ReadAt(block_start_ + static_cast<std::int64_t>(had), block_.data() + had, block_.size() - had);
  block_.resize(had + (got ? *got : 0));
  if (!got) return std::unexpected(got.error());
  if (*got > 0) {
    const Result<File::Stat> now = file_.Look();
    if (!now) return std::unexpected(now.error());
    modified_ = now->modified;
  }
  return *got > 0 ? Refilled::kMore : Refilled::kEnd;
}

// False: nothing to give (blank, or the rest of a line that is done).
bool NdjsonReader::TakeLine(std::int64_t end_of_text, std::int64_t next, std::string_view tail, Line& line) {
  const std::int64_t start = std::exchange(line_start_, next);
  if (std::exchange(skipping_, false)) return false;
  line.offset = start;
  line.end = next;
  line.size = static_cast<std::uint64_t>(end_of_text - start);
  if (pending_.empty()) {
    line.bytes = tail.substr(0, max_line_);
  } else {
    pending_.append(tail.substr(0, max_line_ - pending_.size()));
    taken_.swap(pending_);
    pending_.clear();
    line.bytes = taken_;
  }
  const bool whole = line.bytes.size() == line.size;
  if (whole && line.bytes.ends_with('\r')) {
    line.bytes.remove_suffix(1);
    --line.size;
  }
  return !(whole && Blank(line.bytes));
}

Result<NdjsonReader::Step> NdjsonReader::Next(Line& line) {
  for (;;) {
    const std::string_view rest = std::string_view(block_).substr(cursor_);
    const void* found = rest.empty() ? nullptr : std::memchr(rest.data(), '\n', rest.size());
    if (found != nullptr) {
      const auto length = static_cast<std::size_t>(static_cast<const char*>(found) - rest.data());
      const std::int64_t end = block_start_ + static_cast<std::int64_t>(cursor_ + length);
      cursor_ += length + 1;
      if (TakeLine(end, end + 1, rest.substr(0, length), line)) return Step::kLine;
      continue;
    }
    if (!rest.empty()) {
      if (!skipping_) pending_.append(rest.substr(0, max_line_ - pending_.size()));
      cursor_ = block_.size();
    }
    const Result<Refilled> more = Refill();
    if (!more) return std::unexpected(more.error());
    if (*more == Refilled::kMore) return Step::kMore;

    const std::int64_t end = block_start_ + static_cast<std::int64_t>(block_.size());
    const Result<File::Stat> now = file_.Look();
    if (!now) return std::unexpected(now.error());
    if (now->size < end) return Fatal("the input file is shorter than what was read of it");
    if (end == line_start_) return Step::kEnd;
    const Millis rested = SystemClock().Now() - now->modified;
    if (now->size == end && (rested >= kAtRest || rested <= -kAtRest)) {
      if (TakeLine(end, end, {}, line)) return Step::kLine;
    }
    return Step::kEnd;
  }
}

Result<std::string> NdjsonReader::HashUpTo(std::int64_t offset) {
  const std::int64_t start = BlockOf(offset);
  // Just behind a full block that Refill has not left yet.
  if (start > block_start_) return ChainHash(ChainHash(chain_.back().second, block_), {});
  while (chain_.size() > 1 && chain_[1].first <= start) chain_.pop_front();
  if (chain_.front().first != start) return Fatal("a position of the input file was moved back");
  const auto size = static_cast<std::size_t>(offset - start);
  if (start == block_start_) return ChainHash(chain_.front().second, std::string_view(block_).substr(0, size));
  std::string block(size, '\0');
  const Result<std::size_t> got = file_.ReadAt(start, block.data(), size);
  if (!got) return std::unexpected(got.error());
  if (*got != size) return Fatal("the input file is shorter than what was read of it");
  return ChainHash(chain_.front().second, block);
}

}  // namespace zhitui::stream
