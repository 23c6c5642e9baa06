#include "store/file_hold.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <mutex>

namespace zhitui::store {
namespace {

// flock belongs to an open file, not to a process, so a second hold within this process has to be found by name.
struct Holds {
  std::mutex mutex;
  std::map<std::string, std::weak_ptr<FileHold>> by_path;
};

Holds& AllHolds() {
  static Holds holds;
  return holds;
}

std::string ReadHolder(int fd) {
  std::array<char, 16> text{};
  const ssize_t n = pread(fd, text.data(), text.size() - 1, 0);
  std::string pid;
  for (ssize_t i = 0; i < n && text[static_cast<std::size_t>(i)] >= '0' && text[static_cast<std::size_t>(i)] <= '9';
       ++i)
    pid.push_back(text[static_cast<std::size_t>(i)]);
  return pid.empty() ? "another process" : "process " + pid;
}

}  // namespace

Result<std::shared_ptr<FileHold>> FileHold::Take(const std::string& path) {
  std::error_code ignored;
  const std::filesystem::path canonical = std::filesystem::weakly_canonical(path, ignored);
  const std::string name = ignored ? path : canonical.string();
  Holds& holds = AllHolds();
  const std::scoped_lock lock(holds.mutex);
  if (std::shared_ptr<FileHold> mine = holds.by_path[name].lock()) return mine;

  const std::string lock_path = name + ".lock";
  const int fd = open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) {
    return Invalid("cannot make the lock file " + lock_path + ": " + std::strerror(errno) +
                   "; the folder must exist and be writable");
  }
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    const std::string holder = error == EWOULDBLOCK ? ReadHolder(fd) : "";
    close(fd);
    if (error == EWOULDBLOCK) {
      return Unavailable("the store file " + name + " is in use by " + holder +
                         "; it belongs to one process at a time, stop that one first");
    }
    return Invalid("cannot lock " + lock_path + ": " + std::strerror(error));
  }
  // The number is a help for the reader of the message above; the lock does not depend on it.
  const std::string pid = std::to_string(getpid()) + "\n";
  if (ftruncate(fd, 0) != 0 || pwrite(fd, pid.data(), pid.size(), 0) < 0) {
    close(fd);
    return Invalid("cannot write to " + lock_path + ": " + std::strerror(errno));
  }
  std::shared_ptr<FileHold> hold(new FileHold(fd));
  holds.by_path[name] = hold;
  return hold;
}

FileHold::~FileHold() { close(fd_); }

}  // namespace zhitui::store
