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

Maker BuildWechatSubscription(const delivery::Settings& settings, Diagnostics* diagnostics) {
  const auto options = wechat::ValidateSubscription(settings, diagnostics);
  if (!options) return {};
  return [o = *options](Logger* logger) { return wechat::NewSubscription(o, logger); };
}

Maker BuildWechatMini(const delivery::Settings& settings, Diagnostics* diagnostics) {
  const auto options = wechat::ValidateMini(settings, diagnostics);
  if (!options) return {};
  return [o = *options](Logger* logger) { return wechat::NewMini(o, logger); };
}

Maker BuildWecom(const delivery::Settings& settings, Diagnostics* diagnostics) {
  const auto options = wechat::ValidateWecom(settings, diagnostics);
  if (!options) return {};
  return [o = *options](Logger* logger) { return wechat::NewWecom(o, logger); };
}

Maker BuildAliyun(const delivery::Settings& settings, Diagnostics* diagnostics) {
  const auto options = sms::ValidateAliyun(settings, diagnostics);
  if (!options) return {};
  return [o = *options](Logger* logger) { return sms::NewAliyun(o, logger); };
}

Maker BuildCmpp(const delivery::Settings& settings, Diagnostics* diagnostics) {
  const auto options = sms::ValidateCmpp(settings, diagnostics);
  if (!options) return {};
  return [o = *options](Logger* logger) { return sms::NewCmpp(o, logger); };
}

Maker BuildSmpp(const delivery::Settings& settings, Diagnostics* diagnostics) {
  const auto options = sms::ValidateSmpp(settings, diagnostics);
  if (!options) return {};
  return [o = *options](Logger* logger) { return sms::NewSmpp(o, logger); };
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
      {"fcm", Channel::kApp, "Firebase Cloud Messaging, HTTP v1", app::FcmSettings(), BuildFcm},
      {"huawei", Channel::kApp, "Huawei Push Kit (华为推送)", app::HuaweiSettings(), BuildHuawei},
      {"getui", Channel::kApp, "Getui REST API v2 (个推)", app::GetuiSettings(), BuildGetui},
      {"apns", Channel::kApp, "Apple Push Notification service", app::ApnsSettings(), BuildApns},
      {"webpush", Channel::kApp, "Web Push to browsers (RFC 8030)", app::WebpushSettings(), BuildWebpush},
      {"gorush", Channel::kApp, "gorush, a self-hosted push gateway", app::GorushSettings(), BuildGorush},
      {"ntfy", Channel::kApp, "ntfy, self-hosted publish and subscribe", app::NtfySettings(), BuildNtfy},
      {"wechat", Channel::kWechat, "WeChat service account, template messages (微信服务号模板消息)",
       wechat::TemplateMessageSettings(), BuildWechat},
      {"wechat_subscription", Channel::kWechat, "WeChat service account, subscription messages (微信服务号订阅通知)",
       wechat::SubscriptionSettings(), BuildWechatSubscription},
      {"wechat_mini", Channel::kWechat, "WeChat mini-program, subscription messages (微信小程序订阅消息)",
       wechat::MiniSettings(), BuildWechatMini},
      {"wecom", Channel::kWechat, "WeCom app, text messages (企业微信应用消息)", wechat::WecomSettings(), BuildWecom},
      {"aliyun", Channel::kSms, "Aliyun SMS (阿里云短信)", sms::AliyunSettings(), BuildAliyun},
      {"cmpp", Channel::kSms, "CMPP 2.0 and 3.0 (中国移动短信网关)", sms::CmppSettings(), BuildCmpp},
      {"smpp", Channel::kSms, "SMPP 3.4 short message centre (SMPP 3.4 短信中心)", sms::SmppSettings(), BuildSmpp},
      {"tencent", Channel::kSms, "Tencent Cloud SMS (腾讯云短信)", sms::TencentSettings(), BuildTencent},
      {"kannel", Channel::kSms, "Kannel, sendsms of its smsbox (Kannel 短信网关)", sms::KannelSettings(), BuildKannel},
  };
  return kinds;
}

}  // namespace zhitui::daemon
