#include <nlohmann/json.hpp>
#include <utility>

#include "sandbox/aliyun.h"
#include "sandbox/courier.h"
#include "sandbox/faults.h"
#include "sandbox/front.h"
#include "sandbox/journal.h"
#include "sandbox/jpush.h"
#include "sandbox/sandbox.h"
#include "sandbox/wechat.h"

namespace sandbox {
namespace {

using nlohmann::json;

json ToJson(const ProviderStats& stats) {
  return {{"requests", stats.requests},
          {"accepted", stats.accepted},
          {"suppressed", stats.suppressed},
          {"dropped", stats.dropped},
          {"errors", stats.errors},
          {"receipts",
           {{"sent", stats.receipts_sent},
            {"acked", stats.receipts_acked},
            {"pending", stats.receipts_pending},
            {"given_up", stats.receipts_given_up}}}};
}

void AddReceipts(const CourierStats& from, ProviderStats* to) {
  to->receipts_sent = from.sent;
  to->receipts_acked = from.acked;
  to->receipts_pending = from.pending;
  to->receipts_given_up = from.given_up;
}

}  // namespace

struct Server::Impl {
  Options options;
  Faults faults{options};
  Journal journal;
  Courier wechat_courier{WechatCourier(options)};
  Courier aliyun_courier{AliyunCourier(options)};
  Wechat wechat{Surroundings{options, faults, journal, &wechat_courier}};
  Aliyun aliyun{Surroundings{options, faults, journal, &aliyun_courier}};
  Jpush jpush{Surroundings{options, faults, journal, nullptr}};
  Front front{options, [this](const Call& call) { return Handle(call); }};

  explicit Impl(Options the_options) : options(std::move(the_options)) {}

  void Restore(const Entry& entry) {
    if (entry.provider == "wechat") wechat.Restore(entry);
    if (entry.provider == "aliyun") aliyun.Restore(entry);
    if (entry.provider == "jpush") jpush.Restore(entry);
  }

  Stats GetStats() {
    Stats out{wechat.tally().Get(), aliyun.tally().Get(), jpush.tally().Get()};
    AddReceipts(wechat_courier.GetStats(), &out.wechat);
    AddReceipts(aliyun_courier.GetStats(), &out.aliyun);
    return out;
  }

  void Reset() {
    faults.Reset();
    wechat.Reset();
    aliyun.Reset();
    jpush.Reset();
    wechat_courier.Reset();
    aliyun_courier.Reset();
  }

  Reply Handle(const Call& call) {
    Reply reply;
    if (Aliyun::Owns(call.path)) return aliyun.Handle(call);
    if (Wechat::Owns(call.path)) return wechat.Handle(call);
    if (Jpush::Owns(call.path)) return jpush.Handle(call);
    if (call.path == "/sandbox/health" && call.method == "GET") {
      reply.body = R"({"status":"ok"})";
    } else if (call.path == "/sandbox/stats" && call.method == "GET") {
      const Stats stats = GetStats();
      reply.body =
          json({{"wechat", ToJson(stats.wechat)}, {"aliyun", ToJson(stats.aliyun)}, {"jpush", ToJson(stats.jpush)}})
              .dump();
    } else if (call.path == "/sandbox/reset" && call.method == "POST") {
      Reset();
      reply.body = R"({"status":"reset"})";
    } else {
      reply.status = 404;
      reply.body = R"({"error":"no provider answers on this path"})";
    }
    return reply;
  }
};

Server::Server(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}

Server::~Server() { Stop(); }

std::expected<int, std::string> Server::Start() {
  Impl& self = *impl_;
  auto opened = self.journal.Open(self.options.log_path, [&self](const Entry& entry) { self.Restore(entry); });
  if (!opened) return std::unexpected(opened.error());
  auto port = self.front.Start();
  if (!port) return port;
  self.wechat_courier.Start();
  self.aliyun_courier.Start();
  return port;
}

void Server::Stop() {
  impl_->front.Stop();
  impl_->wechat_courier.Stop();
  impl_->aliyun_courier.Stop();
  impl_->journal.Close();
}

Stats Server::GetStats() const { return impl_->GetStats(); }

void Server::Reset() { impl_->Reset(); }

}  // namespace sandbox
