#include "sandbox/cmpp.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <deque>
#include <map>
#include <thread>
#include <vector>

#include "sandbox/crypto.h"
#include "sandbox/text.h"

namespace sandbox {
namespace {

using std::uint32_t;

enum Command : uint32_t { kConnect = 1, kTerminate = 2, kSubmit = 4, kDeliver = 5, kActiveTest = 8 };
constexpr uint32_t kAnswer = 0x80000000;
constexpr size_t kHead = 12;
constexpr size_t kMaxPdu = 8192;
constexpr size_t kReportWindow = 16;
constexpr int kGatewayOwnError = 20;  // a result beyond the table of the protocol
constexpr int kReportTries = 4;

// Magic numbers that only this protocol has: 00NN.
constexpr int kNoAnswer = 21;
constexpr int kHalfAnswer = 22;
constexpr int kReportTwice = 23;
constexpr int kReply = 24;
constexpr int kLongReply = 25;
constexpr int kAlwaysTooFast = 26;

int64_t MonotonicUs() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::string Be(uint64_t value, size_t bytes) {
  std::string out(bytes, '\0');
  for (size_t i = 0; i < bytes; ++i) out[i] = static_cast<char>(value >> (8 * (bytes - 1 - i)));
  return out;
}

uint64_t Unbe(std::string_view bytes) {
  uint64_t value = 0;
  for (const char c : bytes) value = value * 256 + static_cast<uint8_t>(c);
  return value;
}

std::string Fixed(std::string_view text, size_t size) {
  std::string out(text.substr(0, size));
  out.resize(size, '\0');
  return out;
}

std::string Pdu(uint32_t command, uint32_t sequence, std::string_view body) {
  std::string out = Be(kHead + body.size(), 4) + Be(command, 4) + Be(sequence, 4);
  out += body;
  return out;
}

std::string Md5(const std::string& data) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(data.data(), data.size(), digest, &size, EVP_md5(), nullptr);
  return {reinterpret_cast<const char*>(digest), size};
}

std::string UpToNul(std::string_view field) { return std::string(field.substr(0, field.find('\0'))); }

bool Digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool WholeUcs2(std::string_view bytes) {
  if (bytes.size() % 2 != 0) return false;
  bool open = false;
  for (size_t i = 0; i < bytes.size(); i += 2) {
    const auto unit = static_cast<unsigned>(Unbe(bytes.substr(i, 2)));
    const bool low = unit >= 0xdc00 && unit <= 0xdfff;
    if (low != open) return false;
    open = unit >= 0xd800 && unit <= 0xdbff;
  }
  return !open;
}

std::string Utf8OfUcs2(std::string_view bytes) {
  std::u32string text;
  for (size_t i = 0; i + 1 < bytes.size(); i += 2) {
    auto c = static_cast<char32_t>(Unbe(bytes.substr(i, 2)));
    if (c >= 0xd800 && c <= 0xdbff && i + 3 < bytes.size()) {
      const auto low = static_cast<char32_t>(Unbe(bytes.substr(i + 2, 2)));
      c = 0x10000 + (c - 0xd800) * 0x400 + (low - 0xdc00);
      i += 2;
    }
    text.push_back(c);
  }
  return EncodeUtf8(text);
}

std::string Ucs2OfUtf8(const std::string& utf8) {
  std::string out;
  for (const char32_t c : DecodeUtf8(utf8).value_or(U"")) out += Be(c, 2);  // our own texts: no surrogates
  return out;
}

// "MMDDhhmmss" and "YYMMDDhhmm" of Beijing from "2026-01-15 10:00:00".
std::string Clock(int64_t now_ms, bool with_year) {
  const std::string t = BeijingTime(now_ms);
  const std::string minutes = t.substr(5, 2) + t.substr(8, 2) + t.substr(11, 2) + t.substr(14, 2);
  return with_year ? t.substr(2, 2) + minutes : minutes + t.substr(17, 2);
}

int OwnMagic(std::string_view phone) {
  if (phone.size() < 11 || phone.substr(phone.size() - 4, 2) != "00" || !Digits(phone)) return 0;
  return (phone[phone.size() - 2] - '0') * 10 + (phone[phone.size() - 1] - '0');
}

struct Submit {
  std::string service, msg_src, src, content;
  std::vector<std::string> destinations;
  int pk_total = 0, pk_number = 0, registered = 0, udhi = 0, format = 0;
};

// One DELIVER on its way to the client.
struct Outgoing {
  std::string body;
  bool report = true;
  int tries = 0;
  int64_t next_us = 0;
};

struct Client {
  int fd = -1;
  uint64_t id = 0;
  bool v3 = false;
  bool in = false;       // logged in
  bool closing = false;  // closed once its output is written
  std::string input, output;
  size_t written = 0;
  uint32_t interest = EPOLLIN;
  uint32_t sequence = 0;
  int unanswered = 0;  // SUBMITs read whose answers have not been written
  int answers = 0;     // of them in `output`
  std::deque<Outgoing> reports;
  std::map<uint32_t, Outgoing> unacked;
};

}  // namespace

struct CmppGateway::Impl {
  explicit Impl(Surroundings the_around) : around(the_around) {}

  // ---- The loop

  void Run() {
    std::array<epoll_event, 64> events{};
    while (!stop) {
      const int n = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), Wait());
      for (int i = 0; i < n; ++i) {
        const uint64_t id = events[static_cast<size_t>(i)].data.u64;
        if (id == 0) {
          Accept();
        } else if (id == 1) {
          uint64_t drained = 0;
          [[maybe_unused]] const ssize_t r = read(wake, &drained, sizeof drained);
        } else if (const auto at = clients.find(id); at != clients.end()) {
          Serve(*at->second, events[static_cast<size_t>(i)].events);
        }
      }
      if (drop_all.exchange(false)) {
        while (!clients.empty()) Close(*clients.begin()->second, true);
      }
      RunDue();
    }
    for (auto& [id, client] : clients) close(client->fd);
    clients.clear();
  }

  int Wait() const {
    if (due.empty()) return -1;
    return static_cast<int>(std::clamp<int64_t>((due.begin()->first - MonotonicUs() + 999) / 1000, 0, 1000));
  }

  void After(int64_t ms, std::function<void()> what) { due.emplace(MonotonicUs() + ms * 1000, std::move(what)); }

  void RunDue() {
    const int64_t now = MonotonicUs();
    while (!due.empty() && due.begin()->first <= now) {
      const std::function<void()> what = std::move(due.begin()->second);
      due.erase(due.begin());
      what();
    }
  }

  void Accept() {
    while (true) {
      const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      auto client = std::make_unique<Client>();
      client->fd = fd;
      client->id = next_id++;
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.u64 = client->id;
      epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
      clients.emplace(client->id, std::move(client));
    }
  }

  void Serve(Client& c, uint32_t events) {
    const uint64_t id = c.id;
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && !c.closing) {
      char buffer[65536];
      const ssize_t n = recv(c.fd, buffer, sizeof buffer, 0);
      if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) return Close(c, false);
      if (n > 0) c.input.append(buffer, static_cast<size_t>(n));
      size_t at = 0;
      while (c.input.size() - at >= kHead && !c.closing) {
        const std::string_view rest = std::string_view(c.input).substr(at);
        const size_t size = Unbe(rest.substr(0, 4));
        if (size < kHead || size > kMaxPdu) {
          tally.Error("unreadable");
          return Close(c, false);
        }
        if (rest.size() < size) break;
        Take(c, rest.substr(0, size));
        if (!clients.contains(id)) return;
        at += size;
      }
      c.input.erase(0, at);
    }
    Flush(c);
  }

  void Flush(Client& c) {
    while (c.written < c.output.size()) {
      const ssize_t n = send(c.fd, c.output.data() + c.written, c.output.size() - c.written, MSG_NOSIGNAL);
      if (n < 0 && errno == EAGAIN) break;
      if (n <= 0) return Close(c, false);
      c.written += static_cast<size_t>(n);
    }
    if (c.written == c.output.size()) {
      c.output.clear();
      c.written = 0;
      c.unanswered -= c.answers;
      c.answers = 0;
      if (c.closing) return Close(c, false);
    }
    const uint32_t want = EPOLLIN | (c.output.empty() ? 0U : EPOLLOUT);
    if (want == c.interest) return;
    c.interest = want;
    epoll_event event{};
    event.events = want;
    event.data.u64 = c.id;
    epoll_ctl(epoll, EPOLL_CTL_MOD, c.fd, &event);
  }

  void Close(Client& c, bool reset) {
    if (reset) {
      const linger hard{1, 0};
      setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    }
    close(c.fd);
    // What was not acknowledged waits for the account's next session.
    for (auto& [sequence, out] : c.unacked) orphans[c.v3].push_back(std::move(out));
    for (Outgoing& out : c.reports) orphans[c.v3].push_back(std::move(out));
    clients.erase(c.id);
  }

  // ---- The protocol

  void Take(Client& c, std::string_view pdu) {
    const auto command = static_cast<uint32_t>(Unbe(pdu.substr(4, 4)));
    const auto sequence = static_cast<uint32_t>(Unbe(pdu.substr(8, 4)));
    const std::string_view body = pdu.substr(kHead);
    if (command == kConnect) return Connect(c, sequence, body);
    if (!c.in) return Close(c, false);
    switch (command) {
      case kSubmit:
        return TakeSubmit(c, sequence, body);
      case kDeliver | kAnswer:
        return Acked(c, sequence, body);
      case kActiveTest:
        if (around.options.cmpp.answer_active_test) c.output += Pdu(kActiveTest | kAnswer, sequence, Be(0, 1));
        return;
      case kTerminate:
        c.output += Pdu(kTerminate | kAnswer, sequence, "");
        c.closing = true;
        return;
      default:
        return;
    }
  }

  void Connect(Client& c, uint32_t sequence, std::string_view body) {
    const Options::CmppSim& o = around.options.cmpp;
    uint32_t status = 0;
    std::string proof(16, '\0');
    const bool readable = body.size() == 27;
    const auto version = readable ? static_cast<uint8_t>(body[22]) : uint8_t{0};
    c.v3 = version >= 0x30;
    if (!readable) {
      status = 1;
    } else if (UpToNul(body.substr(0, 6)) != o.account) {
      status = 2;
    } else if (version < 0x20 || version > 0x3f) {
      status = 4;
    } else {
      std::string digits = std::to_string(Unbe(body.substr(23, 4)));
      digits.insert(0, digits.size() < 10 ? 10 - digits.size() : 0, '0');
      const std::string expected = Md5(o.account + std::string(9, '\0') + o.secret + digits);
      if (!SameSecret(expected, body.substr(6, 16))) status = 3;
      proof = Md5(Be(status, c.v3 ? 4 : 1) + expected + o.secret);
    }
    c.output += Pdu(kConnect | kAnswer, sequence, Be(status, c.v3 ? 4 : 1) + proof + Be(version, 1));
    if (status != 0) {
      tally.Error("connect_" + std::to_string(status));
      c.closing = true;
      return;
    }
    c.in = true;
    ++logins;
    for (Outgoing& out : orphans[c.v3]) c.reports.push_back(std::move(out));
    orphans[c.v3].clear();
    SendReports(c);
  }

  // The result, 0 when it is as it should be.
  int ReadSubmit(const Client& c, std::string_view body, Submit* s) const {
    const size_t number = c.v3 ? 32 : 21;
    const size_t tail = c.v3 ? 20 : 8;
    const size_t to_count = 8 + 4 + 10 + 1 + number + (c.v3 ? 1 : 0) + 3 + 6 + 2 + 6 + 17 + 17 + 21;
    if (body.size() <= to_count) return 1;
    const auto count = static_cast<size_t>(Unbe(body.substr(to_count, 1)));
    const size_t to_length = to_count + 1 + number * count + (c.v3 ? 1 : 0);
    if (count < 1 || count > 99 || body.size() <= to_length) return 1;
    const auto length = static_cast<size_t>(Unbe(body.substr(to_length, 1)));
    if (body.size() != to_length + 1 + length + tail) return 4;
    const auto byte = [&](size_t at) { return static_cast<int>(Unbe(body.substr(at, 1))); };
    s->pk_total = byte(8);
    s->pk_number = byte(9);
    s->registered = byte(10);
    s->service = UpToNul(body.substr(12, 10));
    const size_t past_fee = 23 + number + (c.v3 ? 1 : 0);
    s->udhi = byte(past_fee + 1);
    s->format = byte(past_fee + 2);
    s->msg_src = UpToNul(body.substr(past_fee + 3, 6));
    const std::string fee_type = UpToNul(body.substr(past_fee + 9, 2));
    s->src = UpToNul(body.substr(to_count - 21, 21));
    for (size_t i = 0; i < count; ++i) {
      s->destinations.push_back(UpToNul(body.substr(to_count + 1 + i * number, number)));
    }
    s->content = body.substr(to_length + 1, length);
    const int user_type = byte(22);
    if (s->pk_total < 1 || s->pk_number < 1 || s->pk_number > s->pk_total) return 1;
    if (s->registered > 2 || user_type > 3 || s->udhi > 1) return 1;
    if (fee_type.size() != 2 || fee_type < "01" || fee_type > "05") return 5;
    if (s->service.empty()) return 7;
    if (s->src.empty() || !Digits(s->src)) return 10;
    if (s->msg_src != around.options.cmpp.account) return 11;
    for (const std::string& d : s->destinations) {
      if (d.size() < 11 || !Digits(d)) return 13;
    }
    std::string_view text = s->content;
    if (text.empty()) return 4;
    if (text.size() > (s->format == 0 ? 160U : 140U)) return 6;
    if (s->udhi == 1) {
      const std::string head = std::string("\x05\x00\x03", 3);
      if (text.size() < 7 || !text.starts_with(head) || text[4] != static_cast<char>(s->pk_total) ||
          text[5] != static_cast<char>(s->pk_number)) {
        return 1;
      }
      text.remove_prefix(6);
    } else if (s->pk_total > 1) {
      return 1;
    }
    if (s->format == 8 && !WholeUcs2(text)) return 1;
    if (s->format != 0 && s->format != 4 && s->format != 8 && s->format != 15) return 1;
    return 0;
  }

  void Respond(Client& c, uint32_t sequence, uint64_t msg_id, int result) {
    if (result != 0) tally.Error(std::to_string(result));
    c.output += Pdu(kSubmit | kAnswer, sequence, Be(msg_id, 8) + Be(static_cast<uint64_t>(result), c.v3 ? 4 : 1));
    ++c.answers;
  }

  void TakeSubmit(Client& c, uint32_t sequence, std::string_view body) {
    tally.Request();
    if (++c.unanswered > around.options.cmpp.window) {
      tally.Error("window");
      return Respond(c, sequence, 0, 8);
    }
    Submit s;
    if (const int wrong = ReadSubmit(c, body, &s); wrong != 0) return Respond(c, sequence, 0, wrong);
    const std::string& phone = s.destinations.front();
    const int own = around.options.magic ? OwnMagic(phone) : 0;
    int nth = 1;
    Verdict verdict = Verdict::kAccept;
    if (around.options.magic || around.options.rate_error > 0 || around.options.rate_slow > 0 ||
        around.options.rate_drop_after > 0 || around.options.rate_drop_before > 0) {
      // The protocol carries no id of ours: tries are those of the same text to the same number.
      const std::string key = own != 0 || around.options.rate_error + around.options.rate_drop_before +
                                                  around.options.rate_drop_after + around.options.rate_slow >
                                              0
                                  ? Sha256Hex(s.content)
                                  : std::string();
      verdict = around.faults.Decide("cmpp", phone, key, phone + key, &nth);
    }
    switch (verdict) {
      case Verdict::kThrottle:
        return Respond(c, sequence, 0, 8);
      case Verdict::kContactRefused:
        return Respond(c, sequence, 0, 13);
      case Verdict::kServerError:
        return Respond(c, sequence, 0, kGatewayOwnError);
      case Verdict::kOutOfQuota:
        return Respond(c, sequence, 0, 7);
      case Verdict::kDropBefore:
        tally.Dropped();
        return Close(c, true);
      case Verdict::kTokenExpired:  // the gateway ends the session
        tally.Dropped();
        c.output += Pdu(kTerminate, ++c.sequence, "");
        c.closing = true;
        return;
      default:
        break;
    }
    if (own == kAlwaysTooFast) return Respond(c, sequence, 0, 8);

    const uint64_t msg_id = NextMsgId();
    tally.Accepted();
    Keep(s, msg_id);
    const Fate fate = around.faults.FateOf(phone);
    const bool reported = s.registered == 1 && fate != Fate::kSilent && around.options.receipts != Receipts::kOff;
    const char* const stat = fate == Fate::kFailed ? "UNDELIV" : fate == Fate::kDead ? "MK:0001" : "DELIVRD";
    const bool twice = own == kReportTwice || around.options.receipts == Receipts::kDuplicate;
    if (reported && fate == Fate::kReportFirst) Report(c, s, msg_id, stat);

    if (verdict == Verdict::kAcceptThenDrop) {
      tally.Dropped();
      return Close(c, true);
    }
    if (own == kHalfAnswer) {
      tally.Dropped();
      c.output += Pdu(kSubmit | kAnswer, sequence, Be(msg_id, 8) + Be(0, c.v3 ? 4 : 1)).substr(0, 17);
      c.closing = true;
      return;
    }
    if (verdict == Verdict::kAcceptMalformed) {
      c.output += Pdu(kSubmit | kAnswer, sequence, Be(msg_id, 8));
      ++c.answers;
    } else if (verdict == Verdict::kAcceptSlow) {
      After(around.options.slow_ms, [this, id = c.id, sequence, msg_id] {
        const auto at = clients.find(id);
        if (at == clients.end()) return;
        Respond(*at->second, sequence, msg_id, 0);
        Flush(*at->second);
      });
    } else if (own != kNoAnswer) {
      Respond(c, sequence, msg_id, 0);
    }
    if (reported && fate != Fate::kReportFirst) {
      After(around.options.receipt_delay_ms, [this, id = c.id, s, msg_id, stat = std::string(stat), twice] {
        const auto at = clients.find(id);
        Client* const to = at != clients.end() ? at->second.get() : AnyOther();
        if (to == nullptr) return;
        for (int i = 0; i < (twice ? 2 : 1); ++i) Report(*to, s, msg_id, stat);
        Flush(*to);
      });
    }
    if (own == kReply || own == kLongReply) {
      After(around.options.receipt_delay_ms, [this, id = c.id, s, own] {
        const auto at = clients.find(id);
        if (at == clients.end()) return;
        Client& to = *at->second;
        if (own == kReply) {
          Person(to, s, Ucs2OfUtf8("退订"), false);
        } else {
          // Out of order, as it happens.
          Person(to, s, std::string("\x05\x00\x03\x07\x02\x02", 6) + Ucs2OfUtf8("第二段"), true);
          Person(to, s, std::string("\x05\x00\x03\x07\x02\x01", 6) + Ucs2OfUtf8("第一段"), true);
        }
        Flush(to);
      });
    }
  }

  Client* AnyOther() {
    for (auto& [id, client] : clients) {
      if (client->in && !client->closing) return client.get();
    }
    return nullptr;
  }

  void Keep(const Submit& s, uint64_t msg_id) {
    if (around.options.log_path.empty()) return;
    std::string_view text = s.content;
    if (s.udhi == 1) text.remove_prefix(6);
    for (const std::string& d : s.destinations) {
      Entry entry;
      entry.at_ms = around.Now();
      entry.provider = "cmpp";
      entry.provider_id = entry.message_id = entry.attempt_id = entry.key = std::to_string(msg_id);
      entry.recipient_sha256 = ContactHash(d);
      entry.fate = around.faults.FateOf(d);
      entry.content = {{"text", s.format == 8 ? Utf8OfUcs2(text) : std::string(text)},
                       {"segment", s.pk_number},
                       {"segments", s.pk_total},
                       {"src_id", s.src},
                       {"service_id", s.service}};
      around.journal.Append(entry);
    }
  }

  // month4 day5 hour5 minute6 second6 gateway22 number16
  uint64_t NextMsgId() {
    const int64_t now = around.Now();
    if (now / 1000 != id_second) {
      id_second = now / 1000;
      const std::string t = Clock(now, false);
      const auto two = [&](size_t at) { return static_cast<uint64_t>(std::stoi(t.substr(at, 2))); };
      id_time = two(0) << 60 | two(2) << 55 | two(4) << 50 | two(6) << 44 | two(8) << 38;
    }
    return id_time | ((id_count++ + 0x10000) & 0x3fffffffff);
  }

  // ---- Reports and replies

  std::string DeliverBody(const Client& c, const Submit& s, uint64_t id, int format, int udhi, bool report,
                          const std::string& content) const {
    std::string body = Be(id, 8) + Fixed(s.src, 21) + Fixed(s.service, 10) + Be(0, 1) +
                       Be(static_cast<uint64_t>(udhi), 1) + Be(static_cast<uint64_t>(format), 1);
    body += Fixed(s.destinations.front(), c.v3 ? 32 : 21);
    if (c.v3) body += Be(0, 1);
    body += Be(report ? 1 : 0, 1) + Be(content.size(), 1) + content;
    body.append(c.v3 ? 20 : 8, '\0');
    return body;
  }

  void Report(Client& c, const Submit& s, uint64_t msg_id, const std::string& stat) {
    const std::string minute = Clock(around.Now(), true);
    const std::string content =
        Be(msg_id, 8) + Fixed(stat, 7) + minute + minute + Fixed(s.destinations.front(), c.v3 ? 32 : 21) + Be(1, 4);
    c.reports.push_back({DeliverBody(c, s, NextMsgId(), 0, 0, true, content), true, 0, 0});
    SendReports(c);
  }

  void Person(Client& c, const Submit& s, const std::string& content, bool udhi) {
    c.reports.push_back({DeliverBody(c, s, NextMsgId(), 8, udhi ? 1 : 0, false, content), false, 0, 0});
    SendReports(c);
  }

  void SendReports(Client& c) {
    while (!c.reports.empty() && c.unacked.size() < kReportWindow) {
      Outgoing out = std::move(c.reports.front());
      c.reports.pop_front();
      const uint32_t sequence = ++c.sequence;
      c.output += Pdu(kDeliver, sequence, out.body);
      if (out.report) ++receipts_sent;
      ++out.tries;
      const int64_t wait = around.options.receipt_retry_ms;
      c.unacked.emplace(sequence, std::move(out));
      After(wait, [this, id = c.id, sequence] { Again(id, sequence); });
    }
  }

  void Again(uint64_t id, uint32_t sequence) {
    const auto at = clients.find(id);
    if (at == clients.end()) return;
    Client& c = *at->second;
    const auto held = c.unacked.find(sequence);
    if (held == c.unacked.end()) return;
    Outgoing out = std::move(held->second);
    c.unacked.erase(held);
    if (out.tries >= kReportTries) {
      if (out.report) ++receipts_given_up;
    } else {
      c.reports.push_back(std::move(out));
    }
    SendReports(c);
    Flush(c);
  }

  void Acked(Client& c, uint32_t sequence, std::string_view body) {
    const auto held = c.unacked.find(sequence);
    if (body.size() != (c.v3 ? 12U : 9U)) {
      tally.Error("unreadable");
      return;
    }
    if (held == c.unacked.end()) return;
    if (body.substr(0, 8) != std::string_view(held->second.body).substr(0, 8)) {
      tally.Error("deliver_resp_msg_id");
      return;
    }
    if (Unbe(body.substr(8)) == 0) ++(held->second.report ? receipts_acked : mo_acked);
    c.unacked.erase(held);
    SendReports(c);
  }

  const Surroundings around;
  Tally tally;
  int listener = -1, epoll = -1, wake = -1;
  std::atomic<bool> stop{false}, drop_all{false};
  std::atomic<uint64_t> logins{0}, receipts_sent{0}, receipts_acked{0}, receipts_given_up{0}, mo_acked{0};
  std::thread thread;
  // Of the thread.
  std::map<uint64_t, std::unique_ptr<Client>> clients;
  std::multimap<int64_t, std::function<void()>> due;
  std::array<std::deque<Outgoing>, 2> orphans;  // by version
  uint64_t next_id = 2;
  int64_t id_second = -1;
  uint64_t id_time = 0, id_count = 0;
};

CmppGateway::CmppGateway(Surroundings around) : impl_(std::make_unique<Impl>(around)) {}

CmppGateway::~CmppGateway() { Stop(); }

std::expected<int, std::string> CmppGateway::Start() {
  Impl& self = *impl_;
  const Options& options = self.around.options;
  self.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(self.listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(std::max(options.cmpp.port, 0)));
  socklen_t size = sizeof address;
  if (inet_pton(AF_INET, options.host.c_str(), &address.sin_addr) != 1) {
    return std::unexpected("CMPP needs a numeric IPv4 address to listen on, not " + options.host);
  }
  if (self.listener < 0 || bind(self.listener, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(self.listener, 128) != 0 ||
      getsockname(self.listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return std::unexpected("cannot listen for CMPP on " + options.host + ":" + std::to_string(options.cmpp.port));
  }
  self.epoll = epoll_create1(EPOLL_CLOEXEC);
  self.wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  for (const auto& [fd, id] : {std::pair{self.listener, 0}, std::pair{self.wake, 1}}) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = static_cast<uint64_t>(id);
    epoll_ctl(self.epoll, EPOLL_CTL_ADD, fd, &event);
  }
  self.thread = std::thread([&self] { self.Run(); });
  return ntohs(address.sin_port);
}

void CmppGateway::Stop() {
  Impl& self = *impl_;
  self.stop = true;
  if (self.thread.joinable()) {
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t n = write(self.wake, &one, sizeof one);
    self.thread.join();
  }
  for (int* fd : {&self.listener, &self.epoll, &self.wake}) {
    if (*fd >= 0) close(std::exchange(*fd, -1));
  }
}

ProviderStats CmppGateway::GetStats() const {
  ProviderStats stats = impl_->tally.Get();
  stats.receipts_sent = impl_->receipts_sent;
  stats.receipts_acked = impl_->receipts_acked;
  stats.receipts_given_up = impl_->receipts_given_up;
  return stats;
}

void CmppGateway::Reset() {
  impl_->tally.Reset();
  impl_->receipts_sent = impl_->receipts_acked = impl_->receipts_given_up = impl_->mo_acked = 0;
}

uint64_t CmppGateway::logins() const { return impl_->logins; }

uint64_t CmppGateway::replies_acked() const { return impl_->mo_acked; }

void CmppGateway::DropConnections() {
  impl_->drop_all = true;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = write(impl_->wake, &one, sizeof one);
}

}  // namespace sandbox
