// The provider simulator: the HTTP providers behind one port, those with a protocol of their own on their own ports. It
// verifies what the real providers verify, fails on request, sends receipts back and logs every accepted message. It
// shares no code with the product, so that a mistake in a connector cannot hide behind the same mistake here.
// Every HTTP provider answers below /<its name> too ("/tencent/"), which tells those apart that use the same path.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace sandbox {

enum class Receipts { kOn, kOff, kDuplicate };

struct TencentSim {
  std::string secret_id = "testid";
  std::string secret_key = "testsecret";
  std::string sdk_app_id = "1400006666";
  std::vector<std::string> signs;                // approved signatures; empty = every well-formed one
  std::map<std::string, std::string> templates;  // id -> text with {1}, {2}; empty = every number
  bool session_echo = true;                      // the pulled states carry SessionContext
  std::string callback_path = "/v1/receipts/tencent";
  std::string reply_path = "/v1/receipts/tencent";
  std::string callback_key;  // sent as ?key=; empty = no such parameter
};

struct KannelSim {
  std::string username = "sandbox";
  std::string password = "sandbox-kannel-secret";
  std::string port = "10690000";  // the number that people answer to
  std::string reply_path = "/v1/receipts/kannel";
  std::string callback_key;  // sent as ?key= with replies; reports go to the URL of their message
};

struct Options {
  std::string host = "127.0.0.1";
  int port = 0;          // 0 = any free port
  int threads = 16;      // started at once; more are started when more connections are open, up to 512
  std::string tls_cert;  // PEM files; both empty = plain HTTP
  std::string tls_key;

  std::string wechat_appid = "wxsandbox00000001";
  std::string wechat_secret = "sandbox-wechat-secret";
  std::vector<std::string> wechat_templates;  // known template ids; empty = every id is known
  int64_t token_ttl_s = 7200;

  std::string aliyun_key_id = "testid";
  std::string aliyun_key_secret = "testsecret";
  std::vector<std::string> aliyun_signs;                // approved signatures; empty = every well-formed one
  std::map<std::string, std::string> aliyun_templates;  // code -> text with ${name}; empty = every SMS_<digits>
  int64_t aliyun_query_lag_ms = 0;                      // QuerySendDetails does not see a message younger than this

  std::string jpush_app_key = "sandboxappkey0000000000a";
  std::string jpush_master_secret = "sandboxmastersecret00000";
  int64_t jpush_quota_per_min = 0;  // 0 = not enforced

  // The CMPP gateway.
  struct CmppSim {
    int port = 0;  // 0 = off, -1 = any free port
    std::string account = "900001";
    std::string secret = "sandbox-cmpp-secret";
    int window = 16;  // unanswered SUBMITs on one connection; more are answered with 8
    bool answer_active_test = true;
  } cmpp;

  struct SmppSim {
    int port = 0;  // 0 = off, -1 = any free one
    std::string system_id = "sandbox";
    std::string password = "secret01";
    int window = 10;        // a request beyond so many unanswered ones is throttled
    int64_t answer_ms = 0;  // from submit_sm to its answer
    bool payload = true;    // message_payload is allowed
    bool hex_ids = false;   // ids hexadecimal in answers, decimal in the text of receipts, no receipted_message_id
  };
  SmppSim smpp;
  TencentSim tencent;
  KannelSim kannel;
  struct FcmSim {
    std::string project_id = "sandbox-project";
    std::string client_email = "sandbox@sandbox-project.iam.gserviceaccount.com";
    int64_t token_ttl_s = 3599;
  } fcm;
  struct HuaweiSim {
    std::string project_id = "100000000000000001";
    std::string key_id = "sandbox-huawei-key";
    std::string sub_account = "100000002";
    std::string app_id = "100000003";  // v1
    std::string client_secret = "sandbox-huawei-secret";
    int64_t token_ttl_s = 3600;
  } huawei;
  struct GetuiSim {
    std::string app_id = "sandboxgetuiapp";
    std::string app_key = "sandboxgetuikey";
    std::string master_secret = "sandboxgetuimaster";
    bool repeat_is_error = false;  // a repeated request_id is refused instead of answered with the first result
  } getui;
  struct ApnsSim {
    bool on = false;  // listens only then
    int port = 0;     // 0 = any free port
    std::string key_id = "SANDBOXKEY";
    std::string team_id = "SANDBOXTEA";
    std::string topic = "cn.example.sandbox";
    uint32_t max_streams = 1000;   // on one connection
    int64_t token_updates_ms = 0;  // a new token sooner than this is TooManyProviderTokenUpdates; 0 = never
    std::string ca_file;           // the certificate is written here at start; empty = not written
  } apns;
  struct WebpushSim {
    std::string origin;  // of endpoints, "https://127.0.0.1:8443"; empty = from the Host of the first subscription
  } webpush;
  struct GorushSim {
    bool sync = true;                     // core.sync: logs tell what failed
    std::set<int> platforms = {1, 2, 3};  // enabled: iOS, Android, Huawei
    // The feedback hook, below callback_base.
    std::string callback_path = "/v1/receipts/gorush";
    std::string callback_key;  // sent as ?key=; empty = no such parameter
  } gorush;
  struct NtfySim {
    std::string token = "tk_sandbox";
  } ntfy;
  // The credentials that the simulator makes (a service account for each of FCM and Huawei) are written here as
  // <provider>.json when it starts; empty = only GET /sandbox/credentials/<provider> gives them.
  std::string credentials_dir;

  // Faults. A rate is a probability in [0,1]; the choice is a function of (seed, idempotency key or out id) alone.
  bool magic = true;
  double rate_error = 0;
  double rate_drop_before = 0;
  double rate_drop_after = 0;
  double rate_slow = 0;
  uint64_t seed = 1;
  int64_t slow_ms = 3000;

  // Receipts. Nothing is posted while callback_base is empty.
  Receipts receipts = Receipts::kOn;
  std::string callback_base;  // http://127.0.0.1:PORT
  std::string wechat_callback_path = "/v1/receipts/wechat";
  std::string aliyun_callback_path = "/v1/receipts/aliyun";
  std::string wechat_callback_token = "sandbox-callback-token";
  std::string aliyun_reply_path = "/v1/receipts/aliyun";
  std::string aliyun_callback_key;  // sent as ?key=; empty = no such parameter
  int64_t receipt_delay_ms = 5;
  int64_t receipt_retry_ms = 1000;

  // Beside the service account above: its subscription messages, a mini-program, and how call-backs are sent.
  struct WechatSim {
    bool one_off = true;  // subscription templates need a grant for every message
    std::string mini_appid = "wxsandbox00000002";
    std::string mini_secret = "sandbox-mini-secret";
    std::string mini_callback_path = "/v1/receipts/wechat_mini";
    std::string aes_key;      // EncodingAESKey of call-backs; empty = not encrypted
    bool compatible = false;  // with aes_key: the plain text goes beside the encrypted
    bool json = false;        // call-backs are JSON; else XML
  } wechat;
  struct WecomSim {
    std::string corp_id = "wwsandbox00000001";
    std::string secret = "sandbox-wecom-secret";
    int64_t agent_id = 1000002;
  } wecom;

  std::string log_path;  // empty = no log, and nothing survives a restart

  // Milliseconds since 1970; decides token lifetimes, idempotency windows and dates. Null = the system clock.
  std::function<int64_t()> now_ms;
};

// A text message from a person, for a provider that pushes them: POST /sandbox/reply {"provider","phone","text"}.
struct PersonReply {
  std::string provider;
  std::string contact;
  std::string text;
};

struct ProviderStats {
  uint64_t requests = 0;
  uint64_t accepted = 0;                   // new messages, one log line each
  uint64_t suppressed = 0;                 // repeats answered with the first result
  uint64_t dropped = 0;                    // connections reset on purpose
  std::map<std::string, uint64_t> errors;  // by the provider's own code
  uint64_t receipts_sent = 0;              // reports in posts that were made, retries included
  uint64_t receipts_acked = 0;             // reports the receiver accepted
  uint64_t receipts_pending = 0;
  uint64_t receipts_given_up = 0;
};

using Stats = std::map<std::string, ProviderStats>;  // by provider: "wechat", "aliyun" ...

// Threads: Start and Stop from one thread; Stats and Reset from any.
class Server {
 public:
  explicit Server(Options options);
  ~Server();  // stops
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Opens the log, restores idempotency from it, listens. Returns the port, or a sentence saying what is wrong.
  std::expected<int, std::string> Start();
  // Answers what is being answered, closes every connection, drops receipts not yet due. Idempotent.
  void Stop();
  // Of the protocols with a port of their own, once started.
  std::map<std::string, int> Ports() const;
  Stats GetStats() const;
  int cmpp_port() const;  // after Start; 0 = off
  // False: there is no such provider, or it pushes no replies.
  bool Push(const PersonReply& reply);
  // Forgets messages, idempotency, tries, counters and pending receipts; tokens and the log file stay.
  void Reset();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sandbox
