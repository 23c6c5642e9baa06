#include "wechat/wechat_xml.h"

#include <array>
#include <utility>

namespace zhitui::wechat {
namespace {

constexpr std::size_t kMaxElements = 64;
constexpr int kMaxDepth = 8;

class Reader {
 public:
  explicit Reader(std::string_view xml) : rest_(xml) {}

  std::optional<std::map<std::string, std::string>> Document() {
    SkipBlank();
    std::map<std::string, std::string> fields;
    if (!Eat("<xml>")) return std::nullopt;
    while (true) {
      SkipBlank();
      if (Eat("</xml>")) break;
      std::string name;
      std::string text;
      if (!Element(name, text, 1) || !fields.emplace(std::move(name), std::move(text)).second) return std::nullopt;
    }
    SkipBlank();
    if (!rest_.empty()) return std::nullopt;
    return fields;
  }

 private:
  bool Eat(std::string_view token) {
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  void SkipBlank() {
    const std::size_t end = rest_.find_first_not_of(" \t\r\n");
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

  bool Element(std::string& name, std::string& text, int depth) {
    if (depth > kMaxDepth || ++elements_ > kMaxElements) return false;
    if (!Eat("<") || !Name(name)) return false;
    if (Eat("/>")) return true;
    if (!Eat(">")) return false;
    const std::string end = "</" + name + ">";
    while (!rest_.empty()) {
      if (Eat(end)) return true;
      if (Eat("<![CDATA[")) {
        if (!Cdata(text)) return false;
      } else if (rest_.front() == '<') {
        std::string child;
        std::string inner;
        if (!Element(child, inner, depth + 1)) return false;
      } else if (rest_.front() == '&') {
        if (!Entity(text)) return false;
      } else {
        text += rest_.front();
        rest_.remove_prefix(1);
      }
    }
    return false;
  }

  std::string_view rest_;
  std::size_t elements_ = 0;
};

}  // namespace

std::optional<std::map<std::string, std::string>> ParseFlatXml(std::string_view xml) { return Reader(xml).Document(); }

}  // namespace zhitui::wechat
