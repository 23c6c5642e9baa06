// Warnings that need the whole folder: what nobody uses, rules that say the same, messages.

#include <algorithm>
#include <array>
#include <set>

#include "authoring/lint.h"
#include "authoring/longest.h"

namespace zhitui::authoring {
namespace {

// What sending reads of a recipient by name, see docs/rules.md.
constexpr std::array<std::string_view, 9> kReadBySending = {
    "contacts.app",           "contacts.wechat",          "contacts.phone",
    "preferences.channels",   "preferences.locale",       "consent.messages",
    "consent.refused_topics", "consent.refused_channels", "consent.refused_signatures"};

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Whether the words stand in the text, whatever their case; not inside longer words.
bool HasWords(std::string_view text, std::string_view words) {
  if (words.empty()) return false;
  for (std::size_t i = 0; i + words.size() <= text.size(); ++i) {
    if (i > 0 && IsLetter(text[i - 1]) && IsLetter(words.front())) continue;
    const std::size_t end = i + words.size();
    if (end < text.size() && IsLetter(text[end]) && IsLetter(words.back())) continue;
    if (std::equal(words.begin(), words.end(), text.begin() + static_cast<std::ptrdiff_t>(i),
                   [](char a, char b) { return Lower(a) == Lower(b); })) {
      return true;
    }
  }
  return false;
}

void Sensitive(const facts::Schema& schema, const yaml::Node& node, const std::string& at, Findings& out) {
  const auto check = [&](const yaml::Node* text, bool english) {
    if (text == nullptr || !text->IsScalar()) return;
    for (const facts::FactDef& fact : schema.facts()) {
      const std::string& label = english ? fact.label.en : fact.label.zh;
      if (!fact.sensitive || !HasWords(text->text(), label)) continue;
      out.Add(*text, "sensitive-text", at,
              "people will read `" + label + "` here, and the fact " + fact.name + " is sensitive",
              "say it without naming the fact: others may see the screen");
    }
  };
  check(node.IsMapping() ? node.Find("zh") : &node, false);
  check(node.IsMapping() ? node.Find("en") : nullptr, true);
}

void English(const yaml::Node& node, const std::string& at, Findings& out) {
  const yaml::Node* en = node.IsMapping() ? node.Find("en") : nullptr;
  if (en != nullptr && en->IsScalar() && !en->text().empty()) return;
  out.Add(node, "no-english", at, "this text has no English", "write {zh: …, en: …}");
}

class SchemaLint {
 public:
  SchemaLint(const Scene& scene, const facts::Schema& schema, Findings& out)
      : scene_(scene), schema_(schema), root_(scene.RootOf(schema.facts().front().at)), out_(out) {}

  void Run() {
    if (scene_.ruleset.RulesOf(schema_.kind()).empty()) {
      out_.Add(*root_.Find("kind"), "unused-kind", "kind", "no rule is about `" + schema_.kind() + "`",
               "write a rule, or delete the file");
    } else {
      Facts();
    }
    Sources();
    Labels(*root_.Find("facts"), "facts");
  }

 private:
  void Facts() {
    std::set<std::uint32_t> used;
    const auto add = [&used](const cel::Program& program) {
      used.insert(program.slots().begin(), program.slots().end());
    };
    for (const std::uint32_t i : scene_.ruleset.RulesOf(schema_.kind())) {
      const rules::Rule& rule = scene_.ruleset.rules()[i];
      used.insert(rule.slots.begin(), rule.slots.end());
      for (const rules::Material& material : rule.apply.materials) {
        if (material.on_file) add(*material.on_file);
      }
      if (const std::optional<std::uint32_t> slot = schema_.Find(rule.apply.reply)) used.insert(*slot);
    }
    for (const std::optional<std::uint32_t> slot : {schema_.alive_unless(), schema_.recipients()}) {
      if (slot) used.insert(*slot);
    }
    const std::vector<std::pair<yaml::Node, yaml::Node>>& declared = root_.Find("facts")->entries();
    for (const auto& [name, declaration] : declared) {
      const std::optional<std::uint32_t> slot = schema_.Find(name.text());
      if (!slot || used.contains(*slot)) continue;
      if (std::find(kReadBySending.begin(), kReadBySending.end(), name.text()) != kReadBySending.end()) continue;
      out_.Add(name, "unused-fact", "facts." + name.text(), "no rule reads " + schema_.kind() + "." + name.text(),
               "delete it: what is not needed should not be collected");
    }
  }

  void Sources() {
    for (const auto& [id, label] : root_.Find("sources")->entries()) {
      English(label, "sources." + id.text(), out_);
      const bool used =
          std::any_of(schema_.facts().begin(), schema_.facts().end(),
                      [&source = id](const facts::FactDef& fact) { return fact.source == source.text(); });
      if (used) continue;
      out_.Add(id, "unused-source", "sources." + id.text(), "no fact is of the source `" + id.text() + "`",
               "name it as the source of a fact, or delete it");
    }
  }

  // Facts are shown by their label to whom a fact is missing.
  void Labels(const yaml::Node& declarations, const std::string& at) {
    if (!declarations.IsMapping()) return;
    for (const auto& [name, declaration] : declarations.entries()) {
      const std::string here = at + "." + name.text();
      if (const yaml::Node* label = declaration.Find("label")) English(*label, here, out_);
      if (const yaml::Node* of = declaration.Find("of")) Labels(*of, here);
    }
  }

  const Scene& scene_;
  const facts::Schema& schema_;
  const yaml::Node& root_;
  Findings& out_;
};

std::string Signature(const rules::Rule& rule) {
  std::vector<std::string> criteria;
  for (const rules::Criterion& criterion : rule.criteria) criteria.push_back(criterion.when.canonical());
  std::sort(criteria.begin(), criteria.end());
  criteria.erase(std::unique(criteria.begin(), criteria.end()), criteria.end());
  std::string out = rule.topic + "\n" + rule.kind + "\n" + rule.area;
  for (const std::string& one : criteria) out += "\n" + one;
  return out;
}

bool Overlap(const rules::Rule& a, const rules::Rule& b) {
  const auto before = [](const rules::Rule& x, const rules::Rule& y) {
    return x.valid_until && y.valid_from && *x.valid_until <= *y.valid_from;
  };
  return !before(a, b) && !before(b, a);
}

// The names between {{ and }}.
std::set<std::string> Placeholders(std::string_view text) {
  std::set<std::string> out;
  for (std::size_t at = text.find("{{"); at != std::string_view::npos; at = text.find("{{", at + 2)) {
    const std::size_t end = text.find("}}", at);
    if (end == std::string_view::npos) break;
    std::string name(text.substr(at + 2, end - at - 2));
    std::erase(name, ' ');
    out.insert(std::move(name));
  }
  return out;
}

class MessageLint {
 public:
  MessageLint(const Scene& scene, const rules::Rule& rule, const rules::Notify& notify, const message::Template& tmpl,
              Findings& out)
      : scene_(scene), rule_(rule), notify_(notify), tmpl_(tmpl), root_(scene.RootOf(tmpl.at)), out_(out) {}

  void Run() {
    if (Sent(Channel::kApp)) {
      Part({"app", "title"});
      Part({"app", "body"});
    }
    if (Sent(Channel::kWechat)) Parts({"wechat", "fields"});
    if (Sent(Channel::kSms)) {
      Part({"sms", "text"});
      Parts({"sms", "params"});
      for (const char* locale : {"zh", "en"}) Length(locale);
    }
  }

 private:
  bool Sent(Channel channel) const {
    if (!tmpl_.Has(channel)) return false;
    const std::vector<Channel>& chosen = notify_.channels;
    return chosen.empty() || std::find(chosen.begin(), chosen.end(), channel) != chosen.end();
  }

  void Part(std::initializer_list<std::string_view> keys) {
    if (const yaml::Node* node = At(&root_, keys))
      Text(*node, std::string(*keys.begin()) + "." + std::string(*(keys.end() - 1)));
  }
  void Parts(std::initializer_list<std::string_view> keys) {
    const yaml::Node* node = At(&root_, keys);
    if (node == nullptr || !node->IsMapping()) return;
    for (const auto& [key, value] : node->entries()) {
      Text(value, std::string(*keys.begin()) + "." + std::string(*(keys.end() - 1)) + "." + key.text());
    }
  }

  void Text(const yaml::Node& node, const std::string& at) {
    Sensitive(*scene_.ruleset.SchemaOf(rule_.kind), node, at, out_);
    for (const char* language : {"zh", "en"}) {
      const yaml::Node* text = At(&node, {language});
      if (text == nullptr || !text->IsScalar()) continue;
      for (const std::string& name : Placeholders(text->text())) {
        const std::string why = WhyEmpty(name);
        if (why.empty()) continue;
        out_.Add(*text, "empty-placeholder", at, "{{" + name + "}} stays empty: " + why,
                 "leave it out of this text, or give the rule what it shows");
      }
    }
  }

  std::string WhyEmpty(const std::string& name) const {
    const std::string rule = "the rule `" + rule_.id + "` has no ";
    if (name == "url" && rule_.apply.url.empty()) return rule + "apply.url";
    if (name == "deadline" && rule_.apply.deadline.zh.empty()) return rule + "apply.deadline";
    if (name == "materials" && rule_.apply.materials.empty()) return rule + "apply.materials";
    if ((name == "amount" || name == "unit") && rule_.amounts.empty()) return rule + "amount";
    const std::string entry = "`" + rule_.id + "` sends this on " + rules::NotifyOnName(notify_.on) + ", and ";
    if (name == "amount" && notify_.on == rules::NotifyOn::kUpcoming) return entry + "the amount is not known yet";
    if (name == "from" && notify_.on != rules::NotifyOn::kCorrection) return entry + "only a correction has this day";
    return "";
  }

  void Length(const char* locale) {
    const Result<message::Content> content =
        message::Render(tmpl_, LongestDecision(rule_, notify_), Channel::kSms, locale, {});
    if (!content) return;
    const std::size_t units = message::Utf16Length(content->body);
    const std::uint32_t segments = message::SmsSegments(units);
    if (segments == 1) return;
    const yaml::Node* text = At(&root_, {"sms", "text", locale});
    out_.Add(text == nullptr ? root_ : *text, "long-sms", std::string("sms.text.") + locale,
             "with its signature and the longest values this SMS takes " + std::to_string(units) + " characters, " +
                 (segments == 0 ? "too many to be sent" : std::to_string(segments) + " messages are paid for"),
             segments == 0 ? "shorten it to 500 characters" : "shorten it to 70 characters");
  }

  const Scene& scene_;
  const rules::Rule& rule_;
  const rules::Notify& notify_;
  const message::Template& tmpl_;
  const yaml::Node& root_;
  Findings& out_;
};

}  // namespace

void LintText(const facts::Schema& schema, const yaml::Node& node, const std::string& at, Findings& out) {
  English(node, at, out);
  Sensitive(schema, node, at, out);
}

void LintSchemas(const Scene& scene, Findings& out) {
  for (const std::string& kind : scene.ruleset.kinds()) SchemaLint(scene, *scene.ruleset.SchemaOf(kind), out).Run();
}

void LintRules(const Scene& scene, Findings& out) {
  std::map<std::string, std::vector<const rules::Rule*>> alike;
  for (const rules::Rule& rule : scene.ruleset.rules()) {
    std::vector<const rules::Rule*>& others = alike[Signature(rule)];
    for (const rules::Rule* other : others) {
      if (!Overlap(rule, *other)) continue;
      out.Add(*scene.RootOf(rule.at).Find("rule"), "same-rule", "rule",
              "`" + rule.id + "` has the topic, the area and the criteria of `" + other->id + "` in " + other->at.file +
                  ", and both are in force at the same time",
              "give the older one `valid: {until: …}`, or make one rule of the two");
      break;
    }
    others.push_back(&rule);
  }
}

void LintMessages(const Scene& scene, Findings& out) {
  std::set<std::string, std::less<>> used;
  for (const rules::Rule& rule : scene.ruleset.rules()) {
    for (const rules::Notify& notify : rule.notify) {
      used.insert(notify.message);
      const message::Template* tmpl = scene.templates.Find(notify.message);
      if (tmpl != nullptr) MessageLint(scene, rule, notify, *tmpl, out).Run();
    }
  }
  for (const auto& [name, tmpl] : scene.templates.all()) {
    if (used.contains(name)) continue;
    out.Add(*scene.RootOf(tmpl.at).Find("message"), "unused-message", "message", "no rule sends `" + name + "`",
            "name it in the notify of a rule, or delete the file");
  }
}

}  // namespace zhitui::authoring
