#include "app/jpush_codes.h"

namespace zhitui::app {

delivery::Verdict JpushVerdict(int code, int http_status) {
  using delivery::Verdict;
  switch (code) {
    case 1000:  // 系统内部错误, try again later
    case 1030:  // 内部服务超时, try again later
      return Verdict::kRetryLater;
    case 1012:  // 符合当前条件的推送已超过限制
    case 2002:  // API 调用频率超出该应用的限制
      return Verdict::kThrottled;
    case 1003:  // 参数值不合法: for a single device, its registration_id
    case 1011:  // 没有满足条件的推送目标
      return Verdict::kDropContact;
    case 1001:  // 只支持 HTTP Post 方法
    case 1002:  // 缺少了必须的参数
    case 1005:  // 消息体太大
    case 1009:  // 推送对象中有不支持的 key
      return Verdict::kFixMessage;
    case 1004:  // 验证失败
    case 1008:  // app_key 参数非法
    case 1020:  // 只支持 HTTPS 请求
    case 2003:  // 该应用 appkey 已被限制调用 API
    case 2004:  // 无权限执行当前操作 (source address)
    case 2005:  // 信息发送量超出合理范围
    case 2006:  // 非 VIP 用户
    case 2007:  // 无权调用此接口
      return Verdict::kStopChannel;
    default:
      break;
  }
  if (http_status == 429) return Verdict::kThrottled;
  if (http_status == 401 || http_status == 403 || http_status == 404) return Verdict::kStopChannel;
  if (http_status >= 400 && http_status < 500) return Verdict::kFixMessage;
  return Verdict::kUnknown;
}

}  // namespace zhitui::app
