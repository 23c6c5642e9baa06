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

Maker BuildFcm(const delivery::Settings& settings, Diagnostics* diagnostics) {
  const auto options = app::ValidateFcm(settings, diagnostics);
  if (!options) return {};
  return [o = *options](Logger* logger) { return app::NewFcm(o, logger); };
}

Maker BuildHuawei(const delivery::Settings& settings, Diagnostics* diagnostics) {
  const auto options = app::ValidateHuawei(settings, diagnostics);
  if (!options) return {};
  return [o = *options](Logger* logger) { return app::NewHuawei(o, logger); };
}

Maker BuildGetui(const delivery::Settings& settings, Diagnostics* diagnostics) {
  const auto options = app::ValidateGetui(settings, diagnostics);
  if (!options) return {};
  return [o = *options](Logger* logger) { return app::NewGetui(o, logger); };
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

}  // namespace

const std::vector<ConnectorKind>& ConnectorKinds() {
  static const std::vector<ConnectorKind> kinds = {
      {"jpush", Channel::kApp, "JPush v3 (极光推送)", app::JpushSettings(), BuildJpush},
      {"fcm", Channel::kApp, "Firebase Cloud Messaging, HTTP v1", app::FcmSettings(), BuildFcm},
      {"huawei", Channel::kApp, "Huawei Push Kit (华为推送)", app::HuaweiSettings(), BuildHuawei},
      {"getui", Channel::kApp, "Getui REST API v2 (个推)", app::GetuiSettings(), BuildGetui},
      {"wechat", Channel::kWechat, "WeChat service account, template messages (微信服务号模板消息)",
       wechat::TemplateMessageSettings(), BuildWechat},
      {"aliyun", Channel::kSms, "Aliyun SMS (阿里云短信)", sms::AliyunSettings(), BuildAliyun},
  };
  return kinds;
}

}  // namespace zhitui::daemon
