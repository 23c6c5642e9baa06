#include "sandbox/journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "sandbox/text.h"

namespace sandbox {
namespace {

using nlohmann::json;

std::string Line(const Entry& entry) {
  nlohmann::ordered_json line;
  line["at"] = IsoUtc(entry.at_ms);
  line["provider"] = entry.provider;
  line["message_id"] = entry.message_id;
  line["attempt_id"] = entry.attempt_id;
  line["key"] = entry.key;
  line["provider_id"] = entry.provider_id;
  line["recipient_sha256"] = entry.recipient_sha256;
  line["duplicate_of"] = nullptr;
  if (!entry.duplicate_of.empty()) line["duplicate_of"] = entry.duplicate_of;
  line["fate"] = Name(entry.fate);
  line["content"] = entry.content;
  return line.dump(-1, ' ', false, json::error_handler_t::replace) + '\n';
}

std::string Text(const json& line, const char* key) {
  const auto at = line.find(key);
  return at != line.end() && at->is_string() ? at->get<std::string>() : std::string();
}

bool Parse(const std::string& text, Entry* out) {
  const json line = json::parse(text, nullptr, false);
  if (!line.is_object()) return false;
  const auto at = ParseIsoUtc(Text(line, "at"));
  if (!at) return false;
  out->at_ms = *at;
  out->provider = Text(line, "provider");
  out->message_id = Text(line, "message_id");
  out->attempt_id = Text(line, "attempt_id");
  out->key = Text(line, "key");
  out->provider_id = Text(line, "provider_id");
  out->recipient_sha256 = Text(line, "recipient_sha256");
  out->duplicate_of = Text(line, "duplicate_of");
  const std::string fate = Text(line, "fate");
  out->fate = fate == "failed" ? Fate::kFailed : fate == "silent" ? Fate::kSilent : Fate::kDelivered;
  if (const auto content = line.find("content"); content != line.end()) out->content = *content;
  return !out->provider_id.empty();
}

}  // namespace

Journal::~Journal() { Close(); }

std::expected<void, std::string> Journal::Open(const std::string& path,
                                               const std::function<void(const Entry&)>& restore) {
  if (path.empty()) return {};
  bool open_line = false;
  // A device or a pipe has no past to read.
  std::error_code none;
  if (std::ifstream in; std::filesystem::is_regular_file(path, none) && (in.open(path, std::ios::binary), in)) {
    std::string text;
    while (std::getline(in, text)) {
      open_line = in.eof();
      Entry entry;
      if (Parse(text, &entry)) restore(entry);
    }
  }
  const std::lock_guard lock(mutex_);
  fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd_ < 0) return std::unexpected("cannot open the log " + path + ": " + std::strerror(errno));
  if (open_line && ::write(fd_, "\n", 1) != 1) return std::unexpected("cannot write the log " + path);
  return {};
}

bool Journal::Append(const Entry& entry) {
  const std::string line = Line(entry);
  const std::lock_guard lock(mutex_);
  if (fd_ < 0) return true;
  return ::write(fd_, line.data(), line.size()) == static_cast<ssize_t>(line.size());
}

void Journal::Close() {
  const std::lock_guard lock(mutex_);
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

}  // namespace sandbox
