#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "authoring/authoring.h"
#include "yaml/yaml.h"

namespace zhitui::authoring {
namespace {

bool IsRule(const std::string& path) {
  return !path.starts_with("facts/") && !path.starts_with("messages/") && !path.starts_with("calendars/");
}
bool IsMessage(const std::string& path) { return path.starts_with("messages/"); }

class CrossCheck {
 public:
  explicit CrossCheck(Report& report) : report_(report) {}

  // Names and channels are compared in the files themselves, so that a mistake elsewhere hides none of these.
  void Names(const std::vector<yaml::Document>& documents, const std::map<std::string, const yaml::Node*>& messages,
             const std::set<std::string>& unread) {
    std::vector<std::string> known;
    for (const auto& [name, node] : messages) known.push_back(name);
    for (const yaml::Document& document : documents) {
      if (!IsRule(document.file())) continue;
      const yaml::Node* notify = document.root().IsMapping() ? document.root().Find("notify") : nullptr;
      if (notify == nullptr || !notify->IsSequence()) continue;
      for (const yaml::Node& entry : notify->items()) {
        const yaml::Node* name = entry.IsMapping() ? entry.Find("message") : nullptr;
        if (name == nullptr || !name->IsScalar() || unread.contains(name->text())) continue;
        const auto it = messages.find(name->text());
        if (it == messages.end()) {
          const std::string_view near = NearestName(name->text(), known);
          report_.diagnostics.push_back(name->Fault(
              "unknown-message", "there is no message `" + name->text() + "`",
              near.empty() ? "add messages/" + name->text() + ".yaml" : "did you mean `" + std::string(near) + "`?"));
          continue;
        }
        Channels(entry, *name, *it->second);
      }
    }
  }

  // Every text of a template in both languages.
  void Languages(const message::TemplateSet& set, const std::map<std::string, const yaml::Node*>& messages) {
    for (const auto& [name, tmpl] : set.all()) {
      const auto it = messages.find(name);
      if (it == messages.end()) continue;
      const auto check = [&](const char* channel, const char* part, const Text& text) {
        if (!text.zh.empty() && !text.en.empty()) return;
        const yaml::Node* node = it->second->Find(channel);
        report_.diagnostics.push_back(
            (node == nullptr ? it->second : node)
                ->Fault("missing-language", std::string(part) + " is missing in " + (text.zh.empty() ? "zh" : "en"),
                        "write {zh: …, en: …}"));
      };
      if (tmpl.Has(Channel::kApp)) {
        check("app", "title", tmpl.app_title);
        check("app", "body", tmpl.app_body);
      }
      if (tmpl.Has(Channel::kWechat)) {
        for (const auto& [key, text] : tmpl.wechat_fields) check("wechat", key.c_str(), text);
      }
      if (tmpl.Has(Channel::kSms)) {
        check("sms", "text", tmpl.sms_text);
        for (const auto& [key, text] : tmpl.sms_params) check("sms", key.c_str(), text);
      }
    }
  }

  // Only warnings that there are can be allowed.
  void Allowed(const yaml::Node& root) {
    const yaml::Node* allow = root.IsMapping() ? root.Find("allow") : nullptr;
    if (allow == nullptr || !allow->IsSequence()) return;
    for (const yaml::Node& item : allow->items()) {
      const yaml::Node* lint = item.IsMapping() ? item.Find("lint") : nullptr;
      if (lint == nullptr || !lint->IsScalar() || lint->text().empty()) continue;
      const std::vector<std::string>& known = LintCodes();
      if (std::find(known.begin(), known.end(), lint->text()) != known.end()) continue;
      const std::string_view near = NearestName(lint->text(), known);
      report_.diagnostics.push_back(
          lint->Fault("unknown-lint", "there is no warning `" + lint->text() + "`",
                      near.empty() ? "write the name that the warning shows in brackets, such as unused-param"
                                   : "did you mean `" + std::string(near) + "`?"));
    }
  }

 private:
  void Channels(const yaml::Node& entry, const yaml::Node& name, const yaml::Node& tmpl) {
    const auto has = [&tmpl](const std::string& channel) {
      const yaml::Node* content = tmpl.IsMapping() ? tmpl.Find(channel) : nullptr;
      return content != nullptr && !content->IsNull();
    };
    const yaml::Node* channels = entry.Find("channels");
    if (channels == nullptr || !channels->IsSequence()) {
      if (has("app") || has("wechat") || has("sms")) return;
      report_.diagnostics.push_back(name.Fault("no-content",
                                               "the message `" + name.text() + "` has content for no channel",
                                               "add app, wechat or sms to messages/" + name.text() + ".yaml"));
      return;
    }
    for (const yaml::Node& channel : channels->items()) {
      if (!ParseChannel(channel.text()) || has(channel.text())) continue;
      report_.diagnostics.push_back(channel.Fault(
          "no-content", "the message `" + name.text() + "` has no content for " + channel.text(),
          "add `" + channel.text() + ":` to messages/" + name.text() + ".yaml, or remove the channel here"));
    }
  }

  Report& report_;
};

}  // namespace

Report Check(const std::vector<rules::SourceFile>& files, const ForEach& each) {
  Report report;
  Diagnostics& diagnostics = report.diagnostics;
  std::vector<yaml::Document> documents;  // of rules and facts
  report.ruleset = rules::RuleSet::Build(files, &diagnostics, each, &documents);

  std::vector<yaml::Document> message_files;
  std::set<std::string> unread_messages;
  for (const rules::SourceFile& file : files) {
    if (IsMessage(file.path)) {
      ++report.templates;
      if (std::optional<yaml::Document> d = yaml::Parse(file.path, file.text, &diagnostics)) {
        message_files.push_back(std::move(*d));
      } else {
        // What sends it must not be told that it does not exist.
        const std::string name = file.path.substr(9);
        unread_messages.insert(name.substr(0, name.find('.')));
      }
    } else if (IsRule(file.path)) {
      ++report.rules;
    }
  }
  report.templates_set = message::TemplateSet::Build(message_files, &diagnostics);

  std::map<std::string, const yaml::Node*> messages;
  for (const yaml::Document& document : message_files) {
    const yaml::Node& root = document.root();
    const yaml::Node* name = root.IsMapping() ? root.Find("message") : nullptr;
    if (name == nullptr || !name->IsScalar()) continue;
    messages.emplace(name->text(), &root);
    const std::string expected = "messages/" + name->text();
    if (document.file() != expected + ".yaml" && document.file() != expected + ".yml") {
      diagnostics.push_back(name->Fault("file-name",
                                        "the message `" + name->text() + "` is in another file than its name says",
                                        "rename the file to " + expected + ".yaml"));
    }
  }
  CrossCheck cross(report);
  cross.Names(documents, messages, unread_messages);
  for (const yaml::Document& document : message_files) cross.Allowed(document.root());
  for (const yaml::Document& document : documents) cross.Allowed(document.root());
  if (report.templates_set != nullptr) cross.Languages(*report.templates_set, messages);
  if (!report.ok()) {
    report.ruleset = nullptr;
    report.templates_set = nullptr;
  }
  return report;
}

TestRun RunAll(const std::vector<rules::SourceFile>& files) {
  TestRun run;
  run.report = Check(files);
  if (run.report.ruleset != nullptr) run.tests = rules::RunTests(*run.report.ruleset);
  return run;
}

}  // namespace zhitui::authoring
