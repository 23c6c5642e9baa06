#include "store/redis_wire.h"

#include <cctype>

namespace zhitui::store {
namespace {

struct Meaning {
  const char* code;
  ErrorKind kind;
  const char* advice;
};

constexpr Meaning kMeanings[] = {
    {"OOM", ErrorKind::kFatal, "it is out of memory: raise maxmemory or free memory, then start again"},
    {"MISCONF", ErrorKind::kFatal, "it cannot write to its disk: free disk space or repair the disk, then start again"},
    {"READONLY", ErrorKind::kFatal, "it is a read-only replica: point the store at the primary"},
    {"MOVED", ErrorKind::kFatal, "it is a cluster, and this store speaks to a single server"},
    {"ASK", ErrorKind::kFatal, "it is a cluster, and this store speaks to a single server"},
    {"CROSSSLOT", ErrorKind::kFatal, "it is a cluster, and this store speaks to a single server"},
    {"NOAUTH", ErrorKind::kFatal, "it wants a password: set the store's user and password"},
    {"WRONGPASS", ErrorKind::kFatal, "it does not accept the store's user and password"},
    {"NOPERM", ErrorKind::kFatal, "the store's user may not run this command or touch these keys: extend its ACL"},
    {"LOADING", ErrorKind::kUnavailable, "it is still loading its data"},
    {"BUSY", ErrorKind::kUnavailable, "it is busy with a long script"},
    {"TRYAGAIN", ErrorKind::kUnavailable, "it is moving keys"},
    {"CLUSTERDOWN", ErrorKind::kUnavailable, "its cluster is down"},
    {"MASTERDOWN", ErrorKind::kUnavailable, "its primary is down"},
    {"NOREPLICAS", ErrorKind::kUnavailable, "it has fewer replicas than it wants"},
    {"UNBLOCKED", ErrorKind::kUnavailable, "it changed its role"},
    {"NOSCRIPT", ErrorKind::kUnavailable, "it lost the store's scripts"},
};

// The code of a reply: its first word; or, of an error inside a script (older servers wrap it), the word that names it.
std::string_view CodeOf(std::string_view reply) {
  std::string_view code = reply.substr(0, reply.find(' '));
  if (code != "ERR") return code;
  for (const Meaning& meaning : kMeanings) {
    const std::size_t at = reply.find(std::string("-") + meaning.code + " ");
    if (at != std::string_view::npos) return meaning.code;
  }
  return code;
}

}  // namespace

Error RedisReplyError(std::string_view reply, const std::string& server) {
  const std::string_view code = CodeOf(reply);
  for (const Meaning& meaning : kMeanings) {
    if (code == meaning.code) {
      return {meaning.kind, "Redis at " + server + " answers " + meaning.code + ": " + meaning.advice};
    }
  }
  if (reply.find("o space left") != std::string_view::npos || reply.find(" disk") != std::string_view::npos) {
    return {ErrorKind::kFatal, "Redis at " + server + " has trouble with its disk: repair it, then start again"};
  }
  std::string word;
  for (const char c : code.substr(0, 24)) {
    if (std::isupper(static_cast<unsigned char>(c)) != 0) word.push_back(c);
  }
  return {ErrorKind::kFatal, "Redis at " + server + " refuses a command with " + (word.empty() ? "an error" : word) +
                                 "; its log or MONITOR tells which"};
}

}  // namespace zhitui::store
