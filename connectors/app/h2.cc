#include "app/h2.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace zhitui::app {
namespace {

using delivery::HttpAnswer;
using delivery::HttpCall;
using delivery::HttpFate;

constexpr std::size_t kMaxHeaders = 64;
constexpr std::size_t kMaxHeaderBytes = 16U << 10;
constexpr int kLongestWaitMs = 1000;
// An idle connection older than this is not used again: something on the way may have forgotten it.
constexpr long kMaxIdleSeconds = 60;

void InitOnce() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

HttpAnswer NoAnswer(HttpFate fate, std::string fault) {
  HttpAnswer answer;
  answer.fate = fate;
  answer.fault = std::move(fault);
  return answer;
}

struct Waiting {
  HttpCall call;
  H2Client::Time deadline;
  H2Client::Done done;
};

// One call on the wire; libcurl holds its address.
struct Stream {
  Waiting job;
  HttpAnswer answer;
  CURL* easy = nullptr;
  curl_slist* headers = nullptr;
  std::size_t read = 0;  // of the body
  std::size_t header_bytes = 0;
  std::size_t max_answer = 0;
  bool left = false;                                // the request may have begun to leave
  bool again = false;                               // libcurl was about to send it a second time
  bool refused = false;                             // the peer did not process it
  bool closed = false;                              // the peer had hung up before it left
  std::uint32_t id = 0;                             // of the stream; 0: not known
  int port = 0;                                     // our port of its connection, by which connections are told apart
  std::set<curl_socket_t>* sockets = nullptr;       // that are open
  std::map<int, std::uint32_t>* goaways = nullptr;  // port -> the last stream that the peer has processed
  bool not_h2 = false;
  bool too_large = false;

  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() {
    if (easy != nullptr) curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
  }
};

std::size_t ReadBody(char* out, std::size_t size, std::size_t count, void* user) {
  Stream& s = *static_cast<Stream*>(user);
  const std::size_t n = std::min(size * count, s.job.call.body.size() - s.read);
  std::memcpy(out, s.job.call.body.data() + s.read, n);
  s.read += n;
  return n;
}

std::size_t TakeBody(const char* data, std::size_t size, std::size_t count, void* user) {
  Stream& s = *static_cast<Stream*>(user);
  const std::size_t n = size * count;
  if (s.answer.body.size() + n > s.max_answer) {
    s.too_large = true;
    return 0;
  }
  s.answer.body.append(data, n);
  return n;
}

std::size_t TakeHeader(const char* data, std::size_t size, std::size_t count, void* user) {
  Stream& s = *static_cast<Stream*>(user);
  const std::size_t n = size * count;
  s.header_bytes += n;
  if (s.header_bytes > kMaxHeaderBytes || s.answer.headers.size() >= kMaxHeaders) {
    s.too_large = true;
    return 0;
  }
  std::string_view line(data, n);
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return n;
  std::string_view value = line.substr(colon + 1);
  while (value.starts_with(' ')) value.remove_prefix(1);
  // HTTP/2 has lower-case names only.
  s.answer.headers.emplace(std::string(line.substr(0, colon)), std::string(value));
  return n;
}

curl_socket_t OpenSocket(void* user, curlsocktype, curl_sockaddr* address) {
  const curl_socket_t fd = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (fd >= 0) static_cast<std::set<curl_socket_t>*>(user)->insert(fd);
  return fd;
}

int CloseSocket(void* user, curl_socket_t fd) {
  static_cast<std::set<curl_socket_t>*>(user)->erase(fd);
  return ::close(fd);
}

// Whether the peer has closed the connection that comes from our port `port`. libcurl looks for that once a second
// only.
bool HungUp(const std::set<curl_socket_t>& sockets, int port) {
  for (const curl_socket_t fd : sockets) {
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) continue;
    const in_port_t own = address.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port
                                                        : reinterpret_cast<const sockaddr_in*>(&address)->sin_port;
    if (ntohs(own) != port) continue;
    pollfd peer{fd, POLLRDHUP, 0};
    return ::poll(&peer, 1, 0) > 0;
  }
  return false;
}

// Runs when the connection stands and before anything of the request leaves, also on the second time.
int BeforeRequest(void* user, char*, char*, int, int local_port) {
  Stream& s = *static_cast<Stream*>(user);
  if (s.left) {
    s.again = true;
    return CURL_PREREQFUNC_ABORT;
  }
  curl_tlssessioninfo* session = nullptr;
  const unsigned char* protocol = nullptr;
  unsigned int size = 0;
  if (curl_easy_getinfo(s.easy, CURLINFO_TLS_SSL_PTR, &session) == CURLE_OK && session != nullptr &&
      session->backend == CURLSSLBACKEND_OPENSSL && session->internals != nullptr) {
    SSL_get0_alpn_selected(static_cast<const SSL*>(session->internals), &protocol, &size);
  }
  if (std::string_view(reinterpret_cast<const char*>(protocol), size) != "h2") {
    s.not_h2 = true;
    return CURL_PREREQFUNC_ABORT;
  }
  if (HungUp(*s.sockets, local_port)) {
    s.closed = true;
    return CURL_PREREQFUNC_ABORT;
  }
  s.left = true;
  s.port = local_port;
  return CURL_PREREQFUNC_OK;
}

// The number behind `label`; nullopt when the text has none.
std::optional<std::uint32_t> NumberAfter(std::string_view text, std::string_view label) {
  const std::size_t at = text.find(label);
  if (at == std::string_view::npos) return std::nullopt;
  std::uint32_t number = 0;
  const char* begin = text.data() + at + label.size();
  if (std::from_chars(begin, text.data() + text.size(), number).ec != std::errc()) return std::nullopt;
  return number;
}

// Only in what libcurl says of its work does it tell a refused stream from a lost one. Should its words change, the
// outcome is unknown instead of not sent: that errs on the safe side, and a test notices.
int Listen(CURL*, curl_infotype type, char* data, std::size_t size, void* user) {
  if (type != CURLINFO_TEXT) return 0;
  Stream& s = *static_cast<Stream*>(user);
  const std::string_view text(data, size);
  if (text.starts_with("REFUSED_STREAM")) {
    s.refused = true;
  } else if (text.starts_with("Using Stream ID: ")) {
    s.id = NumberAfter(text, "ID: ").value_or(0);
    if (s.id == 1) s.goaways->erase(s.port);  // a new connection from a port that an older one had
  } else if (text.find("GOAWAY, error=") != std::string_view::npos) {
    if (const auto last = NumberAfter(text, "last_stream=")) s.goaways->insert_or_assign(s.port, *last);
  }
  return 0;
}

// Only HTTP/2 is offered, so that a peer without it fails the handshake when it can.
CURLcode OfferOnlyH2(CURL*, void* context, void*) {
  static constexpr unsigned char kH2[] = {2, 'h', '2'};
  SSL_CTX_set_alpn_protos(static_cast<SSL_CTX*>(context), kH2, sizeof kH2);
  return CURLE_OK;
}

std::string_view FaultOf(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return "resolve";
    case CURLE_COULDNT_CONNECT:
      return "connect";
    case CURLE_SSL_CONNECT_ERROR:
      return "tls";
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return "certificate";
    case CURLE_OPERATION_TIMEDOUT:
      return "timeout";
    default:
      return "read";
  }
}

}  // namespace

struct H2Client::Impl {
  explicit Impl(H2Options o) : options(std::move(o)) {
    InitOnce();
    multi = curl_multi_init();
    curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, static_cast<long>(options.max_connections));
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, static_cast<long>(options.max_connections));
    // What one connection may carry; the peer's own limit is kept too.
    curl_multi_setopt(multi, CURLMOPT_MAX_CONCURRENT_STREAMS, static_cast<long>(options.max_in_flight));
    thread = std::thread([this] { Loop(); });
  }

  ~Impl() {
    Close();
    thread.join();
    curl_multi_cleanup(multi);
  }

  void Call(HttpCall call, Time deadline, Done done) {
    const char* fault = nullptr;
    {
      const std::scoped_lock lock(mutex);
      if (closed) {
        fault = "shutdown";
      } else if (waiting.size() >= options.max_waiting) {
        fault = "queue_full";
      } else {
        waiting.emplace(deadline, Waiting{std::move(call), deadline, std::move(done)});
        ++open;
        curl_multi_wakeup(multi);
        return;
      }
    }
    done(NoAnswer(HttpFate::kNotSent, fault));
  }

  void Close() {
    {
      const std::scoped_lock lock(mutex);
      closed = true;
    }
    curl_multi_wakeup(multi);
  }

  // ---- The client's thread

  void Loop() {
    while (true) {
      std::vector<Waiting> begin;
      std::vector<std::pair<Done, const char*>> over;
      bool ended = false;
      int wait_ms = kLongestWaitMs;
      {
        const std::scoped_lock lock(mutex);
        const Time now = std::chrono::steady_clock::now();
        // Those whose deadline is nearest come first, so that a full window never hides one that has run out.
        while (!waiting.empty()) {
          const auto next = waiting.begin();
          if (closed) {
            over.emplace_back(std::move(next->second.done), "shutdown");
          } else if (next->first <= now) {
            over.emplace_back(std::move(next->second.done), "deadline");
          } else if (streams.size() + begin.size() < options.max_in_flight) {
            begin.push_back(std::move(next->second));
          } else {
            const auto left = std::chrono::duration_cast<Millis>(next->first - now).count() + 1;
            wait_ms = static_cast<int>(std::min<std::int64_t>(wait_ms, left));
            break;
          }
          waiting.erase(next);
        }
        ended = closed && streams.empty() && begin.empty();
      }
      for (auto& [done, fault] : over) Finish(std::move(done), NoAnswer(HttpFate::kNotSent, fault));
      for (Waiting& job : begin) Begin(std::move(job));
      if (ended) return;
      int running = 0;
      curl_multi_perform(multi, &running);
      if (Reap()) continue;
      curl_multi_poll(multi, nullptr, 0, wait_ms, nullptr);
    }
  }

  void Begin(Waiting job) {
    const auto left = std::chrono::duration_cast<Millis>(job.deadline - std::chrono::steady_clock::now());
    if (left <= Millis(0)) {
      Finish(std::move(job.done), NoAnswer(HttpFate::kNotSent, "deadline"));
      return;
    }
    auto owned = std::make_unique<Stream>();
    Stream& s = *owned;
    s.job = std::move(job);
    s.max_answer = options.http.max_answer_bytes;
    s.sockets = &sockets;
    s.goaways = &goaways;
    s.easy = curl_easy_init();
    const HttpCall& call = s.job.call;
    const std::string url = options.http.base.Origin() + options.http.base.path + call.target;
    for (const auto& [name, value] : call.headers) Header(s, name + ": " + value);
    Header(s, "Expect:");
    Header(s, "Accept:");
    CURL* const e = s.easy;
    curl_easy_setopt(e, CURLOPT_URL, url.c_str());
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, s.headers);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(e, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(e, CURLOPT_PIPEWAIT, 1L);
    curl_easy_setopt(e, CURLOPT_MAXAGE_CONN, kMaxIdleSeconds);
    curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(e, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(e, CURLOPT_SSL_CTX_FUNCTION, OfferOnlyH2);
    if (!options.http.ca_file.empty()) curl_easy_setopt(e, CURLOPT_CAINFO, options.http.ca_file.c_str());
    const long left_ms = static_cast<long>(left.count());
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, left_ms);
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS,
                     std::min(left_ms, static_cast<long>(options.http.connect_timeout.count())));
    curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, OpenSocket);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, &sockets);
    curl_easy_setopt(e, CURLOPT_CLOSESOCKETFUNCTION, CloseSocket);
    curl_easy_setopt(e, CURLOPT_CLOSESOCKETDATA, &sockets);
    curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, BeforeRequest);
    curl_easy_setopt(e, CURLOPT_PREREQDATA, &s);
    curl_easy_setopt(e, CURLOPT_VERBOSE, 1L);
    curl_easy_setopt(e, CURLOPT_DEBUGFUNCTION, Listen);
    curl_easy_setopt(e, CURLOPT_DEBUGDATA, &s);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, TakeHeader);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, &s);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, TakeBody);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, &s);
    if (call.method == "POST") {
      curl_easy_setopt(e, CURLOPT_POST, 1L);
      curl_easy_setopt(e, CURLOPT_READFUNCTION, ReadBody);
      curl_easy_setopt(e, CURLOPT_READDATA, &s);
      curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
    } else {
      curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, call.method.c_str());
    }
    streams.emplace(e, std::move(owned));
    if (curl_multi_add_handle(multi, e) != CURLM_OK) End(e, CURLE_FAILED_INIT);
  }

  static void Header(Stream& s, const std::string& line) {
    if (curl_slist* more = curl_slist_append(s.headers, line.c_str()); more != nullptr) s.headers = more;
  }

  bool Reap() {
    bool any = false;
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      CURL* const easy = message->easy_handle;
      const CURLcode code = message->data.result;
      curl_multi_remove_handle(multi, easy);
      End(easy, code);
      any = true;
    }
    return any;
  }

  void End(CURL* easy, CURLcode code) {
    const auto found = streams.find(easy);
    if (found == streams.end()) return;
    const std::unique_ptr<Stream> owned = std::move(found->second);
    streams.erase(found);
    Stream& s = *owned;
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OK && status > 0) {
      s.answer.fate = HttpFate::kAnswered;
      s.answer.status = static_cast<int>(status);
    } else if (s.too_large) {
      s.answer = NoAnswer(HttpFate::kUnknown, "too_large");
    } else if (s.not_h2) {
      s.answer = NoAnswer(HttpFate::kNotSent, "http1");
    } else if (s.closed) {
      s.answer = NoAnswer(HttpFate::kNotSent, "closed");
    } else if (s.left && (s.refused || PastGoaway(s))) {
      s.answer = NoAnswer(HttpFate::kNotSent, "refused");
    } else if (!s.left) {
      s.answer = NoAnswer(HttpFate::kNotSent, std::string(FaultOf(code)));
    } else {
      // What libcurl met on the way to a second try says nothing about the first.
      const bool late = code == CURLE_OPERATION_TIMEDOUT && !s.again;
      s.answer = NoAnswer(HttpFate::kUnknown, late ? "timeout" : code == CURLE_SEND_ERROR ? "write" : "read");
    }
    Finish(std::move(s.job.done), std::move(s.answer));
  }

  bool PastGoaway(const Stream& s) const {
    const auto found = goaways.find(s.port);
    return s.id != 0 && found != goaways.end() && s.id > found->second;
  }

  void Finish(Done done, HttpAnswer answer) {
    done(std::move(answer));
    --open;
  }

  const H2Options options;
  CURLM* multi = nullptr;
  std::mutex mutex;
  std::multimap<Time, Waiting> waiting;
  bool closed = false;
  std::atomic<std::size_t> open{0};
  std::unordered_map<CURL*, std::unique_ptr<Stream>> streams;  // of the thread
  std::set<curl_socket_t> sockets;                             // of the thread
  std::map<int, std::uint32_t> goaways;                        // of the thread
  std::thread thread;
};

H2Client::H2Client(H2Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}

H2Client::~H2Client() = default;

void H2Client::Call(HttpCall call, Time deadline, Done done) {
  impl_->Call(std::move(call), deadline, std::move(done));
}

void H2Client::Close() { impl_->Close(); }

bool H2Client::idle() const { return impl_->open == 0; }

}  // namespace zhitui::app
