#include "sandbox/h2.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <map>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace sandbox {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kBacklog = 256;
constexpr size_t kMaxBody = 1U << 20;
constexpr size_t kMaxConnections = 1000;
constexpr size_t kChunk = 16384;

struct H2Stream {
  Call call;
  bool too_large = false;
  std::string answer;  // what is left to send of it
  size_t sent = 0;
};

// One connection. nghttp2 holds its address.
struct H2Peer {
  int fd = -1;
  uint64_t number = 0;
  SSL* ssl = nullptr;
  nghttp2_session* session = nullptr;
  std::map<int32_t, H2Stream> streams;
  std::vector<int32_t> ready;  // requests that have arrived whole
  std::string out;             // bytes that TLS did not take yet
  bool greeted = false;
  bool reset = false;  // close hard
  bool over = false;

  H2Peer() = default;
  H2Peer(const H2Peer&) = delete;
  H2Peer& operator=(const H2Peer&) = delete;
  ~H2Peer() {
    if (session != nullptr) nghttp2_session_del(session);
    if (reset && fd >= 0) {
      const linger hard{1, 0};  // close sends RST, not FIN
      ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    } else if (ssl != nullptr && greeted) {
      SSL_shutdown(ssl);
    }
    if (ssl != nullptr) SSL_free(ssl);
    ERR_clear_error();
    if (fd >= 0) ::close(fd);
  }
};

int OnBegin(nghttp2_session*, const nghttp2_frame* frame, void* user) {
  auto& peer = *static_cast<H2Peer*>(user);
  if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
    peer.streams.try_emplace(frame->hd.stream_id);
  }
  return 0;
}

int OnHeader(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t name_size, const uint8_t* value,
             size_t value_size, uint8_t, void* user) {
  auto& peer = *static_cast<H2Peer*>(user);
  const auto found = peer.streams.find(frame->hd.stream_id);
  if (found == peer.streams.end()) return 0;
  const std::string_view key(reinterpret_cast<const char*>(name), name_size);
  const std::string text(reinterpret_cast<const char*>(value), value_size);
  Call& call = found->second.call;
  if (key == ":method") {
    call.method = text;
  } else if (key == ":path") {
    const size_t at = text.find('?');
    call.path = text.substr(0, at);
    if (at != std::string::npos) call.query = text.substr(at + 1);
  } else if (!key.starts_with(':')) {
    call.headers.emplace_back(std::string(key), text);
  }
  return 0;
}

int OnData(nghttp2_session*, uint8_t, int32_t id, const uint8_t* data, size_t size, void* user) {
  auto& peer = *static_cast<H2Peer*>(user);
  const auto found = peer.streams.find(id);
  if (found == peer.streams.end()) return 0;
  H2Stream& stream = found->second;
  if (stream.call.body.size() + size > kMaxBody) {
    stream.too_large = true;
  } else {
    stream.call.body.append(reinterpret_cast<const char*>(data), size);
  }
  return 0;
}

int OnFrame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
  auto& peer = *static_cast<H2Peer*>(user);
  const bool carries = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
  if (carries && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 && peer.streams.contains(frame->hd.stream_id)) {
    peer.ready.push_back(frame->hd.stream_id);
  }
  return 0;
}

int OnClose(nghttp2_session*, int32_t id, uint32_t, void* user) {
  static_cast<H2Peer*>(user)->streams.erase(id);
  return 0;
}

ssize_t ReadAnswer(nghttp2_session*, int32_t, uint8_t* buffer, size_t size, uint32_t* flags,
                   nghttp2_data_source* source, void*) {
  auto& stream = *static_cast<H2Stream*>(source->ptr);
  const size_t n = std::min(size, stream.answer.size() - stream.sent);
  std::memcpy(buffer, stream.answer.data() + stream.sent, n);
  stream.sent += n;
  if (stream.sent == stream.answer.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return static_cast<ssize_t>(n);
}

int ChooseH2(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in, unsigned int in_size,
             void*) {
  for (unsigned int at = 0; at < in_size; at += 1U + in[at]) {
    const std::string_view offered(reinterpret_cast<const char*>(in + at + 1), in[at]);
    if (at + 1U + in[at] <= in_size && offered == "h2") {
      *out = in + at + 1;
      *out_size = in[at];
      return SSL_TLSEXT_ERR_OK;
    }
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

nghttp2_nv Pair(const std::string& name, const std::string& value) {
  return {reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

}  // namespace

struct H2Front::Impl {
  struct Late {
    uint64_t peer;
    int32_t stream;
    Reply reply;
  };

  Impl(Config c, Handler h) : config(std::move(c)), handler(std::move(h)) {}

  bool OpenTls() {
    tls = SSL_CTX_new(TLS_server_method());
    if (tls == nullptr) return false;
    SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
    SSL_CTX_set_alpn_select_cb(tls, ChooseH2, nullptr);
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    BIO* const cert_bio = BIO_new_mem_buf(config.cert_pem.data(), static_cast<int>(config.cert_pem.size()));
    BIO* const key_bio = BIO_new_mem_buf(config.key_pem.data(), static_cast<int>(config.key_pem.size()));
    X509* const cert = PEM_read_bio_X509(cert_bio, nullptr, nullptr, nullptr);
    EVP_PKEY* const key = PEM_read_bio_PrivateKey(key_bio, nullptr, nullptr, nullptr);
    const bool good = cert != nullptr && key != nullptr && SSL_CTX_use_certificate(tls, cert) == 1 &&
                      SSL_CTX_use_PrivateKey(tls, key) == 1;
    X509_free(cert);
    EVP_PKEY_free(key);
    BIO_free(cert_bio);
    BIO_free(key_bio);
    return good;
  }

  std::expected<int, std::string> Listen() {
    if (!OpenTls()) return std::unexpected(std::string("cannot use the certificate of the HTTP/2 server"));
    listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(config.port));
    socklen_t size = sizeof(address);
    const int yes = 1;
    if (listener < 0 || ::inet_pton(AF_INET, config.host.c_str(), &address.sin_addr) != 1 ||
        ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0 ||
        ::bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener, kBacklog) != 0 ||
        ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      return std::unexpected("cannot listen on " + config.host + ":" + std::to_string(config.port) + ": " +
                             std::strerror(errno));
    }
    wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake < 0) return std::unexpected(std::string("eventfd: ") + std::strerror(errno));
    thread = std::thread([this] { Loop(); });
    return ntohs(address.sin_port);
  }

  void Stop() {
    if (thread.joinable()) {
      stopping = true;
      const uint64_t one = 1;
      if (::write(wake, &one, sizeof(one)) < 0) errno = 0;
      thread.join();
    }
    for (int* fd : {&listener, &wake}) {
      if (*fd >= 0) ::close(*fd);
      *fd = -1;
    }
    if (tls != nullptr) SSL_CTX_free(tls);
    tls = nullptr;
  }

  void Loop() {
    while (!stopping) {
      std::vector<pollfd> fds = {{listener, POLLIN, 0}, {wake, POLLIN, 0}};
      std::vector<uint64_t> numbers;
      for (const auto& [number, peer] : peers) {
        const bool writes = !peer->out.empty() || (peer->greeted && nghttp2_session_want_write(peer->session) != 0);
        fds.push_back({peer->fd, static_cast<int16_t>(POLLIN | (writes ? POLLOUT : 0)), 0});
        numbers.push_back(number);
      }
      int wait_ms = -1;
      if (!late.empty()) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(late.begin()->first - Clock::now());
        wait_ms = static_cast<int>(std::max<int64_t>(0, left.count() + 1));
      }
      if (::poll(fds.data(), fds.size(), wait_ms) < 0 && errno != EINTR) return;
      if (fds[0].revents != 0) Accept();
      for (size_t i = 0; i < numbers.size(); ++i) {
        if (fds[i + 2].revents != 0) Serve(*peers.at(numbers[i]));
      }
      while (!late.empty() && late.begin()->first <= Clock::now()) {
        const Late one = std::move(late.begin()->second);
        late.erase(late.begin());
        const auto peer = peers.find(one.peer);
        if (peer == peers.end()) continue;
        Answer(*peer->second, one.stream, one.reply);
        Write(*peer->second);
      }
      std::erase_if(peers, [](const auto& one) { return one.second->over || one.second->reset; });
    }
    peers.clear();
  }

  void Accept() {
    while (true) {
      const int fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      auto peer = std::make_unique<H2Peer>();
      peer->fd = fd;
      peer->number = ++accepted;
      const int yes = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
      peer->ssl = SSL_new(tls);
      if (peers.size() >= kMaxConnections || peer->ssl == nullptr || SSL_set_fd(peer->ssl, fd) != 1) continue;
      SSL_set_accept_state(peer->ssl);
      peers.emplace(peer->number, std::move(peer));
    }
  }

  void Serve(H2Peer& peer) {
    if (!peer.greeted && !Greet(peer)) return;
    std::vector<unsigned char> chunk(kChunk);
    while (!peer.over && !peer.reset) {
      const int n = SSL_read(peer.ssl, chunk.data(), static_cast<int>(chunk.size()));
      if (n <= 0) {
        const int why = SSL_get_error(peer.ssl, n);
        if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) peer.over = true;
        break;
      }
      if (nghttp2_session_mem_recv(peer.session, chunk.data(), static_cast<size_t>(n)) < 0) {
        peer.over = true;
        break;
      }
      Handle(peer);
    }
    ERR_clear_error();
    Write(peer);
  }

  bool Greet(H2Peer& peer) {
    const int n = SSL_accept(peer.ssl);
    if (n != 1) {
      const int why = SSL_get_error(peer.ssl, n);
      if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) peer.over = true;
      ERR_clear_error();
      return false;
    }
    const unsigned char* protocol = nullptr;
    unsigned int size = 0;
    SSL_get0_alpn_selected(peer.ssl, &protocol, &size);
    if (std::string_view(reinterpret_cast<const char*>(protocol), size) != "h2") {
      peer.over = true;  // a client without ALPN
      return false;
    }
    nghttp2_session_callbacks* calls = nullptr;
    nghttp2_session_callbacks_new(&calls);
    nghttp2_session_callbacks_set_on_begin_headers_callback(calls, OnBegin);
    nghttp2_session_callbacks_set_on_header_callback(calls, OnHeader);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, OnData);
    nghttp2_session_callbacks_set_on_frame_recv_callback(calls, OnFrame);
    nghttp2_session_callbacks_set_on_stream_close_callback(calls, OnClose);
    nghttp2_session_server_new(&peer.session, calls, &peer);
    nghttp2_session_callbacks_del(calls);
    const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, config.max_streams}};
    nghttp2_submit_settings(peer.session, NGHTTP2_FLAG_NONE, settings, 1);
    peer.greeted = true;
    return true;
  }

  void Handle(H2Peer& peer) {
    const std::vector<int32_t> ready = std::exchange(peer.ready, {});
    for (const int32_t id : ready) {
      const auto found = peer.streams.find(id);
      if (found == peer.streams.end() || peer.reset) continue;
      if (found->second.too_large) {
        nghttp2_submit_rst_stream(peer.session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
        continue;
      }
      Reply reply = handler(found->second.call, peer.number);
      if (reply.delay_ms > 0) {
        late.emplace(Clock::now() + std::chrono::milliseconds(reply.delay_ms), Late{peer.number, id, std::move(reply)});
      } else {
        Answer(peer, id, reply);
      }
    }
  }

  void Answer(H2Peer& peer, int32_t id, const Reply& reply) {
    const auto found = peer.streams.find(id);
    if (found == peer.streams.end()) return;
    if (reply.abort) {
      peer.reset = true;
      return;
    }
    if (reply.refuse == Reply::kStream) {
      nghttp2_submit_rst_stream(peer.session, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
      return;
    }
    if (reply.refuse == Reply::kGoaway) {
      // Streams of clients have odd ids: the one before this was the last to be processed.
      const std::string why = R"({"reason":"Shutdown"})";
      nghttp2_submit_goaway(peer.session, NGHTTP2_FLAG_NONE, id > 2 ? id - 2 : 0, NGHTTP2_NO_ERROR,
                            reinterpret_cast<const uint8_t*>(why.data()), why.size());
      return;
    }
    H2Stream& stream = found->second;
    stream.answer = reply.garble ? "<html>502 Bad Gateway</html>" : reply.body;
    const std::string status_name = ":status";
    const std::string status = std::to_string(reply.status);
    std::vector<nghttp2_nv> headers = {Pair(status_name, status)};
    for (const auto& [name, value] : reply.headers) headers.push_back(Pair(name, value));
    nghttp2_data_provider provider{};
    provider.source.ptr = &stream;
    provider.read_callback = ReadAnswer;
    nghttp2_submit_response(peer.session, id, headers.data(), headers.size(),
                            stream.answer.empty() ? nullptr : &provider);
  }

  static void Write(H2Peer& peer) {
    if (!peer.greeted || peer.reset) return;
    while (true) {
      if (peer.out.empty()) {
        const uint8_t* data = nullptr;
        const ssize_t n = nghttp2_session_mem_send(peer.session, &data);
        if (n < 0) peer.over = true;
        if (n <= 0) break;
        peer.out.assign(reinterpret_cast<const char*>(data), static_cast<size_t>(n));
      }
      const int n = SSL_write(peer.ssl, peer.out.data(), static_cast<int>(peer.out.size()));
      if (n <= 0) {
        const int why = SSL_get_error(peer.ssl, n);
        if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) peer.over = true;
        ERR_clear_error();
        return;
      }
      peer.out.erase(0, static_cast<size_t>(n));
    }
    if (nghttp2_session_want_read(peer.session) == 0 && nghttp2_session_want_write(peer.session) == 0) peer.over = true;
  }

  const Config config;
  const Handler handler;
  SSL_CTX* tls = nullptr;
  int listener = -1;
  int wake = -1;
  std::atomic<bool> stopping{false};
  std::atomic<uint64_t> accepted{0};
  std::map<uint64_t, std::unique_ptr<H2Peer>> peers;  // of the thread
  std::multimap<Clock::time_point, Late> late;        // of the thread
  std::thread thread;
};

H2Front::H2Front(Config config, Handler handler)
    : impl_(std::make_unique<Impl>(std::move(config), std::move(handler))) {}

H2Front::~H2Front() { Stop(); }

std::expected<int, std::string> H2Front::Start() { return impl_->Listen(); }

void H2Front::Stop() { impl_->Stop(); }

uint64_t H2Front::connections() const { return impl_->accepted; }

}  // namespace sandbox
