// POST /v1/events: one CloudEvent, a batch, or NDJSON. All good: appended as structured-mode records; one bad: nothing.

#include <algorithm>

#include "api/handlers.h"
#include "api/slices.h"
#include "facts/facts.h"

namespace zhitui::api {
namespace {

constexpr std::size_t kMaxReported = 100;
constexpr std::string_view kCloudEvent = "application/cloudevents+json";

struct Line {
  std::string_view text;
  std::size_t number = 0;  // index in the batch from 0, or line from 1
};

struct Bad {
  std::size_t number;
  std::string reason;
  std::string detail;
};

// An event without a time gets one here, once: a replay must see the same one.
std::string WithTime(std::string_view text, Instant now) {
  const auto members = MembersOf(text);
  if (!members) return std::string(text);
  const bool has = std::any_of(members->begin(), members->end(), [](const auto& m) { return m.first == "time"; });
  if (has || members->empty()) return std::string(text);
  const std::size_t brace = text.find('{');
  std::string out(text.substr(0, brace + 1));
  out += R"("time":")" + FormatInstant(now) + R"(",)";
  out += text.substr(brace + 1);
  return out;
}

class Batch {
 public:
  Batch(const Options& options, const Deps& deps) : deps_(deps), ruleset_(deps.pipeline->ruleset()) {
    decode_.max_bytes = options.max_event_bytes;
  }

  void Take(const Line& line) {
    Record record;
    record.value = WithTime(line.text, deps_.clock->Now());
    record.headers = {{"content-type", std::string(kCloudEvent)}};
    std::expected<facts::Event, facts::Refused> event = facts::DecodeEvent(record, decode_);
    if (!event) return Refuse(line, event.error());
    // The pipeline counts the key too; what is accepted here must not become a dead letter there.
    if (record.value->size() + event->subject.size() > decode_.max_bytes) {
      return Refuse(line, {facts::Refusal::kTooLarge, ""});
    }
    const std::shared_ptr<const facts::Schema> schema = ruleset_->SchemaOf(event->kind);
    record.topic = deps_.pipeline->InputTopicOf(event->kind);
    if (schema == nullptr || record.topic.empty()) {
      return Refuse(line, {facts::Refusal::kUnknownKind, "type: this kind of subject is not taken here"});
    }
    // Whether the facts fit does not depend on what is known already, so the sender hears of it now.
    if (const auto merged = facts::Profile(schema).Merge(*event); !merged) return Refuse(line, merged.error());
    record.key = event->subject;
    records_.push_back(std::move(record));
  }

  const std::vector<Record>& records() const { return records_; }
  const std::vector<Bad>& bad() const { return bad_; }
  bool too_large() const { return too_large_; }

 private:
  void Refuse(const Line& line, const facts::Refused& refused) {
    too_large_ = too_large_ || refused.reason == facts::Refusal::kTooLarge;
    bad_.push_back({line.number, facts::RefusalName(refused.reason), refused.detail});
  }

  const Deps& deps_;
  std::shared_ptr<const rules::RuleSet> ruleset_;
  facts::DecodeOptions decode_;
  std::vector<Record> records_;
  std::vector<Bad> bad_;
  bool too_large_ = false;
};

Reply Refusal(const std::vector<Bad>& bad, const char* number_name) {
  std::string errors;
  for (std::size_t i = 0; i < bad.size() && i < kMaxReported; ++i) {
    errors += std::string(i == 0 ? "" : ",") + "{\"" + number_name + "\":" + std::to_string(bad[i].number) +
              ",\"reason\":" + JsonQuote(bad[i].reason) + ",\"detail\":" + JsonQuote(bad[i].detail) + "}";
  }
  return Problem(400, "events-refused", "nothing was accepted; correct the events listed and send all of them again",
                 "\"refused\":" + std::to_string(bad.size()) + ",\"errors\":[" + errors + "]");
}

}  // namespace

Reply PostEvents(const Options& options, const Deps& deps, const Call& call) {
  if (!deps.ready()) {
    return Problem(503, "not-ready", "the service is starting; try again in a moment");
  }
  const std::string type = call.MediaType();
  const char* number_name = "index";
  std::vector<Line> lines;
  if (type == kCloudEvent || type == "application/json") {
    lines.push_back({call.body, 0});
  } else if (type == "application/cloudevents-batch+json") {
    const auto items = ItemsOf(call.body);
    if (!items) return Problem(400, "not-json", "the body is not a JSON array of CloudEvents");
    for (const std::string_view item : *items) lines.push_back({item, lines.size()});
  } else if (type == "application/x-ndjson") {
    number_name = "line";
    std::string_view rest = call.body;
    for (std::size_t number = 1; !rest.empty(); ++number) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      const std::string_view text = rest.substr(0, end);
      if (text.find_first_not_of(" \t\r") != std::string_view::npos) lines.push_back({text, number});
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  } else {
    return Problem(415, "unsupported-media-type",
                   "send application/cloudevents+json, application/cloudevents-batch+json or application/x-ndjson");
  }
  if (lines.empty()) return Problem(400, "no-events", "the body holds no event");
  if (lines.size() > options.max_events) {
    return Problem(413, "too-many-events", "at most " + std::to_string(options.max_events) + " events in one request");
  }
  Batch batch(options, deps);
  for (const Line& line : lines) batch.Take(line);
  if (batch.too_large()) {
    return Problem(413, "too-large", "an event holds at most " + std::to_string(options.max_event_bytes) + " bytes");
  }
  if (!batch.bad().empty()) return Refusal(batch.bad(), number_name);
  if (Status appended = deps.pipeline->Append(batch.records()); !appended) {
    if (appended.error().kind == ErrorKind::kInvalid) {
      return Problem(413, "too-large", "an event is larger than the event log takes");
    }
    deps.logger->Error("events_not_appended", {{"request_id", call.request_id}, {"error", appended.error().message}});
    return ProblemOf(appended.error());
  }
  Reply reply;
  reply.status = 202;
  reply.body = R"({"accepted":)" + std::to_string(batch.records().size()) + "}";
  return reply;
}

}  // namespace zhitui::api
