// A CMPP 2.0/3.0 gateway (ISMG) on a port of its own. One thread, epoll.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>

#include "sandbox/provider.h"

namespace sandbox {

// Threads: Start and Stop from one thread, the rest from any.
class CmppGateway {
 public:
  explicit CmppGateway(Surroundings around);
  ~CmppGateway();  // stops
  CmppGateway(const CmppGateway&) = delete;
  CmppGateway& operator=(const CmppGateway&) = delete;

  // The port, or a sentence saying what is wrong.
  std::expected<int, std::string> Start();
  void Stop();
  // requests: SUBMITs; accepted: those taken; dropped: connections closed on purpose; errors: results of SUBMIT_RESP,
  // "connect_N" for refused logins, "window" for SUBMITs beyond the window (answered with 8), "unreadable".
  ProviderStats GetStats() const;
  void Reset();
  uint64_t logins() const;
  uint64_t replies_acked() const;  // of messages from people (MO)
  void DropConnections();          // as a crash of the gateway would

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sandbox
