// Reading message templates.
#include <algorithm>
#include <array>

#include "message/message.h"
#include "message/placeholder.h"

namespace zhitui::message {
namespace {

constexpr std::size_t kMaxTemplates = 2000;
constexpr std::size_t kMaxFields = 20;
constexpr std::array<std::string_view, 14> kFieldPrefixes = {
    "thing",  "character_string", "number",     "letter", "symbol", "time", "date",
    "amount", "phone_number",     "car_number", "name",   "phrase", "enum", "const"};

// "thing12" -> known prefix and a number behind it.
bool IsWechatField(std::string_view key) {
  return std::any_of(kFieldPrefixes.begin(), kFieldPrefixes.end(), [&](std::string_view prefix) {
    if (!key.starts_with(prefix)) return false;
    const std::string_view rest = key.substr(prefix.size());
    return rest.size() <= 3 && !rest.empty() &&
           std::all_of(rest.begin(), rest.end(), [](char c) { return c >= '0' && c <= '9'; });
  });
}

class TemplateReader {
 public:
  TemplateReader(const yaml::Node& root, Diagnostics* diagnostics) : diagnostics_(diagnostics) {
    yaml::Reader top(root, diagnostics);
    if (!top.valid()) return;
    tmpl_.at = root.at();
    tmpl_.name = top.String("message");
    if (const yaml::Node* app = top.Optional("app")) App(*app);
    if (const yaml::Node* wechat = top.Optional("wechat")) Wechat(*wechat);
    if (const yaml::Node* sms = top.Optional("sms")) Sms(*sms);
    if (const yaml::Node* allow = top.Optional("allow")) tmpl_.allow = yaml::ToAllows(*allow, diagnostics_);
    top.Done();
    if (!tmpl_.Has(Channel::kApp) && !tmpl_.Has(Channel::kWechat) && !tmpl_.Has(Channel::kSms)) {
      diagnostics->push_back(
          root.Fault("empty-message", "the message says nothing on any channel", "add app, wechat or sms"));
    }
  }
  Template Take() { return std::move(tmpl_); }

 private:
  Text Checked(const yaml::Node& node) {
    const Text text = yaml::ToText(node, diagnostics_);
    Check(node, text.zh);
    Check(node, text.en);
    return text;
  }

  void Check(const yaml::Node& node, const std::string& text) {
    for (const Placeholder& p : FindPlaceholders(text)) {
      const std::vector<std::string>& names = PlaceholderNames();
      if (p.closed && std::find(names.begin(), names.end(), p.name) != names.end()) continue;
      if (!p.closed) {
        diagnostics_->push_back(
            node.Fault("bad-placeholder", "a {{ is opened here and not closed", "write both, such as {{title}}"));
        continue;
      }
      const std::string_view near = NearestName(p.name, names);
      std::string all;
      for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
      diagnostics_->push_back(
          node.Fault("unknown-placeholder", "there is no placeholder {{" + p.name + "}}",
                     near.empty() ? "use one of: " + all : "did you mean {{" + std::string(near) + "}}?"));
    }
  }

  void App(const yaml::Node& node) {
    yaml::Reader r(node, diagnostics_);
    if (const yaml::Node* title = r.Required("title")) tmpl_.app_title = Checked(*title);
    if (const yaml::Node* body = r.Required("body")) tmpl_.app_body = Checked(*body);
    r.Done();
  }

  void Wechat(const yaml::Node& node) {
    yaml::Reader r(node, diagnostics_);
    tmpl_.wechat_template = r.String("template");
    if (const yaml::Node* fields = r.Required("fields")) {
      Pairs(*fields, &tmpl_.wechat_fields);
      for (const auto& [key, value] : fields->entries()) {
        if (!IsWechatField(key.text())) {
          diagnostics_->push_back(key.Fault("wechat-field", key.text() + " is not a WeChat field",
                                            "use a field type with its number, such as thing1, time2, amount3"));
        }
      }
    }
    r.Done();
  }

  void Sms(const yaml::Node& node) {
    yaml::Reader r(node, diagnostics_);
    tmpl_.sms_template = r.String("template");
    if (const yaml::Node* params = r.Optional("params")) Pairs(*params, &tmpl_.sms_params);
    if (const yaml::Node* text = r.Required("text")) {
      tmpl_.sms_text = Checked(*text);
      for (const std::string* t : {&tmpl_.sms_text.zh, &tmpl_.sms_text.en}) {
        if (t->find("【") != std::string::npos || t->find("】") != std::string::npos) {
          diagnostics_->push_back(text->Fault("sms-brackets", "the text of an SMS may not contain 【 or 】",
                                              "leave the signature out: the provider puts it in front"));
          break;
        }
      }
    }
    r.Done();
  }

  void Pairs(const yaml::Node& node, std::vector<std::pair<std::string, Text>>* out) {
    if (!node.IsMapping()) {
      diagnostics_->push_back(node.Fault("not-a-mapping", "here names with their texts are expected",
                                         "write for example thing1: {zh: …, en: …}"));
      return;
    }
    if (node.entries().size() > kMaxFields) {
      diagnostics_->push_back(
          node.Fault("too-many", "more than 20 fields", "a message of this channel has at most 20"));
      return;
    }
    for (const auto& [key, value] : node.entries()) out->emplace_back(key.text(), Checked(value));
  }

  Diagnostics* diagnostics_;
  Template tmpl_;
};

}  // namespace

bool Template::Has(Channel channel) const {
  switch (channel) {
    case Channel::kApp:
      return !app_body.zh.empty();
    case Channel::kWechat:
      return !wechat_template.empty() && !wechat_fields.empty();
    case Channel::kSms:
      return !sms_template.empty() && !sms_text.zh.empty();
  }
  return false;
}

const std::vector<std::string>& PlaceholderNames() {
  static const std::vector<std::string> names = {"title", "owner",    "amount", "unit",      "occurrence", "from",
                                                 "until", "deadline", "url",    "materials", "reasons",    "rule"};
  return names;
}

std::shared_ptr<const TemplateSet> TemplateSet::Build(const std::vector<yaml::Document>& documents,
                                                      Diagnostics* diagnostics) {
  auto set = std::make_shared<TemplateSet>();
  const std::size_t before = diagnostics->size();
  if (documents.size() > kMaxTemplates) {
    Diagnostic d;
    d.at.file = documents.front().file();
    d.code = "too-many";
    d.message = "more than 2000 messages";
    diagnostics->push_back(std::move(d));
    return nullptr;
  }
  for (const yaml::Document& document : documents) {
    TemplateReader reader(document.root(), diagnostics);
    Template tmpl = reader.Take();
    if (tmpl.name.empty()) continue;
    if (const auto it = set->templates_.find(tmpl.name); it != set->templates_.end()) {
      diagnostics->push_back(document.root().Fault("duplicate-message",
                                                   "the message " + tmpl.name + " is already in " + it->second.at.file,
                                                   "delete this file, or give it another name"));
      continue;
    }
    std::string name = tmpl.name;
    set->templates_.emplace(std::move(name), std::move(tmpl));
  }
  if (diagnostics->size() > before) return nullptr;
  return set;
}

const Template* TemplateSet::Find(std::string_view name) const {
  const auto it = templates_.find(name);
  return it == templates_.end() ? nullptr : &it->second;
}

}  // namespace zhitui::message
