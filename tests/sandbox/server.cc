#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "sandbox/aliyun.h"
#include "sandbox/apns.h"
#include "sandbox/cmpp.h"
#include "sandbox/courier.h"
#include "sandbox/faults.h"
#include "sandbox/fcm.h"
#include "sandbox/front.h"
#include "sandbox/getui.h"
#include "sandbox/gorush.h"
#include "sandbox/huawei.h"
#include "sandbox/journal.h"
#include "sandbox/jpush.h"
#include "sandbox/kannel.h"
#include "sandbox/ntfy.h"
#include "sandbox/sandbox.h"
#include "sandbox/smpp.h"
#include "sandbox/tencent.h"
#include "sandbox/webpush.h"
#include "sandbox/wechat.h"
#include "sandbox/wechat_push.h"
#include "sandbox/wecom.h"

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
  Front front{options, [this](const Call& call) { return Handle(call); }};
  // A provider and the couriers of its receipts and of the replies, when it pushes any.
  struct Row {
    std::unique_ptr<Courier> courier;
    std::unique_ptr<ProviderSim> provider;
    std::unique_ptr<Courier> replies;
  };
  std::vector<Row> rows;
  std::unique_ptr<CmppGateway> cmpp;  // null = off
  int cmpp_port = 0;
  std::map<std::string, int> ports;

  explicit Impl(Options the_options) : options(std::move(the_options)) {
    Add<Wechat>(WechatCourier(options));
    Add<Aliyun>(AliyunCourier(options), AliyunReplyCourier(options));
    Add<Jpush>();
    Add<WechatMini>(WechatMiniCourier(options));
    Add<Wecom>();
    if (options.cmpp.port != 0) {
      cmpp = std::make_unique<CmppGateway>(Surroundings{options, faults, journal, nullptr, nullptr});
    }
    Add<Smpp>();
    Add<Tencent>(TencentCourier(options), TencentReplyCourier(options));
    Add<Kannel>(KannelCourier(options), KannelReplyCourier(options));
    Add<Fcm>();
    Add<Huawei>();
    Add<Getui>();
    Add<Apns>();
    Add<Webpush>();
    Add<Gorush>(GorushCourier(options));
    Add<Ntfy>();
  }

  template <class P>
  void Add() {
    rows.push_back({nullptr, std::make_unique<P>(Surroundings{options, faults, journal, nullptr, nullptr}), nullptr});
  }
  template <class P>
  void Add(Courier::Config receipts) {
    auto courier = std::make_unique<Courier>(std::move(receipts));
    Courier* const to = courier.get();
    rows.push_back(
        {std::move(courier), std::make_unique<P>(Surroundings{options, faults, journal, to, nullptr}), nullptr});
  }
  template <class P>
  void Add(Courier::Config receipts, Courier::Config replies) {
    auto courier = std::make_unique<Courier>(std::move(receipts));
    auto mouth = std::make_unique<Courier>(std::move(replies));
    const Surroundings around{options, faults, journal, courier.get(), mouth.get()};
    rows.push_back({std::move(courier), std::make_unique<P>(around), std::move(mouth)});
  }

  void Restore(const Entry& entry) {
    for (const Row& row : rows) {
      if (entry.provider == row.provider->name()) row.provider->Restore(entry);
    }
  }

  Stats GetStats() {
    Stats out;
    for (const Row& row : rows) {
      ProviderStats& stats = out[row.provider->name()];
      stats = row.provider->tally().Get();
      if (row.courier) AddReceipts(row.courier->GetStats(), &stats);
      row.provider->AddReceipts(&stats);
    }
    if (cmpp) out["cmpp"] = cmpp->GetStats();
    return out;
  }

  void Reset() {
    faults.Reset();
    for (const Row& row : rows) {
      row.provider->Reset();
      if (row.courier) row.courier->Reset();
      if (row.replies) row.replies->Reset();
    }
    if (cmpp) cmpp->Reset();
  }

  bool Push(const PersonReply& reply) {
    for (const Row& row : rows) {
      if (reply.provider == row.provider->name()) return row.provider->PushReply(reply.contact, reply.text);
    }
    return false;
  }

  Reply TakeReply(const Call& call) {
    Reply reply;
    const json body = json::parse(call.body, nullptr, false);
    const auto text = [&](const char* key) {
      const auto at = body.find(key);
      return at != body.end() && at->is_string() ? at->get<std::string>() : std::string();
    };
    if (!body.is_object() || text("provider").empty() || text("phone").empty()) {
      reply.status = 400;
      reply.body = R"({"error":"wanted: {\"provider\",\"phone\",\"text\"}"})";
    } else if (!Push({text("provider"), text("phone"), text("text")})) {
      reply.status = 404;
      reply.body = R"({"error":"that provider pushes no replies"})";
    } else {
      reply.body = R"({"status":"pushed"})";
    }
    return reply;
  }

  std::string Scheme() const { return options.tls_cert.empty() ? "http://" : "https://"; }

  // A client reaches the simulator by the name it has just used.
  Reply Credentials(const Call& call, const std::string& provider) {
    Reply reply;
    for (const Row& row : rows) {
      if (provider == row.provider->name()) {
        reply.body = row.provider->Credentials(Scheme() + std::string(call.Header("host")));
      }
    }
    if (reply.body.empty()) reply.status = 404;
    return reply;
  }

  bool WriteCredentials(int port) {
    if (options.credentials_dir.empty()) return true;
    for (const Row& row : rows) {
      const std::string text = row.provider->Credentials(Scheme() + options.host + ':' + std::to_string(port));
      if (text.empty()) continue;
      std::ofstream out(options.credentials_dir + '/' + row.provider->name() + ".json", std::ios::trunc);
      out << text << '\n';
      if (!out.flush()) return false;
    }
    return true;
  }

  Reply Handle(const Call& call) {
    static constexpr std::string_view kCredentials = "/sandbox/credentials/";
    Reply reply;
    for (const Row& row : rows) {
      const std::string prefix = std::string("/") + row.provider->name();
      if (!call.path.starts_with(prefix + "/")) continue;
      Call below = call;
      below.path = call.path.substr(prefix.size());
      return row.provider->Handle(below);
    }
    for (const Row& row : rows) {
      if (row.provider->Owns(call.path)) return row.provider->Handle(call);
    }
    if (call.path == "/sandbox/health" && call.method == "GET") {
      reply.body = R"({"status":"ok"})";
    } else if (call.path == "/sandbox/stats" && call.method == "GET") {
      json all = json::object();
      for (const auto& [name, stats] : GetStats()) all[name] = ToJson(stats);
      reply.body = all.dump();
    } else if (call.path == "/sandbox/reply" && call.method == "POST") {
      reply = TakeReply(call);
    } else if (call.path.starts_with(kCredentials) && call.method == "GET") {
      reply = Credentials(call, call.path.substr(kCredentials.size()));
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
  if (self.cmpp) {
    const auto cmpp_port = self.cmpp->Start();
    if (!cmpp_port) return cmpp_port;
    self.cmpp_port = *cmpp_port;
  }
  for (const Impl::Row& row : self.rows) {
    const auto own = row.provider->Listen();
    if (!own) return own;
    if (*own != 0) self.ports[row.provider->name()] = *own;
  }
  auto port = self.front.Start();
  if (!port) return port;
  if (!self.WriteCredentials(*port)) {
    self.front.Stop();
    return std::unexpected("cannot write credentials to " + self.options.credentials_dir);
  }
  for (const Impl::Row& row : self.rows) {
    if (row.courier) row.courier->Start();
    if (row.replies) row.replies->Start();
  }
  return port;
}

void Server::Stop() {
  impl_->front.Stop();
  if (impl_->cmpp) impl_->cmpp->Stop();
  for (const Impl::Row& row : impl_->rows) row.provider->HangUp();
  for (const Impl::Row& row : impl_->rows) {
    if (row.courier) row.courier->Stop();
    if (row.replies) row.replies->Stop();
  }
  impl_->journal.Close();
}

std::map<std::string, int> Server::Ports() const { return impl_->ports; }

Stats Server::GetStats() const { return impl_->GetStats(); }

int Server::cmpp_port() const { return impl_->cmpp_port; }
bool Server::Push(const PersonReply& reply) { return impl_->Push(reply); }

void Server::Reset() { impl_->Reset(); }

}  // namespace sandbox
