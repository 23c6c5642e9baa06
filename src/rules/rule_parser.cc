#include "rules/rule_parser.h"

#include <algorithm>
#include <utility>

#include "rules/overlay.h"
#include "rules/vocabulary.h"

namespace zhitui::rules {

bool CheckCount(const yaml::Node& node, std::size_t count, std::size_t limit, const char* what,
                Diagnostics* diagnostics) {
  if (count <= limit) return true;
  diagnostics->push_back(node.Fault(
      "too-many", std::to_string(count) + " " + what + "; at most " + std::to_string(limit) + " are allowed"));
  return false;
}

namespace {

using value::TypeRep;

class Parser {
 public:
  Parser(const LayeredRule& layered, const Kinds& kinds, Diagnostics* diagnostics)
      : layered_(layered), kinds_(kinds), diagnostics_(diagnostics) {}

  std::optional<Rule> Run() {
    yaml::Reader reader(*layered_.root, diagnostics_);
    if (!reader.valid()) return std::nullopt;
    rule_.at = layered_.root->at();
    Head(reader);
    Laws(reader);
    Valid(reader);
    Names(reader);
    Criteria(reader);
    AreaCriteria();
    Amount(reader);
    Apply(reader);
    NotifyEntries(reader);
    if (const yaml::Node* allow = reader.Optional("allow")) rule_.allow = yaml::ToAllows(*allow, diagnostics_);
    if (const yaml::Node* tests = reader.Optional("tests")) {
      rule_.tests = ParseTests(*tests, rule_, kind_ == nullptr ? nullptr : kind_->schema.get(), diagnostics_);
    }
    Waivers(reader);
    reader.Done();
    return std::move(rule_);
  }

  // What is derived from the whole rule. Only for a rule without mistakes: its programs are all there.
  void Seal(Rule& rule) const {
    std::vector<std::uint32_t>& slots = rule.slots;
    const auto add = [&slots](const cel::Program& program) {
      slots.insert(slots.end(), program.slots().begin(), program.slots().end());
    };
    for (const Criterion& criterion : rule.criteria) add(criterion.when);
    for (const AmountRow& row : rule.amounts) {
      if (row.when) add(*row.when);
      add(row.is);
    }
    std::sort(slots.begin(), slots.end());
    slots.erase(std::unique(slots.begin(), slots.end()), slots.end());
    rule.hash = DeterminationHash(rule, params_, *kind_->schema);
  }

 private:
  void Fault(const yaml::Node& node, const char* code, std::string message, std::string hint = "") {
    diagnostics_->push_back(node.Fault(code, std::move(message), std::move(hint)));
  }

  static std::string DidYouMean(std::string_view word, const std::vector<std::string>& candidates) {
    const std::string_view near = NearestName(word, candidates);
    if (!near.empty()) return "did you mean `" + std::string(near) + "`?";
    std::string all;
    for (const std::string& candidate : candidates) all += (all.empty() ? "" : ", ") + candidate;
    return all.empty() || all.size() > 300 ? "" : "one of: " + all;
  }

  bool CheckId(const yaml::Node& node, const char* what) {
    if (node.IsScalar() && IsId(node.text())) return true;
    Fault(node, "bad-id", "`" + node.text() + "` is not an id for a " + what,
          "use lower-case letters, digits and single - or _, at most 64, such as senior-allowance");
    return false;
  }

  static const yaml::Node* Get(yaml::Reader& reader, std::string_view key, bool required) {
    return required ? reader.Required(key) : reader.Optional(key);
  }

  // The text at `node`, which may be nullptr, no longer than `limit`.
  std::string Line(const yaml::Node* node, bool required, std::size_t limit) {
    if (node == nullptr) return "";
    if (!node->IsScalar() || (required && node->text().empty())) {
      Fault(*node, "wrong-type", "here text has to be written");
      return "";
    }
    CheckLength(*node, node->text(), limit);
    return node->text();
  }
  std::string Line(yaml::Reader& reader, std::string_view key, bool required, std::size_t limit) {
    return Line(Get(reader, key, required), required, limit);
  }

  void CheckLength(const yaml::Node& node, const std::string& text, std::size_t limit) {
    if (text.size() > limit) {
      Fault(node, "too-long", "the text is longer than " + std::to_string(limit) + " bytes", "shorten it");
    }
  }

  Text Label(yaml::Reader& reader, std::string_view key, bool required) {
    const yaml::Node* node = Get(reader, key, required);
    if (node == nullptr) return {};
    Text text = yaml::ToText(*node, diagnostics_);
    CheckLength(*node, text.zh, kMaxTextBytes);
    CheckLength(*node, text.en, kMaxTextBytes);
    return text;
  }

  void Head(yaml::Reader& reader) {
    if (const yaml::Node* id = reader.Required("rule")) {
      rule_.at = id->at();
      if (CheckId(*id, "rule")) rule_.id = id->text();
    }
    if (const yaml::Node* about = reader.Required("about")) {
      rule_.kind = about->text();
      const auto it = kinds_.by_name.find(rule_.kind);
      if (it != kinds_.by_name.end()) {
        kind_ = &it->second;
      } else if (!kinds_.broken.contains(rule_.kind)) {
        std::vector<std::string> names;
        for (const auto& [name, kind] : kinds_.by_name) names.push_back(name);
        Fault(*about, "unknown-kind", "there is no kind of subject `" + rule_.kind + "`",
              DidYouMean(rule_.kind, names));
      }
    }
    rule_.title = Label(reader, "title", true);
    rule_.owner = Line(reader, "owner", true, kMaxTextBytes);
    if (const yaml::Node* over = reader.Optional("over")) rule_.over = RuleOfArea{over->text(), {}, "", "", {}};
    reader.Optional("by");
    const yaml::Node* area = reader.Optional("area");
    rule_.area = Line(area, false, kMaxTextBytes);
    if (area != nullptr && !rule_.area.empty() && !IsAreaCode(rule_.area)) {
      Fault(*area, "bad-area", "`" + rule_.area + "` is not an area code",
            "use a GB/T 2260 code or the beginning of one, such as \"4403\" or \"440304\"");
    }
    if (const yaml::Node* topic = reader.Required("topic")) {
      rule_.topic = topic->text();
      if (!IsDottedId(rule_.topic)) {
        Fault(*topic, "bad-id", "`" + rule_.topic + "` is not a topic",
              "use lower-case words joined by dots, such as benefits.elderly");
      }
    }
    rule_.recheck_daily = reader.OneOf("recheck", std::string(), {"daily"}) == "daily";
  }

  void Laws(yaml::Reader& reader) {
    const yaml::Node* law = reader.Optional("law");
    if (law == nullptr) return;
    if (!law->IsMapping()) {
      laws_read_ = false;
      Fault(*law, "bad-law", "law maps short names to citations", "for example `std: {title: 深民规〔2019〕2号}`");
      return;
    }
    if (!CheckCount(*law, law->entries().size(), kMaxLaws, "laws", diagnostics_)) return;
    for (const auto& [key, value] : law->entries()) {
      Law out;
      if (CheckId(key, "law")) out.id = key.text();
      yaml::Reader one(value, diagnostics_);
      if (!one.valid()) continue;
      out.title = Line(one, "title", true, kMaxTextBytes);
      out.url = Line(one, "url", false, kMaxUrlBytes);
      one.Done();
      rule_.laws.push_back(std::move(out));
    }
  }

  void Valid(yaml::Reader& reader) {
    const yaml::Node* valid = reader.Optional("valid");
    if (valid == nullptr) return;
    yaml::Reader one(*valid, diagnostics_);
    if (!one.valid()) return;
    rule_.valid_from = one.DateAt("from", false);
    const yaml::Node* until = one.Optional("until");
    if (until != nullptr) rule_.valid_until = yaml::ToDate(*until, diagnostics_);
    one.Done();
    if (rule_.valid_from && rule_.valid_until && *rule_.valid_until <= *rule_.valid_from) {
      Fault(*until, "bad-valid", "the rule ends before it begins",
            "until is the first day on which it is no longer in force");
    }
  }

  // Parameters and names, in the order in which expressions may use them.
  void Names(yaml::Reader& reader) {
    if (kind_ != nullptr) env_ = cel::Env::Extend(kind_->env);
    env_.SetCalendar(CalendarOf(reader));
    if (reader.Optional("params") != nullptr) {
      for (const yaml::Document* layer : layered_.layers) {
        const yaml::Node* params = layer->root().Find("params");
        if (params == nullptr) continue;
        params_ = OverlayParams(std::move(params_), ParseParams(*params, diagnostics_), diagnostics_);
      }
      for (const Param& param : params_) {
        Declare(param);
        for (const cel::DatedValue& v : param.values) {
          if (v.entered) rule_.retroactive.push_back({v.from, *v.entered});
        }
      }
      std::sort(rule_.retroactive.begin(), rule_.retroactive.end(),
                [](const Retroactive& a, const Retroactive& b) { return a.entered < b.entered; });
    }
    const yaml::Node* let = reader.Optional("let");
    if (let == nullptr) return;
    if (!let->IsMapping()) {
      Fault(*let, "bad-let", "let maps names to expressions", "for example `age: age(resident.birth_date, today)`");
      return;
    }
    if (!CheckCount(*let, let->entries().size(), kMaxLets, "names in let", diagnostics_)) return;
    for (const auto& [key, value] : let->entries()) {
      if (!IsName(key.text()) || key.text() == rule_.kind) {
        Fault(key, "bad-name", "`" + key.text() + "` cannot be used in an expression",
              "use lower-case words joined by _, such as months_insured");
        continue;
      }
      const std::optional<cel::Source> source = SourceOf(value);
      if (source && kind_ != nullptr) env_.AddLet(key.text(), *source, diagnostics_);
    }
  }

  // The calendar that the rule names, or else the only one, or `cn`; nullptr: none.
  std::shared_ptr<const cel::Calendar> CalendarOf(yaml::Reader& reader) {
    auto it = kinds_.calendars.size() == 1 ? kinds_.calendars.begin() : kinds_.calendars.find("cn");
    if (const yaml::Node* named = reader.Optional("calendar")) {
      it = kinds_.calendars.find(named->text());
      if (it == kinds_.calendars.end()) {
        std::vector<std::string> known;
        for (const auto& [id, calendar] : kinds_.calendars) known.push_back(id);
        Fault(*named, "unknown-calendar", "there is no calendar `" + named->text() + "`",
              known.empty() ? "add calendars/" + named->text() + ".yaml" : DidYouMean(named->text(), known));
      }
    }
    if (it == kinds_.calendars.end()) return nullptr;
    // Of one with mistakes its own are reported; that the rule asks it is none.
    return it->second != nullptr ? it->second : cel::Calendar::Make(it->first, 2000, 2000, {}, {});
  }

  void Declare(const Param& param) {
    if (kind_ == nullptr) return;
    if (param.type == nullptr) {
      // Its mistake is reported already; its uses are not to be reported again.
      env_.AddDated("params." + param.name, value::Dyn(), {{MakeDate(1, 1, 1), value::Value::Null()}});
      return;
    }
    env_.AddDated("params." + param.name, param.type, param.values);
    // A value entered after the fact is none yet on the first days for which it counts.
    const auto known = std::find_if(param.values.begin(), param.values.end(),
                                    [](const cel::DatedValue& v) { return !v.entered.has_value(); });
    const Date first = known != param.values.end() ? known->from : *param.values.front().entered;
    if (param.constant || (rule_.valid_from && first <= *rule_.valid_from)) return;
    Fault(*param.first_day, "param-gap",
          "`" + param.name + "` has no value before " + FormatDate(first) + ", but the rule is in force then",
          rule_.valid_from ? "add a value from " + FormatDate(*rule_.valid_from)
                           : "add `valid: {from: " + FormatDate(first) + "}`, or a value for the time before");
  }

  std::optional<cel::Source> SourceOf(const yaml::Node& node) {
    if (!node.IsScalar() || node.text().find_first_not_of(" \t\n") == std::string::npos) {
      Fault(node, "no-expression", "here an expression is expected", "for example: age >= 70");
      return std::nullopt;
    }
    cel::Source source;
    source.text = node.text();
    Place(node, source);
    return source;
  }

  static void Place(const yaml::Node& node, cel::Source& source) {
    source.file = node.at().file;
    for (yaml::Node::Line& line : node.Lines()) {
      source.lines.push_back({line.line, line.column, std::move(line.source_line)});
    }
  }

  std::optional<cel::Program> Compile(const yaml::Node& node, value::Type expected) {
    const std::optional<cel::Source> source = SourceOf(node);
    if (!source || kind_ == nullptr) return std::nullopt;
    return cel::Compile(*source, env_, expected, diagnostics_);
  }

  // A condition of a criterion or an amount row, whose change in time has to be known.
  std::optional<cel::Program> Condition(const yaml::Node& node) {
    std::optional<cel::Program> program = Compile(node, value::Primitive(value::Kind::kBool));
    if (program) CheckTime(node, *program);
    return program;
  }

  void CheckTime(const yaml::Node& node, const cel::Program& program) {
    const std::optional<Location> opaque = program.time_opaque();
    if (!opaque || rule_.recheck_daily) return;
    Diagnostic d = node.Fault("needs-recheck", "it cannot be told when this changes as days go by",
                              "compare dates and periods directly, or write `recheck: daily` in the rule");
    if (opaque->line > 0) {
      d.at = *opaque;
      d.length = 1;
      for (const yaml::Document* layer : layered_.layers) {
        if (layer->file() == opaque->file) d.source_line = std::string(layer->SourceLine(opaque->line));
      }
    }
    diagnostics_->push_back(std::move(d));
  }

  void Criteria(yaml::Reader& reader) {
    const yaml::Node* criteria = reader.Required("criteria");
    if (criteria == nullptr) return;
    if (!criteria->IsMapping() || criteria->entries().empty()) {
      Fault(*criteria, "no-criteria", "a rule has at least one criterion",
            "for example `old_enough: {label: 年满70周岁, when: age >= 70}`");
      return;
    }
    if (!CheckCount(*criteria, criteria->entries().size(), kMaxCriteria, "criteria", diagnostics_)) return;
    for (const auto& [key, value] : criteria->entries()) {
      Criterion out;
      out.at = key.at();
      out.id = key.text();
      if (CheckId(key, "criterion") && (out.id == kCountsInArea || out.id == kNoSmallerArea)) {
        Fault(key, "bad-id", "`" + out.id + "` is the id of a criterion that `over` adds",
              "use another one, such as lives_here");
      }
      yaml::Reader one(value, diagnostics_);
      if (!one.valid()) continue;
      out.label = Label(one, "label", true);
      if (const yaml::Node* when = one.Required("when")) {
        if (std::optional<cel::Program> program = Condition(*when)) out.when = std::move(*program);
      }
      out.law = Citation(one);
      one.Done();
      rule_.criteria.push_back(std::move(out));
    }
  }

  // The law that a criterion, an amount or a row cites; empty: none.
  std::string Citation(yaml::Reader& reader) {
    const yaml::Node* law = reader.Optional("law");
    if (law == nullptr || !laws_read_) return "";
    std::vector<std::string> known;
    for (const Law& l : rule_.laws) known.push_back(l.id);
    if (std::find(known.begin(), known.end(), law->text()) == known.end()) {
      Fault(*law, "unknown-law", "`" + law->text() + "` is not declared under law",
            known.empty() ? "add `law: {" + law->text() + ": {title: …}}`" : DidYouMean(law->text(), known));
    }
    return law->text();
  }

  // Who counts in which area, where rules stand over each other.
  void AreaCriteria() {
    if (std::optional<cel::Program> counts = CompileArea(layered_.counts)) {
      Criterion out;
      out.id = kCountsInArea;
      out.at = layered_.over->at();
      out.label = layered_.counts_label;
      const yaml::Node* law = layered_.layers.back()->root().Find("law");
      if (law != nullptr && law->IsMapping() && !law->entries().empty()) out.law = law->entries().front().first.text();
      out.when = std::move(*counts);
      rule_.criteria.push_back(std::move(out));
    }
    for (const AreaCondition& condition : layered_.smaller) {
      if (std::optional<cel::Program> decides = CompileArea(condition)) {
        rule_.smaller.push_back({{condition.rule, {}, "", "", {}}, std::move(*decides)});
      }
    }
    if (std::optional<cel::Program> none = CompileArea(layered_.none_smaller)) {
      Criterion out;
      out.id = kNoSmallerArea;
      out.at = rule_.at;
      out.label = {"所在地区没有另行规定", "No rule of a smaller area decides"};
      out.when = std::move(*none);
      rule_.criteria.push_back(std::move(out));
    }
  }

  std::optional<cel::Program> CompileArea(const AreaCondition& condition) {
    if (condition.text.empty() || kind_ == nullptr) return std::nullopt;
    cel::Source source;
    source.text = condition.text;
    Place(*condition.by, source);
    return cel::Compile(source, env_, value::Primitive(value::Kind::kBool), diagnostics_);
  }

  void Amount(yaml::Reader& reader) {
    const yaml::Node* amount = reader.Optional("amount");
    if (amount == nullptr) return;
    yaml::Reader one(*amount, diagnostics_);
    if (!one.valid()) return;
    rule_.unit = Line(one, "unit", true, kMaxIdBytes);
    rule_.amount_law = Citation(one);
    const yaml::Node* table = one.Required("table");
    one.Done();
    if (table == nullptr) return;
    if (!table->IsSequence() || table->items().empty()) {
      Fault(*table, "bad-table", "table is a list of rows", "for example `- {when: age >= 80, is: 300}`");
      return;
    }
    if (!CheckCount(*table, table->items().size(), kMaxAmountRows, "rows", diagnostics_)) return;
    bool closed = false;
    for (const yaml::Node& item : table->items()) {
      if (closed) Fault(item, "unreachable-row", "a row above always holds, so this one never does", "move it up");
      if (!Row(item)) closed = true;
    }
    if (!closed) {
      Fault(table->items().back(), "bad-table", "no row holds when all conditions are false",
            "end the table with a row without `when`, such as `- {is: 0}`");
    }
  }

  // False when the row has no condition.
  bool Row(const yaml::Node& item) {
    yaml::Reader row(item, diagnostics_);
    if (!row.valid()) return true;
    AmountRow out;
    out.at = item.at();
    const yaml::Node* when = row.Optional("when");
    if (when != nullptr) out.when = Condition(*when);
    if (const yaml::Node* is = row.Required("is")) {
      if (std::optional<cel::Program> program = AmountProgram(*is)) out.is = std::move(*program);
    }
    out.law = Citation(row);
    row.Done();
    rule_.amounts.push_back(std::move(out));
    return when != nullptr;
  }

  std::optional<cel::Program> AmountProgram(const yaml::Node& node) {
    std::optional<cel::Source> source = SourceOf(node);
    if (!source || kind_ == nullptr) return std::nullopt;
    // An expression would read 12.50 as a binary fraction; an amount is exact.
    if (node.text().find('.') != std::string::npos && value::Decimal::Parse(node.text())) {
      source->text = "decimal(\"" + node.text() + "\")";
    }
    std::optional<cel::Program> program = cel::Compile(*source, env_, nullptr, diagnostics_);
    if (!program) return std::nullopt;
    const value::Type type = program->type();
    const bool number = type->tag == TypeRep::Tag::kPrimitive &&
                        (type->primitive == value::Kind::kInt || type->primitive == value::Kind::kDecimal);
    if (!number && type->tag != TypeRep::Tag::kDyn && type->tag != TypeRep::Tag::kError) {
      Fault(node, "type-mismatch", "an amount is a whole number or a decimal, not " + value::TypeName(type),
            "write 200, 12.50, or an expression of type int or decimal");
      return std::nullopt;
    }
    CheckTime(node, *program);
    return program;
  }

  void Apply(yaml::Reader& reader) {
    const yaml::Node* apply = reader.Optional("apply");
    if (apply == nullptr) return;
    yaml::Reader one(*apply, diagnostics_);
    if (!one.valid()) return;
    const yaml::Node* url = one.Optional("url");
    rule_.apply.url = Line(url, false, kMaxUrlBytes);
    if (!rule_.apply.url.empty() && !rule_.apply.url.starts_with("https://")) {
      Fault(*url, "bad-url", "the address does not start with https://", "people will tap on it");
    }
    rule_.apply.deadline = Label(one, "deadline", false);
    if (const yaml::Node* reply = one.Optional("reply")) Reply(*reply);
    const yaml::Node* materials = one.Optional("materials");
    one.Done();
    if (materials == nullptr) return;
    if (!materials->IsSequence()) {
      Fault(*materials, "bad-materials", "materials is a list", "for example `- {id: id_card, label: 身份证}`");
      return;
    }
    if (!CheckCount(*materials, materials->items().size(), kMaxMaterials, "materials", diagnostics_)) return;
    for (const yaml::Node& item : materials->items()) {
      yaml::Reader material(item, diagnostics_);
      if (!material.valid()) continue;
      Material out;
      if (const yaml::Node* id = material.Required("id")) {
        CheckId(*id, "material");
        out.id = id->text();
      }
      out.label = Label(material, "label", true);
      if (const yaml::Node* on_file = material.Optional("on_file")) {
        out.on_file = Compile(*on_file, value::Primitive(value::Kind::kBool));
      }
      material.Done();
      rule_.apply.materials.push_back(std::move(out));
    }
  }

  void Reply(const yaml::Node& node) {
    rule_.apply.reply = node.text();
    if (kind_ == nullptr) return;
    const facts::Schema& schema = *kind_->schema;
    const std::optional<std::uint32_t> slot = schema.Find(node.text());
    if (!slot) {
      std::vector<std::string> dates;
      for (const facts::FactDef& fact : schema.facts()) {
        if (fact.type == facts::FactType::kDate) dates.push_back(fact.name);
      }
      Fault(node, "unknown-fact", "`" + node.text() + "` is not a fact of " + schema.kind(),
            DidYouMean(node.text(), dates));
      return;
    }
    if (schema.facts()[*slot].type != facts::FactType::kDate) {
      Fault(node, "type-mismatch", "a reply sets a date, and `" + node.text() + "` is none",
            "declare a fact of type date for the day of the reply");
    }
  }

  void NotifyEntries(yaml::Reader& reader) {
    const yaml::Node* notify = reader.Optional("notify");
    if (notify == nullptr) return;
    if (!notify->IsSequence()) {
      Fault(*notify, "bad-notify", "notify is a list", "for example `- {on: eligible, message: senior-now}`");
      return;
    }
    if (!CheckCount(*notify, notify->items().size(), kMaxNotify, "notify entries", diagnostics_)) return;
    for (const yaml::Node& item : notify->items()) NotifyEntry(item);
  }

  void NotifyEntry(const yaml::Node& item) {
    yaml::Reader one(item, diagnostics_);
    if (!one.valid()) return;
    Notify out;
    out.at = item.at();
    static const std::vector<std::string> kOn = {"upcoming", "eligible", "amount_changed",
                                                 "ceased",   "reminder", "correction"};
    bool known = false;
    if (const yaml::Node* on = one.Required("on")) {
      const auto it = std::find(kOn.begin(), kOn.end(), on->text());
      known = it != kOn.end();
      if (known) {
        out.on = static_cast<NotifyOn>(it - kOn.begin());
      } else {
        Fault(*on, "unknown-value", "`" + on->text() + "` is no occasion for a message", DidYouMean(on->text(), kOn));
      }
    }
    const yaml::Node* ahead = one.Optional("ahead");
    const yaml::Node* before = one.Optional("before");
    if (known) Lead(item, ahead, before, out);
    if (const yaml::Node* message = one.Required("message")) {
      CheckId(*message, "message");
      out.message = message->text();
    }
    if (const yaml::Node* channels = one.Optional("channels")) Channels(*channels, out);
    if (const yaml::Node* escalate = one.Optional("escalate_after")) {
      if (const std::optional<Millis> after = ParseDuration(escalate->text())) {
        out.escalate_after = *after;
      } else {
        Fault(*escalate, "bad-duration", "`" + escalate->text() + "` is not a time to wait", "write 3d, 12h or 30m");
      }
    }
    if (const yaml::Node* to = one.Optional("to")) To(*to, out);
    one.Done();
    rule_.notify.push_back(std::move(out));
  }

  void Lead(const yaml::Node& item, const yaml::Node* ahead, const yaml::Node* before, Notify& out) {
    const bool upcoming = out.on == NotifyOn::kUpcoming;
    const bool reminder = out.on == NotifyOn::kReminder;
    const yaml::Node* wanted = upcoming ? ahead : reminder ? before : nullptr;
    const char* key = upcoming ? "ahead" : "before";
    for (const yaml::Node* other : {ahead, before}) {
      if (other == nullptr || other == wanted) continue;
      Fault(*other, "bad-notify", std::string("`on: ") + NotifyOnName(out.on) + "` does not take this",
            upcoming   ? "write `ahead: 2 months`"
            : reminder ? "write `before: 7 days`"
                       : "ahead belongs to upcoming, before to reminder");
    }
    if (!upcoming && !reminder) return;
    if (wanted == nullptr) {
      if (ahead == nullptr && before == nullptr) {
        Fault(item, "missing-key", std::string("`on: ") + NotifyOnName(out.on) + "` needs `" + key + "`",
              std::string("write `") + key + ": 7 days`");
      }
      return;
    }
    if (const std::optional<value::Period> period = ParseLead(wanted->text())) {
      out.ahead = *period;
    } else {
      Fault(*wanted, "bad-period", "`" + wanted->text() + "` is not a period", "write 2 months, 60 days or 1 year");
    }
  }

  void Channels(const yaml::Node& node, Notify& out) {
    static const std::vector<std::string> kNames = {"app", "wechat", "sms"};
    if (!node.IsSequence() || node.items().empty()) {
      Fault(node, "bad-notify", "channels is a list", "for example [app, wechat, sms]; leave it out for all");
      return;
    }
    for (const yaml::Node& item : node.items()) {
      const std::optional<Channel> channel = ParseChannel(item.text());
      if (!channel) {
        Fault(item, "unknown-value", "`" + item.text() + "` is not a channel", DidYouMean(item.text(), kNames));
      } else if (std::find(out.channels.begin(), out.channels.end(), *channel) != out.channels.end()) {
        Fault(item, "bad-notify", "`" + item.text() + "` is listed twice", "keep the first");
      } else {
        out.channels.push_back(*channel);
      }
    }
  }

  void To(const yaml::Node& node, Notify& out) {
    if (node.text() == "subject" || kind_ == nullptr) return;
    std::vector<std::string> allowed = {"subject"};
    if (const std::optional<std::uint32_t> slot = kind_->schema->recipients()) {
      allowed.push_back(kind_->schema->facts()[*slot].name);
      if (node.text() == allowed.back()) {
        out.to_recipients = true;
        return;
      }
    }
    Fault(node, "unknown-value", "`" + node.text() + "` cannot be told", DidYouMean(node.text(), allowed));
  }

  void Waivers(yaml::Reader& reader) {
    const yaml::Node* waive = reader.Optional("waive");
    if (waive == nullptr) return;
    if (!waive->IsSequence()) {
      Fault(*waive, "bad-waive", "waive is a list of what no test can show", kWaiveHint);
      return;
    }
    if (!CheckCount(*waive, waive->items().size(), kMaxWaivers, "waivers", diagnostics_)) return;
    for (const yaml::Node& item : waive->items()) {
      yaml::Reader one(item, diagnostics_);
      if (!one.valid()) continue;
      const yaml::Node* mutant = one.Optional("mutant");
      const yaml::Node* condition = one.Optional("condition");
      const std::string because = Line(one, "because", true, kMaxTextBytes);
      one.Done();
      if ((mutant == nullptr) == (condition == nullptr)) {
        Fault(item, "bad-waive", "a waiver names mutants or conditions, one of the two", kWaiveHint);
        continue;
      }
      const yaml::Node& what = mutant != nullptr ? *mutant : *condition;
      if (!what.IsSequence()) {
        WaiveOne(what, mutant != nullptr, because);
      } else if (CheckCount(what, what.items().size(), kMaxWaivers, "texts", diagnostics_)) {
        for (const yaml::Node& text : what.items()) WaiveOne(text, mutant != nullptr, because);
      }
    }
  }

  void WaiveOne(const yaml::Node& what, bool mutant, const std::string& because) {
    Waiver out;
    out.mutant = mutant;
    out.because = because;
    out.text = Line(&what, true, kMaxExpressionBytes);
    out.at = what.at();
    if (mutant && !out.text.empty() && out.text.find(" -> ") == std::string::npos) {
      Fault(what, "bad-waive", "a mutant is what stands there, an arrow, and what stands there instead", kWaiveHint);
    }
    rule_.waivers.push_back(std::move(out));
  }

 private:
  static constexpr const char* kWaiveHint =
      "write `- {mutant: \"age >= 90 -> age > 90\", because: …}`, as `rules test --mutate` prints it, "
      "or `- {condition: \"resident.x == 1\", because: …}`";

  const LayeredRule& layered_;
  const Kinds& kinds_;
  Diagnostics* diagnostics_;
  const Kind* kind_ = nullptr;
  cel::Env env_;
  std::vector<Param> params_;
  bool laws_read_ = true;  // false: what cites them is not to be reported, too
  Rule rule_;
};

}  // namespace

std::optional<Rule> ParseRule(const LayeredRule& layered, const Kinds& kinds, Diagnostics* diagnostics) {
  const std::size_t before = diagnostics->size();
  Parser parser(layered, kinds, diagnostics);
  std::optional<Rule> rule = parser.Run();
  const bool clean = diagnostics->size() == before;
  if (rule && clean && !kinds.broken.contains(rule->kind)) parser.Seal(*rule);
  return rule;
}

}  // namespace zhitui::rules
