#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "authoring/authoring.h"

namespace zhitui::authoring {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFiles = 24'000;
constexpr std::uintmax_t kMaxFileBytes = 1024 * 1024;
constexpr std::uintmax_t kMaxBytes = 128 * 1024 * 1024;
constexpr int kMaxDepth = 8;

class Walk {
 public:
  enum class Mode : std::uint8_t { kRead, kStamp };
  Walk(fs::path root, Mode mode) : root_(std::move(root)), mode_(mode) {}

  Status Folder(const fs::path& folder, int depth) {
    if (depth > kMaxDepth) {
      return Invalid("the rules folder is more than " + std::to_string(kMaxDepth) + " folders deep at " + Name(folder));
    }
    std::error_code error;
    fs::directory_iterator it(folder, error);
    if (error) return Unavailable("cannot read the rules folder " + Name(folder) + ": " + error.message());
    for (const fs::directory_iterator end; it != end; it.increment(error)) {
      if (error) break;
      if (Status status = Entry(*it, depth); !status) return status;
    }
    if (error) return Unavailable("cannot read the rules folder " + Name(folder) + ": " + error.message());
    return {};
  }

  // Sorted by path; in Mode::kStamp the text is what tells one state of the file from another.
  std::vector<rules::SourceFile> Take() {
    std::sort(files_.begin(), files_.end(),
              [](const rules::SourceFile& a, const rules::SourceFile& b) { return a.path < b.path; });
    return std::move(files_);
  }

 private:
  std::string Name(const fs::path& path) const {
    const fs::path relative = path.lexically_relative(root_);
    return relative.empty() || relative == "." ? root_.generic_string() : relative.generic_string();
  }

  Status Entry(const fs::directory_entry& entry, int depth) {
    const std::string name = entry.path().filename().string();
    if (name.empty() || name.front() == '.') return {};
    std::error_code error;
    if (entry.is_directory(error)) return Folder(entry.path(), depth + 1);
    if (!name.ends_with(".yaml") && !name.ends_with(".yml")) return {};
    if (!entry.is_regular_file(error)) return Invalid(Name(entry.path()) + " is not a file");
    return File(entry.path());
  }

  Status File(const fs::path& path) {
    if (files_.size() >= kMaxFiles) {
      return Invalid("more than " + std::to_string(kMaxFiles) + " files in the rules folder");
    }
    std::error_code error;
    const std::uintmax_t size = fs::file_size(path, error);
    if (error) return Unavailable("cannot read " + Name(path) + ": " + error.message());
    if (size > kMaxFileBytes) return Invalid(Name(path) + " is larger than 1 MiB");
    bytes_ += size;
    if (bytes_ > kMaxBytes) return Invalid("the rules folder holds more than 128 MiB");
    if (mode_ == Mode::kStamp) {
      const fs::file_time_type written = fs::last_write_time(path, error);
      if (error) return Unavailable("cannot read " + Name(path) + ": " + error.message());
      files_.push_back({Name(path), std::to_string(size) + " " + std::to_string(written.time_since_epoch().count())});
      return {};
    }
    std::ifstream in(path, std::ios::binary);
    std::string text(static_cast<std::size_t>(size), '\0');
    in.read(text.data(), static_cast<std::streamsize>(size));
    if (!in || static_cast<std::uintmax_t>(in.gcount()) != size) return Unavailable("cannot read " + Name(path));
    files_.push_back({Name(path), std::move(text)});
    return {};
  }

  fs::path root_;
  Mode mode_;
  std::uintmax_t bytes_ = 0;
  std::vector<rules::SourceFile> files_;
};

Result<std::vector<rules::SourceFile>> Files(const std::string& path, Walk::Mode mode) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return Invalid("the rules folder " + path + " is not a folder");
  Walk walk(path, mode);
  if (Status status = walk.Folder(path, 1); !status) return std::unexpected(status.error());
  std::vector<rules::SourceFile> files = walk.Take();
  if (files.empty()) return Invalid("the rules folder " + path + " holds no .yaml file");
  return files;
}

}  // namespace

Result<std::vector<rules::SourceFile>> LoadFolder(const std::string& path) { return Files(path, Walk::Mode::kRead); }

Result<std::string> FolderStamp(const std::string& path) {
  const Result<std::vector<rules::SourceFile>> files = Files(path, Walk::Mode::kStamp);
  if (!files) return std::unexpected(files.error());
  std::string out;
  for (const rules::SourceFile& file : *files) out += file.path + " " + file.text + "\n";
  return out;
}

}  // namespace zhitui::authoring
