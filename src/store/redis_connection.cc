#include "store/redis_connection.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "store/redis_wire.h"

namespace zhitui::store {
namespace {

// A reply larger than this is not one the store asked for: pages and values have limits far below.
constexpr std::size_t kMaxReplyBytes = std::size_t{512} << 20;
// How much is encoded ahead of the socket.
constexpr std::size_t kMaxUnsentBytes = std::size_t{1} << 20;
constexpr std::size_t kReceiveBytes = std::size_t{64} << 10;

timeval ToTimeval(Millis duration) {
  return {.tv_sec = duration.count() / 1000, .tv_usec = (duration.count() % 1000) * 1000};
}

// The state of one connection within a batch.
struct Lane {
  RedisConnection* connection = nullptr;
  std::vector<std::size_t> commands;
  std::size_t encoded = 0;
  std::size_t answered = 0;
  std::string out;
  std::size_t sent = 0;
  std::size_t unparsed = 0;  // bytes received since the last whole reply

  std::size_t InFlight() const { return encoded - answered; }
  bool Unsent() const { return sent < out.size(); }
};

class BatchRun {
 public:
  BatchRun(std::span<RedisConnection* const> connections, const RedisBatch& batch, std::size_t pipeline)
      : batch_(batch), pipeline_(std::max<std::size_t>(pipeline, 1)), lanes_(connections.size()) {
    for (std::size_t i = 0; i < connections.size(); ++i) lanes_[i].connection = connections[i];
    for (std::size_t i = 0; i < batch.count; ++i) {
      lanes_[lanes_.size() == 1 ? 0 : batch.lane_key(i) % lanes_.size()].commands.push_back(i);
    }
  }

  // nullopt: done. Otherwise why the connections are of no use any more.
  std::optional<std::string> Run(Millis timeout) {
    auto deadline = std::chrono::steady_clock::now() + timeout;
    std::vector<pollfd> waits(lanes_.size());
    for (;;) {
      bool waiting = false;
      for (std::size_t i = 0; i < lanes_.size(); ++i) {
        Lane& lane = lanes_[i];
        Fill(lane);
        if (std::optional<std::string> fault = Send(lane)) return fault;
        const short events = static_cast<short>(POLLIN | (lane.Unsent() ? POLLOUT : 0));
        waits[i] = {.fd = lane.InFlight() > 0 ? lane.connection->fd() : -1, .events = events, .revents = 0};
        waiting = waiting || lane.InFlight() > 0;
      }
      if (!waiting) return std::nullopt;
      const auto now = std::chrono::steady_clock::now();
      const auto left = std::chrono::ceil<Millis>(deadline - now).count();
      const int ready =
          left <= 0 ? 0 : poll(waits.data(), waits.size(), static_cast<int>(std::min<long>(left, 60'000)));
      if (ready < 0 && errno != EINTR) return std::string("poll: ") + std::strerror(errno);
      if (ready == 0 && left <= 60'000) return "no answer within " + std::to_string(timeout.count()) + " ms";
      for (std::size_t i = 0; ready > 0 && i < lanes_.size(); ++i) {
        if ((waits[i].revents & (POLLIN | POLLERR | POLLHUP)) == 0) continue;
        if (std::optional<std::string> fault = Receive(lanes_[i])) return fault;
      }
      if (ready > 0) deadline = std::chrono::steady_clock::now() + timeout;
    }
  }

  const std::optional<Error>& failed() const { return failed_; }

 private:
  // Tops up only when half of the pipeline is answered: one send for many commands.
  void Fill(Lane& lane) {
    if (failed_ || lane.encoded == lane.commands.size() || lane.InFlight() > pipeline_ / 2) return;
    while (lane.encoded < lane.commands.size() && lane.InFlight() < pipeline_ &&
           lane.out.size() - lane.sent < kMaxUnsentBytes) {
      batch_.encode(lane.commands[lane.encoded++], lane.out);
    }
  }

  static std::optional<std::string> Send(Lane& lane) {
    while (lane.Unsent()) {
      const ssize_t n = send(lane.connection->fd(), lane.out.data() + lane.sent, lane.out.size() - lane.sent,
                             MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return std::nullopt;
      if (n < 0) return std::string("send: ") + std::strerror(errno);
      lane.sent += static_cast<std::size_t>(n);
    }
    lane.out.clear();
    lane.sent = 0;
    return std::nullopt;
  }

  std::optional<std::string> Receive(Lane& lane) {
    buffer_.resize(kReceiveBytes);
    const ssize_t n = recv(lane.connection->fd(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (n < 0) {
      if (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK) return std::nullopt;
      return std::string("receive: ") + std::strerror(errno);
    }
    if (n == 0) return "the server closed the connection";
    redisReader* reader = lane.connection->reader();
    redisReaderFeed(reader, buffer_.data(), static_cast<std::size_t>(n));
    lane.unparsed += static_cast<std::size_t>(n);
    for (;;) {
      void* raw = nullptr;
      if (redisReaderGetReply(reader, &raw) != REDIS_OK) return "the server does not speak the Redis protocol";
      if (raw == nullptr) break;
      const Reply reply(static_cast<redisReply*>(raw));
      lane.unparsed = 0;
      if (lane.InFlight() == 0) return "the server answers what was not asked";
      const Status status = batch_.reply(lane.commands[lane.answered++], *reply);
      // Of several errors the one that says stop is the one to report.
      if (!status && (!failed_ || (failed_->kind != ErrorKind::kFatal && status.error().kind == ErrorKind::kFatal))) {
        failed_ = status.error();
      }
    }
    if (lane.unparsed > kMaxReplyBytes) return "an answer is over " + std::to_string(kMaxReplyBytes) + " bytes";
    return std::nullopt;
  }

  const RedisBatch& batch_;
  const std::size_t pipeline_;
  std::vector<Lane> lanes_;
  std::string buffer_;
  std::optional<Error> failed_;
};

}  // namespace

std::string ServerName(const RedisOptions& options) { return options.host + ":" + std::to_string(options.port); }

Result<std::unique_ptr<RedisConnection>> RedisConnection::Connect(const RedisOptions& options) {
  const std::string server = ServerName(options);
  redisContext* context =
      redisConnectWithTimeout(options.host.c_str(), options.port, ToTimeval(options.connect_timeout));
  if (context == nullptr) return Fatal("out of memory");
  std::unique_ptr<RedisConnection> connection(new RedisConnection(context));
  if (context->err != 0) return Unavailable("cannot connect to Redis at " + server + ": " + context->errstr);
  redisEnableKeepAlive(context);
  const int flags = fcntl(context->fd, F_GETFL);
  if (fcntl(context->fd, F_SETFL, flags | O_NONBLOCK) != 0 || fcntl(context->fd, F_SETFD, FD_CLOEXEC) != 0) {
    return Unavailable(std::string("cannot set up the connection to Redis: ") + std::strerror(errno));
  }
  if (options.password.empty() && options.username.empty()) return connection;

  RedisBatch auth;
  auth.count = 1;
  auth.encode = [&](std::size_t, std::string& out) {
    CommandWriter command(out, options.username.empty() ? 2 : 3);
    command.Arg("AUTH");
    if (!options.username.empty()) command.Arg(options.username);
    command.Arg(options.password);
  };
  auth.reply = [&](std::size_t, const redisReply& reply) -> Status {
    if (reply.type != REDIS_REPLY_ERROR) return {};
    const Error error = RedisReplyError(ReplyText(reply), server);
    if (error.kind == ErrorKind::kUnavailable) return std::unexpected(error);
    return Invalid("Redis at " + server +
                   " does not accept the store's user and password; set both as its ACL has them");
  };
  RedisConnection* const only = connection.get();
  bool broken = false;
  if (Status s = RunBatch({&only, 1}, auth, 1, options.connect_timeout, server, &broken); !s) {
    return std::unexpected(s.error());
  }
  return connection;
}

bool RedisConnection::Usable() const {
  char byte = 0;
  const ssize_t n = recv(fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

Status RunBatch(std::span<RedisConnection* const> connections, const RedisBatch& batch, std::size_t pipeline,
                Millis timeout, const std::string& server, bool* broken) {
  BatchRun run(connections, batch, pipeline);
  const std::optional<std::string> fault = run.Run(timeout);
  *broken = fault.has_value();
  if (run.failed() && (!fault || run.failed()->kind == ErrorKind::kFatal)) return std::unexpected(*run.failed());
  if (fault) {
    return Unavailable("the connection to Redis at " + server + " failed (" + *fault +
                       "); what was in flight may have been applied, reading again tells");
  }
  return {};
}

}  // namespace zhitui::store
