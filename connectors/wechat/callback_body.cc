#include "wechat/callback_body.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

namespace zhitui::wechat {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxElements = 256;
constexpr int kMaxDepth = 8;
constexpr std::string_view kBlank = " \t\r\n";

class XmlReader {
 public:
  explicit XmlReader(std::string_view xml) : rest_(xml) {}

  std::optional<BodyNode> Document() {
    SkipBlank();
    BodyNode root;
    if (!Eat("<xml>")) return std::nullopt;
    while (true) {
      SkipBlank();
      if (Eat("</xml>")) break;
      if (!Element(root.children.emplace_back(), 1)) return std::nullopt;
    }
    SkipBlank();
    if (!rest_.empty()) return std::nullopt;
    return root;
  }

 private:
  bool Eat(std::string_view token) {
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  void SkipBlank() {
    const std::size_t end = rest_.find_first_not_of(kBlank);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end);
  }

  bool Name(std::string& name) {
    std::size_t n = 0;
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    while (n < rest_.size() && n < 64 && (letter(rest_[n]) || (n > 0 && rest_[n] >= '0' && rest_[n] <= '9'))) ++n;
    name = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return n > 0;
  }

  bool Entity(std::string& text) {
    static constexpr std::array<std::pair<std::string_view, char>, 5> kEntities = {
        {{"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}, {"&apos;", '\''}}};
    for (const auto& [name, c] : kEntities) {
      if (Eat(name)) {
        text += c;
        return true;
      }
    }
    return false;
  }

  bool Cdata(std::string& text) {
    const std::size_t end = rest_.find("]]>");
    if (end == std::string_view::npos) return false;
    text += rest_.substr(0, end);
    rest_.remove_prefix(end + 3);
    return true;
  }

  bool Element(BodyNode& node, int depth) {
    if (depth > kMaxDepth || ++elements_ > kMaxElements) return false;
    if (!Eat("<") || !Name(node.name)) return false;
    if (Eat("/>")) return true;
    if (!Eat(">")) return false;
    const std::string end = "</" + node.name + ">";
    while (!rest_.empty()) {
      if (Eat(end)) return true;
      if (Eat("<![CDATA[")) {
        if (!Cdata(node.text)) return false;
      } else if (rest_.front() == '<') {
        if (!Element(node.children.emplace_back(), depth + 1)) return false;
      } else if (rest_.front() == '&') {
        if (!Entity(node.text)) return false;
      } else {
        node.text += rest_.front();
        rest_.remove_prefix(1);
      }
    }
    return false;
  }

  std::string_view rest_;
  std::size_t elements_ = 0;
};

void Take(std::string name, const json& value, BodyNode& parent) {
  if (value.is_array()) {
    for (const json& item : value) Take(name, item, parent);
    return;
  }
  BodyNode& node = parent.children.emplace_back();
  node.name = std::move(name);
  if (value.is_string()) {
    node.text = value.get<std::string>();
  } else if (value.is_object()) {
    for (const auto& [key, item] : value.items()) Take(key, item, node);
  } else if (!value.is_null()) {
    node.text = value.dump();
  }
}

std::optional<BodyNode> ReadJson(std::string_view body) {
  std::size_t values = 0;
  bool bounded = true;
  const json::parser_callback_t within = [&](int depth, json::parse_event_t, json&) {
    if (depth > kMaxDepth || ++values > 4 * kMaxElements) bounded = false;
    return bounded;
  };
  const json read = json::parse(body, within, false);
  if (!bounded || !read.is_object()) return std::nullopt;
  BodyNode root;
  for (const auto& [key, item] : read.items()) Take(key, item, root);
  return root;
}

}  // namespace

const BodyNode* BodyNode::Find(std::string_view child) const {
  const auto found = std::find_if(children.begin(), children.end(), [&](const BodyNode& c) { return c.name == child; });
  return found == children.end() ? nullptr : &*found;
}

std::string BodyNode::Text(std::string_view child) const {
  const BodyNode* const found = Find(child);
  return found == nullptr ? std::string() : found->text;
}

std::optional<BodyNode> ParseCallbackBody(std::string_view body) {
  const std::size_t start = body.find_first_not_of(kBlank);
  if (start == std::string_view::npos) return std::nullopt;
  std::optional<BodyNode> root = body[start] == '{' ? ReadJson(body) : XmlReader(body).Document();
  if (!root) return std::nullopt;
  std::set<std::string_view> seen;
  for (const BodyNode& child : root->children) {
    if (child.name != "List" && !seen.insert(child.name).second) return std::nullopt;
  }
  return root;
}

}  // namespace zhitui::wechat
