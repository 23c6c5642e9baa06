#include "wechat/mini.h"

#include <utility>

#include "wechat/wechat_codes.h"
#include "wechat/wechat_connector.h"
#include "wechat/wechat_wire.h"

namespace zhitui::wechat {
namespace {

constexpr char kBaseUrl[] = "https://api.weixin.qq.com";

}  // namespace

std::vector<delivery::SettingDoc> MiniSettings() {
  std::vector<delivery::SettingDoc> docs = {
      {"base_url", kBaseUrl, false, false, {"接口地址", "address of the API"}},
      {"app_id", "", true, false, {"小程序的 AppID", "AppID of the mini-program"}},
      {"secret", "", true, true, {"小程序的 AppSecret", "its AppSecret"}},
      {"templates.*", "", false, false, {"模板名到订阅模板 ID 的对应", "id of each subscription template"}},
      {"long_term",
       "false",
       false,
       false,
       {"模板均为长期订阅：同意一次即可一直发送", "the templates are long-term: one consent is for all messages"}},
      {"miniprogram_state",
       "formal",
       false,
       false,
       {"跳转的小程序版本：developer、trial 或 formal", "version a message opens: developer, trial or formal"}},
      {"lang",
       "",
       false,
       false,
       {"进入小程序后的语言：zh_CN、en_US、zh_HK、zh_TW；留空随消息",
        "language of the mini-program: zh_CN, en_US, zh_HK, zh_TW; empty: that of the message"}},
      {"page",
       "",
       false,
       false,
       {"链接是网址时打开的小程序页面；留空则不跳转",
        "page that a message opens when its link is a web address; empty: none"}},
  };
  for (delivery::SettingDoc& doc : CommonSettings(false)) docs.push_back(std::move(doc));
  return docs;
}

std::optional<MiniOptions> ValidateMini(const delivery::Settings& settings, Diagnostics* diagnostics) {
  Diagnostics found;
  delivery::RefuseUnknownKeys(settings, MiniSettings(), &found);
  MiniOptions o;
  ReadAccount(settings, kBaseUrl, "app_id", &o, &found);
  ReadCallback(settings, false, &o.callback, &found);
  ReadTemplates(settings, &o.templates, &found);
  o.long_term = settings.Bool("long_term", false, &found);
  o.miniprogram_state = ReadChoice(settings, "miniprogram_state", "formal", {"developer", "trial", "formal"}, &found);
  o.lang = ReadChoice(settings, "lang", "", {"", "zh_CN", "en_US", "zh_HK", "zh_TW"}, &found);
  o.page = settings.String("page", std::string(), &found);
  const bool good = found.empty();
  if (diagnostics != nullptr) diagnostics->insert(diagnostics->end(), found.begin(), found.end());
  if (!good) return std::nullopt;
  return o;
}

std::shared_ptr<delivery::Connector> NewMini(MiniOptions options, Logger* logger) {
  FieldMessages how;
  how.name = "wechat_mini";
  how.receipt_scope = "wechat_mini";
  how.path = "/cgi-bin/message/subscribe/send";
  how.one_at_a_time = true;
  how.needs_grant = !options.long_term;
  how.verdict = SubscriptionVerdict;
  how.body = [options](const std::string& id, const delivery::SendRequest& request) {
    return MiniBody(options, id, request);
  };
  // A web address cannot be opened from a mini-program's message; `page` is.
  how.check_link = [](const std::string&) { return Status(); };
  return NewFieldMessages(std::move(how), options, logger);
}

}  // namespace zhitui::wechat
