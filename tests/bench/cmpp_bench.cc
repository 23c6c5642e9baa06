// How many text messages a second leave through CMPP, beside a bare loop of sockets that writes SUBMITs encoded before,
// with the same connections and windows to the same simulated gateway in this process. Both are measured in turns.
#include <arpa/inet.h>
#include <benchmark/benchmark.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "sandbox/cmpp.h"
#include "sms/cmpp_pdu.h"
#include "sms/sms.h"

namespace zhitui::sms {
namespace {

constexpr int kConnections = 4;
constexpr int kWindow = 16;
constexpr std::size_t kMessages = 40'000;
constexpr std::size_t kAhead = 4'000;  // messages that wait in the connector
constexpr char kText[] = "【福田政务】您好，您可以申领高龄津贴，请携带身份证到所在社区办理。";

using SteadyClock = std::chrono::steady_clock;

class Gateway {
 public:
  Gateway() : faults_(options_) {
    options_.cmpp.port = -1;
    options_.cmpp.window = kWindow;
    options_.receipts = sandbox::Receipts::kOff;
    gateway_ = std::make_unique<sandbox::CmppGateway>(sandbox::Surroundings{options_, faults_, journal_, nullptr});
    const auto port = gateway_->Start();
    if (!port) throw std::runtime_error(port.error());
    port_ = *port;
  }
  int port() const { return port_; }
  std::uint64_t accepted() const { return gateway_->GetStats().accepted; }
  const sandbox::Options& options() const { return options_; }

 private:
  sandbox::Options options_;
  sandbox::Faults faults_;
  sandbox::Journal journal_;
  std::unique_ptr<sandbox::CmppGateway> gateway_;
  int port_ = 0;
};

// The floor: no deadlines, no matching, no queue; answers are counted by their length.
class BareLoop {
 public:
  explicit BareLoop(const Gateway& gateway) {
    epoll_ = epoll_create1(0);
    CmppSubmit submit;
    submit.service_id = "BENEFIT";
    submit.msg_src = gateway.options().cmpp.account;
    submit.fee_type = "01";
    submit.fee_code = "000000";
    submit.src_id = "1069002101";
    submit.dest = "13800138001";
    submit.content = *Ucs2FromUtf8(kText);
    AppendCmppSubmit(CmppVersion::k20, submit, 1, &submit_);
    for (Session& s : sessions_) Open(gateway, s);
  }
  ~BareLoop() {
    for (const Session& s : sessions_) close(s.fd);
    close(epoll_);
  }

  double Run(std::size_t messages) {
    const auto began = SteadyClock::now();
    std::size_t sent = 0;
    std::size_t answered = 0;
    const auto fill = [&](Session& s) {
      out_.clear();
      while (s.open < kWindow && sent < messages) {
        out_ += submit_;
        ++s.open;
        ++sent;
      }
      std::size_t at = 0;
      while (at < out_.size()) {
        const ssize_t n = send(s.fd, out_.data() + at, out_.size() - at, MSG_NOSIGNAL);
        if (n <= 0) throw std::runtime_error("the gateway closed a connection");
        at += static_cast<std::size_t>(n);
      }
    };
    for (Session& s : sessions_) fill(s);
    std::array<epoll_event, kConnections> events{};
    while (answered < messages) {
      const int n = epoll_wait(epoll_, events.data(), kConnections, -1);
      for (int i = 0; i < n; ++i) {
        Session& s = sessions_[events[static_cast<std::size_t>(i)].data.u64];
        char buffer[65536];
        const ssize_t got = recv(s.fd, buffer, sizeof buffer, 0);
        if (got <= 0) throw std::runtime_error("the gateway closed a connection");
        s.bytes += static_cast<std::size_t>(got);
        for (; s.bytes >= kAnswer; s.bytes -= kAnswer) {
          --s.open;
          ++answered;
        }
        fill(s);
      }
    }
    return std::chrono::duration<double>(SteadyClock::now() - began).count();
  }

 private:
  static constexpr std::size_t kAnswer = 21;
  struct Session {
    int fd = -1;
    int open = 0;
    std::size_t bytes = 0;
  };

  void Open(const Gateway& gateway, Session& s) {
    s.fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(gateway.port()));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    setsockopt(s.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    CmppConnect connect;
    connect.source_addr = gateway.options().cmpp.account;
    connect.timestamp = 1021080510;
    connect.authenticator = CmppAuthenticator(connect.source_addr, gateway.options().cmpp.secret, connect.timestamp);
    connect.version = 0x20;
    std::string pdu;
    AppendCmppConnect(connect, 1, &pdu);
    char answer[30];
    if (::connect(s.fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0 ||
        send(s.fd, pdu.data(), pdu.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(pdu.size()) ||
        recv(s.fd, answer, sizeof answer, MSG_WAITALL) != sizeof answer || answer[12] != 0) {
      throw std::runtime_error("the gateway does not let the bare loop in");
    }
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = static_cast<std::uint64_t>(&s - sessions_.data());
    epoll_ctl(epoll_, EPOLL_CTL_ADD, s.fd, &event);
  }

  int epoll_ = -1;
  std::string submit_;
  std::string out_;
  std::array<Session, kConnections> sessions_;
};

class Ours {
 public:
  explicit Ours(const Gateway& gateway) {
    CmppOptions options;
    options.host = "127.0.0.1";
    options.port = gateway.port();
    options.source_addr = gateway.options().cmpp.account;
    options.secret = delivery::Secret(gateway.options().cmpp.secret);
    options.service_id = "BENEFIT";
    options.src_id = "1069002101";
    options.connections = kConnections;
    options.window = kWindow;
    connector_ = NewCmpp(options, nullptr);
    connector_->Start([](const std::string&, const auto&, const auto&) -> Status { return {}; });
    request_.attempt_id = "m-1";
    request_.content.channel = Channel::kSms;
    request_.content.body = kText;
    request_.contact = "13800138001";
    request_.timeout = Millis(60'000);
  }

  double Run(std::size_t messages) {
    const auto began = SteadyClock::now();
    failed_ = 0;
    ended_ = 0;
    for (std::size_t i = 0; i < messages; ++i) {
      if (i - ended_.load(std::memory_order_relaxed) >= kAhead) {
        std::unique_lock lock(mutex_);
        wake_at_ = i - kAhead / 2;
        room_.wait(lock, [&] { return ended_ >= wake_at_; });
      }
      connector_->Begin(request_, [this](const delivery::SendResult& r) { Ended(r); });
    }
    std::unique_lock lock(mutex_);
    wake_at_ = messages;
    room_.wait(lock, [&] { return ended_ >= messages; });
    if (failed_ > 0) throw std::runtime_error("a message was not accepted");
    return std::chrono::duration<double>(SteadyClock::now() - began).count();
  }

 private:
  void Ended(const delivery::SendResult& r) {
    if (r.verdict != delivery::Verdict::kAccepted) ++failed_;
    if (++ended_ != wake_at_.load()) return;
    const std::scoped_lock lock(mutex_);
    room_.notify_all();
  }

  std::shared_ptr<delivery::Connector> connector_;
  delivery::SendRequest request_;
  std::atomic<std::size_t> ended_{0};
  std::atomic<std::size_t> failed_{0};
  std::atomic<std::size_t> wake_at_{0};
  std::mutex mutex_;
  std::condition_variable room_;
};

double Median(std::vector<double> v) {
  std::nth_element(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2), v.end());
  return v[v.size() / 2];
}

void CmppDispatch(benchmark::State& state) {
  Gateway gateway;
  Ours ours(gateway);
  BareLoop bare(gateway);
  ours.Run(1000);
  bare.Run(1000);
  std::vector<double> our_times;
  std::vector<double> bare_times;
  std::uint64_t expected = gateway.accepted();
  for (auto _ : state) {
    bare_times.push_back(bare.Run(kMessages));
    our_times.push_back(ours.Run(kMessages));
    state.SetIterationTime(our_times.back());
    expected += 2 * kMessages;
  }
  if (gateway.accepted() != expected) state.SkipWithError("the gateway did not take what was sent");
  const double rate = static_cast<double>(kMessages) / Median(our_times);
  const double floor = static_cast<double>(kMessages) / Median(bare_times);
  state.counters["per_second"] = rate;
  state.counters["floor_per_second"] = floor;
  state.counters["ratio"] = rate / floor;
}
BENCHMARK(CmppDispatch)->UseManualTime()->Iterations(5)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace zhitui::sms

BENCHMARK_MAIN();
