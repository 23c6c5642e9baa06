#pragma once

// A request and an answer without the HTTP library, the route table over them, and the keys.

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/api.h"

namespace zhitui::api {

struct Call {
  std::string method;
  std::vector<std::string> params;  // values of the template's {…}, decoded
  std::multimap<std::string, std::string> query;
  std::multimap<std::string, std::string> headers;  // lower-case names
  std::string body;
  std::string request_id;

  std::string Header(const std::string& lower_name) const {
    const auto it = headers.find(lower_name);
    return it == headers.end() ? std::string() : it->second;
  }
  std::string MediaType() const;  // of Content-Type, lower case, without parameters
};

struct Reply {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

// RFC 9457. `code` is stable, kebab-case; `extra` is "" or JSON members to add: `"errors":[…]`.
Reply Problem(int status, std::string_view code, std::string_view detail, std::string_view extra = "");
Reply ProblemOf(const Error& error);  // of a dependency's error; tells nothing of its text
const char* StatusTitle(int status);  // RFC 9110's reason phrase

class Router {
 public:
  using Handler = std::function<Reply(const Call&)>;
  struct Entry {
    Route route;
    std::vector<std::string> segments;
    Handler handler;
  };
  struct Match {
    const Entry* entry = nullptr;
    std::vector<std::string> params;
    std::string allow;  // the path is known, the method is not
  };

  void Add(const Route& route, Handler handler);
  // `target` is the raw request target: segments are decoded one by one, so that %2F stays inside its segment. HEAD is
  // GET.
  Match Find(std::string_view method, std::string_view target) const;

 private:
  std::vector<Entry> entries_;
};

// %XX decoded; nullopt: a broken escape or a NUL.
std::optional<std::string> DecodeSegment(std::string_view raw);

class Keys {
 public:
  explicit Keys(const std::vector<ApiKey>& keys);
  // The key a request presents (Authorization: Bearer …, or X-API-Key), or nullptr. Compares digests of all keys in
  // constant time.
  const ApiKey* Find(const Call& call) const;
  static bool Allows(const ApiKey& key, Scope scope);

 private:
  std::vector<std::pair<std::array<std::uint8_t, 32>, ApiKey>> keys_;
};

}  // namespace zhitui::api
