#include "wechat/subscription.h"

#include <utility>

#include "wechat/wechat_codes.h"
#include "wechat/wechat_connector.h"
#include "wechat/wechat_wire.h"

namespace zhitui::wechat {
namespace {

constexpr char kBaseUrl[] = "https://api.weixin.qq.com";

}  // namespace

std::vector<delivery::SettingDoc> SubscriptionSettings() {
  std::vector<delivery::SettingDoc> docs = {
      {"base_url", kBaseUrl, false, false, {"接口地址", "address of the API"}},
      {"app_id", "", true, false, {"服务号的 AppID", "AppID of the service account"}},
      {"secret", "", true, true, {"服务号的 AppSecret", "its AppSecret"}},
      {"templates.*", "", false, false, {"模板名到订阅模板 ID 的对应", "id of each subscription template"}},
      {"long_term",
       "false",
       false,
       false,
       {"模板均为长期订阅：同意一次即可一直发送", "the templates are long-term: one consent is for all messages"}},
      {"miniprogram_app_id",
       "",
       false,
       false,
       {"小程序 AppID；链接不是网址时跳转到它的页面", "mini-program that opens links which are pages, not URLs"}},
  };
  for (delivery::SettingDoc& doc : CommonSettings(false)) docs.push_back(std::move(doc));
  return docs;
}

std::optional<SubscriptionOptions> ValidateSubscription(const delivery::Settings& settings, Diagnostics* diagnostics) {
  Diagnostics found;
  delivery::RefuseUnknownKeys(settings, SubscriptionSettings(), &found);
  SubscriptionOptions o;
  ReadAccount(settings, kBaseUrl, "app_id", &o, &found);
  ReadCallback(settings, false, &o.callback, &found);
  ReadTemplates(settings, &o.templates, &found);
  o.miniprogram_app_id = settings.String("miniprogram_app_id", std::string(), &found);
  o.long_term = settings.Bool("long_term", false, &found);
  const bool good = found.empty();
  if (diagnostics != nullptr) diagnostics->insert(diagnostics->end(), found.begin(), found.end());
  if (!good) return std::nullopt;
  return o;
}

std::shared_ptr<delivery::Connector> NewSubscription(SubscriptionOptions options, Logger* logger) {
  FieldMessages how;
  how.name = "wechat_subscription";
  how.receipt_scope = "wechat";  // a service account has one call-back address for all its messages
  how.path = "/cgi-bin/message/subscribe/bizsend";
  how.one_at_a_time = true;
  how.needs_grant = !options.long_term;
  how.verdict = SubscriptionVerdict;
  how.body = [options](const std::string& id, const delivery::SendRequest& request) {
    return SubscriptionBody(options, id, request);
  };
  how.check_link = [app = options.miniprogram_app_id](const std::string& url) { return CheckServiceLink(url, app); };
  return NewFieldMessages(std::move(how), options, logger);
}

}  // namespace zhitui::wechat
