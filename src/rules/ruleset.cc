// Files to a RuleSet: schemas first, then rules, then what holds across files, then the index.

#include <algorithm>
#include <iterator>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "rules/overlay.h"
#include "rules/rule_parser.h"
#include "rules/rules.h"
#include "rules/vocabulary.h"

namespace zhitui::rules {

struct RuleSetBuilder {
  Diagnostics* diagnostics;
  RuleSet set;
  Kinds kinds;
  std::map<std::string, Location> places;  // of the rules read so far

  // What a fact may hold at most, for the estimate of what a rule costs.
  static cel::Sizes SizesOf(const facts::FactDef& fact) {
    cel::Sizes sizes;
    sizes.items = fact.max_items;
    if (fact.type == facts::FactType::kCode && !fact.values.empty()) {
      sizes.bytes = 0;
      for (const std::string& v : fact.values)
        sizes.bytes = std::max(sizes.bytes, static_cast<std::uint32_t>(v.size()));
    }
    sizes.name = fact.name;
    for (const facts::FactDef& e : fact.element) sizes.parts.push_back(SizesOf(e));
    for (const facts::FactDef& f : fact.fields) sizes.parts.push_back(SizesOf(f));
    return sizes;
  }

  static bool IsYaml(std::string_view path) { return path.ends_with(".yaml") || path.ends_with(".yml"); }

  // Gives the file back where it is YAML.
  std::optional<yaml::Document> AddSchema(const SourceFile& file) {
    const std::size_t before = diagnostics->size();
    std::optional<yaml::Document> document = yaml::Parse(file.path, file.text, diagnostics);
    std::shared_ptr<const facts::Schema> schema;
    if (document) schema = facts::ParseSchema(*document, diagnostics);
    if (schema == nullptr || diagnostics->size() != before) {
      // Its rules must not be told that their kind does not exist: facts/resident.yaml declares resident.
      std::string_view name = std::string_view(file.path).substr(6);
      kinds.broken.emplace(name.substr(0, name.find('.')));
      const yaml::Node* kind = document && document->root().IsMapping() ? document->root().Find("kind") : nullptr;
      if (kind != nullptr) kinds.broken.insert(kind->text());
      return document;
    }
    if (kinds.by_name.contains(schema->kind())) {
      Diagnostic d;
      if (const yaml::Node* kind = document->root().Find("kind")) {
        d = kind->Fault("duplicate-kind", "");
      } else {
        d.at.file = file.path;
      }
      d.message = "the kind `" + schema->kind() + "` is declared in two files";
      d.hint = "keep the facts of a kind in one file";
      diagnostics->push_back(std::move(d));
      return document;
    }
    Kind kind{schema, cel::Env()};
    for (std::uint32_t slot = 0; slot < schema->facts().size(); ++slot) {
      const facts::FactDef& fact = schema->facts()[slot];
      kind.env.AddVariable(schema->kind() + "." + fact.name, fact.value_type, slot, SizesOf(fact));
    }
    set.schemas_.emplace(schema->kind(), schema);
    kinds.by_name.emplace(schema->kind(), std::move(kind));
    return document;
  }

  void AddCalendar(const SourceFile& file) {
    const std::optional<yaml::Document> document = yaml::Parse(file.path, file.text, diagnostics);
    // As calendars/cn.yaml declares cn, a file with mistakes is known by its name.
    std::string id = file.path.substr(10, file.path.find('.') - 10);
    std::shared_ptr<const cel::Calendar> calendar;
    if (document) calendar = ParseCalendar(*document, id, diagnostics);
    kinds.calendars.emplace(id, std::move(calendar));
  }

  // What became of one file; several are read at a time.
  struct Read {
    std::optional<yaml::Document> document;
    std::optional<Rule> rule;
    Diagnostics diagnostics;
  };

  // The mistakes of a rule that stands on others. Those in the files of the others are reported there; where there are
  // none, they come from what this rule changes, and are its own.
  static Diagnostics PlaceInherited(const LayeredRule& layered, bool sound, Diagnostics diagnostics) {
    const std::string& own = layered.layers.back()->file();
    Diagnostics out;
    for (Diagnostic& d : diagnostics) {
      if (d.at.file == own) {
        out.push_back(std::move(d));
      } else if (sound) {
        Diagnostic here =
            layered.over->Fault(d.code, "with what this rule changes, " + d.at.file + ":" + std::to_string(d.at.line) +
                                            ":" + std::to_string(d.at.column) + " is wrong: " + d.message);
        here.hint = d.hint.empty() ? "replace what stands there, too" : std::move(d.hint);
        out.push_back(std::move(here));
      }
    }
    return out;
  }

  std::vector<Read> ReadRules(const std::vector<const SourceFile*>& files, const ForEach& each) const {
    std::vector<Read> read(files.size());
    each(read.size(),
         [&](std::size_t i) { read[i].document = yaml::Parse(files[i]->path, files[i]->text, &read[i].diagnostics); });
    std::vector<const yaml::Document*> documents;
    std::vector<Diagnostics> found(read.size());
    for (const Read& one : read) documents.push_back(one.document ? &*one.document : nullptr);
    const std::vector<LayeredRule> layered = Layer(documents, kinds, found);
    std::vector<Diagnostics> parsed(read.size());
    each(read.size(), [&](std::size_t i) {
      if (read[i].document && layered[i].readable) read[i].rule = ParseRule(layered[i], kinds, &parsed[i]);
    });
    // Of the larger areas first: what was wrong there is known then.
    std::vector<std::size_t> order(read.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return layered[a].layers.size() < layered[b].layers.size(); });
    std::set<const yaml::Document*> broken;
    for (const std::size_t i : order) {
      const std::vector<const yaml::Document*>& layers = layered[i].layers;
      const bool sound = std::none_of(layers.begin(), layers.end(), [&](const auto* d) { return broken.contains(d); });
      if (layers.size() > 1) parsed[i] = PlaceInherited(layered[i], sound, std::move(parsed[i]));
      for (Diagnostics* from : {&found[i], &parsed[i]}) {
        read[i].diagnostics.insert(read[i].diagnostics.end(), std::make_move_iterator(from->begin()),
                                   std::make_move_iterator(from->end()));
      }
      if (!layers.empty() && !read[i].diagnostics.empty()) broken.insert(layers.back());
    }
    return read;
  }

  void AddRule(Read& read) {
    diagnostics->insert(diagnostics->end(), std::make_move_iterator(read.diagnostics.begin()),
                        std::make_move_iterator(read.diagnostics.end()));
    std::optional<Rule>& rule = read.rule;
    if (!rule || rule->id.empty()) return;
    const auto [same, fresh] = places.emplace(rule->id, rule->at);
    if (!fresh) {
      const yaml::Node* id = read.document->root().Find("rule");
      diagnostics->push_back(id->Fault(
          "duplicate-rule",
          "the rule `" + rule->id + "` is also in " + same->second.file + ":" + std::to_string(same->second.line),
          "give one of them another id"));
      return;
    }
    set.rules_.push_back(std::move(*rule));
  }

  static RuleOfArea Cite(const Rule& rule) { return {rule.id, rule.title, rule.owner, rule.area, rule.laws}; }

  // What rules over each other say of each other.
  void CiteAreas() {
    for (Rule& rule : set.rules_) {
      if (rule.over) rule.over = Cite(*set.Find(rule.over->id));
    }
    for (Rule& rule : set.rules_) {
      for (SmallerRule& smaller : rule.smaller) {
        const Rule& other = *set.Find(smaller.rule.id);
        smaller.rule = Cite(other);
        std::erase_if(smaller.rule.laws, [&](const Law& law) {
          const std::vector<Law>& theirs = other.over->laws;
          return std::any_of(theirs.begin(), theirs.end(), [&](const Law& their) { return their.id == law.id; });
        });
      }
    }
  }

  void Index() {
    std::sort(set.rules_.begin(), set.rules_.end(), [](const Rule& a, const Rule& b) { return a.id < b.id; });
    CiteAreas();
    for (const auto& [name, schema] : set.schemas_) {
      set.by_kind_[name];
      set.by_slot_[name].resize(schema->facts().size());
    }
    StableId id;
    id.Add("ruleset-1").Add(static_cast<std::int64_t>(set.schemas_.size()));
    for (const auto& [name, schema] : set.schemas_) id.Add(name).Add(schema->hash());
    for (std::uint32_t i = 0; i < set.rules_.size(); ++i) {
      const Rule& rule = set.rules_[i];
      id.Add(ContentHash(rule));
      set.by_kind_[rule.kind].push_back(i);
      for (const std::uint32_t slot : rule.slots) set.by_slot_[rule.kind][slot].push_back(i);
    }
    set.hash_ = id.Hex();
  }
};

std::shared_ptr<const RuleSet> RuleSet::Build(const std::vector<SourceFile>& files, Diagnostics* diagnostics,
                                              const ForEach& each, std::vector<yaml::Document>* documents) {
  RuleSetBuilder builder{diagnostics, {}, {}, {}};
  const std::size_t before = diagnostics->size();
  // The order of the list is an accident; that of the names is not.
  std::vector<const SourceFile*> sorted;
  for (const SourceFile& file : files) {
    if (RuleSetBuilder::IsYaml(file.path)) sorted.push_back(&file);
  }
  std::sort(sorted.begin(), sorted.end(), [](const SourceFile* a, const SourceFile* b) { return a->path < b->path; });
  std::vector<const SourceFile*> rule_files;
  for (const SourceFile* file : sorted) {
    if (!file->path.starts_with("facts/")) continue;
    std::optional<yaml::Document> document = builder.AddSchema(*file);
    if (documents != nullptr && document) documents->push_back(std::move(*document));
  }
  std::size_t calendars = 0;
  for (const SourceFile* file : sorted) {
    if (!file->path.starts_with("calendars/")) continue;
    if (++calendars > kMaxCalendars) {
      diagnostics->push_back({{file->path, 0, 0},
                              1,
                              "too-many",
                              "more than " + std::to_string(kMaxCalendars) + " calendars",
                              "keep those that rules use",
                              ""});
      break;
    }
    builder.AddCalendar(*file);
  }
  for (const SourceFile* file : sorted) {
    if (file->path.starts_with("facts/") || file->path.starts_with("messages/") ||
        file->path.starts_with("calendars/")) {
      continue;
    }
    if (rule_files.size() == kMaxRules) {
      diagnostics->push_back({{file->path, 0, 0},
                              1,
                              "too-many",
                              "more than " + std::to_string(kMaxRules) + " rule files",
                              "split the folder",
                              ""});
      break;
    }
    rule_files.push_back(file);
  }
  for (RuleSetBuilder::Read& one : builder.ReadRules(rule_files, each)) {
    builder.AddRule(one);
    if (documents != nullptr && one.document) documents->push_back(std::move(*one.document));
  }
  if (builder.kinds.by_name.empty() && builder.kinds.broken.empty()) {
    diagnostics->push_back({{"facts/", 0, 0},
                            1,
                            "no-facts",
                            "no file under facts/ says what can be known",
                            "add facts/resident.yaml",
                            ""});
  }
  if (diagnostics->size() != before) return nullptr;
  builder.Index();
  return std::make_shared<const RuleSet>(std::move(builder.set));
}

const Rule* RuleSet::Find(std::string_view id) const {
  const auto it = std::lower_bound(rules_.begin(), rules_.end(), id,
                                   [](const Rule& rule, std::string_view key) { return rule.id < key; });
  return it != rules_.end() && it->id == id ? &*it : nullptr;
}

std::shared_ptr<const facts::Schema> RuleSet::SchemaOf(std::string_view kind) const {
  const auto it = schemas_.find(kind);
  return it == schemas_.end() ? nullptr : it->second;
}

std::vector<std::string> RuleSet::kinds() const {
  std::vector<std::string> out;
  for (const auto& [name, schema] : schemas_) out.push_back(name);
  return out;
}

std::span<const std::uint32_t> RuleSet::RulesOf(std::string_view kind) const {
  const auto it = by_kind_.find(kind);
  return it == by_kind_.end() ? std::span<const std::uint32_t>() : it->second;
}

std::vector<std::uint32_t> RuleSet::Touched(std::string_view kind, std::span<const std::uint32_t> changed) const {
  std::vector<std::uint32_t> out;
  const auto it = by_slot_.find(kind);
  if (it == by_slot_.end()) return out;
  for (const std::uint32_t slot : changed) {
    if (slot >= it->second.size()) continue;
    const std::vector<std::uint32_t>& rules = it->second[slot];
    out.insert(out.end(), rules.begin(), rules.end());
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace zhitui::rules
