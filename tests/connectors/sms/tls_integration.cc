// The same promises over TLS, where a close can look like data: sent once, certificates checked, and no call outlives
// its time-out even when the peer keeps talking.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "sms/sms.h"

namespace zhitui::sms {
namespace {

using delivery::Verdict;

constexpr char kAnswer[] =
    "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{\"Code\":\"OK\",\"RequestId\":\"R\",\"BizId\":\"90061974^0\"}";

// A self-signed certificate for 127.0.0.1 in a file of its own.
class Certificate {
 public:
  Certificate() : key_(EVP_EC_gen("P-256"), EVP_PKEY_free), cert_(X509_new(), X509_free) {
    X509* x = cert_.get();
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -60);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_set_pubkey(x, key_.get());
    X509_NAME* name = X509_get_subject_name(x);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("127.0.0.1"), -1, -1,
                               0);
    X509_set_issuer_name(x, name);
    for (const auto& [nid, value] :
         {std::pair{NID_subject_alt_name, "IP:127.0.0.1"}, {NID_basic_constraints, "CA:TRUE"}}) {
      X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
      X509_add_ext(x, extension, -1);
      X509_EXTENSION_free(extension);
    }
    X509_sign(x, key_.get(), EVP_sha256());
    path_ = std::string(ZHITUI_BINARY_DIR) + "/tls_integration_" + std::to_string(getpid()) + ".pem";
    std::FILE* file = std::fopen(path_.c_str(), "w");
    if (file == nullptr || PEM_write_X509(file, x) != 1) throw std::runtime_error("cannot write the certificate");
    std::fclose(file);
  }
  ~Certificate() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }
  void Use(SSL_CTX* context) const {
    if (SSL_CTX_use_certificate(context, cert_.get()) != 1 || SSL_CTX_use_PrivateKey(context, key_.get()) != 1) {
      throw std::runtime_error("cannot use the certificate");
    }
  }

 private:
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
  std::unique_ptr<X509, decltype(&X509_free)> cert_;
  std::string path_;
};

// Serves one connection at a time.
class TlsPeer {
 public:
  enum Manner {
    kAnswer_,      // answers, keeps the connection
    kAnswerClose,  // answers, then says goodbye as TLS does
    kCloseOnly,    // takes the request and says goodbye without an answer
    kTrickle,      // a header without end, byte by byte
  };

  explicit TlsPeer(const Certificate& certificate) : context_(SSL_CTX_new(TLS_server_method()), SSL_CTX_free) {
    certificate.Use(context_.get());
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener_, 16) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      throw std::runtime_error("cannot listen on the loopback address");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Loop(); });
  }
  ~TlsPeer() {
    {
      const std::scoped_lock lock(mutex_);
      stopped_ = true;
      shutdown(listener_, SHUT_RDWR);
      if (current_ >= 0) shutdown(current_, SHUT_RDWR);
    }
    thread_.join();
    close(listener_);
  }
  std::string Url() const { return "https://127.0.0.1:" + std::to_string(port_); }

  std::atomic<Manner> manner{kAnswer_};
  std::atomic<int> requests{0};
  std::atomic<int> connections{0};
  std::atomic<int> goodbyes{0};

 private:
  void Loop() {
    while (true) {
      const int fd = accept(listener_, nullptr, nullptr);
      {
        const std::scoped_lock lock(mutex_);
        if (stopped_ || fd < 0) {
          if (fd >= 0) close(fd);
          return;
        }
        current_ = fd;
      }
      connections.fetch_add(1);
      Serve(fd);
      const std::scoped_lock lock(mutex_);
      current_ = -1;
      close(fd);
    }
  }

  void Serve(int fd) {
    const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context_.get()), SSL_free);
    SSL_set_fd(ssl.get(), fd);
    if (SSL_accept(ssl.get()) != 1) return;
    std::string buffer;
    while (true) {
      while (buffer.find("\r\n\r\n") == std::string::npos) {
        char chunk[4096];
        const int n = SSL_read(ssl.get(), chunk, sizeof chunk);
        if (n <= 0) return;
        buffer.append(chunk, static_cast<std::size_t>(n));
      }
      buffer.clear();
      requests.fetch_add(1);
      const Manner how = manner;
      if (how == kTrickle) {
        SSL_write(ssl.get(), "HTTP/1.1 200 OK\r\nX-Long: ", 25);
        while (SSL_write(ssl.get(), "x", 1) == 1) std::this_thread::sleep_for(Millis(5));
        return;
      }
      if (how != kCloseOnly) SSL_write(ssl.get(), kAnswer, sizeof kAnswer - 1);
      if (how != kAnswer_) {
        SSL_shutdown(ssl.get());
        shutdown(fd, SHUT_WR);
        goodbyes.fetch_add(1);
        goodbyes.notify_all();
        return;
      }
    }
  }

  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  int listener_ = -1;
  int port_ = 0;
  std::mutex mutex_;
  int current_ = -1;
  bool stopped_ = false;
  std::thread thread_;
};

AliyunOptions Options(const TlsPeer& peer, const Certificate* trusted) {
  AliyunOptions options;
  options.base_url = peer.Url();
  if (trusted != nullptr) options.ca_file = trusted->path();
  options.access_key_id = "testid";
  options.access_key_secret = delivery::Secret("testsecret");
  options.sign_name = "福田政务";
  options.templates = {{"benefit", "SMS_154950909"}};
  return options;
}

delivery::SendRequest Request(std::string attempt, Millis timeout = Millis(20'000)) {
  delivery::SendRequest request;
  request.attempt_id = std::move(attempt);
  request.contact = "13800138000";
  request.content.channel = Channel::kSms;
  request.content.provider_template = "benefit";
  request.timeout = timeout;
  return request;
}

TEST(Tls, OnlyATrustedPeerGetsTheRequest) {
  const Certificate good;
  TlsPeer peer(good);
  EXPECT_EQ(NewAliyun(Options(peer, nullptr), nullptr)->Send(Request("m-1")).verdict, Verdict::kNotSent);
  EXPECT_EQ(peer.requests, 0);
  const auto connector = NewAliyun(Options(peer, &good), nullptr);
  EXPECT_EQ(connector->Send(Request("m-2")).verdict, Verdict::kAccepted);
  EXPECT_EQ(connector->Send(Request("m-3")).verdict, Verdict::kAccepted);
  EXPECT_EQ(peer.requests, 2);
}

TEST(Tls, AGoodbyeInsteadOfAnAnswerIsUnknownAndNotSentAgain) {
  const Certificate good;
  TlsPeer peer(good);
  peer.manner = TlsPeer::kCloseOnly;
  EXPECT_EQ(NewAliyun(Options(peer, &good), nullptr)->Send(Request("m-1")).verdict, Verdict::kUnknown);
  EXPECT_EQ(peer.requests, 1);
}

TEST(Tls, AConnectionThatSaidGoodbyeWhileIdleIsNotUsed) {
  const Certificate good;
  TlsPeer peer(good);
  const auto connector = NewAliyun(Options(peer, &good), nullptr);
  peer.manner = TlsPeer::kAnswerClose;
  for (int i = 1; i <= 5; ++i) {
    EXPECT_EQ(connector->Send(Request("m-" + std::to_string(i))).verdict, Verdict::kAccepted) << i;
    peer.goodbyes.wait(i - 1);
  }
  EXPECT_EQ(peer.requests, 5);
  EXPECT_EQ(peer.connections, 5);
}

TEST(Tls, AnAnswerWithoutEndStopsAtTheTimeOut) {
  const Certificate good;
  TlsPeer peer(good);
  peer.manner = TlsPeer::kTrickle;
  EXPECT_EQ(NewAliyun(Options(peer, &good), nullptr)->Send(Request("m-1", Millis(300))).verdict, Verdict::kUnknown);
  EXPECT_EQ(peer.requests, 1);
}

}  // namespace
}  // namespace zhitui::sms
