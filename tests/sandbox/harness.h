// Helpers of the simulator's own tests: clients that sign as the providers document it, and a receiver of receipts.
#pragma once

#include <httplib.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "sandbox/acs3.h"
#include "sandbox/crypto.h"
#include "sandbox/jpush.h"
#include "sandbox/sandbox.h"
#include "sandbox/text.h"

namespace sandbox {

constexpr int64_t kNow = 1768442400000;  // 2026-01-15T02:00:00Z

class TempDir {
 public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "sandbox-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  std::string Path(const std::string& name) const { return path_ + "/" + name; }
  std::string Log() const { return Path("log.ndjson"); }
  std::vector<nlohmann::json> Lines() const {
    std::vector<nlohmann::json> out;
    std::ifstream in(Log());
    for (std::string line; std::getline(in, line);) {
      if (!line.empty()) out.push_back(nlohmann::json::parse(line));
    }
    return out;
  }

 private:
  std::string path_;
};

// A running simulator with a settable clock and a log, and one keep-alive client.
class Bench {
 public:
  explicit Bench(Options options = {}) : clock_(kNow) {
    options.log_path = dir_.Log();
    options.threads = 2;
    if (options.slow_ms == Options{}.slow_ms) options.slow_ms = 1;
    options.now_ms = [this] { return clock_.load(); };
    options_ = options;
    Start();
  }

  void Start() {
    server_ = std::make_unique<Server>(options_);
    const auto port = server_->Start();
    if (!port) throw std::runtime_error(port.error());
    port_ = *port;
    client_ = std::make_unique<httplib::Client>("127.0.0.1", port_);
    client_->set_keep_alive(true);
    client_->set_tcp_nodelay(true);  // else head and body wait 40 ms for each other
    client_->set_read_timeout(20);
    token_.clear();
  }
  void Restart() {
    client_.reset();
    server_.reset();
    Start();
  }

  void Advance(int64_t ms) { clock_ += ms; }
  std::vector<nlohmann::json> Lines() const { return dir_.Lines(); }
  const TempDir& dir() const { return dir_; }
  Server& server() { return *server_; }
  httplib::Client& client() { return *client_; }
  int port() const { return port_; }
  const Options& options() const { return options_; }

  // WeChat
  nlohmann::json Token(bool force = false) {
    const auto result = client_->Post("/cgi-bin/stable_token",
                                      nlohmann::json({{"grant_type", "client_credential"},
                                                      {"appid", options_.wechat_appid},
                                                      {"secret", options_.wechat_secret},
                                                      {"force_refresh", force}})
                                          .dump(),
                                      "application/json");
    return nlohmann::json::parse(result->body);
  }
  static nlohmann::json WechatBody(const std::string& openid, const std::string& id) {
    return {{"touser", openid},
            {"template_id", "tmpl-1"},
            {"client_msg_id", id},
            {"data", {{"thing1", {{"value", "高龄津贴"}}}, {"time2", {{"value", "2026年1月15日 10:00"}}}}}};
  }
  httplib::Result WechatRaw(const std::string& body) {
    if (token_.empty()) token_ = Token()["access_token"].get<std::string>();
    return client_->Post("/cgi-bin/message/template/send?access_token=" + token_, body, "application/json");
  }
  nlohmann::json Wechat(const nlohmann::json& body) { return nlohmann::json::parse(WechatRaw(body.dump())->body); }

  // Aliyun: signs with the code under test's canonical form, which acs3_test checks against published vectors.
  struct Signed {
    std::string target;
    httplib::Headers headers;
  };
  Signed Sign(const std::string& action, const Pairs& query, std::string nonce = RandomHex(32)) {
    Pairs headers = {{"host", "127.0.0.1:" + std::to_string(port_)}, {"x-acs-action", action},
                     {"x-acs-content-sha256", Sha256Hex("")},        {"x-acs-date", IsoUtc(clock_).substr(0, 19) + "Z"},
                     {"x-acs-signature-nonce", std::move(nonce)},    {"x-acs-version", "2017-05-25"}};
    std::vector<std::string> names;
    for (const auto& [name, value] : headers) names.push_back(name);
    const std::string canonical = Acs3CanonicalRequest("POST", "/", query, headers, names, Sha256Hex(""));
    std::string joined;
    for (const auto& name : names) joined += (joined.empty() ? "" : ";") + name;
    Signed out;
    for (const auto& [name, value] : headers) out.headers.emplace(name, value);
    out.headers.emplace("authorization", "ACS3-HMAC-SHA256 Credential=" + options_.aliyun_key_id +
                                             ",SignedHeaders=" + joined +
                                             ",Signature=" + Acs3Signature(options_.aliyun_key_secret, canonical));
    out.target = "/";
    for (const auto& [key, value] : query) {
      out.target += (out.target.size() == 1 ? "?" : "&") + PercentEncode(key) + "=" + PercentEncode(value);
    }
    return out;
  }
  httplib::Result Rpc(const std::string& action, const Pairs& query) {
    const Signed call = Sign(action, query);
    return client_->Post(call.target, call.headers, "", "");
  }
  static Pairs SmsQuery(const std::string& phone, const std::string& out_id) {
    return {{"PhoneNumbers", phone},
            {"SignName", "福田政务"},
            {"TemplateCode", "SMS_154950909"},
            {"TemplateParam", R"({"name":"张三","item":"高龄津贴"})"},
            {"OutId", out_id}};
  }
  nlohmann::json Sms(const std::string& phone, const std::string& out_id) {
    return nlohmann::json::parse(Rpc("SendSms", SmsQuery(phone, out_id))->body);
  }
  nlohmann::json Details(const std::string& phone, const std::string& day = "20260115") {
    return nlohmann::json::parse(
        Rpc("QuerySendDetails", {{"PhoneNumber", phone}, {"SendDate", day}, {"PageSize", "50"}, {"CurrentPage", "1"}})
            ->body);
  }

  // JPush
  httplib::Headers JpushAuth() const {
    return {{"Authorization", BasicAuthorization(options_.jpush_app_key, options_.jpush_master_secret)}};
  }
  std::string Cid() {
    const auto result = client_->Get("/v3/push/cid?count=1", JpushAuth());
    return nlohmann::json::parse(result->body)["cidlist"][0].get<std::string>();
  }
  static nlohmann::json PushBody(const std::string& device, const std::string& cid, const std::string& attempt) {
    const nlohmann::json extras = {{"notification_id", "n-" + attempt}, {"attempt_id", attempt}};
    return {{"cid", cid},
            {"platform", {"android", "ios"}},
            {"audience", {{"registration_id", {device}}}},
            {"notification",
             {{"android", {{"alert", "您可以领取高龄津贴"}, {"title", "通知"}, {"extras", extras}}},
              {"ios", {{"alert", "您可以领取高龄津贴"}, {"extras", extras}}}}},
            {"options", {{"sendno", 18}, {"time_to_live", 86400}, {"apns_production", false}}}};
  }
  httplib::Result Push(const nlohmann::json& body) {
    return client_->Post("/v3/push", JpushAuth(), body.dump(), "application/json");
  }

 private:
  TempDir dir_;
  std::atomic<int64_t> clock_;
  Options options_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<httplib::Client> client_;
  std::string token_;
  int port_ = 0;
};

// Takes receipts, answers as told, and lets a test wait for the n-th.
class Receiver {
 public:
  struct Got {
    std::string path;
    std::string body;
    httplib::Params query;
  };

  Receiver() {
    const auto take = [this](const httplib::Request& request, httplib::Response& response) {
      const std::lock_guard lock(mutex_);
      got_.push_back({request.path, request.body, request.params});
      if (failures_ > 0) {
        --failures_;
        response.status = 500;
      } else if (request.path == "/v1/receipts/aliyun") {
        response.set_content(R"({"code":0,"msg":"接收成功"})", "application/json");
      } else if (request.path == "/v1/receipts/tencent") {
        response.set_content(R"({"result":0,"errmsg":"OK"})", "application/json");
      }
      arrived_.notify_all();
    };
    server_.Post("/.*", take);
    server_.Get("/.*", take);
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  ~Receiver() {
    server_.stop();
    thread_.join();
  }
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  std::string Base() const { return "http://127.0.0.1:" + std::to_string(port_); }
  void FailNext(int n) {
    const std::lock_guard lock(mutex_);
    failures_ = n;
  }
  // The posts so far, once there are at least n; all of them when that does not happen in 30 s.
  std::vector<Got> Wait(size_t n) {
    std::unique_lock lock(mutex_);
    arrived_.wait_for(lock, std::chrono::seconds(30), [&] { return got_.size() >= n; });
    return got_;
  }

 private:
  httplib::Server server_;
  int port_ = 0;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<Got> got_;
  int failures_ = 0;
};

}  // namespace sandbox
