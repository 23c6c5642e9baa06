#pragma once

// What a push message shows. A lock screen is read by whoever passes by, and a push service reads all that it carries:
// so what it gets is neutral by default, and the message itself waits in the app's inbox. Pure; shared by the
// connectors of this room.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/base.h"
#include "delivery/delivery.h"

namespace zhitui::app {

struct Visible {
  bool full = false;  // show title and body of the message
  Text neutral_title{"政务服务通知", "Government services"};
  Text neutral_body{"您有一条新的办事提醒，请打开应用查看", "You have a new reminder. Please open the app to read it."};
};

// The settings show, neutral_title, neutral_body and the English two; to be added to a provider's own.
std::vector<delivery::SettingDoc> VisibleSettings();
Visible ValidateVisible(const delivery::Settings& settings, Diagnostics* diagnostics);

struct Shown {
  std::string_view title;
  std::string_view body;
};
// The text that may be seen; views into `visible` or `content`.
Shown ShownOf(const Visible& visible, const message::Content& content);

// What the app needs to open the message: attempt_id, notification_id and, when there is one, url. Not personal.
std::vector<std::pair<std::string, std::string>> HiddenData(const delivery::SendRequest& request);

// What every message for the app must be: of this channel, with title and body, valid UTF-8.
Status CheckAppContent(const message::Content& content);

}  // namespace zhitui::app
