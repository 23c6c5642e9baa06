#include "wechat/options.h"

#include <algorithm>
#include <optional>

#include "wechat/wechat_aes.h"

namespace zhitui::wechat {

std::vector<delivery::SettingDoc> CommonSettings(bool token_required) {
  return {
      {"ca_file", "", false, false, {"受信任的根证书（PEM）", "trusted roots (PEM); empty: the system's"}},
      {"connect_timeout_ms", "2000", false, false, {"建立连接的时限", "time to connect"}},
      {"callback_token",
       "",
       token_required,
       true,
       {"消息推送的 Token，用于验签", "the token that signs call-backs; without it they are refused"}},
      {"encoding_aes_key",
       "",
       false,
       true,
       {"消息推送的 EncodingAESKey（43 位）；设置后只接受加密推送",
        "the EncodingAESKey (43 characters) of call-backs; when set, only encrypted ones are taken"}},
      {"callback_max_age_s",
       "300",
       false,
       false,
       {"推送时间戳与本机时钟相差的上限（秒），0 为不限",
        "how far the timestamp of a call-back may be from our clock, in seconds; 0: any"}},
  };
}

void ReadAccount(const delivery::Settings& settings, const char* base_url, const char* id_key, AccountOptions* options,
                 Diagnostics* found) {
  options->base_url = delivery::BaseUrlSetting(settings, base_url, found);
  options->ca_file = delivery::FileSetting(settings, "ca_file", found);
  options->app_id = settings.String(id_key, std::nullopt, found);
  options->secret = settings.SecretOf("secret", true, found);
  options->connect_timeout = Millis(settings.Int("connect_timeout_ms", 2000, 10, 60000, found));
}

void ReadCallback(const delivery::Settings& settings, bool token_required, CallbackOptions* options,
                  Diagnostics* found) {
  options->token = settings.SecretOf("callback_token", token_required, found);
  options->aes_key = settings.SecretOf("encoding_aes_key", false, found);
  options->max_age = std::chrono::seconds(settings.Int("callback_max_age_s", 300, 0, 86400, found));
  const std::string key = options->aes_key.Get()->text;
  if (!key.empty() && !IsEncodingAesKey(key)) {
    found->push_back({settings.At("encoding_aes_key"),
                      1,
                      "bad-value",
                      "encoding_aes_key is not 43 letters and digits",
                      "copy it from the account's message push settings",
                      {}});
  }
}

void ReadTemplates(const delivery::Settings& settings, std::map<std::string, std::string>* templates,
                   Diagnostics* found) {
  *templates = settings.Table("templates");
  for (const auto& [name, id] : *templates) {
    if (!id.empty()) continue;
    found->push_back({settings.At("templates." + name),
                      1,
                      "bad-value",
                      "the template id of " + name + " is empty",
                      "copy it from the account's template library",
                      {}});
  }
}

std::string ReadChoice(const delivery::Settings& settings, const char* key, const char* fallback,
                       const std::vector<std::string>& choices, Diagnostics* found) {
  std::string value = settings.String(key, std::string(fallback), found);
  if (std::find(choices.begin(), choices.end(), value) != choices.end()) return value;
  std::string list;
  for (const std::string& choice : choices) list += (list.empty() ? "" : ", ") + choice;
  found->push_back(
      {settings.At(key), 1, "bad-value", std::string(key) + " has an unknown value", "one of " + list, {}});
  return value;
}

}  // namespace zhitui::wechat
