// What a provider sees of an HTTP request and gives back; keeps the providers free of the HTTP library.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sandbox {

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct Call {
  std::string method;
  std::string path;
  std::string query;  // raw, without '?'
  Pairs headers;      // names in lower case
  std::string body;

  // The first header of that lower-case name, or empty.
  std::string_view Header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (key == name) return value;
    }
    return {};
  }
};

struct Reply {
  enum Refusal { kNo, kStream, kGoaway };
  int status = 200;
  std::string body;
  Pairs headers;
  bool abort = false;    // reset the connection instead of answering
  Refusal refuse = kNo;  // HTTP/2: the stream, or with GOAWAY all from it on, was not processed
  bool garble = false;   // send something unreadable in place of the body
  int64_t delay_ms = 0;  // wait this long before answering
};

}  // namespace sandbox
