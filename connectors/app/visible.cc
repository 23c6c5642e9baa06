#include "app/visible.h"

namespace zhitui::app {
namespace {

// Every service shows at least so much, and the smallest body one takes (iOS, 2000 bytes) has room for it.
constexpr std::size_t kMaxTitle = 100;
constexpr std::size_t kMaxBody = 400;

void Neutral(const delivery::Settings& settings, std::string_view key, std::size_t most, std::string* text,
             Diagnostics* diagnostics) {
  const std::string* given = settings.Find(key);
  if (given == nullptr) return;
  if (given->empty() || given->size() > most || !IsValidUtf8(*given)) {
    if (diagnostics != nullptr) {
      diagnostics->push_back({settings.At(key),
                              1,
                              "bad-value",
                              std::string(key) + " must have 1 to " + std::to_string(most) + " bytes of UTF-8",
                              "leave it out for the default",
                              {}});
    }
    return;
  }
  *text = *given;
}

}  // namespace

std::vector<delivery::SettingDoc> VisibleSettings() {
  const Visible defaults;
  return {
      {"show",
       "neutral",
       false,
       false,
       {"推送可见内容：neutral 只显示中性文字，full 显示标题和正文",
        "what a push shows: neutral text only, or the full title and body"}},
      {"neutral_title", defaults.neutral_title.zh, false, false, {"中性标题", "the neutral title, Chinese"}},
      {"neutral_body", defaults.neutral_body.zh, false, false, {"中性正文", "the neutral body, Chinese"}},
      {"neutral_title_en", defaults.neutral_title.en, false, false, {"英文中性标题", "the neutral title, English"}},
      {"neutral_body_en", defaults.neutral_body.en, false, false, {"英文中性正文", "the neutral body, English"}},
  };
}

Visible ValidateVisible(const delivery::Settings& settings, Diagnostics* diagnostics) {
  Visible visible;
  const std::string show = settings.String("show", "neutral", diagnostics);
  if (show != "neutral" && show != "full" && diagnostics != nullptr) {
    diagnostics->push_back(
        {settings.At("show"), 1, "bad-value", "show is neither neutral nor full", "leave it out for neutral", {}});
  }
  visible.full = show == "full";
  Neutral(settings, "neutral_title", kMaxTitle, &visible.neutral_title.zh, diagnostics);
  Neutral(settings, "neutral_body", kMaxBody, &visible.neutral_body.zh, diagnostics);
  Neutral(settings, "neutral_title_en", kMaxTitle, &visible.neutral_title.en, diagnostics);
  Neutral(settings, "neutral_body_en", kMaxBody, &visible.neutral_body.en, diagnostics);
  return visible;
}

Shown ShownOf(const Visible& visible, const message::Content& content) {
  if (visible.full) return {content.title, content.body};
  return {visible.neutral_title.In(content.locale), visible.neutral_body.In(content.locale)};
}

std::vector<std::pair<std::string, std::string>> HiddenData(const delivery::SendRequest& request) {
  std::vector<std::pair<std::string, std::string>> data = {{"attempt_id", request.attempt_id},
                                                           {"notification_id", request.notification_id}};
  if (!request.content.url.empty()) data.emplace_back("url", request.content.url);
  return data;
}

Status CheckAppContent(const message::Content& content) {
  if (content.channel != Channel::kApp) return Invalid("not a message for the app");
  if (content.title.empty() || content.body.empty()) return Invalid("an app message needs a title and a body");
  if (!IsValidUtf8(content.title) || !IsValidUtf8(content.body) || !IsValidUtf8(content.url)) {
    return Invalid("the message is not valid UTF-8");
  }
  return {};
}

}  // namespace zhitui::app
