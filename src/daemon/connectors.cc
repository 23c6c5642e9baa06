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

Maker BuildApns(const delivery::Settings& settings, Diagnostics* diagnostics) {
  const auto options = app::ValidateApns(settings, diagnostics);
  if (!options) return {};
  return [o = *options](Logger* logger) { return app::NewApns(o, logger); };
}

Maker BuildWebpush(const delivery::Settings& settings, Diagnostics* diagnostics) {
  const auto options = app::ValidateWebpush(settings, diagnostics);
  if (!options) return {};
  return [o = *options](Logger* logger) { return app::NewWebpush(o, logger); };
}

Maker BuildGorush(const delivery::Settings& settings, Diagnostics* diagnostics) {
  const auto options = app::ValidateGorush(settings, diagnostics);
  if (!options) return {};
  return [o = *options](Logger* logger) { return app::NewGorush(o, logger); };
}

Maker BuildNtfy(const delivery::Settings& settings, Diagnostics* diagnostics) {
  const auto options = app::ValidateNtfy(settings, diagnostics);
  if (!options) return {};
  return [o = *options](Logger* logger) { return app::NewNtfy(o, logger); };
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
      {"apns", Channel::kApp, "Apple Push Notification service", app::ApnsSettings(), BuildApns},
      {"webpush", Channel::kApp, "Web Push to browsers (RFC 8030)", app::WebpushSettings(), BuildWebpush},
      {"gorush", Channel::kApp, "gorush, a self-hosted push gateway", app::GorushSettings(), BuildGorush},
      {"ntfy", Channel::kApp, "ntfy, self-hosted publish and subscribe", app::NtfySettings(), BuildNtfy},
      {"wechat", Channel::kWechat, "WeChat service account, template messages (微信服务号模板消息)",
       wechat::TemplateMessageSettings(), BuildWechat},
      {"aliyun", Channel::kSms, "Aliyun SMS (阿里云短信)", sms::AliyunSettings(), BuildAliyun},
  };
  return kinds;
}

}  // namespace zhitui::daemon
