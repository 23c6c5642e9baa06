#pragma once

// What the tests of this room share: a folder that goes away, short ways to say records, and reading until enough came.

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "stream/stream.h"

namespace zhitui::stream {

class TempFolder {
 public:
  TempFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "zhitui-stream-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  std::string File(const std::string& name) const { return (path_ / name).string(); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline Record MakeRecord(std::string topic, std::string key, std::optional<std::string> value,
                         std::vector<Header> headers = {}) {
  Record r;
  r.topic = std::move(topic);
  r.key = std::move(key);
  r.value = std::move(value);
  r.headers = std::move(headers);
  return r;
}

inline std::vector<Record> Numbered(const std::string& topic, int from, int count) {
  std::vector<Record> records;
  for (int i = from; i < from + count; ++i) records.push_back(MakeRecord(topic, "k", std::to_string(i)));
  return records;
}

// Polls until `count` records came or the limit passed.
inline std::vector<Record> Read(Source& source, std::size_t count, Millis limit = Millis(30000)) {
  std::vector<Record> all;
  const auto until = std::chrono::steady_clock::now() + limit;
  while (all.size() < count && std::chrono::steady_clock::now() < until) {
    Result<std::vector<Record>> some = source.Poll(count - all.size(), Millis(200));
    if (!some) {
      ADD_FAILURE() << some.error().message;
      break;
    }
    for (Record& r : *some) all.push_back(std::move(r));
  }
  return all;
}

inline std::vector<std::string> Values(const std::vector<Record>& records) {
  std::vector<std::string> values;
  for (const Record& r : records) values.push_back(r.value.value_or("<none>"));
  return values;
}

}  // namespace zhitui::stream
