#pragma once

// api: the HTTP service (docs/openapi.yaml): events in, recommendations and determinations out, providers' call-backs,
// and on a second port probes and metrics. Owns the HTTP server.
//
// Promises
// - A batch of events is appended whole and durably before 202, or not at all.
// - Nothing that a client sends is unbounded: header bytes, body bytes, events, time, idle connections.
// - Probes answer while every thread of the public port is busy or held by an idle connection.
// - No subject id, query or body in a log line, metric or error text. A log line names the route's template.
// - Errors are application/problem+json (RFC 9457).

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/base.h"
#include "pipeline/pipeline.h"
#include "rules/rules.h"

namespace zhitui::api {

// What a key may do. kAdmin includes all others.
enum class Scope : std::uint8_t { kEventsWrite, kRecommendationsRead, kEvaluate, kAdmin };
const char* ScopeName(Scope scope);  // "events:write", "recommendations:read", "evaluate", "admin"
std::optional<Scope> ParseScope(std::string_view name);
std::vector<std::string> ScopeNames();

struct ApiKey {
  std::string name;    // shown in the access log
  std::string secret;  // never shown
  std::vector<Scope> scopes;
};

struct Options {
  std::string host = "127.0.0.1";
  int port = 8080;        // 0: any free port
  int admin_port = 9090;  // 0: any free port
  std::vector<ApiKey> keys;
  std::size_t max_body_bytes = 1048576;
  std::size_t max_events = 1000;          // of one request
  std::size_t max_event_bytes = 1048576;  // of one event and its key, as the pipeline counts them
  std::size_t threads = 16;
  std::size_t max_header_bytes = 32768;
  Millis keep_alive{5000};         // an idle connection is closed after this, at once when others wait
  Millis request_timeout{15'000};  // to receive one request; to send one answer
  std::string version;             // of the program, for /version
};

struct Deps {
  pipeline::Pipeline* pipeline = nullptr;
  const Clock* clock = nullptr;  // product time: "today" of an evaluation, time of an event that has none
  Logger* logger = nullptr;
  Metrics* metrics = nullptr;
  std::function<std::string()> metrics_text;  // Prometheus text exposition 0.0.4
  std::function<bool()> ready;                // default: pipeline->Ready()
  std::function<bool()> live;                 // default: true
};

struct Route {
  std::string method;
  std::string path;  // template: "/v1/subjects/{kind}/{id}/recommendations"
  bool admin = false;
  std::optional<Scope> scope;  // nullopt: no key is asked for
};

// Start and Stop from one thread.
class Server {
 public:
  Server(Options options, Deps deps);
  ~Server();  // stops
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Listens on both ports; gives the public one. kUnavailable: an address is taken or not ours.
  Result<int> Start();
  int admin_port() const;
  // Finishes the requests in hand, refuses new ones. Idempotent.
  void Stop();

  static std::vector<Route> Routes();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace zhitui::api
