#include "sandbox/wechat_push.h"

#include <httplib.h>

#include "sandbox/crypto.h"
#include "sandbox/text.h"
#include "sandbox/wechat_crypto.h"

namespace sandbox {
namespace {

using Ordered = nlohmann::ordered_json;

constexpr char kAccount[] = "gh_sandbox000001";
constexpr int kAnswerWithinSeconds = 5;

void Xml(const std::string& name, const Ordered& value, std::string* out) {
  if (value.is_array()) {
    for (const auto& item : value) Xml(name, item, out);
    return;
  }
  *out += '<' + name + '>';
  if (value.is_object()) {
    for (const auto& [key, item] : value.items()) Xml(key, item, out);
  } else if (value.is_string()) {
    *out += "<![CDATA[" + value.get<std::string>() + "]]>";
  } else {
    *out += value.dump();
  }
  *out += "</" + name + '>';
}

Courier::Config CourierOf(const Options& options, const std::string& path, const std::string& appid) {
  Courier::Config config;
  config.base = options.callback_base;
  config.mode = options.receipts;
  config.delay_ms = options.receipt_delay_ms;
  config.retry_ms = {options.receipt_retry_ms, 5 * options.receipt_retry_ms, 10 * options.receipt_retry_ms};
  config.threads = 2;
  config.render = [path, appid, token = options.wechat_callback_token,
                   sim = options.wechat](const std::vector<std::string>& items) {
    const std::string timestamp = std::to_string(SystemNowMs() / 1000);
    const std::string nonce = RandomHex(10);
    Courier::Post post;
    post.target =
        path + "?signature=" + WechatSignature(token, timestamp, nonce) + "&timestamp=" + timestamp + "&nonce=" + nonce;
    post.body = items.front();
    post.content_type = sim.json ? "application/json" : "text/xml";
    if (sim.aes_key.empty()) return post;
    const std::string encrypted = WechatEncrypt(sim.aes_key, appid, RandomHex(16), items.front());
    post.target += "&encrypt_type=aes&msg_signature=" + WechatMessageSignature(token, timestamp, nonce, encrypted);
    if (sim.json) {
      Ordered outer = sim.compatible ? Ordered::parse(items.front()) : Ordered({{"ToUserName", kAccount}});
      outer["Encrypt"] = encrypted;
      post.body = outer.dump();
    } else {
      const std::string end = "</xml>";
      std::string outer = "<xml><ToUserName><![CDATA[" + std::string(kAccount) + "]]></ToUserName>";
      if (sim.compatible) outer = items.front().substr(0, items.front().size() - end.size());
      post.body = outer + "<Encrypt><![CDATA[" + encrypted + "]]></Encrypt>" + end;
    }
    return post;
  };
  config.acknowledged = [](int status, const std::string& body) {
    return status == 200 && (body.empty() || body == "success");
  };
  return config;
}

}  // namespace

std::string WechatPush::Write(const Ordered& message) const {
  if (json_) return message.dump();
  std::string out;
  Xml("xml", message, &out);
  return out;
}

std::string WechatPush::Event(const std::string& name, const std::string& wrapper, Ordered more) const {
  Ordered message = {{"ToUserName", kAccount},
                     {"FromUserName", openid_},
                     {"CreateTime", at_s_},
                     {"MsgType", "event"},
                     {"Event", name}};
  if (wrapper.empty()) {
    message.update(more);
  } else if (json_) {
    message["List"] = more.size() == 1 ? more.front() : more;
  } else {
    message[wrapper] = {{"List", more}};
  }
  return Write(message);
}

std::string WechatPush::TemplateReceipt(int64_t msgid, Fate fate) const {
  const bool failed = fate == Fate::kFailed || fate == Fate::kDead;
  return Event("TEMPLATESENDJOBFINISH", "", {{"MsgID", msgid}, {"Status", failed ? "failed:user block" : "success"}});
}

std::string WechatPush::SentReceipt(const std::string& template_id, int64_t msgid, Fate fate) const {
  const bool failed = fate == Fate::kFailed || fate == Fate::kDead;
  Ordered item = {{"TemplateId", template_id}, {"MsgID", std::to_string(msgid)}};
  item["ErrorCode"] = fate == Fate::kFailed ? "43101" : fate == Fate::kDead ? "43004" : "0";
  item["ErrorStatus"] = failed ? "failed" : "success";
  return Event("subscribe_msg_sent_event", "SubscribeMsgSentEvent", Ordered::array({item}));
}

std::string WechatPush::Popup(const std::vector<std::string>& template_ids, const std::string& status) const {
  Ordered list = Ordered::array();
  for (const auto& id : template_ids) {
    list.push_back({{"TemplateId", id}, {"SubscribeStatusString", status}, {"PopupScene", "1"}});
  }
  return Event("subscribe_msg_popup_event", "SubscribeMsgPopupEvent", list);
}

std::string WechatPush::Change(const std::vector<std::string>& template_ids) const {
  Ordered list = Ordered::array();
  for (const auto& id : template_ids) list.push_back({{"TemplateId", id}, {"SubscribeStatusString", "reject"}});
  return Event("subscribe_msg_change_event", "SubscribeMsgChangeEvent", list);
}

std::string WechatPush::Follow(bool follows) const {
  return Event(follows ? "subscribe" : "unsubscribe", "", {{"EventKey", ""}});
}

std::string WechatPush::Text(int64_t msgid, const std::string& content) const {
  return Write({{"ToUserName", kAccount},
                {"FromUserName", openid_},
                {"CreateTime", at_s_},
                {"MsgType", "text"},
                {"Content", content},
                {"MsgId", msgid}});
}

Courier::Config WechatCourier(const Options& options) {
  return CourierOf(options, options.wechat_callback_path, options.wechat_appid);
}

Courier::Config WechatMiniCourier(const Options& options) {
  return CourierOf(options, options.wechat.mini_callback_path, options.wechat.mini_appid);
}

void PostNow(const Courier::Config& config, const std::string& body) {
  if (config.base.empty() || config.mode == Receipts::kOff) return;
  httplib::Client client(config.base);
  client.set_tcp_nodelay(true);
  client.set_connection_timeout(kAnswerWithinSeconds);
  client.set_read_timeout(kAnswerWithinSeconds);
  client.enable_server_certificate_verification(false);
  const Courier::Post post = config.render({body});
  client.Post(post.target, post.body, post.content_type.c_str());
}

}  // namespace sandbox
