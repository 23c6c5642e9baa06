#pragma once

// message: decision -> content of one channel in one language, from templates that authors write beside the rules
// (rules/messages/*.yaml, described in docs/rules.md). Pure.
//
// Promises
// - A template set is built whole or not at all; unknown placeholders, missing languages and field rules that no value
//   could meet are diagnostics.
// - Rendering never leaves a placeholder in the text. What does not fit a provider's field is cut at a code point and
//   marked with …; line breaks and control characters never get into a field.
// - SMS length is counted as the carriers do: UTF-16 units, the signature with its 【】 included; up to 70 one segment,
//   else segments of 67; at most 500 (providers.md §2.3).

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/base.h"
#include "decide/decide.h"
#include "yaml/yaml.h"

namespace zhitui::message {

struct Template {
  std::string name;
  Text app_title;
  Text app_body;
  std::string wechat_template;  // logical name; the connector's config has the provider's id
  std::vector<std::pair<std::string, Text>> wechat_fields;  // "thing1" -> text with placeholders
  std::string sms_template;                                 // logical name
  std::vector<std::pair<std::string, Text>> sms_params;
  Text sms_text;                   // the whole text as registered with the provider, for counting
  std::vector<yaml::Allow> allow;  // warnings that may stand
  Location at;
  bool Has(Channel channel) const;
};

// Names a placeholder {{name}} may use: title, owner, amount, unit, occurrence, until, deadline, url, materials,
// reasons, rule. (None of them is personal.)
const std::vector<std::string>& PlaceholderNames();

class TemplateSet {
 public:
  static std::shared_ptr<const TemplateSet> Build(const std::vector<yaml::Document>& documents,
                                                  Diagnostics* diagnostics);
  const Template* Find(std::string_view name) const;
  const std::map<std::string, Template, std::less<>>& all() const { return templates_; }

 private:
  std::map<std::string, Template, std::less<>> templates_;
};

struct Content {
  Channel channel = Channel::kApp;
  std::string locale;             // "zh", "en"
  std::string title;              // app; wechat: that of the app, if there is one
  std::string body;               // app, wechat likewise; sms: the whole text as the person reads it, with signature
  std::string url;                // where a tap leads
  std::string provider_template;  // logical name (wechat, sms)
  std::vector<std::pair<std::string, std::string>> fields;  // wechat fields, sms parameters
  std::uint32_t segments = 0;                               // sms
  std::string Encode() const;
  static Result<Content> Decode(std::string_view bytes);
};

struct RenderOptions {
  std::string sms_signature = "福田政务";  // without 【】
};

// kInvalid: the template has nothing for that channel.
Result<Content> Render(const Template& tmpl, const decide::Decision& decision, Channel channel, std::string_view locale,
                       const RenderOptions& options);

std::size_t Utf16Length(std::string_view utf8);
// Segments of a text of `utf16_units`; 0 for more than 500.
std::uint32_t SmsSegments(std::size_t utf16_units);

// WeChat field rules by key prefix (providers.md §1.4): `thing` 20, `character_string` 32, … The value made to fit.
std::string FitWechatField(std::string_view key, std::string_view value);

}  // namespace zhitui::message
