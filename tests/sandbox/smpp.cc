#include "sandbox/smpp.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "sandbox/crypto.h"

namespace sandbox {
namespace {

using nlohmann::json;
using SteadyClock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// command_id
constexpr uint32_t kBindReceiver = 0x01;
constexpr uint32_t kBindTransmitter = 0x02;
constexpr uint32_t kSubmit = 0x04;
constexpr uint32_t kDeliver = 0x05;
constexpr uint32_t kUnbind = 0x06;
constexpr uint32_t kBindTransceiver = 0x09;
constexpr uint32_t kEnquireLink = 0x15;
constexpr uint32_t kResponse = 0x80000000;  // with no other bit: generic_nack

// command_status
constexpr uint32_t kNoError = 0x00;
constexpr uint32_t kBadMessageLength = 0x01;
constexpr uint32_t kBadCommandLength = 0x02;
constexpr uint32_t kBadCommandId = 0x03;
constexpr uint32_t kNotBound = 0x04;
constexpr uint32_t kAlreadyBound = 0x05;
constexpr uint32_t kBadPriority = 0x06;
constexpr uint32_t kBadRegistered = 0x07;
constexpr uint32_t kFailed = 0x08;
constexpr uint32_t kBadSource = 0x0a;
constexpr uint32_t kBadDestination = 0x0b;
constexpr uint32_t kBindFailed = 0x0d;
constexpr uint32_t kBadPassword = 0x0e;
constexpr uint32_t kBadSystemId = 0x0f;
constexpr uint32_t kQueueFull = 0x14;
constexpr uint32_t kBadServiceType = 0x15;
constexpr uint32_t kBadEsmClass = 0x43;
constexpr uint32_t kSubmitFailed = 0x45;
constexpr uint32_t kBadSourceTon = 0x48;
constexpr uint32_t kBadSourceNpi = 0x49;
constexpr uint32_t kBadDestTon = 0x50;
constexpr uint32_t kBadDestNpi = 0x51;
constexpr uint32_t kBadSystemType = 0x53;
constexpr uint32_t kBadReplace = 0x54;
constexpr uint32_t kThrottled = 0x58;
constexpr uint32_t kBadSchedule = 0x61;
constexpr uint32_t kBadValidity = 0x62;
constexpr uint32_t kBadOptional = 0xc0;
constexpr uint32_t kOptionalNotAllowed = 0xc1;
constexpr uint32_t kNoCredit = 0x400;  // this centre's own: 0x400 to 0x4ff are left to the vendors

constexpr uint16_t kTagReceiptedId = 0x001e;
constexpr uint16_t kTagVersion = 0x0210;
constexpr uint16_t kTagPayload = 0x0424;
constexpr uint16_t kTagState = 0x0427;

constexpr size_t kHead = 16;
constexpr size_t kMaxUnit = 70'000;
constexpr size_t kMaxOut = 4 << 20;
constexpr size_t kMaxSessions = 64;
constexpr size_t kMaxGroups = 10'000;
constexpr size_t kMaxReceipts = 1'000'000;
constexpr milliseconds kDeliverWait{10'000};
constexpr milliseconds kNoReceiverWait{50};

// Faults that only this protocol has, by phone 00NN.
enum Own {
  kOwnNone = 0,
  kOwnQueueFull = 21,      // first try 0x14
  kOwnNoAnswer = 22,       // taken, never answered
  kOwnReportTwice = 23,    //
  kOwnUnbind = 24,         // taken and answered, then the centre unbinds
  kOwnHalfAnswer = 25,     // taken, the connection ends in the middle of the answer
  kOwnNack = 26,           // generic_nack, not taken
  kOwnSecondRefused = 27,  // the second segment is refused, always
  kOwnSecondTooFast = 28,  // the second segment is throttled, first try
  kOwnTerseReport = 29,    // the receipt has no optional parameters and its fields in another order
};
Own OwnOf(std::string_view phone) {
  if (phone.size() < 4 || phone.substr(phone.size() - 4, 3) != "002") return kOwnNone;
  const int number = 20 + (phone.back() - '0');
  return number >= kOwnQueueFull && number <= kOwnTerseReport ? static_cast<Own>(number) : kOwnNone;
}

std::string StatusText(uint32_t status) {
  std::array<char, 16> out{};
  (void)std::snprintf(out.data(), out.size(), "0x%08X", status);
  return out.data();
}

uint32_t Big(std::string_view bytes, size_t at, size_t size) {
  uint32_t value = 0;
  for (size_t i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}
void PutBig(std::string* out, uint32_t value, size_t size) {
  for (size_t i = size; i-- > 0;) out->push_back(static_cast<char>(value >> (8 * i) & 0xff));
}

std::string Unit(uint32_t command, uint32_t status, uint32_t sequence, std::string_view body) {
  std::string out;
  PutBig(&out, static_cast<uint32_t>(kHead + body.size()), 4);
  PutBig(&out, command, 4);
  PutBig(&out, status, 4);
  PutBig(&out, sequence, 4);
  out += body;
  return out;
}

// A body read from the front; Take* give nothing when it is too short.
struct Cursor {
  std::string_view rest;
  std::optional<uint8_t> TakeByte() {
    if (rest.empty()) return std::nullopt;
    const auto value = static_cast<uint8_t>(rest.front());
    rest.remove_prefix(1);
    return value;
  }
  // A string that ends with a NUL within `room` bytes.
  std::optional<std::string> TakeText(size_t room) {
    for (size_t i = 0; i < std::min(room, rest.size()); ++i) {
      if (rest[i] != '\0') continue;
      std::string out(rest.substr(0, i));
      rest.remove_prefix(i + 1);
      return out;
    }
    return std::nullopt;
  }
};

struct Endpoint {
  uint8_t ton = 0;
  uint8_t npi = 0;
  std::string number;
};

struct Submit {
  Endpoint from;
  Endpoint to;
  uint8_t esm_class = 0;
  uint8_t registered = 0;
  uint8_t coding = 0;
  std::string text;
  bool payload = false;
  // Of a segment.
  int reference = 0;
  int total = 1;
  int number = 1;
  size_t header = 0;
};

bool Ton(uint8_t ton) { return ton <= 6; }
bool Npi(uint8_t npi) {
  constexpr std::array<uint8_t, 10> kKnown = {0, 1, 3, 4, 6, 8, 9, 10, 14, 18};
  return std::find(kKnown.begin(), kKnown.end(), npi) != kKnown.end();
}
bool Time(const std::string& text) {
  if (text.empty()) return true;
  const char end = text.back();
  return text.size() == 16 && text.find_first_not_of("0123456789") == 15 && (end == '+' || end == '-' || end == 'R');
}
// A mainland mobile number, perhaps with 86: its eleven digits.
std::string Mobile(std::string_view number) {
  if (number.size() == 13 && number.starts_with("86")) number.remove_prefix(2);
  if (number.size() != 11 || number[0] != '1' || number[1] < '3') return {};
  return number.find_first_not_of("0123456789") == std::string_view::npos ? std::string(number) : std::string();
}

uint32_t ReadEndpoint(Cursor* in, uint32_t bad_ton, uint32_t bad_npi, uint32_t bad_number, Endpoint* out) {
  const auto ton = in->TakeByte();
  const auto npi = in->TakeByte();
  if (!ton || !npi) return kBadCommandLength;
  auto number = in->TakeText(21);
  if (!Ton(*ton)) return bad_ton;
  if (!Npi(*npi)) return bad_npi;
  if (!number) return bad_number;
  *out = {*ton, *npi, *std::move(number)};
  return kNoError;
}

// The user data header must be one of a long message.
uint32_t ReadHeader(Submit* submit) {
  const std::string& text = submit->text;
  if (text.size() < 6) return kBadEsmClass;
  const bool narrow = text.starts_with(std::string_view("\x05\x00\x03", 3));
  const bool wide = text.starts_with(std::string_view("\x06\x08\x04", 3)) && text.size() >= 7;
  if (!narrow && !wide) return kBadEsmClass;
  submit->header = narrow ? 6 : 7;
  submit->reference = static_cast<int>(Big(text, 3, narrow ? 1 : 2));
  submit->total = static_cast<int>(Big(text, submit->header - 2, 1));
  submit->number = static_cast<int>(Big(text, submit->header - 1, 1));
  return submit->total >= 2 && submit->number >= 1 && submit->number <= submit->total ? kNoError : kBadEsmClass;
}

uint32_t CheckText(const Submit& submit) {
  const size_t size = submit.text.size();
  if (size <= submit.header) return kBadMessageLength;
  if (submit.coding == 8) {
    if ((size - submit.header) % 2 != 0) return kBadMessageLength;
    // Half a character at the end of a segment is lost on many handsets.
    if ((static_cast<unsigned char>(submit.text[size - 2]) & 0xfcU) == 0xd8U) return kSubmitFailed;
  }
  if (submit.payload) return kNoError;
  // 140 bytes on the air; the default alphabet has seven bits and comes one septet a byte.
  const size_t room = submit.coding == 0 ? (submit.header == 0 ? 160 : 153 + submit.header) : 140;
  return size <= room ? kNoError : kBadMessageLength;
}

uint32_t ReadOptional(Cursor* in, bool allowed, Submit* submit) {
  while (!in->rest.empty()) {
    if (in->rest.size() < 4) return kBadOptional;
    const uint32_t tag = Big(in->rest, 0, 2);
    const size_t size = Big(in->rest, 2, 2);
    in->rest.remove_prefix(4);
    if (in->rest.size() < size) return kBadOptional;
    if (tag == kTagPayload) {
      if (!allowed) return kOptionalNotAllowed;
      if (!submit->text.empty()) return kBadMessageLength;
      submit->text = in->rest.substr(0, size);
      submit->payload = true;
    }
    in->rest.remove_prefix(size);
  }
  return kNoError;
}

uint32_t ReadSubmit(std::string_view body, bool payload_allowed, Submit* out) {
  Cursor in{body};
  if (!in.TakeText(6)) return kBadServiceType;
  if (const auto bad = ReadEndpoint(&in, kBadSourceTon, kBadSourceNpi, kBadSource, &out->from); bad != 0) return bad;
  if (const auto bad = ReadEndpoint(&in, kBadDestTon, kBadDestNpi, kBadDestination, &out->to); bad != 0) return bad;
  const auto esm_class = in.TakeByte();
  const auto protocol = in.TakeByte();
  const auto priority = in.TakeByte();
  if (!esm_class || !protocol || !priority) return kBadCommandLength;
  const auto schedule = in.TakeText(17);
  if (!schedule || !Time(*schedule)) return kBadSchedule;
  const auto validity = in.TakeText(17);
  if (!validity || !Time(*validity)) return kBadValidity;
  const auto registered = in.TakeByte();
  const auto replace = in.TakeByte();
  const auto coding = in.TakeByte();
  const auto canned = in.TakeByte();
  const auto size = in.TakeByte();
  if (!registered || !replace || !coding || !canned || !size) return kBadCommandLength;
  if (*size > 254 || *size > in.rest.size()) return kBadMessageLength;
  out->text = in.rest.substr(0, *size);
  in.rest.remove_prefix(*size);
  if (const auto bad = ReadOptional(&in, payload_allowed, out); bad != 0) return bad;
  if ((*esm_class & 0xbcU) != 0) return kBadEsmClass;  // a plain message, no reply path
  if (*priority > 3) return kBadPriority;
  if (*registered > 0x1f || (*registered & 0x03U) == 3) return kBadRegistered;
  if (*replace > 1) return kBadReplace;
  if (*coding != 0 && *coding != 1 && *coding != 3 && *coding != 8) return kSubmitFailed;
  out->esm_class = *esm_class;
  out->registered = *registered;
  out->coding = *coding;
  if ((*esm_class & 0x40U) != 0) {
    if (const auto bad = ReadHeader(out); bad != 0) return bad;
  }
  if (const auto bad = CheckText(*out); bad != 0) return bad;
  return Mobile(out->to.number).empty() ? kBadDestination : kNoError;
}

// What the person reads. Letters of the default alphabet outside ASCII are shown as if they were Latin-1.
std::string Readable(uint8_t coding, std::string_view bytes) {
  std::u32string text;
  for (size_t i = 0; i < bytes.size();) {
    if (coding != 8) {
      text.push_back(static_cast<unsigned char>(bytes[i++]));
      continue;
    }
    char32_t unit = Big(bytes, i, 2);
    i += 2;
    if (unit >= 0xd800 && unit < 0xdc00 && i + 1 < bytes.size()) {
      unit = 0x10000 + ((unit & 0x3ff) << 10 | (Big(bytes, i, 2) & 0x3ff));
      i += 2;
    }
    text.push_back(unit);
  }
  return EncodeUtf8(text);
}

std::string FromHex(const std::string& hex) {
  std::string out;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    out.push_back(static_cast<char>(std::strtoul(hex.substr(i, 2).c_str(), nullptr, 16)));
  }
  return out;
}

void PutText(std::string* out, const std::string& text) {
  *out += text;
  out->push_back('\0');
}
void PutOptional(std::string* out, uint16_t tag, const std::string& value) {
  PutBig(out, tag, 2);
  PutBig(out, static_cast<uint32_t>(value.size()), 2);
  *out += value;
}

// The body of a deliver_sm.
std::string DeliverBody(const Endpoint& from, const Endpoint& to, uint8_t esm_class, uint8_t coding,
                        const std::string& text, bool payload) {
  std::string out;
  PutText(&out, "");
  for (const Endpoint& one : {from, to}) {
    PutBig(&out, one.ton, 1);
    PutBig(&out, one.npi, 1);
    PutText(&out, one.number);
  }
  PutBig(&out, esm_class, 1);
  PutBig(&out, 0, 2);  // protocol_id, priority_flag
  PutText(&out, "");
  PutText(&out, "");
  PutBig(&out, 0, 2);  // registered_delivery, replace_if_present_flag
  PutBig(&out, coding, 1);
  PutBig(&out, 0, 1);
  PutBig(&out, payload ? 0 : static_cast<uint32_t>(text.size()), 1);
  if (payload) {
    PutOptional(&out, kTagPayload, text);
  } else {
    out += text;
  }
  return out;
}

std::string Minute(int64_t ms) {
  std::string out;
  for (const char c : BeijingTime(ms)) {
    if (c >= '0' && c <= '9') out.push_back(c);
  }
  return out.substr(2, 10);
}

}  // namespace

struct Smpp::Loop {
  struct Session {
    uint64_t id = 0;
    int fd = -1;
    std::string in;
    std::string out;
    uint32_t bound = 0;  // command of the bind; 0: none
    int unanswered = 0;
    uint32_t next_sequence = 1;
    bool ending = false;  // closed once `out` is written
    bool unbinding = false;
    bool Sends() const { return bound == kBindTransmitter || bound == kBindTransceiver; }
    bool Takes() const { return bound == kBindReceiver || bound == kBindTransceiver; }
  };
  // Something for a person's receiver, with what is to be done about the answer; no answer: nothing.
  struct Parcel {
    std::string body;
    bool receipt = false;
    size_t failures = 0;
    std::function<void(std::optional<uint32_t> status)> answered;
  };
  // A message whose segments are coming.
  struct Group {
    std::map<int, Submit> segments;
    std::string first_id;
    uint32_t refused = kNoError;  // the status of the first one, and so of the others
    Verdict verdict = Verdict::kAccept;
    int tries_of_second = 0;
  };

  Smpp& sim;
  const Options& options;
  std::mutex mutex;  // over all below
  std::condition_variable changed;
  std::map<uint64_t, std::unique_ptr<Session>> sessions;
  std::multimap<SteadyClock::time_point, std::function<void()>> timers;
  std::map<std::pair<uint64_t, uint32_t>, Parcel> on_the_way;  // by session and sequence
  std::map<std::string, Group> groups;
  uint64_t next_session = 1;
  bool stopping = false;
  int listener = -1;
  int wake = -1;
  std::thread thread;
  uint64_t binds = 0, unbinds = 0, enquires = 0, enquire_answers = 0, segments = 0;
  int window_max = 0;
  ProviderStats receipts;

  Loop(Smpp& the_sim, const Options& the_options) : sim(the_sim), options(the_options) {}

  // ---- Sockets

  std::expected<int, std::string> Open() {
    listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(std::max(0, options.smpp.port)));
    socklen_t size = sizeof address;
    const int on = 1;
    if (::inet_pton(AF_INET, options.host == "localhost" ? "127.0.0.1" : options.host.c_str(), &address.sin_addr) !=
            1 ||
        listener < 0 || wake < 0 || ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        ::bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener, 128) != 0 ||
        ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      return std::unexpected("SMPP cannot listen on port " + std::to_string(options.smpp.port) + ": " +
                             std::strerror(errno));
    }
    thread = std::thread([this] { Run(); });
    return ntohs(address.sin_port);
  }

  ~Loop() { Close(); }

  void Close() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    changed.notify_all();
    Wake();
    if (thread.joinable()) thread.join();
    for (const auto& [id, session] : sessions) ::close(session->fd);
    sessions.clear();
    for (int* fd : {&listener, &wake}) {
      if (*fd >= 0) ::close(std::exchange(*fd, -1));
    }
  }

  void Wake() const {
    const uint64_t one = 1;
    if (wake >= 0) (void)!::write(wake, &one, sizeof one);
  }

  void After(milliseconds wait, std::function<void()> what) {
    timers.emplace(SteadyClock::now() + wait, std::move(what));
  }

  void Run() {
    std::vector<pollfd> fds;
    std::vector<uint64_t> ids;
    while (true) {
      int timeout = -1;
      {
        const std::lock_guard lock(mutex);
        if (stopping) return;
        const auto now = SteadyClock::now();
        while (!timers.empty() && timers.begin()->first <= now) {
          const auto what = std::move(timers.begin()->second);
          timers.erase(timers.begin());
          what();
        }
        Sweep();
        if (!timers.empty()) {
          const auto left = std::chrono::ceil<milliseconds>(timers.begin()->first - SteadyClock::now());
          timeout = static_cast<int>(std::clamp<int64_t>(left.count(), 0, 1000));
        }
        fds = {{wake, POLLIN, 0}, {listener, POLLIN, 0}};
        ids = {0, 0};
        for (const auto& [id, session] : sessions) {
          fds.push_back({session->fd, static_cast<short>(POLLIN | (session->out.empty() ? 0 : POLLOUT)), 0});
          ids.push_back(id);
        }
      }
      if (::poll(fds.data(), fds.size(), timeout) < 0 && errno != EINTR) return;
      const std::lock_guard lock(mutex);
      if (fds[0].revents != 0) {
        uint64_t ignored = 0;
        (void)!::read(wake, &ignored, sizeof ignored);
      }
      if (fds[1].revents != 0) Accept();
      for (size_t i = 2; i < fds.size(); ++i) {
        if ((fds[i].revents & (POLLIN | POLLERR | POLLHUP)) != 0) Read(ids[i]);
      }
      Sweep();
    }
  }

  void Accept() {
    const int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    if (sessions.size() >= kMaxSessions) {
      ::close(fd);
      return;
    }
    const int on = 1;
    (void)::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    auto session = std::make_unique<Session>();
    session->id = next_session++;
    session->fd = fd;
    sessions[session->id] = std::move(session);
  }

  // Writes what waits and ends what is to end.
  void Sweep() {
    std::vector<uint64_t> ended;
    for (const auto& [id, session] : sessions) {
      while (!session->out.empty()) {
        const ssize_t n = ::send(session->fd, session->out.data(), session->out.size(), MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) && session->out.size() < kMaxOut) break;
        if (n <= 0) {
          session->out.clear();
          session->ending = true;
          break;
        }
        session->out.erase(0, static_cast<size_t>(n));
      }
      if (session->ending && session->out.empty()) ended.push_back(id);
    }
    for (const uint64_t id : ended) Drop(id, false);
  }

  void Drop(uint64_t id, bool reset) {
    const auto at = sessions.find(id);
    if (at == sessions.end()) return;
    if (reset) {
      const linger now{1, 0};
      (void)::setsockopt(at->second->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
      sim.tally_.Dropped();
    }
    ::close(at->second->fd);
    sessions.erase(at);
    for (auto one = on_the_way.lower_bound({id, 0}); one != on_the_way.end() && one->first.first == id;) {
      const auto answered = std::move(one->second.answered);
      one = on_the_way.erase(one);
      answered(std::nullopt);
    }
    changed.notify_all();
  }

  Session* Find(uint64_t id) {
    const auto at = sessions.find(id);
    return at == sessions.end() || at->second->ending ? nullptr : at->second.get();
  }

  void Read(uint64_t id) {
    Session* session = Find(id);
    if (session == nullptr) return;
    std::array<char, 65536> chunk{};
    const ssize_t n = ::recv(session->fd, chunk.data(), chunk.size(), 0);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return;
    if (n <= 0) return Drop(id, false);
    session->in.append(chunk.data(), static_cast<size_t>(n));
    while ((session = Find(id)) != nullptr && session->in.size() >= kHead) {
      const uint32_t length = Big(session->in, 0, 4);
      if (length < kHead || length > kMaxUnit) {
        sim.tally_.Error(StatusText(kBadCommandLength));
        session->out += Unit(kResponse, kBadCommandLength, 0, "");
        session->ending = true;
        return;
      }
      if (session->in.size() < length) return;
      const std::string unit = session->in.substr(0, length);
      session->in.erase(0, length);
      HandleUnit(*session, unit);
    }
  }

  // ---- The protocol

  void HandleUnit(Session& session, const std::string& unit) {
    const uint32_t command = Big(unit, 4, 4);
    const uint32_t status = Big(unit, 8, 4);
    const uint32_t sequence = Big(unit, 12, 4);
    const std::string_view body = std::string_view(unit).substr(kHead);
    switch (command) {
      case kBindReceiver:
      case kBindTransmitter:
      case kBindTransceiver:
        return Bind(session, command, sequence, body);
      case kSubmit:
        return Take(session, sequence, body);
      case kEnquireLink:
        ++enquires;
        session.out += Unit(kResponse | kEnquireLink, body.empty() ? kNoError : kBadCommandLength, sequence, "");
        return;
      case kResponse | kEnquireLink:
        ++enquire_answers;
        return changed.notify_all();
      case kUnbind:
        ++unbinds;
        session.out += Unit(kResponse | kUnbind, kNoError, sequence, "");
        session.ending = true;
        return;
      case kResponse | kUnbind:
        session.ending = true;
        return;
      case kResponse | kDeliver: {
        const auto at = on_the_way.find({session.id, sequence});
        if (at == on_the_way.end()) return;
        const auto answered = std::move(at->second.answered);
        on_the_way.erase(at);
        return answered(status);
      }
      default:
        if ((command & kResponse) != 0) return;
        sim.tally_.Error(StatusText(kBadCommandId));
        session.out += Unit(kResponse, kBadCommandId, sequence, "");
    }
  }

  void Bind(Session& session, uint32_t command, uint32_t sequence, std::string_view body) {
    const uint32_t status = BindStatus(session, body);
    std::string answer;
    if (status == kNoError) {
      ++binds;
      session.bound = command;
      PutText(&answer, "sandbox-smsc");
      PutOptional(&answer, kTagVersion, "\x34");
    } else {
      sim.tally_.Error(StatusText(status));
    }
    session.out += Unit(kResponse | command, status, sequence, answer);
    // The other side must answer these at any time.
    if (status == kNoError) session.out += Unit(kEnquireLink, kNoError, session.next_sequence++, "");
  }

  uint32_t BindStatus(const Session& session, std::string_view body) const {
    if (session.bound != 0) return kAlreadyBound;
    Cursor in{body};
    const auto system_id = in.TakeText(16);
    if (!system_id || *system_id != options.smpp.system_id) return kBadSystemId;
    const auto password = in.TakeText(9);
    if (!password || !SameSecret(*password, options.smpp.password)) return kBadPassword;
    if (!in.TakeText(13)) return kBadSystemType;
    const auto version = in.TakeByte();
    const auto ton = in.TakeByte();
    const auto npi = in.TakeByte();
    if (!version || *version > 0x34 || !ton || !Ton(*ton) || !npi || !Npi(*npi)) return kBindFailed;
    return in.TakeText(41) && in.rest.empty() ? kNoError : kBadCommandLength;
  }

  void Answer(uint64_t id, uint32_t sequence, uint32_t status, const std::string& body, int64_t wait_ms) {
    if (wait_ms > 0) {
      return After(milliseconds(wait_ms), [=, this] { Answer(id, sequence, status, body, 0); });
    }
    Session* session = Find(id);
    if (session == nullptr) return;
    --session->unanswered;
    session->out += Unit(kResponse | kSubmit, status, sequence, body);
  }
  void Refuse(Session& session, uint32_t sequence, uint32_t status) {
    sim.tally_.Error(StatusText(status));
    Answer(session.id, sequence, status, "", options.smpp.answer_ms);
  }

  void Take(Session& session, uint32_t sequence, std::string_view body) {
    sim.tally_.Request();
    ++session.unanswered;
    window_max = std::max(window_max, session.unanswered);
    if (!session.Sends() || session.unbinding) return Refuse(session, sequence, kNotBound);
    if (session.unanswered > options.smpp.window) return Refuse(session, sequence, kThrottled);
    Submit submit;
    if (const auto bad = ReadSubmit(body, options.smpp.payload, &submit); bad != 0) {
      return Refuse(session, sequence, bad);
    }
    const std::string phone = Mobile(submit.to.number);
    const Own own = options.magic ? OwnOf(phone) : kOwnNone;
    const std::string key =
        submit.from.number + '|' + phone + '|' + std::to_string(submit.reference) + '|' + std::to_string(submit.total);
    if (groups.size() >= kMaxGroups) groups.clear();
    Group& group = groups[key];
    if (submit.number == 1) {
      if (const uint32_t status = FirstFault(submit, phone, own, &group.verdict); status != kNoError) {
        group.refused = status == kNack ? kBadCommandLength : status;
        if (submit.total == 1 || status == kGone) groups.erase(key);
        if (status == kGone) return Drop(session.id, true);
        if (status != kNack) return Refuse(session, sequence, status);
        sim.tally_.Error("generic_nack");
        --session.unanswered;
        session.out += Unit(kResponse, kBadCommandLength, sequence, "");
        return;
      }
      group.refused = kNoError;
    } else if (group.refused != kNoError) {
      return Refuse(session, sequence, group.refused);
    } else if (own == kOwnSecondRefused) {
      return Refuse(session, sequence, kFailed);
    } else if (own == kOwnSecondTooFast && submit.number == 2 && ++group.tries_of_second == 1) {
      return Refuse(session, sequence, kThrottled);
    }
    ++segments;
    const std::string id = std::to_string(sim.ids_.Next());
    if (submit.number == 1) group.first_id = id;
    const int number = submit.number;
    const auto total = static_cast<size_t>(submit.total);
    group.segments[number] = std::move(submit);
    if (group.segments.size() < total)
      return Answer(session.id, sequence, kNoError, IdBody(id), options.smpp.answer_ms);
    const Group whole = std::move(group);
    groups.erase(key);
    Complete(session, sequence, id, whole, phone, own);
  }

  // Not statuses: what FirstFault says beside them.
  static constexpr uint32_t kGone = 0xfffffffe;
  static constexpr uint32_t kNack = 0xfffffffd;

  // There is no key of the sender: a text that comes again to the same number is another try.
  static std::string TextKey(const Submit& first) { return Sha256Hex(first.text.substr(first.header)).substr(0, 16); }

  uint32_t FirstFault(const Submit& submit, const std::string& phone, Own own, Verdict* verdict) {
    const std::string text = TextKey(submit);
    int nth = 0;
    *verdict = sim.around_.faults.Decide("smpp", phone, text, text, &nth);
    if (own == kOwnQueueFull && tried_.insert(phone + text).second) return kQueueFull;
    if (own == kOwnNack) return kNack;
    switch (*verdict) {
      case Verdict::kThrottle:
        return kThrottled;
      case Verdict::kContactRefused:
        return kBadDestination;
      case Verdict::kServerError:
        return kFailed;
      case Verdict::kOutOfQuota:
        return kNoCredit;
      case Verdict::kTokenExpired:
        return kNotBound;  // the centre has forgotten the session
      case Verdict::kDropBefore:
        return kGone;
      default:
        return kNoError;
    }
  }

  std::string IdBody(const std::string& id) const {
    std::string body;
    PutText(&body, options.smpp.hex_ids ? Hexadecimal(id) : id);
    return body;
  }
  static std::string Hexadecimal(const std::string& id) {
    std::array<char, 24> out{};
    (void)std::snprintf(out.data(), out.size(), "%llX", std::strtoull(id.c_str(), nullptr, 10));
    return out.data();
  }

  // Every segment is here.
  void Complete(Session& session, uint32_t sequence, const std::string& id, const Group& group,
                const std::string& phone, Own own) {
    const Submit& first = group.segments.at(1);
    std::string text;
    json registered = json::array();
    for (const auto& [number, segment] : group.segments) {
      text += Readable(segment.coding, std::string_view(segment.text).substr(segment.header));
      registered.push_back(segment.registered);
    }
    const auto fate = sim.around_.faults.FateOf(phone);
    Entry entry;
    entry.at_ms = sim.around_.Now();
    entry.provider = "smpp";
    entry.message_id = entry.provider_id = group.first_id;
    entry.key = TextKey(first);
    entry.recipient_sha256 = ContactHash(phone);
    entry.fate = fate;
    entry.content = {{"text", text},
                     {"segments", group.segments.size()},
                     {"from", first.from.number},
                     {"data_coding", first.coding},
                     {"payload", first.payload},
                     {"registered_delivery", registered}};
    if (!sim.around_.journal.Append(entry)) return Refuse(session, sequence, kFailed);
    sim.tally_.Accepted();

    const uint64_t session_id = session.id;
    if ((first.registered & 0x01U) != 0 && fate != Fate::kSilent && options.receipts != Receipts::kOff) {
      const Parcel receipt = ReceiptOf(first, group.first_id, fate, own);
      const bool twice = own == kOwnReportTwice || options.receipts == Receipts::kDuplicate;
      if (fate == Fate::kReportFirst) {
        SendParcel(receipt, &session);
      } else {
        for (int i = 0; i < (twice ? 2 : 1); ++i) {
          After(milliseconds(options.receipt_delay_ms), [this, receipt] { SendParcel(receipt, nullptr); });
        }
      }
    }

    const std::string body = IdBody(id);
    if (own == kOwnNoAnswer) return;
    if (own == kOwnHalfAnswer) {
      session.out += Unit(kResponse | kSubmit, kNoError, sequence, body).substr(0, kHead + 3);
      session.ending = true;
      return sim.tally_.Dropped();
    }
    switch (group.verdict) {
      case Verdict::kAcceptThenDrop:
        return Drop(session_id, true);
      case Verdict::kAcceptMalformed:
        return Answer(session_id, sequence, kNoError, body.substr(0, body.size() - 1), options.smpp.answer_ms);
      case Verdict::kAcceptSlow:
        return Answer(session_id, sequence, kNoError, body, options.slow_ms);
      default:
        Answer(session_id, sequence, kNoError, body, options.smpp.answer_ms);
    }
    if (own == kOwnUnbind) {
      session.unbinding = true;
      session.out += Unit(kUnbind, kNoError, session.next_sequence++, "");
    }
  }

  // ---- Deliveries

  Parcel ReceiptOf(const Submit& submit, const std::string& id, Fate fate, Own own) {
    const bool good = fate == Fate::kDelivered || fate == Fate::kReportFirst;
    const char* stat = good ? "DELIVRD" : "UNDELIV";
    // GSM MAP: 1 unknown subscriber, 27 absent subscriber.
    const char* error = good ? "000" : fate == Fate::kDead ? "001" : "027";
    const std::string at = Minute(sim.around_.Now());
    std::string text;
    if (own == kOwnTerseReport) {
      text = "stat:" + std::string(stat) + " done date:" + at + " err:" + error + " id:" + id;
    } else {
      text = "id:" + id + " sub:001 dlvrd:" + (good ? "001" : "000") + " submit date:" + at + " done date:" + at +
             " stat:" + stat + " err:" + error + " text:";
    }
    Parcel parcel;
    parcel.receipt = true;
    parcel.body = DeliverBody(submit.to, submit.from, 0x04, 0, text, false);
    if (own != kOwnTerseReport && !options.smpp.hex_ids) {
      PutOptional(&parcel.body, kTagReceiptedId, id + '\0');
      PutOptional(&parcel.body, kTagState, good ? "\x02" : "\x05");
    }
    return parcel;
  }

  Session* Receiver() {
    for (const auto& [id, session] : sessions) {
      if (session->Takes() && !session->ending && !session->unbinding) return session.get();
    }
    return nullptr;
  }

  // `session`: where it must go; null: to whoever takes.
  void SendParcel(Parcel parcel, Session* session) {
    if (session == nullptr || !session->Takes()) session = Receiver();
    if (session == nullptr) {
      if (receipts.receipts_pending + timers.size() > kMaxReceipts) return;
      return After(kNoReceiverWait, [this, parcel = std::move(parcel)] { SendParcel(parcel, nullptr); });
    }
    const uint32_t sequence = session->next_sequence++;
    session->out += Unit(kDeliver, kNoError, sequence, parcel.body);
    ++receipts.receipts_sent;
    ++receipts.receipts_pending;
    Parcel& kept = on_the_way[{session->id, sequence}];
    kept = parcel;
    kept.answered = [this, parcel = std::move(parcel)](std::optional<uint32_t> status) mutable {
      --receipts.receipts_pending;
      if (status == kNoError) {
        ++receipts.receipts_acked;
        return;
      }
      // Busy for now, or gone: again. Anything else is a refusal for good.
      const bool again = !status || *status == 0x64 || *status == kQueueFull || *status == kFailed;
      constexpr std::array<int64_t, 3> kTimes = {1, 5, 10};
      if (!again || parcel.failures == kTimes.size()) {
        ++receipts.receipts_given_up;
        return;
      }
      const milliseconds wait(options.receipt_retry_ms * kTimes[parcel.failures++]);
      After(wait, [this, parcel] { SendParcel(parcel, nullptr); });
    };
  }

  // A person writes. Waits for the answer; nothing: nobody is bound, or none came.
  std::optional<uint32_t> Say(std::string body) {
    struct State {
      bool done = false;
      std::optional<uint32_t> status;
    };
    const auto state = std::make_shared<State>();
    std::unique_lock lock(mutex);
    Session* session = Receiver();
    if (session == nullptr) return std::nullopt;
    const uint32_t sequence = session->next_sequence++;
    session->out += Unit(kDeliver, kNoError, sequence, body);
    on_the_way[{session->id, sequence}].answered = [this, state](std::optional<uint32_t> status) {
      state->done = true;
      state->status = status;
      changed.notify_all();
    };
    Wake();
    changed.wait_for(lock, kDeliverWait, [&] { return state->done || stopping; });
    return state->status;
  }

  json State() {
    const std::lock_guard lock(mutex);
    size_t bound = 0;
    for (const auto& [id, session] : sessions) bound += session->bound != 0 ? 1 : 0;
    return {{"sessions", bound},
            {"binds", binds},
            {"unbinds", unbinds},
            {"enquires", enquires},
            {"enquire_answers", enquire_answers},
            {"segments", segments},
            {"window_max", window_max}};
  }

  std::set<std::string> tried_;
};

Smpp::Smpp(Surroundings around) : around_(around), loop_(std::make_unique<Loop>(*this, around_.options)) {}

Smpp::~Smpp() = default;

std::expected<int, std::string> Smpp::Listen() {
  if (around_.options.smpp.port == 0) return 0;
  return loop_->Open();
}

void Smpp::HangUp() { loop_->Close(); }

Reply Smpp::Handle(const Call& call) {
  Reply reply;
  if (call.path == "/state" && call.method == "GET") {
    reply.body = loop_->State().dump();
    return reply;
  }
  const json order = json::parse(call.body, nullptr, false);
  if (call.path != "/mo" || call.method != "POST" || !order.is_object()) {
    reply.status = 404;
    reply.body = R"({"error":"GET /smpp/state or POST /smpp/mo with an object"})";
    return reply;
  }
  const Endpoint from{1, 1, order.value("from", "8613800138000")};
  const Endpoint to{0, 0, order.value("to", "106900001")};
  std::string body = DeliverBody(from, to, order.value("esm_class", uint8_t{0}), order.value("data_coding", uint8_t{8}),
                                 FromHex(order.value("hex", "")), order.value("payload", false));
  if (const auto tlvs = order.find("tlvs"); tlvs != order.end()) {
    for (const auto& [tag, value] : tlvs->items()) {
      PutOptional(&body, static_cast<uint16_t>(std::strtoul(tag.c_str(), nullptr, 16)), FromHex(value));
    }
  }
  const auto status = loop_->Say(std::move(body));
  reply.status = status ? 200 : 409;
  reply.body = status ? json({{"status", *status}}).dump() : R"({"error":"nobody takes it"})";
  return reply;
}

void Smpp::Restore(const Entry& entry) {
  ids_.Skip(entry.provider_id);
  around_.faults.Restore("smpp", entry.recipient_sha256, entry.key);
}

void Smpp::Reset() {
  const std::lock_guard lock(loop_->mutex);
  loop_->groups.clear();
  loop_->tried_.clear();
  loop_->window_max = 0;
  loop_->segments = 0;
  loop_->receipts = {};
  tally_.Reset();
}

void Smpp::AddReceipts(ProviderStats* stats) const {
  const std::lock_guard lock(loop_->mutex);
  stats->receipts_sent = loop_->receipts.receipts_sent;
  stats->receipts_acked = loop_->receipts.receipts_acked;
  stats->receipts_pending = loop_->receipts.receipts_pending;
  stats->receipts_given_up = loop_->receipts.receipts_given_up;
}

}  // namespace sandbox
