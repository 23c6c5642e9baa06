// Filling templates, and what fits into a field or a segment.
#include <algorithm>
#include <map>

#include "message/message.h"
#include "message/placeholder.h"

namespace zhitui::message {
namespace {

constexpr std::size_t kSmsSingle = 70;
constexpr std::size_t kSmsPart = 67;
constexpr std::size_t kSmsMax = 500;
constexpr std::size_t kReasonsMax = 4;

std::size_t CodePointBytes(std::string_view s) {
  const auto b = static_cast<unsigned char>(s.front());
  const std::size_t n = b < 0x80 ? 1 : b < 0xE0 ? 2 : b < 0xF0 ? 3 : 4;
  return std::min(n, s.size());
}

std::size_t CountCodePoints(std::string_view s) {
  std::size_t n = 0;
  for (; !s.empty(); s.remove_prefix(CodePointBytes(s))) ++n;
  return n;
}

std::string FirstCodePoints(std::string_view s, std::size_t n) {
  std::size_t bytes = 0;
  for (; n > 0 && bytes < s.size(); --n) bytes += CodePointBytes(s.substr(bytes));
  return std::string(s.substr(0, bytes));
}

std::string ChineseDate(Date day) {
  const std::chrono::year_month_day ymd(day);
  return std::to_string(static_cast<int>(ymd.year())) + "年" + std::to_string(static_cast<unsigned>(ymd.month())) +
         "月" + std::to_string(static_cast<unsigned>(ymd.day())) + "日";
}

std::string DateText(Date day, std::string_view locale) { return locale == "en" ? FormatDate(day) : ChineseDate(day); }

std::string UnitText(const std::string& unit, std::string_view locale) {
  if (locale == "en") return unit;
  static const std::map<std::string, std::string> zh = {
      {"CNY/month", "元/月"}, {"CNY/year", "元/年"}, {"CNY", "元"}, {"CNY/quarter", "元/季度"}};
  const auto it = zh.find(unit);
  return it == zh.end() ? unit : it->second;
}

std::string Join(const std::vector<std::string>& items, std::string_view locale) {
  std::string out;
  for (const std::string& item : items) {
    if (!out.empty()) out += locale == "en" ? ", " : "、";
    out += item;
  }
  return out;
}

std::string ValueOf(const std::string& name, const decide::Decision& d, std::string_view locale) {
  if (name == "title") return d.title.In(locale);
  if (name == "owner") return d.owner;
  if (name == "rule") return d.rule;
  if (name == "amount") return d.amount ? d.amount->ToString() : "";
  if (name == "unit") return UnitText(d.unit, locale);
  if (name == "occurrence") return DateText(d.occurrence, locale);
  if (name == "from") return d.from ? DateText(*d.from, locale) : "";
  if (name == "until") return d.until ? DateText(*d.until, locale) : "";
  if (name == "deadline") return d.deadline.In(locale);
  if (name == "url") return d.apply_url;
  std::vector<std::string> items;
  if (name == "materials") {
    for (const Text& m : d.materials) items.push_back(m.In(locale));
  } else if (name == "reasons") {
    for (const decide::CriterionResult& c : d.criteria) {
      if (c.truth == "true" && items.size() < kReasonsMax) items.push_back(c.label.In(locale));
    }
  }
  return Join(items, locale);
}

std::string Fill(const Text& text, const decide::Decision& d, std::string_view locale) {
  const std::string& source = text.In(locale);
  std::string out;
  std::size_t at = 0;
  for (const Placeholder& p : FindPlaceholders(source)) {
    out.append(source, at, p.begin - at);
    if (p.closed) out += ValueOf(p.name, d, locale);
    at = p.end;
  }
  out.append(source, at, std::string::npos);
  return out;
}

// The control characters of UTF-8: ASCII's, U+0080 to U+009F, and the line and paragraph separators.
bool ControlCharacter(std::string_view s) {
  const auto b = static_cast<unsigned char>(s.front());
  if (s.size() == 1) return b < 0x20 || b == 0x7F;
  return (b == 0xC2 && static_cast<unsigned char>(s[1]) < 0xA0) || s == "\xE2\x80\xA8" || s == "\xE2\x80\xA9";
}

std::string OneLine(std::string_view s) {
  std::string out;
  for (; !s.empty(); s.remove_prefix(CodePointBytes(s))) {
    const std::string_view c = s.substr(0, CodePointBytes(s));
    if (!ControlCharacter(c)) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

}  // namespace

std::vector<Placeholder> FindPlaceholders(std::string_view text) {
  std::vector<Placeholder> found;
  for (std::size_t at = text.find("{{"); at != std::string_view::npos; at = text.find("{{", at)) {
    Placeholder p;
    p.begin = at;
    const std::size_t close = text.find("}}", at + 2);
    if (close == std::string_view::npos) {
      p.closed = false;
      p.end = text.size();
      found.push_back(std::move(p));
      break;
    }
    std::string_view name = text.substr(at + 2, close - at - 2);
    while (!name.empty() && name.front() == ' ') name.remove_prefix(1);
    while (!name.empty() && name.back() == ' ') name.remove_suffix(1);
    p.name = name;
    p.end = close + 2;
    at = p.end;
    found.push_back(std::move(p));
  }
  return found;
}

std::size_t Utf16Length(std::string_view s) {
  std::size_t n = 0;
  while (!s.empty()) {
    const std::size_t bytes = CodePointBytes(s);
    n += bytes == 4 ? 2 : 1;
    s.remove_prefix(bytes);
  }
  return n;
}

std::uint32_t SmsSegments(std::size_t units) {
  if (units > kSmsMax) return 0;
  if (units <= kSmsSingle) return 1;
  return static_cast<std::uint32_t>((units + kSmsPart - 1) / kSmsPart);
}

std::string FitWechatField(std::string_view key, std::string_view value) {
  // A number, an amount, a time or a date is never cut: what is left would say something else.
  static const std::vector<std::pair<std::string_view, std::size_t>> limits = {
      {"thing", 20},        {"character_string", 32}, {"letter", 32}, {"symbol", 5},
      {"phone_number", 17}, {"car_number", 8},        {"name", 10},   {"phrase", 5},
      {"const", 20}};
  std::string line = OneLine(value);
  while (!key.empty() && key.back() >= '0' && key.back() <= '9') key.remove_suffix(1);
  for (const auto& [type, at_most] : limits) {
    if (key != type) continue;
    // A name is ten Chinese characters or twenty letters.
    const bool latin = type == "name" && std::none_of(line.begin(), line.end(),
                                                      [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
    const std::size_t limit = latin ? 2 * at_most : at_most;
    if (CountCodePoints(line) <= limit) return line;
    // A mark shows the cut where the type allows any symbol.
    if (type == "thing" || type == "const") return FirstCodePoints(line, limit - 1) + "…";
    return FirstCodePoints(line, limit);
  }
  return line;
}

Result<Content> Render(const Template& tmpl, const decide::Decision& decision, Channel channel, std::string_view locale,
                       const RenderOptions& options) {
  if (!tmpl.Has(channel))
    return Invalid("the message " + tmpl.name + " has nothing for " + std::string(ChannelName(channel)));
  Content c;
  c.channel = channel;
  c.locale = locale == "en" ? "en" : "zh";
  c.url = decision.apply_url;
  switch (channel) {
    case Channel::kApp:
      c.title = OneLine(Fill(tmpl.app_title, decision, c.locale));
      c.body = Fill(tmpl.app_body, decision, c.locale);
      break;
    case Channel::kWechat:
      c.provider_template = tmpl.wechat_template;
      // A message of WeCom has no fields: it reads like that of the app.
      if (tmpl.Has(Channel::kApp)) {
        c.title = OneLine(Fill(tmpl.app_title, decision, c.locale));
        c.body = Fill(tmpl.app_body, decision, c.locale);
      }
      for (const auto& [key, text] : tmpl.wechat_fields) {
        c.fields.emplace_back(key, FitWechatField(key, Fill(text, decision, c.locale)));
      }
      break;
    case Channel::kSms: {
      c.provider_template = tmpl.sms_template;
      for (const auto& [key, text] : tmpl.sms_params)
        c.fields.emplace_back(key, OneLine(Fill(text, decision, c.locale)));
      c.body = "【" + options.sms_signature + "】" + OneLine(Fill(tmpl.sms_text, decision, c.locale));
      c.segments = SmsSegments(Utf16Length(c.body));
      if (c.segments == 0) return Invalid("the SMS of " + tmpl.name + " is longer than 500 characters");
      break;
    }
  }
  return c;
}

std::string Content::Encode() const {
  ByteWriter w;
  w.U64(1);
  w.U64(static_cast<std::uint64_t>(channel));
  w.Str(locale);
  w.Str(title);
  w.Str(body);
  w.Str(url);
  w.Str(provider_template);
  w.U64(fields.size());
  for (const auto& [key, value] : fields) {
    w.Str(key);
    w.Str(value);
  }
  w.U64(segments);
  return w.Take();
}

Result<Content> Content::Decode(std::string_view bytes) {
  ByteReader r(bytes);
  Content c;
  if (r.U64() != 1) return Fatal("a message content has an unknown version");
  const std::uint64_t channel = r.U64();
  if (channel > 2) return Fatal("a message content is damaged");
  c.channel = static_cast<Channel>(channel);
  c.locale = r.Str();
  c.title = r.Str();
  c.body = r.Str();
  c.url = r.Str();
  c.provider_template = r.Str();
  const std::size_t n = r.Count(2);
  for (std::size_t i = 0; i < n; ++i) {
    std::string key(r.Str());
    std::string value(r.Str());
    c.fields.emplace_back(std::move(key), std::move(value));
  }
  c.segments = static_cast<std::uint32_t>(r.U64());
  if (!r.ok() || !r.AtEnd()) return Fatal("a message content is damaged");
  return c;
}

}  // namespace zhitui::message
