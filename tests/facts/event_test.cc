#include <gmock/gmock.h>

#include "facts/fixture.h"

namespace zhitui::facts {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Record RecordOf(std::string key, std::optional<std::string> value, std::vector<Header> headers = {}) {
  Record record;
  record.topic = "residents";
  record.partition = 3;
  record.offset = 17;
  record.key = std::move(key);
  record.value = std::move(value);
  record.headers = std::move(headers);
  return record;
}

DecodeOptions CloudEvents() {
  DecodeOptions options;
  options.kind = "resident";
  return options;
}

DecodeOptions Debezium() {
  DecodeOptions options;
  options.format = Format::kDebezium;
  options.kind = "resident";
  options.source = "police";
  return options;
}

std::vector<Header> BinaryHeaders() {
  return {{"ce_specversion", "1.0"},           {"ce_type", "cn.gov.sz.resident.profile.patched"},
          {"ce_source", "/agencies/police"},   {"ce_id", "1234-1234-1234"},
          {"ce_time", "2018-04-05T03:56:24Z"}, {"content-type", "application/json"}};
}

std::vector<Header> With(std::vector<Header> headers, const std::string& name, std::optional<std::string> value) {
  std::erase_if(headers, [&](const Header& h) { return h.name == name; });
  if (value) headers.push_back({name, *value});
  return headers;
}

std::string Refusing(const Record& record, const DecodeOptions& options) {
  const auto event = DecodeEvent(record, options);
  if (event) return "";
  EXPECT_FALSE(event.error().detail.empty());
  return RefusalName(event.error().reason);
}

// The example of the CloudEvents JSON format 1.0 (section 3.2), with this product's type.
constexpr char kStructured[] = R"({
    "specversion" : "1.0",
    "type" : "com.example.resident.profile.patched",
    "source" : "/mycontext/police",
    "subject" : null,
    "id" : "C234-1234-1234",
    "time" : "2018-04-05T17:31:00Z",
    "comexampleextension1" : "value",
    "comexampleothervalue" : 5,
    "datacontenttype" : "application/json",
    "data" : {
        "name" : "abc",
        "children" : 123,
        "hukou" : { "city" : "440300" }
    }
})";

TEST(CloudEvents, StructuredModeKeepsTheDataAsItStands) {
  for (const std::vector<Header>& headers :
       {std::vector<Header>{}, {{"content-type", "application/cloudevents+json; charset=UTF-8"}}}) {
    const auto event = DecodeEvent(RecordOf("s1", kStructured, headers), CloudEvents());
    ASSERT_TRUE(event) << event.error().detail;
    EXPECT_EQ(event->id, "C234-1234-1234");
    EXPECT_EQ(event->source, "police");
    EXPECT_EQ(event->kind, "resident");
    EXPECT_EQ(event->subject, "s1");
    EXPECT_EQ(event->action, Action::kPatch);
    EXPECT_EQ(FormatUtc(event->time), "2018-04-05T17:31:00Z");
    EXPECT_EQ(event->recorded, event->time);
    EXPECT_FALSE(event->baseline);
    EXPECT_THAT(event->data, ::testing::StartsWith("{\n        \"name\" : \"abc\""));
    EXPECT_THAT(event->data, ::testing::EndsWith("{ \"city\" : \"440300\" }\n    }"));
  }
}

TEST(CloudEvents, BinaryModeReadsTheHeaders) {
  std::vector<Header> headers = BinaryHeaders();
  headers.push_back({"ce_recordedtime", "2018-04-06T08:00:00+08:00"});
  headers.push_back({"ce_baseline", "true"});
  headers.push_back({"ce_subject", "s1"});
  headers.push_back({"other", "x"});
  const auto event = DecodeEvent(RecordOf("s1", R"({"name":"abc"})", headers), CloudEvents());
  ASSERT_TRUE(event) << event.error().detail;
  EXPECT_EQ(event->id, "1234-1234-1234");
  EXPECT_EQ(event->source, "police");
  EXPECT_EQ(event->subject, "s1");
  EXPECT_EQ(FormatUtc(event->time), "2018-04-05T03:56:24Z");
  EXPECT_EQ(FormatUtc(event->recorded), "2018-04-06T00:00:00Z");
  EXPECT_TRUE(event->baseline);
  EXPECT_EQ(event->data, R"({"name":"abc"})");
}

TEST(CloudEvents, TheTypeSaysTheActionAndTheKind) {
  const auto with_type = [](const char* type) {
    return DecodeEvent(RecordOf("s1", "{}", With(BinaryHeaders(), "ce_type", type)), CloudEvents());
  };
  EXPECT_EQ(with_type("resident.profile.patched")->action, Action::kPatch);
  EXPECT_EQ(with_type("x.resident.profile.replaced")->action, Action::kReplace);
  EXPECT_EQ(with_type("x.y.resident.profile.forgotten")->action, Action::kForget);
  EXPECT_EQ(with_type("x.resident.profile.moved").error().reason, Refusal::kNotCloudEvent);
  EXPECT_EQ(with_type("profile.patched").error().reason, Refusal::kNotCloudEvent);
  EXPECT_EQ(with_type("x.officer.profile.patched").error().reason, Refusal::kUnknownKind);
  DecodeOptions any;
  EXPECT_EQ(DecodeEvent(RecordOf("s1", "{}", With(BinaryHeaders(), "ce_type", "x.officer.profile.patched")), any)->kind,
            "officer");
}

TEST(CloudEvents, TheAgencyIsTheLastPathSegmentOfTheSource) {
  const auto source = [](const char* uri) {
    const auto event = DecodeEvent(RecordOf("s1", "{}", With(BinaryHeaders(), "ce_source", uri)), CloudEvents());
    return event ? event->source : RefusalName(event.error().reason);
  };
  EXPECT_EQ(source("police"), "police");
  EXPECT_EQ(source("https://a.example/x/police?y=/z#/w"), "police");
  EXPECT_EQ(source("/a/b/"), "not_cloud_event");
}

TEST(CloudEvents, BaselineIsTrueOrFalse) {
  const auto structured = [](const std::string& baseline) {
    return DecodeEvent(
        RecordOf(
            "s1",
            R"({"specversion":"1.0","type":"resident.profile.patched","source":"a","id":"1","time":"2018-04-05T17:31:00Z","baseline":)" +
                baseline + R"(,"data":{}})"),
        CloudEvents());
  };
  EXPECT_TRUE(structured("true")->baseline);
  EXPECT_TRUE(structured("\"true\"")->baseline);
  EXPECT_FALSE(structured("false")->baseline);
  EXPECT_FALSE(structured("null")->baseline);
  EXPECT_EQ(structured("1").error().reason, Refusal::kNotCloudEvent);
  EXPECT_EQ(structured("\"yes\"").error().reason, Refusal::kNotCloudEvent);
}

TEST(CloudEvents, TheSubjectIsTheKeyOrTheAttributeAndTheyAgree) {
  const auto decode = [](const char* key, std::optional<std::string> subject) {
    return DecodeEvent(RecordOf(key, "{}", With(BinaryHeaders(), "ce_subject", std::move(subject))), CloudEvents());
  };
  EXPECT_EQ(decode("k", std::nullopt)->subject, "k");
  EXPECT_EQ(decode("", "k")->subject, "k");
  EXPECT_EQ(decode("k", "k")->subject, "k");
  EXPECT_EQ(decode("k", "l").error().reason, Refusal::kSubjectMismatch);
  EXPECT_EQ(decode("", std::nullopt).error().reason, Refusal::kNoSubject);
  EXPECT_EQ(decode("", std::string(257, 'x')).error().reason, Refusal::kNoSubject);
  EXPECT_EQ(decode("\xFF", std::nullopt).error().reason, Refusal::kNoSubject);
}

TEST(Tombstone, ForgetsTheSubjectAtTheRecordsTime) {
  Record record = RecordOf("s1", std::nullopt);
  EXPECT_EQ(Refusing(record, CloudEvents()), "no_time");
  record.timestamp = Instant(Millis(1'700'000'000'000));
  for (const DecodeOptions& options : {CloudEvents(), Debezium()}) {
    const auto event = DecodeEvent(record, options);
    ASSERT_TRUE(event) << event.error().detail;
    EXPECT_EQ(event->action, Action::kForget);
    EXPECT_EQ(event->subject, "s1");
    EXPECT_EQ(event->kind, "resident");
    EXPECT_EQ(event->time, record.timestamp);
    EXPECT_EQ(event->id, "residents-3-17");
  }
  EXPECT_EQ(Refusing(record, DecodeOptions{}), "unknown_kind");
  record.key.clear();
  EXPECT_EQ(Refusing(record, CloudEvents()), "no_subject");
}

TEST(Tombstone, AHeaderOfAnotherActionIsRefused) {
  Record record = RecordOf("s1", std::nullopt, BinaryHeaders());
  EXPECT_EQ(Refusing(record, CloudEvents()), "not_cloud_event");
  record.headers = With(BinaryHeaders(), "ce_type", "x.resident.profile.forgotten");
  const auto event = DecodeEvent(record, CloudEvents());
  ASSERT_TRUE(event);
  EXPECT_EQ(event->source, "police");
  EXPECT_EQ(FormatUtc(event->time), "2018-04-05T03:56:24Z");
}

TEST(DebeziumEnvelope, WithAndWithoutTheSchemaWrapper) {
  const std::string envelope =
      R"({"before": null, "after": {"name": "a", "hukou.city": "440300"}, "source": {"ts_ms": 5, "op": "x"}, "op": "c", "ts_ms": 1700000000123})";
  const std::string wrapped =
      R"({"schema": {"type": "struct", "fields": [{"type": "struct", "fields": [{"type": "string", "field": "after"}]}]}, "payload": )" +
      envelope + "}";
  for (const std::string& value : {envelope, wrapped}) {
    const auto event = DecodeEvent(RecordOf("s1", value), Debezium());
    ASSERT_TRUE(event) << event.error().detail;
    EXPECT_EQ(event->action, Action::kReplace);
    EXPECT_EQ(event->source, "police");
    EXPECT_EQ(event->kind, "resident");
    EXPECT_EQ(event->subject, "s1");
    EXPECT_EQ(event->time, Instant(Millis(1'700'000'000'123)));
    EXPECT_EQ(event->data, R"({"name": "a", "hukou.city": "440300"})");
    EXPECT_FALSE(event->baseline);
    Profile profile(TestSchema());
    EXPECT_EQ(RefusalOf(profile, *event), "");
    EXPECT_EQ(profile.ToJson(), R"({"name":"a","hukou":{"city":"440300"}})");
  }
}

TEST(DebeziumEnvelope, OperationsAreSnapshotsOrForget) {
  const auto decode = [](const std::string& op, const std::string& after) {
    return DecodeEvent(RecordOf("s1", R"({"op":")" + op + R"(","after":)" + after + R"(,"ts_ms":1})"), Debezium());
  };
  EXPECT_EQ(decode("c", "{}")->action, Action::kReplace);
  EXPECT_EQ(decode("u", "{}")->action, Action::kReplace);
  EXPECT_FALSE(decode("u", "{}")->baseline);
  EXPECT_TRUE(decode("r", "{}")->baseline);
  EXPECT_EQ(decode("d", "null")->action, Action::kForget);
  EXPECT_EQ(decode("t", "{}").error().reason, Refusal::kNotCloudEvent);
  EXPECT_EQ(decode("c", "null").error().reason, Refusal::kNotJson);
  EXPECT_EQ(decode("c", "[]").error().reason, Refusal::kNotJson);
}

TEST(Refusals, EveryOneOfDecodingIsReached) {
  const DecodeOptions ce = CloudEvents();
  Record oversize = RecordOf("s1", "{}", BinaryHeaders());
  oversize.oversize_bytes = 5'000'000;
  EXPECT_EQ(Refusing(oversize, ce), "too_large");
  EXPECT_EQ(Refusing(RecordOf("s1", "{\"name\":\"" + std::string(2'000'000, 'x') + "\"}", BinaryHeaders()), ce),
            "too_large");
  const auto binary = [&](const std::string& data) { return Refusing(RecordOf("s1", data, BinaryHeaders()), ce); };
  EXPECT_EQ(binary("{\"name\":"), "not_json");
  EXPECT_EQ(binary(""), "not_json");
  EXPECT_EQ(binary("[]"), "not_json");
  EXPECT_EQ(binary("\"x\""), "not_json");
  EXPECT_EQ(binary("{\"name\":\"\xFF\"}"), "not_json");
  EXPECT_EQ(binary("{\"name\":01}"), "not_json");
  EXPECT_EQ(binary("{\"name\":\"a\"} x"), "not_json");
  EXPECT_EQ(Refusing(RecordOf("s1", "{}", With(BinaryHeaders(), "content-type", "application/avro")), ce), "not_json");
  EXPECT_EQ(Refusing(RecordOf("s1", "{}", {{"content-type", "application/cloudevents-batch+json"}}), ce),
            "not_cloud_event");
  EXPECT_EQ(Refusing(RecordOf("s1", "{}"), ce), "not_cloud_event");
  for (const char* name : {"ce_specversion", "ce_id", "ce_source", "ce_type"}) {
    EXPECT_EQ(Refusing(RecordOf("s1", "{}", With(BinaryHeaders(), name, std::nullopt)), ce), "not_cloud_event") << name;
    EXPECT_EQ(Refusing(RecordOf("s1", "{}", With(BinaryHeaders(), name, "")), ce), "not_cloud_event") << name;
  }
  EXPECT_EQ(Refusing(RecordOf("s1", "{}", With(BinaryHeaders(), "ce_specversion", "0.3")), ce), "not_cloud_event");
  std::vector<Header> twice = BinaryHeaders();
  twice.push_back({"ce_id", "2"});
  EXPECT_EQ(Refusing(RecordOf("s1", "{}", twice), ce), "not_cloud_event");
  EXPECT_EQ(Refusing(RecordOf("s1", "{}", With(BinaryHeaders(), "ce_type", "x.entity.profile.patched")), ce),
            "unknown_kind");
  EXPECT_EQ(Refusing(RecordOf("", "{}", BinaryHeaders()), ce), "no_subject");
  EXPECT_EQ(Refusing(RecordOf("s1", "{}", With(BinaryHeaders(), "ce_subject", "s2")), ce), "subject_mismatch");
  EXPECT_EQ(Refusing(RecordOf("s1", "{}", With(BinaryHeaders(), "ce_time", "yesterday")), ce), "bad_time");
  EXPECT_EQ(Refusing(RecordOf("s1", "{}", With(BinaryHeaders(), "ce_time", "2026-02-30T00:00:00Z")), ce), "bad_time");
  EXPECT_EQ(Refusing(RecordOf("s1", "{}", With(BinaryHeaders(), "ce_recordedtime", "2026-02-01")), ce), "bad_time");
  EXPECT_EQ(Refusing(RecordOf("s1", "{}", With(BinaryHeaders(), "ce_time", std::nullopt)), ce), "no_time");
  EXPECT_EQ(Refusing(RecordOf("s1", R"({"op":"c","after":{}})"), Debezium()), "no_time");
  EXPECT_EQ(Refusing(RecordOf("s1", R"({"op":"c","after":{},"ts_ms":"x"})"), Debezium()), "bad_time");
  EXPECT_EQ(Refusing(RecordOf("", R"({"op":"c","after":{},"ts_ms":1})"), Debezium()), "no_subject");
}

TEST(Refusals, StructuredDataMustBeThereOnceAsAnObject) {
  const auto with = [](const std::string& members) {
    return Refusing(
        RecordOf(
            "s1",
            R"({"specversion":"1.0","type":"resident.profile.patched","source":"a","id":"1","time":"2018-04-05T17:31:00Z")" +
                members + "}"),
        CloudEvents());
  };
  EXPECT_EQ(with(R"(,"data":{})"), "");
  EXPECT_EQ(with(""), "not_json");
  EXPECT_EQ(with(R"(,"data":null)"), "not_json");
  EXPECT_EQ(with(R"(,"data":[1])"), "not_json");
  EXPECT_EQ(with(R"(,"data_base64":"e30=")"), "not_json");
  EXPECT_EQ(with(R"(,"data":{},"data":{})"), "not_json");
  EXPECT_EQ(with(R"(,"data":{},"id":"2")"), "not_json");
  EXPECT_EQ(with(R"(,"data":{},"subject":5)"), "not_cloud_event");
  EXPECT_EQ(with(R"(,"data":{},"extension":tru)"), "not_json");
}

TEST(Refusals, DataNestsAtMost16Deep) {
  const auto nested = [](int depth) {
    std::string out;
    for (int i = 1; i < depth; ++i) out += "{\"a\":";
    out += "{}";
    return out + std::string(static_cast<std::size_t>(depth - 1), '}');
  };
  const auto structured = [&](int depth) {
    return Refusing(
        RecordOf(
            "s1",
            R"({"specversion":"1.0","type":"resident.profile.patched","source":"a","id":"1","time":"2018-04-05T17:31:00Z","data":)" +
                nested(depth) + "}"),
        CloudEvents());
  };
  EXPECT_EQ(Refusing(RecordOf("s1", nested(16), BinaryHeaders()), CloudEvents()), "");
  EXPECT_EQ(Refusing(RecordOf("s1", nested(17), BinaryHeaders()), CloudEvents()), "too_deep");
  EXPECT_EQ(structured(16), "");
  EXPECT_EQ(structured(17), "too_deep");
  EXPECT_EQ(
      Refusing(RecordOf("s1", std::string(250'000, '[') + std::string(250'000, ']'), BinaryHeaders()), CloudEvents()),
      "too_deep");
}

TEST(Refusals, NamesAreDistinctAndStable) {
  std::set<std::string> names;
  for (int i = 0; i <= static_cast<int>(Refusal::kTooMany); ++i) names.insert(RefusalName(static_cast<Refusal>(i)));
  EXPECT_EQ(names.size(), 15U);
  EXPECT_TRUE(names.contains("not_json"));
  EXPECT_TRUE(names.contains("wrong_type"));
}

TEST(Refusals, NeverRepeatWhatTheEventSays) {
  const std::string secret = "440305195503021234";
  for (const Record& record :
       {RecordOf(secret, "{}", With(BinaryHeaders(), "ce_subject", "x" + secret)),
        RecordOf(secret, "{", BinaryHeaders()), RecordOf(secret, "{}", With(BinaryHeaders(), "ce_time", secret)),
        RecordOf(secret, "{}", With(BinaryHeaders(), "ce_type", secret))}) {
    const auto event = DecodeEvent(record, CloudEvents());
    ASSERT_FALSE(event);
    EXPECT_THAT(event.error().detail, Not(HasSubstr(secret)));
  }
  Profile profile(TestSchema());
  for (const std::string data :
       {R"({"name":{"x":"440305195503021234"}})", R"({"440305195503021234":1})", R"({"sex":"440305195503021234"})",
        R"({"children":440305195503021234.5})", R"({"address":{"440305195503021234":1}})"}) {
    EXPECT_THAT(RefusalOf(profile, EventOf("police", 1, data)), Not(HasSubstr(secret)));
  }
}

}  // namespace
}  // namespace zhitui::facts
