#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/base.h"

namespace zhitui::store {

// Appends one command in the Redis protocol; exactly as many Arg calls as `args` follow.
class CommandWriter {
 public:
  CommandWriter(std::string& out, std::size_t args) : out_(out) { Prefix('*', args); }
  CommandWriter& Arg(std::string_view bytes) {
    Prefix('$', bytes.size());
    out_.append(bytes).append("\r\n");
    return *this;
  }
  CommandWriter& Arg(std::int64_t number) {
    char text[24];
    const auto end = std::to_chars(text, text + sizeof text, number);
    return Arg(std::string_view(text, static_cast<std::size_t>(end.ptr - text)));
  }

 private:
  void Prefix(char mark, std::size_t n) {
    char text[24];
    const auto end = std::to_chars(text, text + sizeof text, n);
    out_.push_back(mark);
    out_.append(text, static_cast<std::size_t>(end.ptr - text)).append("\r\n");
  }
  std::string& out_;
};

// What an error reply means to the caller. Only its code goes into the message: the rest may quote arguments, and
// arguments name residents.
Error RedisReplyError(std::string_view reply, const std::string& server);

inline bool IsNoScript(std::string_view reply) { return reply.starts_with("NOSCRIPT"); }

}  // namespace zhitui::store
