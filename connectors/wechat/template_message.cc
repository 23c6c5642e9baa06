#include "wechat/template_message.h"

#include <utility>

#include "wechat/wechat_codes.h"
#include "wechat/wechat_connector.h"
#include "wechat/wechat_wire.h"

namespace zhitui::wechat {
namespace {

constexpr char kBaseUrl[] = "https://api.weixin.qq.com";
// WeChat suppresses a repeated client_msg_id of one openid for ten minutes.
constexpr std::chrono::minutes kKeyLife(10);

}  // namespace

std::vector<delivery::SettingDoc> TemplateMessageSettings() {
  std::vector<delivery::SettingDoc> docs = {
      {"base_url", kBaseUrl, false, false, {"接口地址", "address of the API"}},
      {"app_id", "", true, false, {"服务号的 AppID", "AppID of the service account"}},
      {"secret", "", true, true, {"服务号的 AppSecret", "its AppSecret"}},
      {"templates.*", "", false, false, {"模板名到模板 ID 的对应", "template id of each WeChat template"}},
      {"miniprogram_app_id",
       "",
       false,
       false,
       {"小程序 AppID；链接不是网址时跳转到它的页面", "mini-program that opens links which are pages, not URLs"}},
  };
  for (delivery::SettingDoc& doc : CommonSettings(true)) docs.push_back(std::move(doc));
  return docs;
}

std::optional<TemplateMessageOptions> ValidateTemplateMessage(const delivery::Settings& settings,
                                                              Diagnostics* diagnostics) {
  Diagnostics found;
  delivery::RefuseUnknownKeys(settings, TemplateMessageSettings(), &found);
  TemplateMessageOptions o;
  ReadAccount(settings, kBaseUrl, "app_id", &o, &found);
  ReadCallback(settings, true, &o.callback, &found);
  ReadTemplates(settings, &o.templates, &found);
  o.miniprogram_app_id = settings.String("miniprogram_app_id", std::string(), &found);
  const bool good = found.empty();
  if (diagnostics != nullptr) diagnostics->insert(diagnostics->end(), found.begin(), found.end());
  if (!good) return std::nullopt;
  return o;
}

std::shared_ptr<delivery::Connector> NewTemplateMessage(TemplateMessageOptions options, Logger* logger) {
  FieldMessages how;
  how.name = "wechat";
  how.receipt_scope = "wechat";
  how.path = "/cgi-bin/message/template/send";
  how.unknown_policy = delivery::UnknownPolicy::kResend;
  how.key_life = kKeyLife;
  how.verdict = WechatVerdict;
  how.body = [options](const std::string& id, const delivery::SendRequest& request) {
    return TemplateBody(options, id, request);
  };
  how.check_link = [app = options.miniprogram_app_id](const std::string& url) { return CheckServiceLink(url, app); };
  return NewFieldMessages(std::move(how), options, logger);
}

}  // namespace zhitui::wechat
