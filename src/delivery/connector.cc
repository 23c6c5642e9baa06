#include "delivery/connector.h"

#include <future>
#include <memory>
#include <utility>

namespace zhitui::delivery {

std::int64_t Connector::CostMicros(const message::Content& /*content*/) const { return 0; }

void Connector::Start(Intake /*intake*/) {}

void Connector::Begin(const SendRequest& request, std::function<void(SendResult)> done) { done(Send(request)); }

SendResult SendByBegin(Connector& connector, const SendRequest& request) {
  const auto promise = std::make_shared<std::promise<SendResult>>();
  std::future<SendResult> result = promise->get_future();
  connector.Begin(request, [promise](SendResult r) { promise->set_value(std::move(r)); });
  return result.get();
}

}  // namespace zhitui::delivery
