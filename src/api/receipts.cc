// /v1/receipts/{connector}: a provider's call-back. No key: each connector verifies its provider's signature.

#include "api/handlers.h"

namespace zhitui::api {

Reply Receipts(const Options&, const Deps& deps, const Call& call) {
  delivery::CallbackRequest request;
  request.method = call.method;
  request.query = call.query;
  request.headers = call.headers;
  request.body = call.body;
  Result<delivery::CallbackReply> answer = deps.pipeline->Callback(call.params[0], request);
  if (!answer) {
    if (answer.error().kind == ErrorKind::kInvalid) {
      return Problem(404, "unknown-connector", "no connector of this name is configured");
    }
    deps.logger->Error("receipt_not_stored", {{"request_id", call.request_id}, {"error", answer.error().message}});
    return ProblemOf(answer.error());
  }
  Reply reply;
  reply.status = answer->status;
  reply.content_type = answer->content_type;
  reply.body = std::move(answer->body);
  return reply;
}

}  // namespace zhitui::api
