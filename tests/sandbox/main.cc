// zhitui-sandbox: the provider simulator as a program.
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "sandbox/sandbox.h"

namespace {

constexpr int kUsageError = 64;
constexpr int kUnavailable = 69;

// Readers of the file see the whole port or no file.
bool WritePortFile(const std::string& path, int port) {
  const std::string part = path + ".part";
  {
    std::ofstream out(part, std::ios::trunc);
    out << port << '\n';
    if (!out.flush()) return false;
  }
  return std::rename(part.c_str(), path.c_str()) == 0;
}

void AddOptions(CLI::App& app, sandbox::Options& options, std::vector<std::string>& templates) {
  app.add_option("--host", options.host, "Address to listen on")->capture_default_str();
  app.add_option("--port", options.port, "Port; 0 = any free one")->check(CLI::Range(0, 65535))->capture_default_str();
  app.add_option("--threads", options.threads, "Threads at start; one serves one open connection, more come as needed")
      ->check(CLI::Range(1, 512))
      ->capture_default_str();
  app.add_option("--tls-cert", options.tls_cert, "PEM certificate chain; with --tls-key: HTTPS");
  app.add_option("--tls-key", options.tls_key, "PEM private key");
  app.add_option("--log", options.log_path, "NDJSON file, one line per accepted message; read again at start");

  app.add_option("--wechat-appid", options.wechat_appid, "WeChat appid")->capture_default_str();
  app.add_option("--wechat-secret", options.wechat_secret, "WeChat secret")->capture_default_str();
  app.add_option("--wechat-template", options.wechat_templates, "Known template id (repeatable); none = all are known");
  app.add_option("--token-ttl-s", options.token_ttl_s, "Lifetime of an access token")
      ->check(CLI::Range(int64_t{1}, int64_t{86400}))
      ->capture_default_str();
  app.add_flag("!--wechat-long-term", options.wechat.one_off, "Subscription templates need no grants");
  app.add_option("--wechat-aes-key", options.wechat.aes_key,
                 "EncodingAESKey (43 characters); WeChat call-backs are encrypted");
  app.add_option("--aliyun-key-id", options.aliyun_key_id, "Aliyun AccessKey id")->capture_default_str();
  app.add_option("--aliyun-key-secret", options.aliyun_key_secret, "Aliyun AccessKey secret")->capture_default_str();
  app.add_option("--aliyun-sign", options.aliyun_signs, "Approved signature (repeatable); none = all are");
  app.add_option("--aliyun-template", templates, "CODE=TEXT with ${name} (repeatable); none = every SMS_<digits>");
  app.add_option("--aliyun-query-lag-ms", options.aliyun_query_lag_ms, "QuerySendDetails sees a message this late")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--jpush-app-key", options.jpush_app_key, "JPush app key")->capture_default_str();
  app.add_option("--jpush-master-secret", options.jpush_master_secret, "JPush master secret")->capture_default_str();
  app.add_option("--jpush-quota-per-min", options.jpush_quota_per_min, "Pushes a minute before 2002; 0 = no limit")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--cmpp-port", options.cmpp.port, "Port of the CMPP gateway; 0 = off")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  app.add_option("--cmpp-account", options.cmpp.account, "CMPP Source_Addr")->capture_default_str();
  app.add_option("--cmpp-secret", options.cmpp.secret, "CMPP shared secret")->capture_default_str();
  app.add_option("--cmpp-window", options.cmpp.window, "Unanswered SUBMITs before result 8")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();

  app.add_option("--smpp-port", options.smpp.port, "Port of the SMPP centre; 0 = off, -1 = any free one")
      ->check(CLI::Range(-1, 65535))
      ->capture_default_str();
  app.add_option("--smpp-system-id", options.smpp.system_id, "SMPP system_id")->capture_default_str();
  app.add_option("--smpp-password", options.smpp.password, "SMPP password")->capture_default_str();

  app.add_option("--credentials-dir", options.credentials_dir,
                 "Write the service accounts made at start here: fcm.json, huawei.json");

  app.add_flag("--apns", options.apns.on, "Open the port of APNs too");
  app.add_option("--apns-port", options.apns.port, "Port of APNs; 0 = any free one")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  app.add_option("--apns-ca-file", options.apns.ca_file, "Write the certificate that APNs uses to this file");
  app.add_option("--webpush-origin", options.webpush.origin, "Origin of endpoints; empty = as the caller names us");
  app.add_flag("!--gorush-async", options.gorush.sync, "gorush answers before it knows (core.sync: false)");
  app.add_option("--gorush-callback-path", options.gorush.callback_path, "Path of gorush's feedback hook")
      ->capture_default_str();
  app.add_option("--gorush-callback-key", options.gorush.callback_key, "Sent as ?key= with gorush's feedback");
  app.add_option("--ntfy-token", options.ntfy.token, "Access token of ntfy; empty = none is asked for")
      ->capture_default_str();

  app.add_flag("!--no-magic", options.magic, "Magic recipients behave like all others");
  const CLI::Range rate(0.0, 1.0);
  app.add_option("--rate-error", options.rate_error, "Share of messages whose first try is a server error")
      ->check(rate)
      ->capture_default_str();
  app.add_option("--rate-drop-before", options.rate_drop_before, "Share reset before acceptance on the first try")
      ->check(rate)
      ->capture_default_str();
  app.add_option("--rate-drop-after", options.rate_drop_after, "Share accepted, then reset, on the first try")
      ->check(rate)
      ->capture_default_str();
  app.add_option("--rate-slow", options.rate_slow, "Share answered after --slow-ms on the first try")
      ->check(rate)
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Chooses which messages the rates hit")->capture_default_str();
  app.add_option("--slow-ms", options.slow_ms, "How long a slow answer takes")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();

  const std::map<std::string, sandbox::Receipts> modes = {
      {"on", sandbox::Receipts::kOn}, {"off", sandbox::Receipts::kOff}, {"duplicate", sandbox::Receipts::kDuplicate}};
  app.add_option("--receipts", options.receipts, "on, off, or duplicate (each twice and out of order)")
      ->transform(CLI::CheckedTransformer(modes, CLI::ignore_case));
  app.add_option("--callback-base", options.callback_base,
                 "http://127.0.0.1:PORT of the receiver; empty = no receipts");
  app.add_option("--wechat-callback-path", options.wechat_callback_path, "Path of WeChat receipts")
      ->capture_default_str();
  app.add_option("--aliyun-callback-path", options.aliyun_callback_path, "Path of Aliyun receipts")
      ->capture_default_str();
  app.add_option("--wechat-callback-token", options.wechat_callback_token, "Signs WeChat receipts")
      ->capture_default_str();
  app.add_option("--aliyun-callback-key", options.aliyun_callback_key, "Sent as ?key= with Aliyun receipts");
  app.add_option("--tencent-callback-key", options.tencent.callback_key, "Sent as ?key= with Tencent call-backs");
  app.add_option("--kannel-callback-key", options.kannel.callback_key, "Sent as ?key= with replies by Kannel");
  app.add_option("--receipt-delay-ms", options.receipt_delay_ms, "From acceptance to receipt")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--receipt-retry-ms", options.receipt_retry_ms,
                 "A failed receipt is sent again after 1x, 5x, 10x this")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
}

int Run(int argc, char** argv) {
  CLI::App app{"Simulates WeChat template messages, Aliyun SMS and JPush on one port. All credentials are synthetic."};
  sandbox::Options options;
  std::vector<std::string> templates;
  std::string port_file;
  AddOptions(app, options, templates);
  app.add_option("--port-file", port_file, "Write the port to this file once listening");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsageError;
  }
  if (options.tls_cert.empty() != options.tls_key.empty()) {
    std::cerr << "zhitui-sandbox: --tls-cert and --tls-key go together\n";
    return kUsageError;
  }
  for (const std::string& one : templates) {
    const size_t at = one.find('=');
    if (at == std::string::npos) {
      std::cerr << "zhitui-sandbox: --aliyun-template takes CODE=TEXT\n";
      return kUsageError;
    }
    options.aliyun_templates[one.substr(0, at)] = one.substr(at + 1);
  }

  // Blocked before any thread starts, so that only sigwait sees them.
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  signal(SIGPIPE, SIG_IGN);

  const std::string host = options.host;
  sandbox::Server server(std::move(options));
  const auto port = server.Start();
  if (!port) {
    std::cerr << "zhitui-sandbox: " << port.error() << '\n';
    return kUnavailable;
  }
  if (!port_file.empty() && !WritePortFile(port_file, *port)) {
    std::cerr << "zhitui-sandbox: cannot write " << port_file << '\n';
    return kUnavailable;
  }
  std::cout << "listening on " << host << ':' << *port << std::endl;
  for (const auto& [name, own] : server.Ports()) std::cout << name << " on " << host << ':' << own << std::endl;
  int received = 0;
  sigwait(&stop, &received);
  server.Stop();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "zhitui-sandbox: " << error.what() << '\n';
    return 70;
  }
}
