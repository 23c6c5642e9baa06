// Dispatch rate of the HTTP connectors against the provider simulator (in this process, so both sides share the
// processor), beside a bare loop of the same HTTP library that posts bodies made beforehand to the same address over
// the same number of connections. `sends_per_s` is what counts.

#include <benchmark/benchmark.h>
#include <httplib.h>

#include <atomic>
#include <functional>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "app/app.h"
#include "delivery/delivery.h"
#include "sandbox/sandbox.h"
#include "wechat/wechat.h"

namespace zhitui {
namespace {

constexpr std::size_t kThreads = 8;
constexpr std::size_t kSends = 20'000;
constexpr std::size_t kQueue = 512;

// One simulator for all; ids grow over the whole run, so that none is a repeat.
class Simulator {
 public:
  static Simulator& Get() {
    static Simulator simulator;
    return simulator;
  }
  int port() const { return port_; }
  std::string Url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::string NextId() { return "b" + std::to_string(++ids_) + "-1"; }
  std::uint64_t Accepted(const std::string& provider) const { return server_.GetStats().at(provider).accepted; }

 private:
  Simulator() : server_({}) { port_ = server_.Start().value(); }
  sandbox::Server server_;
  int port_ = 0;
  std::atomic<std::uint64_t> ids_{0};
};

// Posts `bodies` with kThreads clients of the library; the state of the loop is the next body.
void Bare(benchmark::State& state, const std::string& target, const httplib::Headers& headers,
          const std::function<std::string(const std::string& id)>& body, const std::string& provider) {
  Simulator& simulator = Simulator::Get();
  for (auto _ : state) {
    state.PauseTiming();
    std::vector<std::string> bodies;
    for (std::size_t i = 0; i < kSends; ++i) bodies.push_back(body(simulator.NextId()));
    const std::uint64_t before = simulator.Accepted(provider);
    std::atomic<std::size_t> next{0};
    state.ResumeTiming();
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&] {
        httplib::Client client("127.0.0.1", simulator.port());
        client.set_keep_alive(true);
        client.set_tcp_nodelay(true);
        for (std::size_t i = next++; i < kSends; i = next++)
          client.Post(target, headers, bodies[i], "application/json");
      });
    }
    for (std::thread& thread : threads) thread.join();
    if (simulator.Accepted(provider) - before != kSends) state.SkipWithError("not every message was accepted");
  }
  state.counters["sends_per_s"] =
      benchmark::Counter(static_cast<double>(kSends * state.iterations()), benchmark::Counter::kIsRate);
}

// Sends through the dispatcher, as the service does.
void Dispatch(benchmark::State& state, const std::shared_ptr<delivery::Connector>& connector,
              const delivery::SendRequest& sample) {
  Simulator& simulator = Simulator::Get();
  delivery::Dispatcher dispatcher({connector}, kThreads, kQueue);
  for (auto _ : state) {
    const std::uint64_t before = simulator.Accepted(connector->name());
    std::size_t sent = 0;
    for (std::size_t done = 0; done < kSends;) {
      while (sent < kSends && dispatcher.Room(connector->name()) > 0) {
        delivery::Dispatcher::Job job;
        job.request = sample;
        job.request.attempt_id = simulator.NextId();
        job.request.key = connector->NewKey(job.request.attempt_id).value();
        dispatcher.Submit(connector->name(), std::move(job));
        ++sent;
      }
      done += dispatcher.Collect(Millis(1000)).size();
    }
    if (simulator.Accepted(connector->name()) - before != kSends) state.SkipWithError("not every message was accepted");
  }
  state.counters["sends_per_s"] =
      benchmark::Counter(static_cast<double>(kSends * state.iterations()), benchmark::Counter::kIsRate);
}

delivery::SendRequest PushOf() {
  delivery::SendRequest request;
  request.notification_id = "n";
  request.contact = "171976fa8a8620a14a4";
  request.content.channel = Channel::kApp;
  request.content.title = "高龄津贴";
  request.content.body = "您可以申请高龄津贴";
  request.timeout = Millis(20'000);
  return request;
}

delivery::SendRequest WechatOf() {
  delivery::SendRequest request;
  request.notification_id = "n";
  request.contact = "oResident000000000000000001";
  request.content.channel = Channel::kWechat;
  request.content.provider_template = "notice";
  request.content.fields = {{"thing1", "高龄津贴"}, {"time2", "2026年3月1日 10:00"}};
  request.timeout = Millis(20'000);
  return request;
}

void BareJpush(benchmark::State& state) {
  Bare(
      state, "/v3/push",
      {httplib::make_basic_authentication_header("sandboxappkey0000000000a", "sandboxmastersecret00000")},
      [](const std::string& id) {
        const nlohmann::json extras = {{"notification_id", "n"}, {"attempt_id", id}};
        return nlohmann::json(
                   {{"platform", {"android", "ios"}},
                    {"audience", {{"registration_id", {"171976fa8a8620a14a4"}}}},
                    {"notification",
                     {{"android", {{"alert", "您可以申请高龄津贴"}, {"title", "高龄津贴"}, {"extras", extras}}},
                      {"ios", {{"alert", "您可以申请高龄津贴"}, {"extras", extras}}}}},
                    {"options", {{"time_to_live", 86400}, {"apns_production", true}}}})
            .dump();
      },
      "jpush");
}

void ConnectorJpush(benchmark::State& state) {
  app::JpushOptions options;
  options.base_url = Simulator::Get().Url();
  options.app_key = "sandboxappkey0000000000a";
  options.master_secret = delivery::Secret("sandboxmastersecret00000");
  options.cid_batch = 1000;
  Dispatch(state, app::NewJpush(options, nullptr), PushOf());
}

void BareWechat(benchmark::State& state) {
  httplib::Client client("127.0.0.1", Simulator::Get().port());
  const auto answer =
      client.Post("/cgi-bin/stable_token",
                  R"({"grant_type":"client_credential","appid":"wxsandbox00000001","secret":"sandbox-wechat-secret"})",
                  "application/json");
  const std::string token = nlohmann::json::parse(answer->body)["access_token"];
  Bare(
      state, "/cgi-bin/message/template/send?access_token=" + token, {},
      [](const std::string& id) {
        return nlohmann::json(
                   {{"touser", "oResident000000000000000001"},
                    {"template_id", "tmpl-1"},
                    {"client_msg_id", id},
                    {"data", {{"thing1", {{"value", "高龄津贴"}}}, {"time2", {{"value", "2026年3月1日 10:00"}}}}}})
            .dump();
      },
      "wechat");
}

void ConnectorWechat(benchmark::State& state) {
  wechat::TemplateMessageOptions options;
  options.base_url = Simulator::Get().Url();
  options.app_id = "wxsandbox00000001";
  options.secret = delivery::Secret("sandbox-wechat-secret");
  options.templates = {{"notice", "tmpl-1"}};
  Dispatch(state, wechat::NewTemplateMessage(options, nullptr), WechatOf());
}

BENCHMARK(BareJpush)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(ConnectorJpush)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(BareWechat)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(ConnectorWechat)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace zhitui

BENCHMARK_MAIN();
