// The Kafka source, sink and topic administration keep what the door promises, on a real broker.

#include <librdkafka/rdkafka.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <thread>

#include "kafka_broker.h"

namespace zhitui::stream {
namespace {

const auto* const kShared = ::testing::AddGlobalTestEnvironment(new SharedKafka);

constexpr Millis kSoon{15000};
// Far above every deadline given in these tests and far below the 46 s that the library takes when it is left alone.
constexpr std::chrono::seconds kHung{20};

using Owned = std::set<std::pair<std::string, std::int32_t>>;

Owned OwnedBy(const Source& source) {
  Owned owned;
  for (const Assignment& a : source.Assigned()) owned.insert({a.topic, a.partition});
  return owned;
}

class KafkaTest : public ::testing::Test {
 protected:
  static std::string Fresh(const std::string& what) {
    static int count = 0;
    return what + "-" + std::to_string(::getpid()) + "-" + std::to_string(++count) + "-" +
           std::to_string(std::chrono::system_clock::now().time_since_epoch().count());
  }
  KafkaOptions Kafka() const {
    KafkaOptions options;
    options.brokers = bootstrap_;
    return options;
  }
  std::string Topic(std::int32_t partitions) {
    const std::string name = Fresh("topic");
    const std::vector<TopicSpec> specs = {{name, partitions, false}};
    const auto made = EnsureKafkaTopics(Kafka(), specs, 1);
    EXPECT_TRUE(made) << made.error().message;
    return name;
  }
  std::unique_ptr<Source> Reader(const std::string& group, std::vector<std::string> topics,
                                 const std::string& instance = {},
                                 const std::function<void(KafkaSourceOptions&)>& change = {}) {
    KafkaSourceOptions options;
    options.kafka = Kafka();
    options.group = group;
    options.instance_id = instance;
    options.topics = std::move(topics);
    options.session_timeout = Millis(6000);
    if (change) change(options);
    Result<std::unique_ptr<Source>> source = OpenKafkaSource(options);
    EXPECT_TRUE(source) << source.error().message;
    return source ? std::move(*source) : nullptr;
  }
  std::unique_ptr<Sink> Writer() {
    KafkaSinkOptions options;
    options.kafka = Kafka();
    Result<std::unique_ptr<Sink>> sink = OpenKafkaSink(options);
    EXPECT_TRUE(sink) << sink.error().message;
    return sink ? std::move(*sink) : nullptr;
  }
  void Produce(const std::vector<Record>& records) {
    const Status s = Writer()->Produce(records, kSoon);
    ASSERT_TRUE(s) << s.error().message;
  }
  // Polls the sources in turn until the condition holds.
  static bool PollUntil(const std::vector<Source*>& sources, const std::function<bool()>& holds) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(40);
    while (!holds()) {
      if (std::chrono::steady_clock::now() > until) return false;
      for (Source* s : sources) {
        const auto some = s->Poll(100, Millis(20));
        if (!some) {
          ADD_FAILURE() << some.error().message;
          return false;
        }
      }
    }
    return true;
  }
  static bool Known(const Source& source) {
    const std::vector<Assignment> all = source.Assigned();
    return !all.empty() && std::ranges::all_of(all, [](const Assignment& a) { return a.position >= 0; });
  }

  std::string bootstrap_ = SharedKafka::Bootstrap();
};

// Murmur2 and the number of partitions say where a key goes; base computes the shard.
TEST_F(KafkaTest, EveryKeyKeepsItsOrderOnThePartitionOfItsShard) {
  constexpr int kPartitions = 8;
  constexpr int kKeys = 60;
  constexpr int kEach = 50;
  const std::string topic = Topic(kPartitions);
  std::vector<Record> records;
  for (int i = 0; i < kEach; ++i) {
    for (int k = 0; k < kKeys; ++k)
      records.push_back(MakeRecord(topic, "居民-" + std::to_string(k), std::to_string(i)));
  }
  Produce(records);
  auto source = Reader(Fresh("group"), {topic});
  const std::vector<Record> got = Read(*source, records.size());
  ASSERT_EQ(got.size(), records.size());
  std::map<std::string, int> next;
  std::map<std::int32_t, std::int64_t> offsets;
  for (const Record& r : got) {
    EXPECT_EQ(r.topic, topic);
    EXPECT_EQ(r.value, std::to_string(next[r.key]++)) << r.key;
    EXPECT_EQ(r.partition, ShardOf(r.key) & (kPartitions - 1));
    EXPECT_EQ(r.offset, offsets[r.partition]++);
    EXPECT_GT(r.timestamp, Instant{});
  }
  EXPECT_TRUE(source->Close(kSoon));
}

TEST_F(KafkaTest, KeysHeadersEmptyValuesAndTombstonesSurvive) {
  const std::string topic = Topic(1);
  const std::string binary("\0\xff\n\r ", 5);
  Produce({MakeRecord(topic, binary, binary, {{"ce_id", "1"}, {"ce_id", "2"}, {"empty", ""}, {"bytes", binary}}),
           MakeRecord(topic, "", ""), MakeRecord(topic, "gone", std::nullopt, {{"h", "v"}})});
  auto source = Reader(Fresh("group"), {topic});
  const std::vector<Record> got = Read(*source, 3);
  ASSERT_EQ(got.size(), 3U);
  EXPECT_EQ(got[0].key, binary);
  EXPECT_EQ(got[0].value, binary);
  EXPECT_EQ(got[0].headers, (std::vector<Header>{{"ce_id", "1"}, {"ce_id", "2"}, {"empty", ""}, {"bytes", binary}}));
  EXPECT_EQ(got[1].key, "");
  EXPECT_EQ(got[1].value, "");
  EXPECT_EQ(got[2].key, "gone");
  EXPECT_EQ(got[2].value, std::nullopt);
  EXPECT_EQ(got[2].headers, (std::vector<Header>{{"h", "v"}}));
}

TEST_F(KafkaTest, ReadingResumesExactlyWhereItWasCommitted) {
  const std::string topic = Topic(2);
  const std::string group = Fresh("group");
  std::vector<Record> records = Numbered(topic, 0, 20);
  for (int i = 0; i < 20; ++i) records[static_cast<std::size_t>(i)].partition = i % 2;
  Produce(records);
  {
    auto source = Reader(group, {topic});
    ASSERT_EQ(Read(*source, 20).size(), 20U);
    ASSERT_TRUE(source->Commit(std::vector<Position>{{topic, 0, 3}}));
    ASSERT_TRUE(source->Commit(std::vector<Position>{{topic, 0, 4}, {topic, 1, 9}}));
    const Status closed = source->Close(kSoon);
    ASSERT_TRUE(closed) << closed.error().message;
  }
  auto source = Reader(group, {topic});
  const std::vector<Record> got = Read(*source, 7);
  std::map<std::int32_t, std::vector<std::int64_t>> offsets;
  for (const Record& r : got) offsets[r.partition].push_back(r.offset);
  EXPECT_EQ(offsets[0], (std::vector<std::int64_t>{4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(offsets[1], (std::vector<std::int64_t>{9}));
}

TEST_F(KafkaTest, WhatWasNotCommittedComesAgainAfterASourceDiesWithoutClose) {
  const std::string topic = Topic(1);
  const std::string group = Fresh("group");
  Produce(Numbered(topic, 0, 10));
  {
    auto source = Reader(group, {topic});
    ASSERT_EQ(Read(*source, 10).size(), 10U);
    ASSERT_TRUE(source->Commit(std::vector<Position>{{topic, 0, 6}}));
  }
  auto source = Reader(group, {topic});
  const std::vector<Record> got = Read(*source, 4);
  ASSERT_FALSE(got.empty());
  EXPECT_LE(got.front().offset, 6);  // the commit may or may not have arrived
}

TEST_F(KafkaTest, AnAssignmentKnowsItsPartitionsAndTheEndSeenAtItsStart) {
  const std::string topic = Topic(4);
  std::vector<Record> records = Numbered(topic, 0, 5);
  for (Record& r : records) r.partition = 2;
  Produce(records);
  auto source = Reader(Fresh("group"), {topic});
  ASSERT_TRUE(PollUntil({source.get()}, [&] { return Known(*source); }));
  EXPECT_GT(source->Generation(), 0U);
  for (const Assignment& a : source->Assigned()) {
    EXPECT_EQ(a.partition_count, 4);
    EXPECT_EQ(a.end_at_start, a.partition == 2 ? 5 : 0);
  }
  ASSERT_TRUE(PollUntil({source.get()}, [&] {
    return std::ranges::all_of(source->Assigned(), [](const Assignment& a) { return a.CaughtUp(); });
  }));
}

TEST_F(KafkaTest, TwoMembersShareTopicsIdenticallyAndRevokedPartitionsLeave) {
  const std::vector<std::string> topics = {Topic(4), Topic(4)};
  const std::string group = Fresh("group");
  auto one = Reader(group, topics);
  ASSERT_TRUE(PollUntil({one.get()}, [&] { return OwnedBy(*one).size() == 8; }));
  const std::uint64_t before = one->Generation();
  auto two = Reader(group, topics);
  ASSERT_TRUE(
      PollUntil({one.get(), two.get()}, [&] { return OwnedBy(*one).size() == 4 && OwnedBy(*two).size() == 4; }));
  EXPECT_GT(one->Generation(), before);
  std::map<std::string, std::set<std::int32_t>> by_topic;
  for (const auto& [topic, partition] : OwnedBy(*one)) by_topic[topic].insert(partition);
  EXPECT_EQ(by_topic[topics[0]], by_topic[topics[1]]);
  Owned all = OwnedBy(*one);
  all.merge(OwnedBy(*two));
  EXPECT_EQ(all.size(), 8U);
  // The other leaves: everything comes back.
  ASSERT_TRUE(two->Close(kSoon));
  EXPECT_TRUE(two->Assigned().empty());
  EXPECT_TRUE(PollUntil({one.get()}, [&] { return OwnedBy(*one).size() == 8; }));
}

TEST_F(KafkaTest, NoRecordIsLostWhenPartitionsMoveBetweenMembers) {
  const std::string topic = Topic(8);
  const std::string group = Fresh("group");
  constexpr int kCount = 4000;
  std::vector<Record> records;
  for (int i = 0; i < kCount; ++i) records.push_back(MakeRecord(topic, std::to_string(i), "v"));
  Produce(records);
  std::set<std::string> seen;
  const auto read_and_commit = [&](Source& source) {
    const auto some = source.Poll(50, Millis(20));
    ASSERT_TRUE(some) << some.error().message;
    std::vector<Position> positions;
    for (const Record& r : *some) {
      EXPECT_TRUE(OwnedBy(source).contains({r.topic, r.partition}));
      seen.insert(r.key);
      positions.push_back({r.topic, r.partition, r.offset + 1});
    }
    ASSERT_TRUE(source.Commit(positions));
  };
  auto one = Reader(group, {topic});
  while (seen.size() < 500 && !HasFatalFailure()) read_and_commit(*one);
  auto two = Reader(group, {topic});
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (seen.size() < kCount && !HasFatalFailure() && std::chrono::steady_clock::now() < until) {
    read_and_commit(*one);
    if (two != nullptr) read_and_commit(*two);
    if (two != nullptr && seen.size() > kCount / 2) two.reset();  // dies without Close
  }
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(kCount));
}

TEST_F(KafkaTest, AStaticMemberThatRestartsKeepsItsPartitionsAndDisturbsNobody) {
  const std::string topic = Topic(4);
  const std::string group = Fresh("group");
  auto one = Reader(group, {topic}, "one");
  auto two = Reader(group, {topic}, "two");
  ASSERT_TRUE(
      PollUntil({one.get(), two.get()}, [&] { return OwnedBy(*one).size() == 2 && OwnedBy(*two).size() == 2; }));
  const Owned before = OwnedBy(*one);
  const std::uint64_t undisturbed = two->Generation();
  ASSERT_TRUE(one->Close(kSoon));
  one = Reader(group, {topic}, "one");
  ASSERT_TRUE(PollUntil({one.get(), two.get()}, [&] { return Known(*one); }));
  EXPECT_EQ(OwnedBy(*one), before);
  EXPECT_EQ(two->Generation(), undisturbed);
}

TEST_F(KafkaTest, ASecondInstanceWithTheSameIdFencesTheFirst) {
  const std::string topic = Topic(1);
  const std::string group = Fresh("group");
  auto one = Reader(group, {topic}, "same");
  ASSERT_TRUE(PollUntil({one.get()}, [&] { return Known(*one); }));
  auto two = Reader(group, {topic}, "same");
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(40);
  std::optional<Error> error;
  while (!error && std::chrono::steady_clock::now() < until) {
    ASSERT_TRUE(two->Poll(10, Millis(20)));
    const auto some = one->Poll(10, Millis(20));
    if (!some) error = some.error();
  }
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind, ErrorKind::kFatal);
}

TEST_F(KafkaTest, APausedPartitionGivesNothingAndNothingIsLostOrDoubled) {
  const std::string topic = Topic(2);
  constexpr int kEach = 3000;
  std::vector<Record> records;
  for (int i = 0; i < kEach; ++i) {
    for (int p = 0; p < 2; ++p) {
      Record r = MakeRecord(topic, "", std::to_string(i));
      r.partition = p;
      records.push_back(std::move(r));
    }
  }
  Produce(records);
  auto source = Reader(Fresh("group"), {topic});
  std::map<std::int32_t, int> next;
  const auto take = [&](std::int32_t paused) {
    const auto some = source->Poll(97, Millis(50));
    ASSERT_TRUE(some) << some.error().message;
    for (const Record& r : *some) {
      EXPECT_NE(r.partition, paused);
      EXPECT_EQ(r.value, std::to_string(next[r.partition]++));
    }
  };
  while (source->Assigned().empty()) take(-1);
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  for (int round = 0; next[0] + next[1] < 2 * kEach && std::chrono::steady_clock::now() < until; ++round) {
    const std::int32_t paused = round % 2;
    ASSERT_TRUE(source->Pause(topic, paused));
    for (int i = 0; i < 5; ++i) take(paused);
    ASSERT_TRUE(source->Resume(topic, paused));
    for (int i = 0; i < 3; ++i) take(-1);
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_EQ(next[0], kEach);
  EXPECT_EQ(next[1], kEach);
}

TEST_F(KafkaTest, AnOversizedRecordIsAPrefixAndTheNextOneIsWhole) {
  const std::string topic = Topic(1);
  const std::string huge(2 * 1024 * 1024, 'x');
  Produce({MakeRecord(topic, "a", "small"), MakeRecord(topic, "b", huge, {{"ce_id", "7"}}),
           MakeRecord(topic, "c", std::string(1000, 'y')), MakeRecord(topic, "d", "small")});
  auto source = Reader(Fresh("group"), {topic}, {}, [](KafkaSourceOptions& o) { o.kafka.max_record_bytes = 1001; });
  const std::vector<Record> got = Read(*source, 4);
  ASSERT_EQ(got.size(), 4U);
  EXPECT_EQ(got[0].oversize_bytes, 0U);
  EXPECT_EQ(got[1].key, "b");
  EXPECT_EQ(got[1].value, std::string(1001, 'x'));
  EXPECT_EQ(got[1].oversize_bytes, huge.size() + 1 + 5 + 1);  // with key and header
  EXPECT_EQ(got[1].headers, (std::vector<Header>{{"ce_id", "7"}}));
  EXPECT_EQ(got[2].value, std::string(1000, 'y'));
  EXPECT_EQ(got[2].oversize_bytes, 0U);
  EXPECT_EQ(got[3].value, "small");
}

TEST_F(KafkaTest, ARecordLargerThanTheBrokerTakesIsInvalid) {
  const std::string topic = Topic(1);
  const std::vector<Record> records = {MakeRecord(topic, "k", std::string(4 * 1024 * 1024, 'x'))};
  const Status s = Writer()->Produce(records, kSoon);
  ASSERT_FALSE(s);
  EXPECT_EQ(s.error().kind, ErrorKind::kInvalid);
}

TEST_F(KafkaTest, ThreadsMayShareASinkAndEachCallWaitsForItsOwnRecords) {
  constexpr int kThreads = 4;
  constexpr int kCalls = 20;
  const std::string topic = Topic(1);
  auto sink = Writer();
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kCalls; ++i) {
          const std::vector<Record> two = {MakeRecord(topic, std::to_string(t), std::to_string(2 * i)),
                                           MakeRecord(topic, std::to_string(t), std::to_string(2 * i + 1))};
          EXPECT_TRUE(sink->Produce(two, kSoon));
        }
      });
    }
  }
  auto source = Reader(Fresh("group"), {topic});
  std::map<std::string, int> next;
  for (const Record& r : Read(*source, 2 * kThreads * kCalls)) EXPECT_EQ(r.value, std::to_string(next[r.key]++));
  for (int t = 0; t < kThreads; ++t) EXPECT_EQ(next[std::to_string(t)], 2 * kCalls);
}

TEST_F(KafkaTest, AnUnknownTopicIsAnErrorForBothSides) {
  const std::string topic = Fresh("nowhere");
  KafkaSourceOptions options;
  options.kafka = Kafka();
  options.group = Fresh("group");
  options.topics = {topic};
  const auto source = OpenKafkaSource(options);
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().kind, ErrorKind::kInvalid);
  EXPECT_FALSE(Writer()->Produce(Numbered(topic, 0, 1), Millis(2000)));
}

// ---- Topics -------------------------------------------------------------------------------------------------------

// A client of the test's own, to do what the product refuses to do.
class Admin {
 public:
  explicit Admin(const std::string& bootstrap) {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", bootstrap.c_str(), nullptr, 0);
    client_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, nullptr, 0);
    queue_ = rd_kafka_queue_new(client_);
  }
  ~Admin() {
    rd_kafka_queue_destroy(queue_);
    rd_kafka_destroy(client_);
  }
  Admin(const Admin&) = delete;
  Admin& operator=(const Admin&) = delete;

  void Create(const std::string& topic, int partitions) {
    rd_kafka_NewTopic_t* spec = rd_kafka_NewTopic_new(topic.c_str(), partitions, 1, nullptr, 0);
    rd_kafka_CreateTopics(client_, &spec, 1, nullptr, queue_);
    Await();
    rd_kafka_NewTopic_destroy(spec);
  }
  void DeleteBefore(const std::string& topic, std::int64_t offset) {
    rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic.c_str(), 0)->offset = offset;
    rd_kafka_DeleteRecords_t* spec = rd_kafka_DeleteRecords_new(list);
    rd_kafka_DeleteRecords(client_, &spec, 1, nullptr, queue_);
    Await();
    rd_kafka_DeleteRecords_destroy(spec);
    rd_kafka_topic_partition_list_destroy(list);
  }

 private:
  void Await() {
    rd_kafka_event_t* event = rd_kafka_queue_poll(queue_, 20000);
    ASSERT_NE(event, nullptr);
    EXPECT_EQ(rd_kafka_event_error(event), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_event_destroy(event);
  }
  rd_kafka_t* client_;
  rd_kafka_queue_t* queue_;
};

TEST_F(KafkaTest, TopicsAreCreatedOnceAndExistingCountsAreGiven) {
  const std::string there = Topic(8);
  const std::string fresh = Fresh("topic");
  const std::vector<TopicSpec> specs = {{there, 2, false}, {fresh, 4, true}};
  for (int round = 0; round < 2; ++round) {
    const auto counts = EnsureKafkaTopics(Kafka(), specs, -1);
    ASSERT_TRUE(counts) << counts.error().message;
    EXPECT_EQ(*counts, (std::vector<std::int32_t>{8, 4}));
  }
}

TEST_F(KafkaTest, ACountThatIsNotAPowerOfTwoIsRefused) {
  const std::string three = Fresh("topic");
  Admin(bootstrap_).Create(three, 3);
  const std::vector<TopicSpec> there = {{three, 4, false}};
  const auto existing = EnsureKafkaTopics(Kafka(), there, 1);
  ASSERT_FALSE(existing);
  EXPECT_EQ(existing.error().kind, ErrorKind::kInvalid);
  for (const std::int32_t bad : {0, 3, 1023, 2048, -4}) {
    const std::vector<TopicSpec> asked = {{Fresh("topic"), bad, false}};
    const auto made = EnsureKafkaTopics(Kafka(), asked, 1);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().kind, ErrorKind::kInvalid);
  }
}

TEST_F(KafkaTest, ARecordDeletedBeforeTheGroupReadItIsFatal) {
  const std::string topic = Topic(1);
  const std::string group = Fresh("group");
  Produce(Numbered(topic, 0, 10));
  {
    auto source = Reader(group, {topic});
    ASSERT_EQ(Read(*source, 3).size(), 3U);
    ASSERT_TRUE(source->Commit(std::vector<Position>{{topic, 0, 3}}));
    ASSERT_TRUE(source->Close(kSoon));
  }
  Admin(bootstrap_).DeleteBefore(topic, 3);
  {
    auto source = Reader(group, {topic});  // nothing is lost yet
    EXPECT_EQ(Read(*source, 1).at(0).offset, 3);
    ASSERT_TRUE(source->Close(kSoon));
  }
  Admin(bootstrap_).DeleteBefore(topic, 5);
  auto source = Reader(group, {topic});
  std::optional<Error> error;
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!error && std::chrono::steady_clock::now() < until) {
    const auto some = source->Poll(10, Millis(50));
    if (!some) error = some.error();
  }
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind, ErrorKind::kFatal);
  auto newcomer = Reader(Fresh("group"), {topic});  // without a position there is no loss
  EXPECT_EQ(Read(*newcomer, 5).size(), 5U);
}

// ---- Settings -----------------------------------------------------------------------------------------------------

TEST_F(KafkaTest, PropertiesThatPromisesRestOnAreRefusedAndValuesAreNotRepeated) {
  for (const auto& [name, value] : std::map<std::string, std::string>{
           {"acks", "1"}, {"enable.auto.commit", "true"}, {"no.such.property", "s3cret"}, {"linger.ms", "s3cret"}}) {
    KafkaSinkOptions options;
    options.kafka = Kafka();
    options.kafka.properties[name] = value;
    const auto sink = OpenKafkaSink(options);
    ASSERT_FALSE(sink);
    EXPECT_EQ(sink.error().kind, ErrorKind::kInvalid);
    EXPECT_NE(sink.error().message.find(name), std::string::npos);
    EXPECT_EQ(sink.error().message.find("s3cret"), std::string::npos);
  }
}

// ---- Brokers away -------------------------------------------------------------------------------------------------

class OwnKafkaTest : public KafkaTest {
 protected:
  void SetUp() override {
    ASSERT_TRUE(kafka_.Up());
    bootstrap_ = kafka_.bootstrap();
  }
  // Runs it; false when it took longer than anything here may.
  static bool Returns(const std::function<void()>& what) {
    const auto start = std::chrono::steady_clock::now();
    what();
    return std::chrono::steady_clock::now() - start < kHung;
  }

  LocalKafka kafka_;
};

TEST_F(OwnKafkaTest, WithTheBrokerKilledEverythingReturnsWithinItsDeadline) {
  const std::string topic = Topic(2);
  const std::string group = Fresh("group");
  Produce(Numbered(topic, 0, 10));
  auto closed = Reader(group, {topic});
  auto destroyed = Reader(Fresh("group"), {topic});
  auto fixed = Reader(Fresh("group"), {topic}, "fixed");
  auto sink = Writer();
  for (Source* s : {closed.get(), destroyed.get(), fixed.get()}) ASSERT_EQ(Read(*s, 10).size(), 10U);
  ASSERT_TRUE(kafka_.Do("kill"));

  const std::vector<Position> one = {{topic, 0, 1}, {topic, 1, 1}};
  EXPECT_TRUE(Returns([&] {
    const auto some = closed->Poll(10, Millis(500));
    EXPECT_TRUE(some && some->empty());  // away is not an error
    EXPECT_TRUE(closed->Commit(one));
    EXPECT_TRUE(destroyed->Commit(one));
    EXPECT_TRUE(fixed->Commit(one));
  }));
  EXPECT_TRUE(Returns([&] {
    const Status s = closed->Close(Millis(2000));
    ASSERT_FALSE(s);
    EXPECT_EQ(s.error().kind, ErrorKind::kDeadline);
  }));
  EXPECT_TRUE(Returns([&] { EXPECT_FALSE(fixed->Close(Millis(2000))); }));
  EXPECT_TRUE(Returns([&] { destroyed.reset(); }));
  EXPECT_TRUE(Returns([&] {
    const Status s = sink->Produce(Numbered(topic, 0, 5), Millis(1000));
    ASSERT_FALSE(s);
    EXPECT_EQ(s.error().kind, ErrorKind::kDeadline);
  }));
  EXPECT_TRUE(Returns([&] { sink.reset(); }));
  EXPECT_TRUE(Returns([&] {
    KafkaSourceOptions options;
    options.kafka = Kafka();
    options.kafka.connect_timeout = Millis(1000);
    options.group = group;
    options.topics = {topic};
    const auto source = OpenKafkaSource(options);
    ASSERT_FALSE(source);
    EXPECT_EQ(source.error().kind, ErrorKind::kUnavailable);
  }));
}

TEST_F(OwnKafkaTest, SourceAndSinkGoOnWhenTheBrokerComesBack) {
  const std::string topic = Topic(2);
  auto sink = Writer();
  ASSERT_TRUE(sink->Produce(Numbered(topic, 0, 10), kSoon));
  auto source = Reader(Fresh("group"), {topic});
  std::set<std::string> seen;
  for (const Record& r : Read(*source, 10)) seen.insert(*r.value);
  ASSERT_TRUE(kafka_.Do("kill"));
  ASSERT_TRUE(source->Poll(10, Millis(300)));
  ASSERT_TRUE(kafka_.Do("start"));
  Status s = Unavailable("not tried");
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!s && std::chrono::steady_clock::now() < until) s = sink->Produce(Numbered(topic, 10, 10), Millis(5000));
  ASSERT_TRUE(s) << s.error().message;
  while (seen.size() < 20 && std::chrono::steady_clock::now() < until) {
    const auto some = source->Poll(100, Millis(200));
    ASSERT_TRUE(some) << some.error().message;
    for (const Record& r : *some) seen.insert(*r.value);
  }
  EXPECT_EQ(seen.size(), 20U);
  std::vector<Position> all;
  for (const Assignment& a : source->Assigned()) all.push_back({a.topic, a.partition, a.position});
  ASSERT_TRUE(source->Commit(all));
  EXPECT_TRUE(source->Close(kSoon));
}

}  // namespace
}  // namespace zhitui::stream
