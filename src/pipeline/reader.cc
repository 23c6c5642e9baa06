#include "pipeline/reader.h"

#include <algorithm>

namespace zhitui::pipeline {
namespace {
// A partition is paused when it has so many records in hand, and resumed at half of it.
constexpr std::size_t kHeldMax = 20'000;
}  // namespace

Result<std::size_t> Reader::Fill(Millis timeout) {
  std::size_t n = 0;
  auto& sources = core_.parts.sources;
  generations_.resize(sources.size(), 0);
  const bool idle = Empty();
  for (std::size_t i = 0; i < sources.size(); ++i) {
    stream::Source& source = *sources[i];
    // Only the last source is waited for: the wait is for something to do, and a record of another source is seen next
    // time.
    const Millis wait = idle && n == 0 && i + 1 == sources.size() ? timeout : Millis(0);
    Result<std::vector<Record>> records = source.Poll(core_.options.batch * 2, wait);
    if (!records) return std::unexpected(records.error());
    if (first_ || source.Generation() != generations_[i]) {
      generations_[i] = source.Generation();
      reassigned_ = true;
    }
    for (Record& record : *records) {
      Lane& lane = lanes_[{i, SourceName(record.topic, record.partition)}];
      lane.decisions = record.topic == core_.options.topics.decisions;
      Held held;
      if (!lane.decisions) {
        lane.last_recorded = std::max(lane.last_recorded, recorded_at_(record).value_or(lane.last_recorded));
        held.recorded = lane.last_recorded;
      }
      held.record = std::move(record);
      lane.held.push_back(std::move(held));
      ++n;
    }
  }
  first_ = false;
  if (Status s = Relieve(); !s) return std::unexpected(s.error());
  return n;
}

Status Reader::Relieve() {
  for (auto& [key, lane] : lanes_) {
    const bool pause = !lane.paused && lane.held.size() > kHeldMax;
    const bool resume = lane.paused && lane.held.size() < kHeldMax / 2;
    if (!pause && !resume) continue;
    const std::size_t slash = key.second.rfind('/');
    const std::string topic = key.second.substr(0, slash);
    const std::int32_t partition = std::stoi(key.second.substr(slash + 1));
    stream::Source& source = *core_.parts.sources[key.first];
    if (Status s = pause ? source.Pause(topic, partition) : source.Resume(topic, partition); !s) return s;
    lane.paused = pause;
  }
  return {};
}

std::vector<Record> Reader::TakeInputs(std::size_t max, std::optional<Instant> gate) {
  std::vector<Record> out;
  for (auto& [key, lane] : lanes_) {
    if (lane.decisions) continue;
    while (!lane.held.empty() && out.size() < max && (!gate || lane.held.front().recorded <= *gate)) {
      out.push_back(std::move(lane.held.front().record));
      lane.held.pop_front();
      lane.taken = true;
    }
  }
  return out;
}

std::vector<Record> Reader::TakeDecisions(std::size_t max) {
  std::vector<Record> out;
  for (auto& [key, lane] : lanes_) {
    if (!lane.decisions) continue;
    while (!lane.held.empty() && out.size() < max) {
      out.push_back(std::move(lane.held.front().record));
      lane.held.pop_front();
      lane.taken = true;
    }
  }
  return out;
}

Status Reader::CommitTaken() {
  for (std::size_t i = 0; i < core_.parts.sources.size(); ++i) {
    std::vector<stream::Position> positions;
    for (const stream::Assignment& a : core_.parts.sources[i]->Assigned()) {
      const auto it = lanes_.find({i, SourceName(a.topic, a.partition)});
      if (it == lanes_.end() || !it->second.taken) continue;
      Lane& lane = it->second;
      positions.push_back({a.topic, a.partition, lane.held.empty() ? a.position : lane.held.front().record.offset});
      lane.taken = false;
    }
    if (positions.empty()) continue;
    if (Status s = core_.parts.sources[i]->Commit(positions); !s) return s;
  }
  return {};
}

bool Reader::Reassigned(std::vector<Shard>* gained) {
  if (!reassigned_) return false;
  reassigned_ = false;
  // The decisions topic and every input have the same partition count and the same assignor, so the decisions topic's
  // partitions tell which shards this instance owns.
  std::bitset<kShards> owned;
  std::vector<std::pair<std::size_t, std::string>> alive;
  for (std::size_t i = 0; i < core_.parts.sources.size(); ++i) {
    for (const stream::Assignment& a : core_.parts.sources[i]->Assigned()) {
      alive.emplace_back(i, SourceName(a.topic, a.partition));
      if (a.topic != core_.options.topics.decisions) continue;
      for (std::uint32_t s = 0; s < kShards; ++s) {
        if ((s & static_cast<std::uint32_t>(a.partition_count - 1)) == static_cast<std::uint32_t>(a.partition))
          owned.set(s);
      }
    }
  }
  std::erase_if(lanes_,
                [&](const auto& lane) { return std::find(alive.begin(), alive.end(), lane.first) == alive.end(); });
  const std::bitset<kShards> before = core_.Owned();
  gained->clear();
  for (std::size_t s = 0; s < kShards; ++s) {
    if (owned[s] && !before[s]) gained->push_back(static_cast<Shard>(s));
  }
  core_.SetOwned(owned);
  return true;
}

bool Reader::CaughtUp() const {
  bool any = false;
  for (const auto& source : core_.parts.sources) {
    for (const stream::Assignment& a : source->Assigned()) {
      any = true;
      if (!a.CaughtUp()) return false;
    }
  }
  return any;
}

bool Reader::HeadsKnown() const {
  bool any = false;
  for (std::size_t i = 0; i < core_.parts.sources.size(); ++i) {
    for (const stream::Assignment& a : core_.parts.sources[i]->Assigned()) {
      any = true;
      if (a.CaughtUp()) continue;
      const auto lane = lanes_.find({i, SourceName(a.topic, a.partition)});
      if (lane == lanes_.end() || lane->second.decisions || lane->second.held.empty()) return false;
    }
  }
  return any;
}

std::optional<Instant> Reader::Head() const {
  std::optional<Instant> head;
  for (const auto& [key, lane] : lanes_) {
    if (lane.decisions || lane.held.empty()) continue;
    if (!head || lane.held.front().recorded < *head) head = lane.held.front().recorded;
  }
  return head;
}

std::map<std::string, std::int32_t> Reader::Partitions() const {
  std::map<std::string, std::int32_t> counts;
  for (const auto& source : core_.parts.sources) {
    for (const stream::Assignment& a : source->Assigned()) counts[a.topic] = a.partition_count;
  }
  return counts;
}

bool Reader::Empty() const {
  return std::all_of(lanes_.begin(), lanes_.end(), [](const auto& lane) { return lane.second.held.empty(); });
}

Status Reader::Close(Millis deadline) {
  Status first;
  for (const auto& source : core_.parts.sources) {
    if (Status s = source->Close(deadline); !s && first) first = s;
  }
  return first;
}

}  // namespace zhitui::pipeline
