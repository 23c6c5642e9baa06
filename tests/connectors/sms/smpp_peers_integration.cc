// SMPP with implementations that are not ours: the connector with the npm package smpp as the centre, and Kannel as a
// sender to the simulated centre, which shows that the simulator takes what others send.
#include <gtest/gtest.h>
#include <httplib.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "delivery/scripted_peer.h"
#include "sandbox/sandbox.h"
#include "sms/sms.h"

namespace zhitui::sms {
namespace {

const auto kIgnored = std::signal(SIGPIPE, SIG_IGN);

using delivery::Verdict;
using nlohmann::json;

constexpr std::chrono::seconds kPatience(60);

bool Eventually(const std::function<bool()>& what) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!what()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(Millis(5));  // between two looks at another process
  }
  return true;
}

// A child process with its standard input and output on pipes; it is killed and waited for at the end.
class Child {
 public:
  explicit Child(const std::vector<std::string>& arguments, const std::string& error_file = "/dev/null") {
    int in[2] = {-1, -1};
    int out[2] = {-1, -1};
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_addopen(&actions, 2, error_file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    std::vector<char*> argv;
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    if (posix_spawnp(&pid_, argv[0], &actions, nullptr, argv.data(), environ) != 0) pid_ = -1;
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    in_ = in[1];
    out_ = out[0];
  }
  ~Child() {
    close(in_);
    close(out_);
    if (pid_ <= 0) return;
    kill(pid_, SIGTERM);
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (waitpid(pid_, nullptr, WNOHANG) == 0) {
      if (std::chrono::steady_clock::now() > end) {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
        return;
      }
      std::this_thread::sleep_for(Millis(5));
    }
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // The next line of its output; nothing when it has ended or none comes in time.
  std::optional<std::string> Line() {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (true) {
      if (const std::size_t at = buffer_.find('\n'); at != std::string::npos) {
        std::string line = buffer_.substr(0, at);
        buffer_.erase(0, at + 1);
        return line;
      }
      const auto left = std::chrono::duration_cast<Millis>(end - std::chrono::steady_clock::now());
      pollfd peer{out_, POLLIN, 0};
      char chunk[4096];
      if (left <= Millis(0) || poll(&peer, 1, static_cast<int>(left.count())) <= 0) return std::nullopt;
      const ssize_t n = read(out_, chunk, sizeof chunk);
      if (n <= 0) return std::nullopt;
      buffer_.append(chunk, static_cast<std::size_t>(n));
    }
  }

 private:
  pid_t pid_ = -1;
  int in_ = -1;
  int out_ = -1;
  std::string buffer_;
};

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "smpp-peer-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string Path(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

std::string Han(std::size_t n) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i) out += i % 2 == 0 ? "智" : "推";
  return out;
}

// ---- The connector and the npm package

class NpmCentre {
 public:
  // Nothing: what is missing is in `missing`.
  static std::unique_ptr<NpmCentre> Start(std::string* missing) {
    Folder folder;
    Child install({std::string(ZHITUI_SOURCE_DIR) + "/tests/services/smpp/npm.sh"}, folder.Path("error"));
    const auto modules = install.Line();
    if (!modules) {
      std::ifstream in(folder.Path("error"));
      *missing = std::string(std::istreambuf_iterator<char>(in), {});
      return nullptr;
    }
    auto centre = std::unique_ptr<NpmCentre>(new NpmCentre(*modules));
    const auto first = centre->Next("port");
    if (!first) {
      *missing = "node does not run the npm package smpp";
      return nullptr;
    }
    centre->port_ = (*first)["port"];
    return centre;
  }
  int port() const { return port_; }
  // The next line that has that key; those before it are dropped.
  std::optional<json> Next(const std::string& key) {
    while (const auto line = node_.Line()) {
      json event = json::parse(*line);
      if (event.contains(key)) return event;
    }
    return std::nullopt;
  }

 private:
  explicit NpmCentre(const std::string& modules)
      : node_({"node", std::string(ZHITUI_SOURCE_DIR) + "/tests/services/smpp/smsc.js", modules}) {}
  Child node_;
  int port_ = 0;
};

struct Inbox {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<delivery::Receipt> receipts;
  std::vector<delivery::Signal> signals;

  delivery::Intake Intake() {
    return [this](const std::string&, const std::vector<delivery::Receipt>& r,
                  const std::vector<delivery::Signal>& s) -> Status {
      const std::scoped_lock lock(mutex);
      receipts.insert(receipts.end(), r.begin(), r.end());
      signals.insert(signals.end(), s.begin(), s.end());
      changed.notify_all();
      return {};
    };
  }
  bool Wait(std::size_t receipts_wanted, std::size_t signals_wanted) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, kPatience,
                            [&] { return receipts.size() >= receipts_wanted && signals.size() >= signals_wanted; });
  }
};

delivery::SendRequest Request(const std::string& phone, const std::string& text) {
  delivery::SendRequest request;
  request.attempt_id = "n-1";
  request.contact = phone;
  request.content.channel = Channel::kSms;
  request.content.body = text;
  request.timeout = Millis(20'000);
  return request;
}

SmppOptions Options(int port) {
  SmppOptions options;
  options.host = "127.0.0.1";
  options.port = port;
  options.system_id = "peer";
  options.password = delivery::Secret("secret01");
  options.source_addr = "106900001";
  options.dest_prefix = "86";
  options.idle = Millis(200);
  return options;
}

TEST(SmppAndNpm, UnderstandEachOther) {
  std::string missing;
  const auto centre = NpmCentre::Start(&missing);
  if (!centre) GTEST_SKIP() << "no independent SMPP centre: " << missing;
  Inbox inbox;
  const auto connector = NewSmpp(Options(centre->port()), nullptr);
  connector->Start(inbox.Intake());
  const auto bind = centre->Next("bind");
  ASSERT_TRUE(bind.has_value());
  EXPECT_EQ((*bind)["bind"], "bind_transceiver");
  EXPECT_EQ((*bind)["version"], 0x34);

  const std::string text = "【福田政务】您可以领取高龄津贴，退订回TD";
  const auto sent = connector->Send(Request("13800138001", text));
  ASSERT_EQ(sent.verdict, Verdict::kAccepted) << sent.code;
  const auto submit = centre->Next("submit");
  ASSERT_TRUE(submit.has_value());
  EXPECT_EQ((*submit)["submit"], sent.provider_id);
  EXPECT_EQ((*submit)["text"], text);
  EXPECT_EQ((*submit)["to"], "8613800138001");
  EXPECT_EQ((*submit)["from"], "106900001");
  EXPECT_EQ((*submit)["data_coding"], 8);
  EXPECT_EQ((*submit)["esm_class"], 0);
  EXPECT_EQ((*submit)["registered_delivery"], 1);

  ASSERT_TRUE(inbox.Wait(1, 1));
  EXPECT_EQ(inbox.receipts[0].provider_id, sent.provider_id);
  EXPECT_EQ(inbox.receipts[0].state, delivery::ReceiptState::kDelivered);
  EXPECT_EQ(inbox.signals[0].text, "退订 TD");
  EXPECT_EQ(inbox.signals[0].contact, "13800138001");
  EXPECT_EQ((*centre->Next("receipt_answer"))["receipt_answer"], 0);
  EXPECT_EQ((*centre->Next("reply_answer"))["reply_answer"], 0);

  const std::string long_text = "【福田政务】" + Han(90);
  const auto two = connector->Send(Request("13800138002", long_text));
  ASSERT_EQ(two.verdict, Verdict::kAccepted) << two.code;
  const auto first = centre->Next("submit");
  const auto second = centre->Next("submit");
  ASSERT_TRUE(first && second);
  EXPECT_EQ((*first)["submit"], two.provider_id);
  EXPECT_EQ((*first)["esm_class"], 0x40);
  EXPECT_EQ((*first)["text"].get<std::string>() + (*second)["text"].get<std::string>(), long_text);
  EXPECT_EQ((*first)["registered_delivery"], 1);
  EXPECT_EQ((*second)["registered_delivery"], 0);
  EXPECT_FALSE((*first)["udh"].empty());
  ASSERT_TRUE(inbox.Wait(2, 2));
  EXPECT_EQ(inbox.receipts[1].provider_id, two.provider_id);
  EXPECT_EQ(inbox.signals[1].text, "请问怎么领取") << "joined from two segments";

  EXPECT_EQ(connector->Send(Request("13800138008", text)).verdict, Verdict::kAccepted) << "throttled once";
  connector->Close();
  EXPECT_TRUE(centre->Next("unbind").has_value());
}

TEST(SmppAndNpm, AgreeOnTheTextThatGoesWholeAndOnARefusedBind) {
  std::string missing;
  const auto centre = NpmCentre::Start(&missing);
  if (!centre) GTEST_SKIP() << "no independent SMPP centre: " << missing;
  SmppOptions options = Options(centre->port());
  options.payload = true;
  options.separate = true;
  Inbox inbox;
  const auto connector = NewSmpp(options, nullptr);
  connector->Start(inbox.Intake());
  EXPECT_EQ(connector->Send(Request("13800138009", Han(200))).verdict, Verdict::kAccepted);
  const auto submit = centre->Next("submit");
  ASSERT_TRUE(submit.has_value());
  EXPECT_EQ((*submit)["text"], Han(200));
  connector->Close();

  options.password = delivery::Secret("wrong");
  const auto stranger = NewSmpp(options, nullptr);
  stranger->Start(inbox.Intake());
  const auto refused = stranger->Send(Request("13800138009", "x"));
  EXPECT_EQ(refused.verdict, Verdict::kStopChannel);
  EXPECT_EQ(refused.code, "0x0000000E");
  stranger->Close();
}

// ---- Kannel and the simulated centre

std::string Program(const std::string& name) {
  for (const char* folder : {"/usr/sbin/", "/usr/bin/", "/usr/local/sbin/"}) {
    if (access((folder + name).c_str(), X_OK) == 0) return folder + name;
  }
  return {};
}

// Takes the delivery reports of Kannel.
class Reports {
 public:
  Reports() {
    server_.Get("/dlr", [this](const httplib::Request& request, httplib::Response&) {
      const std::scoped_lock lock(mutex_);
      got_.push_back(request.get_param_value("state"));
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
  }
  ~Reports() {
    server_.stop();
    thread_.join();
  }
  int port() const { return port_; }
  std::size_t Count(const std::string& state) const {
    const std::scoped_lock lock(mutex_);
    return static_cast<std::size_t>(std::count(got_.begin(), got_.end(), state));
  }

 private:
  httplib::Server server_;
  int port_ = 0;
  std::thread thread_;
  mutable std::mutex mutex_;
  std::vector<std::string> got_;
};

TEST(SmppAndKannel, TheSimulatedCentreServesIt) {
  const std::string bearerbox = Program("bearerbox");
  const std::string smsbox = Program("smsbox");
  if (bearerbox.empty() || smsbox.empty()) GTEST_SKIP() << "no independent SMPP sender: Kannel is not installed";
  Folder folder;
  sandbox::Options options;
  options.smpp.port = -1;
  options.threads = 2;
  options.log_path = folder.Path("log.ndjson");
  sandbox::Server server(options);
  ASSERT_TRUE(server.Start().has_value());
  const auto log = [&] {
    std::vector<json> lines;
    std::ifstream in(folder.Path("log.ndjson"));
    for (std::string line; std::getline(in, line);) lines.push_back(json::parse(line));
    return lines;
  };

  Reports reports;
  const int admin = zhitui::testing::ScriptedPeer::DeadPort();
  const int boxes = zhitui::testing::ScriptedPeer::DeadPort();
  const int sendsms = zhitui::testing::ScriptedPeer::DeadPort();
  std::ofstream(folder.Path("kannel.conf"))
      << "group = core\nadmin-port = " << admin << "\nadmin-interface = 127.0.0.1\nadmin-password = sandbox\n"
      << "smsbox-port = " << boxes << "\nsmsbox-interface = 127.0.0.1\nbox-allow-ip = 127.0.0.1\n"
      << "log-file = \"" << folder.Path("bearerbox.log") << "\"\nlog-level = 0\n\n"
      << "group = smsc\nsmsc = smpp\nsmsc-id = centre\nhost = 127.0.0.1\nport = " << server.Ports().at("smpp")
      << "\ntransceiver-mode = true\nsmsc-username = " << options.smpp.system_id
      << "\nsmsc-password = " << options.smpp.password << "\nsystem-type = VMA\nreconnect-delay = 1\n"
      << "source-addr-ton = 0\nsource-addr-npi = 0\ndest-addr-ton = 1\ndest-addr-npi = 1\n\n"
      << "group = smsbox\nbearerbox-host = 127.0.0.1\nsendsms-port = " << sendsms
      << "\nsendsms-interface = 127.0.0.1\nlog-file = \"" << folder.Path("smsbox.log") << "\"\nlog-level = 0\n\n"
      << "group = sendsms-user\nusername = tester\npassword = sandbox\nmax-messages = 4\nconcatenation = true\n\n"
      << "group = sms-service\nkeyword = default\nmax-messages = 0\nget-url = \"http://127.0.0.1:" << reports.port()
      << "/dlr?state=reply\"\n";
  Child bearer({bearerbox, folder.Path("kannel.conf")}, folder.Path("bearerbox.err"));
  httplib::Client status("127.0.0.1", admin);
  const auto state = [&] {
    const auto answer = status.Get("/status.txt?password=sandbox");
    return answer ? answer->body : std::string();
  };
  ASSERT_TRUE(Eventually([&] { return state().find("(online") != std::string::npos; })) << state();
  Child sender({smsbox, folder.Path("kannel.conf")}, folder.Path("smsbox.err"));
  ASSERT_TRUE(Eventually([&] { return state().find("smsbox") != std::string::npos; })) << state();

  httplib::Client http("127.0.0.1", sendsms);
  const auto say = [&](const std::string& to, const std::string& text) {
    const httplib::Params query = {{"username", "tester"},
                                   {"password", "sandbox"},
                                   {"from", "106900001"},
                                   {"to", to},
                                   {"text", text},
                                   {"coding", "2"},
                                   {"charset", "UTF-8"},
                                   {"dlr-mask", "31"},
                                   {"dlr-url", "http://127.0.0.1:" + std::to_string(reports.port()) + "/dlr?state=%d"}};
    int answered = 0;
    Eventually([&] {
      const auto result = http.Get("/cgi-bin/sendsms", query, httplib::Headers());
      answered = result ? result->status : 0;
      return answered != 0;  // 0: smsbox does not listen yet
    });
    return answered;
  };
  const std::string text = "【福田政务】您可以领取高龄津贴";
  EXPECT_EQ(say("13800138001", text), 202);
  ASSERT_TRUE(Eventually([&] { return log().size() == 1; }));
  EXPECT_EQ(log()[0]["content"]["text"], text);
  EXPECT_EQ(log()[0]["content"]["segments"], 1);
  EXPECT_EQ(log()[0]["content"]["registered_delivery"], json({0x11}));
  EXPECT_TRUE(Eventually([&] { return reports.Count("8") == 1 && reports.Count("1") == 1; }))
      << "accepted by the centre, delivered";

  EXPECT_EQ(say("13800138002", Han(96)), 202);
  ASSERT_TRUE(Eventually([&] { return log().size() == 2; }));
  EXPECT_EQ(log()[1]["content"]["text"], Han(96));
  EXPECT_EQ(log()[1]["content"]["segments"], 2);
  EXPECT_EQ(log()[1]["content"]["registered_delivery"], json({0x11, 0}));
  EXPECT_TRUE(Eventually([&] { return reports.Count("1") == 2; }));

  EXPECT_EQ(say("13800130002", text), 202);
  EXPECT_TRUE(Eventually([&] { return reports.Count("16") == 1; })) << "refused by the centre";
  EXPECT_EQ(say("13800130004", text), 202);
  EXPECT_TRUE(Eventually([&] { return reports.Count("2") == 1; })) << "not delivered";
  const auto stats = server.GetStats().at("smpp");
  EXPECT_EQ(stats.accepted, 3U);
  EXPECT_TRUE(Eventually([&] { return server.GetStats().at("smpp").receipts_acked == 3; }));
}

}  // namespace
}  // namespace zhitui::sms
