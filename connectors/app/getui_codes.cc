#include "app/getui_codes.h"

namespace zhitui::app {

using delivery::Verdict;

Verdict GetuiVerdict(int code, std::string_view message, int http_status) {
  switch (code) {
    case 2:      // 服务正在启动
    case 30019:  // 系统繁忙，请稍后重试
      return Verdict::kRetryLater;
    case 10003:  // 每分钟鉴权频率超限
    case 10005:  // 每分钟调用频率超限
    case 30012:  // 修改和删除 tag 超过每分钟频率限制
    case 30013:  // 推送 fast_custom_tag 超过每分钟频率限制
    case 30014:  // app 推送超过每分钟频率限制
    case 30015:  // list 推送超过每分钟频率限制
    case 30018:  // 查询单推实时报表超过每分钟频率限制
      return Verdict::kThrottled;
    case 301:    // 域名错误: the base URL is of another machine room
    case 404:    // url 错误
    case 405:    // 方法不支持
    case 10001:  // token 错误/失效, and so is the next one
    case 10002:  // appId 或 ip 在黑名单中
    case 10004:  // 没有查询消息明细的权限
    case 30000:  // 没有推送 fast_custom_tag 的权限
    case 30001:  // 没有修改和删除 custom_tag 的权限
    case 30002:  // 没有推送定时任务的权限
    case 30003:  // app/tag 接口无权限
    case 30004:  // tag 每日推送总数超限
    case 30006:  // fast_custom_tag 次数超过每日推送总数限制
    case 30007:  // app/all 推送次数超过每日推送总数限制
    case 30008:  // list 推送次数超过每日推送总数限制
    case 30009:  // 推送次数超过每日推送总数限制
    case 30010:  // app/tag 推送次数超过每日推送总数限制
    case 30011:  // 设置 tag 次数超过每日次数限制
    case 30017:  // 没有查询单推实时报表的权限
      return Verdict::kStopChannel;
    case 21001:  // 推送失败，用户无效或策略参数错误 (we send no strategy)
      return Verdict::kDropContact;
    case 1:      // 入参不是 JSON
    case 22001:  // 定时任务已经执行，无法删除
    case 22002:  // 任务无效或定时任务时间不合法
    case 23001:  // 操作 tag 失败
    case 30005:  // tag 长度超限
    case 30016:  // push/tag tag 个数超过限制
      return Verdict::kFixMessage;
    case 20001:  // 参数不合法
      if (message.find("target user is invalid") != std::string_view::npos) return Verdict::kDropContact;
      if (message.find("permission required") != std::string_view::npos) return Verdict::kStopChannel;
      // What we sent before: the first was taken.
      if (message.find("request_id") != std::string_view::npos && message.find("repeat") != std::string_view::npos) {
        return Verdict::kAccepted;
      }
      return Verdict::kFixMessage;
    default:
      break;
  }
  if (http_status == 429) return Verdict::kThrottled;
  if (http_status == 401 || http_status == 403 || http_status == 404) return Verdict::kStopChannel;
  if (http_status >= 400 && http_status < 500) return Verdict::kFixMessage;
  return Verdict::kUnknown;
}

bool IsGetuiMinuteLimit(int code) {
  return code == 10003 || code == 10005 || (code >= 30012 && code <= 30015) || code == 30018;
}

}  // namespace zhitui::app
