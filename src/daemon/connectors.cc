// The one table of providers. A new one is a row here.

#include "app/app.h"
#include "daemon/settings.h"
#include "sms/sms.h"
#include "wechat/wechat.h"

namespace zhitui::daemon {
namespace {

using Maker = std::function<std::shared_ptr<delivery::Connector>(Logger*)>;

Maker BuildJpush(const delivery::Settings& settings, Diagnostics* diagnostics) {
  const auto options = app::ValidateJpush(settings, diagnostics);
  if (!options) return {};
  return [o = *options](Logger* logger) { return app::NewJpush(o, logger); };
}

Maker BuildWechat(const delivery::Settings& settings, Diagnostics* diagnostics) {
  const auto options = wechat::ValidateTemplateMessage(settings, diagnostics);
  if (!options) return {};
  return [o = *options](Logger* logger) { return wechat::NewTemplateMessage(o, logger); };
}

Maker BuildAliyun(const delivery::Settings& settings, Diagnostics* diagnostics) {
  const auto options = sms::ValidateAliyun(settings, diagnostics);
  if (!options) return {};
  return [o = *options](Logger* logger) { return sms::NewAliyun(o, logger); };
}

Maker BuildTencent(const delivery::Settings& settings, Diagnostics* diagnostics) {
  const auto options = sms::ValidateTencent(settings, diagnostics);
  if (!options) return {};
  return [o = *options](Logger* logger) { return sms::NewTencent(o, logger); };
}

Maker BuildKannel(const delivery::Settings& settings, Diagnostics* diagnostics) {
  const auto options = sms::ValidateKannel(settings, diagnostics);
  if (!options) return {};
  return [o = *options](Logger* logger) { return sms::NewKannel(o, logger); };
}

}  // namespace

const std::vector<ConnectorKind>& ConnectorKinds() {
  static const std::vector<ConnectorKind> kinds = {
      {"jpush", Channel::kApp, "JPush v3 (极光推送)", app::JpushSettings(), BuildJpush},
      {"wechat", Channel::kWechat, "WeChat service account, template messages (微信服务号模板消息)",
       wechat::TemplateMessageSettings(), BuildWechat},
      {"aliyun", Channel::kSms, "Aliyun SMS (阿里云短信)", sms::AliyunSettings(), BuildAliyun},
      {"tencent", Channel::kSms, "Tencent Cloud SMS (腾讯云短信)", sms::TencentSettings(), BuildTencent},
      {"kannel", Channel::kSms, "Kannel, sendsms of its smsbox (Kannel 短信网关)", sms::KannelSettings(), BuildKannel},
  };
  return kinds;
}

}  // namespace zhitui::daemon
