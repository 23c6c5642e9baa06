// Rules that stand over others: who stands on whom, what each is composed of, and who counts where.

#include "rules/overlay.h"

#include <algorithm>
#include <map>
#include <optional>

#include "rules/vocabulary.h"

namespace zhitui::rules {
namespace {

using Entries = std::vector<std::pair<yaml::Node, yaml::Node>>;

std::string PlaceOf(const Location& at) {
  return at.file + ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
}

// The entries of `larger` with those of `smaller` in their place. What only `smaller` has stands before the next one
// that it replaces, as names are used below where they are made, or at the end.
yaml::Node Merge(const yaml::Node& larger, const yaml::Node& smaller) {
  if (!larger.IsMapping() || !smaller.IsMapping()) return smaller;
  Entries out = larger.entries();
  std::size_t done = 0;  // entries of `smaller` that are in
  const Entries& added = smaller.entries();
  const auto place = [&out](const std::string& name) {
    return std::find_if(out.begin(), out.end(), [&](const auto& entry) { return entry.first.text() == name; });
  };
  for (std::size_t i = 0; i < added.size(); ++i) {
    auto same = place(added[i].first.text());
    if (same == out.end()) continue;
    *same = added[i];
    out.insert(same, added.begin() + static_cast<std::ptrdiff_t>(done), added.begin() + static_cast<std::ptrdiff_t>(i));
    done = i + 1;
  }
  out.insert(out.end(), added.begin() + static_cast<std::ptrdiff_t>(done), added.end());
  return yaml::Node::Mapping(smaller, std::move(out));
}

bool IsMerged(const std::string& key) { return key == "law" || key == "let" || key == "criteria" || key == "params"; }
bool IsOwn(const std::string& key) {
  return key == "rule" || key == "over" || key == "by" || key == "tests" || key == "waive" || key == "allow";
}

yaml::Node Compose(const yaml::Node& larger, const yaml::Node& smaller) {
  Entries out;
  for (const auto& [key, value] : smaller.entries()) {
    const yaml::Node* base = IsMerged(key.text()) ? larger.Find(key.text()) : nullptr;
    out.emplace_back(key, base != nullptr ? Merge(*base, value) : value);
  }
  for (const auto& entry : larger.entries()) {
    if (!IsOwn(entry.first.text()) && smaller.Find(entry.first.text()) == nullptr) out.push_back(entry);
  }
  return yaml::Node::Mapping(smaller, std::move(out));
}

// One of the conditions, any of which may hold, nested no deeper than need be.
std::string AnyOf(const std::vector<std::string>& conditions, std::size_t from, std::size_t to) {
  if (to - from == 1) return conditions[from];
  const std::size_t middle = from + (to - from) / 2;
  return "(" + AnyOf(conditions, from, middle) + " || " + AnyOf(conditions, middle, to) + ")";
}

class Layerer {
 public:
  Layerer(const std::vector<const yaml::Document*>& documents, const Kinds& kinds,
          std::vector<Diagnostics>& diagnostics)
      : documents_(documents), kinds_(kinds), diagnostics_(diagnostics), files_(documents.size()) {}

  std::vector<LayeredRule> Run() {
    for (std::size_t i = 0; i < files_.size(); ++i) Read(i);
    for (std::size_t i = 0; i < files_.size(); ++i) Link(i);
    for (std::size_t i = 0; i < files_.size(); ++i) Settle(i, 1);
    for (std::size_t i = 0; i < files_.size(); ++i) CheckSiblings(i);
    for (std::size_t i = 0; i < files_.size(); ++i) SortSmaller(i);
    for (std::size_t i = 0; i < files_.size(); ++i) Conditions(i);
    std::vector<LayeredRule> out;
    for (File& file : files_) out.push_back(std::move(file.out));
    return out;
  }

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  struct File {
    std::string id;
    const yaml::Node* own = nullptr;  // the root of the file, a mapping
    std::size_t larger = kNone;
    std::vector<std::size_t> smaller;  // that stand on it directly
    bool second = false;               // another file has the id, too
    bool standing = false;             // one of its larger rule's `smaller`
    enum class State { kNew, kOpen, kDone } state = State::kNew;
    // What holds, that of the larger rule where the file does not say.
    std::string kind;
    std::string area;
    const yaml::Node* by = nullptr;  // nullptr: not said
    const facts::FactDef* fact = nullptr;
    std::optional<Date> from;
    std::optional<Date> until;
    LayeredRule out;
  };

  void Fault(std::size_t i, const yaml::Node& node, const char* code, std::string message, std::string hint) {
    diagnostics_[i].push_back(node.Fault(code, std::move(message), std::move(hint)));
  }

  void Read(std::size_t i) {
    File& file = files_[i];
    if (documents_[i] == nullptr) {
      unread_ = true;
      return;
    }
    file.out.root = &documents_[i]->root();
    file.out.layers = {documents_[i]};
    if (!file.out.root->IsMapping()) {
      unread_ = true;
      return;
    }
    file.own = file.out.root;
    file.out.over = file.own->Find("over");
    const yaml::Node* id = file.own->Find("rule");
    if (id == nullptr || !id->IsScalar() || !IsId(id->text())) {
      unread_ = true;
      return;
    }
    file.id = id->text();
    file.second = !by_id_.emplace(file.id, i).second;
  }

  // The rule that the file stands on, where it is there.
  void Link(std::size_t i) {
    File& file = files_[i];
    const yaml::Node* over = file.out.over;
    if (over == nullptr) return;
    const auto it = over->IsScalar() ? by_id_.find(over->text()) : by_id_.end();
    if (it != by_id_.end()) {
      file.larger = it->second;
      return;
    }
    file.out.readable = false;
    if (!over->IsScalar() || over->text().empty()) {
      Fault(i, *over, "bad-over", "over names the rule that this one stands on",
            "for example `over: senior-allowance`");
    } else if (!unread_) {  // otherwise it may stand in a file that has other mistakes
      std::vector<std::string> ids;
      for (const auto& [id, at] : by_id_) {
        if (id != file.id) ids.push_back(id);
      }
      const std::string_view near = NearestName(over->text(), ids);
      Fault(i, *over, "unknown-rule", "there is no rule `" + over->text() + "`",
            near.empty() ? "over takes the id of the larger area's rule" : "did you mean `" + std::string(near) + "`?");
    }
  }

  // What holds for the file, after that for the rule it stands on. `depth`: rules from the first one asked for up.
  void Settle(std::size_t i, std::size_t depth) {
    File& file = files_[i];
    if (file.own == nullptr || file.state != File::State::kNew) return;
    file.state = File::State::kOpen;
    if (file.larger != kNone) {
      File& larger = files_[file.larger];
      if (larger.state == File::State::kOpen) {
        Fault(i, *file.out.over, "bad-over", "`" + file.id + "` stands over `" + larger.id + "`, which stands on it",
              "the rule of the largest area has no `over`");
        file.out.readable = false;
        file.larger = kNone;
      } else {
        if (depth < kMaxLayers) Settle(file.larger, depth + 1);
        if (larger.state == File::State::kDone && larger.out.layers.size() < kMaxLayers) {
          Stand(i);
        } else {
          Fault(i, *file.out.over, "too-many",
                "more than " + std::to_string(kMaxLayers) + " rules stand over each other",
                "the longest area code has room for fewer");
          file.out.readable = false;
          file.larger = kNone;
        }
      }
    }
    Own(i);
    file.state = File::State::kDone;
  }

  void Stand(std::size_t i) {
    File& file = files_[i];
    File& larger = files_[file.larger];
    const yaml::Node& over = *file.out.over;
    if (!larger.out.readable) {
      file.out.readable = false;
      return;
    }
    file.kind = larger.kind;
    file.by = larger.by;
    file.fact = larger.fact;
    file.from = larger.from;
    file.until = larger.until;
    file.out.composed = std::make_unique<yaml::Node>(Compose(*larger.out.root, *file.own));
    file.out.root = file.out.composed.get();
    file.out.layers.insert(file.out.layers.begin(), larger.out.layers.begin(), larger.out.layers.end());
    const yaml::Node* about = file.own->Find("about");
    if (about != nullptr && about->text() != larger.kind) {
      Fault(i, *about, "bad-over",
            "`" + larger.id + "` is about `" + larger.kind + "`, this rule about `" + about->text() + "`",
            "a rule stands over one about the same kind of subject");
      file.out.readable = false;
      return;
    }
    CheckArea(i);
    const yaml::Node* law = file.own->Find("law");
    if (law == nullptr || !law->IsMapping() || law->entries().empty()) {
      Fault(i, over, "missing-key", "a rule over another cites the law of its own area",
            "add `law: {local: {title: …}}`");
      return;
    }
    const yaml::Node* laws = larger.out.root->Find("law");
    if (laws == nullptr) return;
    for (const auto& [key, value] : law->entries()) {
      for (const auto& [theirs, unused] : laws->entries()) {
        if (theirs.text() != key.text()) continue;
        Fault(i, key, "duplicate",
              "`" + key.text() + "` is already a law of `" + larger.id + "`, at " + PlaceOf(theirs.at()),
              "give it another short name: both laws are cited");
      }
    }
  }

  void CheckArea(std::size_t i) {
    const File& larger = files_[files_[i].larger];
    const yaml::Node* area = files_[i].own->Find("area");
    if (area == nullptr) {
      Fault(i, *files_[i].out.over, "missing-key", "a rule over another says for which area",
            "add `area: \"440304\"`, an area within that of `" + larger.id + "`");
    } else if (larger.area.empty()) {
      const yaml::Node* theirs = larger.own->Find("area");
      if (theirs != nullptr) return;  // it is no code, which is reported there
      Fault(i, *files_[i].out.over, "bad-over", "`" + larger.id + "` has no area, so that no other lies within it",
            "add `area` to " + PlaceOf(larger.own->Find("rule")->at()));
    } else if (IsAreaCode(area->text()) && !Inside(area->text(), larger.area)) {
      Fault(i, *area, "bad-area",
            "`" + area->text() + "` does not lie within `" + larger.area + "`, the area of `" + larger.id + "`",
            "use a code that begins with " + std::string(cel::AreaPrefix(larger.area)));
    }
  }

  // Smaller than, and within.
  static bool Inside(std::string_view area, std::string_view larger) {
    const std::string_view prefix = cel::AreaPrefix(area);
    const std::string_view around = cel::AreaPrefix(larger);
    return prefix.size() > around.size() && prefix.starts_with(around);
  }

  // What the file says itself. Its mistakes in `valid` and `area` are reported when it is parsed.
  void Own(std::size_t i) {
    File& file = files_[i];
    const yaml::Node* about = file.own->Find("about");
    if (about != nullptr) file.kind = about->text();
    const yaml::Node* area = file.own->Find("area");
    file.area = area != nullptr && IsAreaCode(area->text()) ? area->text() : "";
    const yaml::Node* valid = file.own->Find("valid");
    if (valid != nullptr && valid->IsMapping()) {
      Diagnostics unused;
      const yaml::Node* from = valid->Find("from");
      const yaml::Node* until = valid->Find("until");
      file.from = from != nullptr ? yaml::ToDate(*from, &unused) : std::nullopt;
      file.until = until != nullptr ? yaml::ToDate(*until, &unused) : std::nullopt;
    }
    const yaml::Node* by = file.own->Find("by");
    if (by != nullptr) {
      file.by = by;
      file.fact = FactOf(i, *by);
    } else if (file.larger != kNone && file.out.readable && file.by == nullptr) {
      Fault(i, *file.out.over, "missing-key", "nothing says in which area a subject counts",
            "add for example `by: " + (file.kind.empty() ? "resident" : file.kind) + ".hukou.district`, here or in `" +
                files_[file.larger].id + "`");
    }
  }

  // nullptr: no fact that can say so, which is reported where the kind is known.
  const facts::FactDef* FactOf(std::size_t i, const yaml::Node& by) {
    const auto kind = kinds_.by_name.find(files_[i].kind);
    if (kind == kinds_.by_name.end()) return nullptr;
    const facts::Schema& schema = *kind->second.schema;
    const std::string prefix = schema.kind() + ".";
    std::vector<std::string> names;
    for (const facts::FactDef& fact : schema.facts()) {
      if (fact.type != facts::FactType::kCode && fact.type != facts::FactType::kString) continue;
      if (by.text() == prefix + fact.name) return &fact;
      names.push_back(prefix + fact.name);
    }
    std::string_view near = NearestName(by.text(), names);
    if (std::find(names.begin(), names.end(), prefix + by.text()) != names.end()) {
      near = *std::find(names.begin(), names.end(), prefix + by.text());
    }
    Fault(i, by, "bad-by", "`" + by.text() + "` is no code or text fact of " + schema.kind(),
          near.empty() ? "name one as expressions do, such as `" + prefix + "hukou.district`"
                       : "did you mean `" + std::string(near) + "`?");
    return nullptr;
  }

  // Rules over the same one: apart from each other, and told apart by one fact.
  void CheckSiblings(std::size_t i) {
    File& file = files_[i];
    if (file.larger == kNone || !file.out.readable || file.second) return;
    std::vector<std::size_t>& siblings = files_[file.larger].smaller;
    if (siblings.size() == kMaxOver) {
      Fault(i, *file.out.over, "too-many",
            "more than " + std::to_string(kMaxOver) + " rules stand over `" + file.out.over->text() + "`",
            "put a rule of an area in between");
      return;
    }
    for (const std::size_t other : siblings) {
      const File& sibling = files_[other];
      if (file.by != nullptr && sibling.by != nullptr && file.by->text() != sibling.by->text()) {
        Fault(i, *file.out.over, "bad-by",
              "it counts by `" + file.by->text() + "`, and `" + sibling.id + "`, over the same rule, by `" +
                  sibling.by->text() + "` (" + PlaceOf(sibling.by->at()) + ")",
              "rules over one rule count by one fact: write `by` in `" + file.out.over->text() + "`");
      }
      CheckClash(i, other);
    }
    siblings.push_back(i);
    file.standing = true;
  }

  void CheckClash(std::size_t i, std::size_t other) {
    const File& file = files_[i];
    const File& sibling = files_[other];
    if (file.area.empty() || sibling.area.empty()) return;
    const yaml::Node& area = *file.own->Find("area");
    const std::string there = PlaceOf(sibling.own->Find("area")->at());
    if (cel::AreaPrefix(file.area) == cel::AreaPrefix(sibling.area)) {
      Fault(i, area, "duplicate-area",
            "`" + sibling.id + "` (" + there + ") also stands over `" + file.out.over->text() + "` for this area",
            "keep one of the two, or join them");
    } else if (Inside(file.area, sibling.area)) {
      Fault(i, area, "duplicate-area",
            "this area lies within that of `" + sibling.id + "` (" + there + "), and both stand over `" +
                file.out.over->text() + "`",
            "write `over: " + sibling.id + "`: a rule stands on that of the next larger area");
    } else if (Inside(sibling.area, file.area)) {
      Fault(i, area, "duplicate-area",
            "the area of `" + sibling.id + "` (" + there + ") lies within this one, and both stand over `" +
                file.out.over->text() + "`",
            "write `over: " + file.id + "` there: a rule stands on that of the next larger area");
    }
  }

  // That a subject counts in the area of `i` and of all that it stands on, up to but without `top`.
  std::string Claim(std::size_t i, std::size_t top) const {
    std::vector<std::string> parts;
    std::vector<const facts::FactDef*> told;  // a smaller area of the same fact says it all
    for (; i != top && files_[i].larger != kNone; i = files_[i].larger) {
      const File& file = files_[i];
      if (std::find(told.begin(), told.end(), file.fact) != told.end()) continue;
      told.push_back(file.fact);
      const std::string fact = file.kind + "." + file.fact->name;
      const std::string within = "within(" + fact + ", \"" + file.area + "\")";
      parts.insert(parts.begin(), file.fact->nullable ? "(" + fact + " != null && " + within + ")" : within);
    }
    return Joined(parts);
  }

  static std::string Joined(const std::vector<std::string>& parts) {
    std::string out;
    for (const std::string& part : parts) out += (out.empty() ? "" : " && ") + part;
    return out;
  }

  // That `i` decides for a subject of `top`, a rule that it stands on: it may be in force for fewer days.
  std::string Decides(std::size_t i, std::size_t top) const {
    const File& file = files_[i];
    std::vector<std::string> parts;
    if (file.from && (!files_[top].from || *file.from > *files_[top].from)) {
      parts.push_back("today >= date(\"" + FormatDate(*file.from) + "\")");
    }
    if (file.until && (!files_[top].until || *file.until < *files_[top].until)) {
      parts.push_back("today < date(\"" + FormatDate(*file.until) + "\")");
    }
    parts.push_back(Claim(i, top));
    return Joined(parts);
  }

  // In force on no day on which the other is not.
  static bool Covered(const File& file, const File& by) {
    return (!by.from || (file.from && *file.from >= *by.from)) &&
           (!by.until || (file.until && *file.until <= *by.until));
  }

  void Collect(std::size_t i, std::size_t top, std::vector<AreaCondition>& out) const {
    for (const std::size_t smaller : files_[i].smaller) {
      if (i == top || !Covered(files_[smaller], files_[i])) {
        out.push_back({Decides(smaller, top), files_[smaller].id, files_[smaller].by});
      }
      Collect(smaller, top, out);
    }
  }

  // Whether areas and facts of the file and of all that it stands on are known: not after a mistake in one of them.
  bool Sound(std::size_t i) const {
    for (; files_[i].larger != kNone; i = files_[i].larger) {
      if (!files_[i].standing || files_[i].area.empty() || files_[i].fact == nullptr) return false;
    }
    return true;
  }

  // Only those whose mistakes do not hide what they are, by area.
  void SortSmaller(std::size_t i) {
    File& file = files_[i];
    std::vector<std::size_t>& smaller = file.smaller;
    smaller.erase(std::remove_if(smaller.begin(), smaller.end(), [&](std::size_t s) { return !Sound(s); }),
                  smaller.end());
    std::sort(smaller.begin(), smaller.end(),
              [&](std::size_t a, std::size_t b) { return files_[a].area < files_[b].area; });
  }

  void Conditions(std::size_t i) {
    File& file = files_[i];
    if (file.larger != kNone && Sound(i)) {
      file.out.counts = {Claim(i, kNone), file.id, file.by};
      const Text& label = file.fact->label;
      file.out.counts_label.zh = label.zh + "在本规定的地区内（" + file.area + "）";
      file.out.counts_label.en = label.In("en") + " lies in the area of this rule (" + file.area + ")";
    }
    Collect(i, i, file.out.smaller);
    if (file.out.smaller.empty()) return;
    std::vector<std::string> conditions;
    for (const AreaCondition& condition : file.out.smaller) conditions.push_back("(" + condition.text + ")");
    file.out.none_smaller = {"!" + AnyOf(conditions, 0, conditions.size()), file.id, file.out.smaller.front().by};
  }

  const std::vector<const yaml::Document*>& documents_;
  const Kinds& kinds_;
  std::vector<Diagnostics>& diagnostics_;
  std::vector<File> files_;
  std::map<std::string, std::size_t, std::less<>> by_id_;
  bool unread_ = false;  // a file could not be read so far that it has an id
};

}  // namespace

std::vector<LayeredRule> Layer(const std::vector<const yaml::Document*>& documents, const Kinds& kinds,
                               std::vector<Diagnostics>& diagnostics) {
  return Layerer(documents, kinds, diagnostics).Run();
}

std::vector<Param> OverlayParams(std::vector<Param> larger, std::vector<Param> smaller, Diagnostics* diagnostics) {
  const auto is_number = [](value::Kind kind) { return kind == value::Kind::kInt || kind == value::Kind::kDecimal; };
  for (Param& param : smaller) {
    const auto it = std::find_if(larger.begin(), larger.end(), [&](const Param& p) { return p.name == param.name; });
    if (it == larger.end()) {
      larger.push_back(std::move(param));
      continue;
    }
    if (it->type == nullptr || param.type == nullptr) {  // a mistake that is reported
      *it = std::move(param);
      continue;
    }
    const value::Kind theirs = it->values.front().value.kind();
    const value::Kind ours = param.values.front().value.kind();
    if (theirs != ours && !(is_number(theirs) && is_number(ours))) {
      diagnostics->push_back(param.key->Fault("bad-param",
                                              "`" + param.name + "` is " + value::KindName(theirs) + " at " +
                                                  PlaceOf(it->at) + " and " + value::KindName(ours) + " here",
                                              "give all values of a parameter one type"));
      continue;
    }
    const cel::DatedValue& first = param.values.front();
    if (first.entered) {
      const std::string day = FormatDate(first.from);
      diagnostics->push_back(param.key->Fault(
          "bad-param", "nothing says what `" + param.name + "` was before its value for " + day + " was entered",
          "write that value first: `" + day + ": [250, {is: 300, entered: " + FormatDate(*first.entered) + "}]`"));
      continue;
    }
    std::vector<cel::DatedValue> values;
    for (const cel::DatedValue& v : it->values) {
      if (!param.constant && v.from < first.from) values.push_back(v);
    }
    values.insert(values.end(), param.values.begin(), param.values.end());
    const bool any_decimal = std::any_of(values.begin(), values.end(),
                                         [](const cel::DatedValue& v) { return v.value.is(value::Kind::kDecimal); });
    for (cel::DatedValue& v : values) {
      if (any_decimal && v.value.is(value::Kind::kInt)) v.value = value::Value::OfDecimal({v.value.AsInt(), 0});
    }
    param.type = value::Primitive(values.front().value.kind());
    param.constant = param.constant || it->constant;
    if (values.size() != param.values.size()) param.first_day = it->first_day;
    param.values = std::move(values);
    *it = std::move(param);
  }
  return larger;
}

}  // namespace zhitui::rules
