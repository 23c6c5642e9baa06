#pragma once

// Calling a provider over HTTP so that a message is never silently sent twice. This file is part of delivery's door.
// The pool, the deadline and the limits are here; the library that speaks HTTP stays with the connectors that own it
// and is bound by http_link.h.

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/base.h"

namespace zhitui::delivery {

// scheme://host[:port][/path], http or https. No user info, query or fragment.
struct BaseUrl {
  bool tls = false;
  std::string host;  // an IPv6 address in its brackets
  int port = 0;
  std::string path;                // "" or "/a/b", never ending in /
  std::string Origin() const;      // "https://host:port"
  std::string HostHeader() const;  // the port only when it is not the scheme's own
};
Result<BaseUrl> ParseBaseUrl(std::string_view text);

struct HttpOptions {
  BaseUrl base;
  std::string ca_file;  // PEM; empty: the system's
  Millis connect_timeout{2000};
  std::size_t max_answer_bytes = 1 << 20;
};

struct HttpCall {
  std::string method;
  std::string target;  // path and query as they go over the wire, without the base path
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

// What is known about a call.
enum class HttpFate : std::uint8_t {
  kAnswered,  // a whole answer within the limits
  kNotSent,   // no byte of the request left: name look-up, refused, connect time-out, TLS handshake or certificate
  kUnknown,   // the request may have been taken
};
struct HttpAnswer {
  HttpFate fate = HttpFate::kUnknown;
  int status = 0;
  std::map<std::string, std::string> headers;  // lower-case names
  std::string body;
  std::string fault;  // one word for logs when there is no answer: "connect", "tls", "read", "too_large" …
};

// One connection. Do runs on one thread at a time and sends the request at most once; Abort may come from any thread.
class HttpLink {
 public:
  virtual ~HttpLink() = default;
  virtual HttpAnswer Do(const HttpCall& call, std::chrono::steady_clock::time_point deadline) = 0;
  virtual void Abort() = 0;
};
using HttpLinkFactory = std::function<std::unique_ptr<HttpLink>(const HttpOptions&)>;

// Kept connections to one provider. A call never lasts longer than its time-out, also when the peer sends one byte a
// second: a watcher aborts it. (A name look-up cannot be interrupted; it is bounded by the resolver's own limits.)
// Thread-safe.
class HttpClient {
 public:
  HttpClient(HttpOptions options, HttpLinkFactory factory);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  HttpAnswer Call(const HttpCall& call, Millis timeout);
  const HttpOptions& options() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// application/x-www-form-urlencoded is not used anywhere: RFC 3986, everything but the unreserved characters escaped.
std::string PercentEncode(std::string_view text);

}  // namespace zhitui::delivery
