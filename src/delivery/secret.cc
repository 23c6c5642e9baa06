#include "delivery/secret.h"

#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <mutex>
#include <utility>

namespace zhitui::delivery {
namespace {

constexpr std::chrono::seconds kLookEvery(1);

// What tells one state of a file from the next; a rename over it changes the inode.
struct Mark {
  std::uint64_t inode = 0;
  std::int64_t size = -1;
  std::int64_t seconds = 0;
  std::int64_t nanos = 0;
  bool operator==(const Mark&) const = default;
};

Mark MarkOf(const std::string& path) {
  struct stat s{};
  if (::stat(path.c_str(), &s) != 0) return {};
  return {s.st_ino, s.st_size, s.st_mtim.tv_sec, s.st_mtim.tv_nsec};
}

std::string ReadText(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text;
  for (std::istreambuf_iterator<char> it(in), end; it != end && text.size() <= kMaxSecretBytes; ++it) text += *it;
  if (text.size() > kMaxSecretBytes) return {};
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return text;
}

}  // namespace

struct Secret::State {
  std::string path;  // empty: not from a file
  std::mutex mutex;
  std::shared_ptr<const Value> value;
  Mark mark;
  std::chrono::steady_clock::time_point look_again;

  void Refresh() {
    if (path.empty()) return;
    const auto now = std::chrono::steady_clock::now();
    if (now < look_again) return;
    look_again = now + kLookEvery;
    const Mark seen = MarkOf(path);
    if (seen == mark) return;
    mark = seen;
    std::string text = ReadText(path);
    if (text.empty() || text == value->text) return;
    value = std::make_shared<const Value>(Value{std::move(text), value->generation + 1});
  }
};

Secret::Secret(std::string text) : state_(std::make_shared<State>()) {
  state_->value = std::make_shared<const Value>(Value{std::move(text), 0});
}

Secret Secret::FromFile(std::string path, std::string text) {
  Secret secret(std::move(text));
  // No mark yet: the first look reads the file, so that a change since the start is not missed.
  secret.state_->path = std::move(path);
  return secret;
}

std::shared_ptr<const Secret::Value> Secret::Get() const {
  const std::scoped_lock lock(state_->mutex);
  state_->Refresh();
  return state_->value;
}

}  // namespace zhitui::delivery
