// ingest, ledger, decisions, dead-letters: what operators and checks do with the topics and the store.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>

#include "daemon/commands.h"
#include "daemon/observe.h"
#include "daemon/wiring.h"

namespace zhitui::daemon {
namespace {

constexpr std::size_t kMaxLineBytes = 64 << 20;
constexpr std::size_t kBatchRecords = 1000;
constexpr std::size_t kBatchBytes = 4 << 20;
constexpr Millis kProduceDeadline{60'000};

// Turns lines into records of the input topics.
class Router {
 public:
  explicit Router(const Config& config) {
    for (const InputTopic& input : config.topics) {
      if (input.format != facts::Format::kCloudEvents) continue;
      if (fallback_.empty()) fallback_ = input.topic;
      topics_.emplace(input.kind, input.topic);
    }
    decode_.max_bytes = kMaxLineBytes;
  }
  bool usable() const { return !fallback_.empty(); }

  // A line that is no event goes to the first topic as it is, without a key: it becomes a dead letter there, with its
  // reason.
  Record RecordOf(std::string line, bool* good) const {
    Record record;
    record.value = std::move(line);
    record.headers = {{"content-type", "application/cloudevents+json"}};
    const std::expected<facts::Event, facts::Refused> event = facts::DecodeEvent(record, decode_);
    *good = event.has_value();
    record.topic = fallback_;
    if (!event) {
      record.headers.clear();
      return record;
    }
    record.key = event->subject;
    if (const auto topic = topics_.find(event->kind); topic != topics_.end()) record.topic = topic->second;
    return record;
  }

 private:
  facts::DecodeOptions decode_;
  std::string fallback_;
  std::map<std::string, std::string> topics_;
};

struct Tally {
  std::uint64_t appended = 0;
  std::uint64_t malformed = 0;  // appended, will be dead letters
  std::uint64_t refused = 0;    // too large for the log
};

class Appender {
 public:
  Appender(std::shared_ptr<stream::Sink> sink, Tally& tally) : sink_(std::move(sink)), tally_(tally) {}

  Status Add(Record record) {
    bytes_ += record.value ? record.value->size() : 0;
    batch_.push_back(std::move(record));
    if (batch_.size() < kBatchRecords && bytes_ < kBatchBytes) return {};
    return Flush();
  }

  Status Flush() {
    if (batch_.empty()) return {};
    Status status = sink_->Produce(batch_, kProduceDeadline);
    if (!status && status.error().kind == ErrorKind::kInvalid) {
      status = OneByOne();
    } else if (status) {
      tally_.appended += batch_.size();
    }
    batch_.clear();
    bytes_ = 0;
    return status;
  }

 private:
  // One record of the batch is too large. Records that were durable already are appended again; their events apply
  // once.
  Status OneByOne() {
    for (const Record& record : batch_) {
      const Status status = sink_->Produce({&record, 1}, kProduceDeadline);
      if (status) {
        ++tally_.appended;
      } else if (status.error().kind == ErrorKind::kInvalid) {
        ++tally_.refused;
        std::cerr << "zhitui: a line of " << record.value->size()
                  << " bytes was not appended: " << status.error().message << "\n";
      } else {
        return status;
      }
    }
    return {};
  }

  std::shared_ptr<stream::Sink> sink_;
  Tally& tally_;
  std::vector<Record> batch_;
  std::size_t bytes_ = 0;
};

// The next line without its end; false at the end of the input. What is over the limit is dropped.
bool ReadLine(std::istream& in, std::string* line) {
  line->clear();
  std::streambuf& buffer = *in.rdbuf();
  bool any = false;
  for (int c = buffer.sbumpc(); c != std::char_traits<char>::eof(); c = buffer.sbumpc()) {
    any = true;
    if (c == '\n') break;
    if (line->size() < kMaxLineBytes) line->push_back(static_cast<char>(c));
  }
  if (!line->empty() && line->back() == '\r') line->pop_back();
  return any;
}

const std::string& HeaderOr(const Record& record, std::string_view name) {
  static const std::string none;
  const std::string* value = record.FindHeader(name);
  return value == nullptr ? none : *value;
}

// The store or log of an embedded installation must be there: reading must not create it.
int CheckThere(const std::string& path, bool embedded) {
  if (!embedded || std::filesystem::exists(path)) return EX_OK;
  return Fail(EX_NOINPUT, "there is no " + path + "; run zhitui serve or zhitui ingest with this configuration first");
}

// One line for each notification of a decision, one without `notification` when nobody is told. The subject and the
// recipients stay out: this output is compared and kept.
void LinesOf(const decide::Decision& d, std::set<std::string>& lines) {
  nlohmann::ordered_json line = {{"id", d.id},
                                 {"rule", d.rule},
                                 {"transition", decide::TransitionName(d.transition)},
                                 {"notify", d.notify},
                                 {"occurrence", FormatDate(d.occurrence)},
                                 {"at", FormatInstant(d.at)},
                                 {"amount", d.amount ? nlohmann::ordered_json(d.amount->ToString()) : nullptr}};
  nlohmann::ordered_json& criteria = line["criteria"] = nlohmann::ordered_json::array();
  for (const decide::CriterionResult& c : d.criteria) {
    nlohmann::ordered_json one = {
        {"id", c.id}, {"truth", c.truth}, {"label", {{"zh", c.label.zh}, {"en", c.label.en}}}};
    if (!c.law.empty()) one["law"] = c.law;
    criteria.push_back(std::move(one));
  }
  const auto add = [&] { lines.insert(line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace)); };
  if (d.recipients.empty()) add();
  for (const decide::Recipient& recipient : d.recipients) {
    line["notification"] = decide::NotificationId(d.id, recipient.id);
    add();
  }
}

void PrintMap(const char* title, const std::map<std::string, std::uint64_t>& counts) {
  if (counts.empty()) return;
  std::printf("%s\n", title);
  for (const auto& [name, n] : counts) {
    std::printf("  %-24s %10llu\n", name.c_str(), static_cast<unsigned long long>(n));
  }
}

}  // namespace

int Ingest(const std::string& path, const std::string& file) {
  int code = EX_OK;
  const std::unique_ptr<Config> config = ConfigOrExit(path, &code);
  if (!config) return code;
  std::ifstream opened;
  if (file != "-") {
    opened.open(file, std::ios::binary);
    if (!opened || std::filesystem::is_directory(file)) return Fail(EX_NOINPUT, "cannot read " + file);
  }
  std::istream& in = file == "-" ? std::cin : opened;
  const Router router(*config);
  if (!router.usable()) return Fail(EX_CONFIG, "input.topics has no topic of the format cloudevents");
  if (Status s = MakeFolders(*config); !s) return Fail(EX_CANTCREAT, s.error().message);
  const std::unique_ptr<Logger> logger = NewLogger(config->log_format, LogLevel::kWarn);
  std::shared_ptr<stream::Log> log;
  Result<std::shared_ptr<stream::Sink>> sink = OpenSink(*config, &log, logger.get());
  if (!sink) return Fail(sink.error());

  Tally tally;
  Appender appender(std::move(*sink), tally);
  auto told = std::chrono::steady_clock::now();
  std::string line;
  while (ReadLine(in, &line)) {
    if (line.find_first_not_of(" \t") == std::string::npos) continue;
    bool good = false;
    Record record = router.RecordOf(std::move(line), &good);
    if (!good) ++tally.malformed;
    if (Status s = appender.Add(std::move(record)); !s) return Fail(s.error());
    if (const auto now = std::chrono::steady_clock::now(); now - told > std::chrono::seconds(1)) {
      told = now;
      std::fprintf(stderr, "appended %llu\n", static_cast<unsigned long long>(tally.appended));
    }
  }
  if (Status s = appender.Flush(); !s) return Fail(s.error());
  std::cout << "appended " << tally.appended << " records (" << tally.malformed
            << " of the lines are no events), refused " << tally.refused << "\n";
  return tally.refused == 0 ? EX_OK : EX_DATAERR;
}

int Ledger(const std::string& path, bool json) {
  int code = EX_OK;
  const std::unique_ptr<Config> config = ConfigOrExit(path, &code);
  if (!config) return code;
  if ((code = CheckThere(config->sqlite_path, !config->redis)) != EX_OK) return code;
  Result<std::shared_ptr<store::Store>> store = OpenStore(*config, nullptr);
  if (!store) return Fail(store.error());
  const SystemClock clock;
  pipeline::Parts parts;
  parts.store = std::move(*store);
  parts.dispatcher = std::make_shared<delivery::Dispatcher>(std::vector<std::shared_ptr<delivery::Connector>>{}, 1, 1);
  parts.clock = &clock;
  parts.real_clock = &clock;
  pipeline::Pipeline pipeline(PipelineOptions(*config), std::move(parts));
  const Result<pipeline::Pipeline::LedgerCount> count = pipeline.CountLedger();
  if (!count) return Fail(count.error());
  if (json) {
    const nlohmann::ordered_json out = {{"by_state", count->by_state},
                                        {"by_channel", count->by_channel},
                                        {"by_reason", count->by_reason},
                                        {"accepted_by_connector", count->accepted_by_connector},
                                        {"unknown", count->unknown}};
    std::cout << out.dump() << "\n";
    return EX_OK;
  }
  PrintMap("notifications by state", count->by_state);
  for (const auto& [channel, states] : count->by_channel) PrintMap(("channel " + channel).c_str(), states);
  PrintMap("reasons", count->by_reason);
  PrintMap("accepted by connector", count->accepted_by_connector);
  std::printf("unknown %zu\n", count->unknown.size());
  for (const std::string& id : count->unknown) std::printf("  %s\n", id.c_str());
  return EX_OK;
}

int Decisions(const std::string& path, bool json) {
  int code = EX_OK;
  const std::unique_ptr<Config> config = ConfigOrExit(path, &code);
  if (!config) return code;
  if ((code = CheckThere(config->log_path, !config->kafka)) != EX_OK) return code;
  std::set<std::string> ids;  // a topic holds a record at least once
  std::set<std::string> lines;
  std::size_t damaged = 0;
  const Status status = ReadTopic(*config, config->pipeline.topics.decisions, [&](const Record& record) {
    if (!record.value) return;
    const Result<decide::Decision> d = decide::Decision::FromJson(*record.value);
    if (!d) {
      ++damaged;
      return;
    }
    ids.insert(d->id);
    if (json) LinesOf(*d, lines);
  });
  if (!status) return Fail(status.error());
  for (const std::string& line : json ? lines : ids) std::cout << line << "\n";
  if (damaged > 0) return Fail(EX_DATAERR, std::to_string(damaged) + " records of the topic are no decisions");
  return EX_OK;
}

int DeadLetters(const std::string& path) {
  int code = EX_OK;
  const std::unique_ptr<Config> config = ConfigOrExit(path, &code);
  if (!config) return code;
  if ((code = CheckThere(config->log_path, !config->kafka)) != EX_OK) return code;
  std::set<std::string> seen;
  const Status status = ReadTopic(*config, config->pipeline.topics.dead_letters, [&](const Record& record) {
    const std::string& id = HeaderOr(record, "zhitui_id");
    if (!seen.insert(id).second) return;
    const nlohmann::ordered_json line = {
        {"id", id}, {"reason", HeaderOr(record, "zhitui_reason")}, {"detail", HeaderOr(record, "zhitui_detail")}};
    std::cout << line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
  });
  if (!status) return Fail(status.error());
  return EX_OK;
}

}  // namespace zhitui::daemon
