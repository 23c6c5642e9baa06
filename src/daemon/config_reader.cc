#include "daemon/config_reader.h"

#include <algorithm>
#include <cstdio>

namespace zhitui::daemon {
namespace {

constexpr std::uintmax_t kMaxSecretBytes = 65536;
constexpr std::int64_t kMaxWaitMs = 30LL * 24 * 3600 * 1000;
constexpr std::size_t kMaxWaits = 32;
constexpr std::size_t kMaxTable = 1000;

// "21:00" -> ms after midnight.
std::optional<std::int64_t> TimeOfDay(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto digit = [&](std::size_t i) { return text[i] >= '0' && text[i] <= '9' ? text[i] - '0' : 100; };
  const int hours = digit(0) * 10 + digit(1);
  const int minutes = digit(3) * 10 + digit(4);
  if (hours > 23 || minutes > 59) return std::nullopt;
  return (hours * 60 + minutes) * std::int64_t{60'000};
}

std::vector<std::string> SplitList(const std::string& text) {
  std::vector<std::string> out;
  std::size_t from = 0;
  while (from < text.size()) {
    const std::size_t comma = std::min(text.find(", ", from), text.size());
    out.push_back(text.substr(from, comma - from));
    from = comma + 2;
  }
  return out;
}

std::string Joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

void CheckChoice(const yaml::Node& node, std::string_view name, const std::vector<std::string>& choices,
                 Diagnostics* diagnostics) {
  if (choices.empty() || std::find(choices.begin(), choices.end(), node.text()) != choices.end()) return;
  const std::string_view nearest = NearestName(node.text(), choices);
  diagnostics->push_back(
      node.Fault("unknown-value", JsonQuote(node.text()) + " is not a value of " + std::string(name),
                 nearest.empty() ? "write one of: " + Joined(choices) : "did you mean " + std::string(nearest) + "?"));
}

std::optional<std::string> FileText(const std::string& path) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error || size > kMaxSecretBytes) return std::nullopt;
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  std::string text(std::istreambuf_iterator<char>(in), {});
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

}  // namespace

std::string Reading::PathOf(const std::string& path) const {
  const std::filesystem::path given(path);
  if (given.is_absolute()) return path;
  return (std::filesystem::path(folder) / given).lexically_normal().string();
}

Value Reading::Default(Type type, const std::string& fallback) {
  Value value;
  value.text = fallback;
  switch (type) {
    case Type::kInt:
      value.number = std::stoll(fallback);
      break;
    case Type::kBool:
      value.number = fallback == "true" ? 1 : 0;
      break;
    case Type::kTimeOfDay:
      value.number = TimeOfDay(fallback).value_or(0);
      break;
    case Type::kMillisList:
      for (const std::string& item : SplitList(fallback)) value.numbers.push_back(std::stoll(item));
      break;
    case Type::kTexts:
      value.texts = SplitList(fallback);
      break;
    case Type::kText:
    case Type::kPath:
    case Type::kSecret:
    case Type::kChoice:
    case Type::kTextTable:
      break;
  }
  return value;
}

std::optional<Value> Reading::Parse(const yaml::Node& node, Type type, std::string_view name, std::int64_t min,
                                    std::int64_t max, const std::vector<std::string>& choices) {
  Value value;
  const auto wrong = [&](const std::string& expected) {
    diagnostics->push_back(node.Fault("wrong-type", "expected " + expected + " for " + std::string(name)));
    return std::nullopt;
  };
  switch (type) {
    case Type::kText:
    case Type::kPath:
    case Type::kSecret:
      if (!node.IsScalar()) return wrong("text");
      value.text = node.text();
      return value;
    case Type::kChoice:
      if (!node.IsScalar()) return wrong("one of " + Joined(choices));
      CheckChoice(node, name, choices, diagnostics);
      value.text = node.text();
      return value;
    case Type::kInt: {
      const std::optional<std::int64_t> number = yaml::ToInt(node, diagnostics);
      if (!number) return std::nullopt;
      if (*number < min || *number > max) {
        diagnostics->push_back(node.Fault(
            "out-of-range", std::string(name) + " must be from " + std::to_string(min) + " to " + std::to_string(max)));
        return std::nullopt;
      }
      value.number = *number;
      value.text = std::to_string(*number);
      return value;
    }
    case Type::kBool: {
      const std::optional<bool> flag = yaml::ToBool(node, diagnostics);
      if (!flag) return std::nullopt;
      value.number = *flag ? 1 : 0;
      value.text = *flag ? "true" : "false";
      return value;
    }
    case Type::kTimeOfDay: {
      const std::optional<std::int64_t> time = node.IsScalar() ? TimeOfDay(node.text()) : std::nullopt;
      if (!time) return wrong("a time of day such as 21:00");
      value.number = *time;
      value.text = node.text();
      return value;
    }
    case Type::kMillisList: {
      if (!node.IsSequence() || node.items().size() > kMaxWaits) return wrong("a list such as [30000, 300000]");
      for (const yaml::Node& item : node.items()) {
        const std::optional<std::int64_t> number = yaml::ToInt(item, diagnostics);
        if (!number) return std::nullopt;
        if (*number < 0 || *number > kMaxWaitMs) {
          diagnostics->push_back(
              item.Fault("out-of-range", "each wait must be from 0 to " + std::to_string(kMaxWaitMs)));
          return std::nullopt;
        }
        value.numbers.push_back(*number);
      }
      return value;
    }
    case Type::kTexts: {
      if (!node.IsSequence() || node.items().empty() || node.items().size() > kMaxTable) {
        return wrong("a list such as [a, b]");
      }
      for (const yaml::Node& item : node.items()) {
        if (!item.IsScalar()) {
          diagnostics->push_back(item.Fault("wrong-type", "expected text"));
          continue;
        }
        CheckChoice(item, name, choices, diagnostics);
        value.texts.push_back(item.text());
      }
      return value;
    }
    case Type::kTextTable: {
      if (node.IsNull()) return value;
      if (!node.IsMapping() || node.entries().size() > kMaxTable) return wrong("key: value entries");
      for (const auto& [key, item] : node.entries()) {
        if (!item.IsScalar()) {
          diagnostics->push_back(item.Fault("wrong-type", "expected text for " + key.text()));
          continue;
        }
        value.table.emplace_back(key.text(), item.text());
      }
      return value;
    }
  }
  return std::nullopt;
}

std::optional<std::pair<std::string, const yaml::Node*>> Reading::Secret(yaml::Reader& reader, const std::string& key) {
  const yaml::Node* plain = reader.Optional(key);
  const yaml::Node* file = reader.Optional(key + "_file");
  const yaml::Node* variable = reader.Optional(key + "_env");
  const int given = (plain != nullptr ? 1 : 0) + (file != nullptr ? 1 : 0) + (variable != nullptr ? 1 : 0);
  if (given == 0) return std::nullopt;
  const yaml::Node* node = plain != nullptr ? plain : (file != nullptr ? file : variable);
  std::pair<std::string, const yaml::Node*> out{"", node};
  if (given > 1) {
    const yaml::Node* second = plain != nullptr && file != nullptr ? file : variable;
    diagnostics->push_back(second->Fault("given-twice", "the secret " + key + " is given more than once",
                                         "keep one of " + key + ", " + key + "_file, " + key + "_env"));
    return out;
  }
  if (!node->IsScalar() || node->text().empty()) {
    diagnostics->push_back(node->Fault("wrong-type", "expected text for " + key));
    return out;
  }
  if (plain != nullptr) {
    out.first = node->text();
  } else if (file != nullptr) {
    std::optional<std::string> text = FileText(PathOf(node->text()));
    if (!text || text->empty()) {
      diagnostics->push_back(node->Fault("unreadable-file",
                                         "the file of the secret " + key + " cannot be read or is empty",
                                         "put the secret into that file, or name another one"));
      return out;
    }
    out.first = *std::move(text);
  } else {
    const char* text = environment ? environment(node->text().c_str()) : nullptr;
    if (text == nullptr || *text == '\0') {
      diagnostics->push_back(node->Fault("missing-variable", "the environment variable " + node->text() + " is not set",
                                         "set it, or use " + key + "_file"));
      return out;
    }
    out.first = text;
  }
  return out;
}

void Reading::Note(const std::string& path, Type type, const Value& value) {
  std::string text = JsonQuote(value.text);
  switch (type) {
    case Type::kInt:
    case Type::kBool:
      text = value.text;
      break;
    case Type::kSecret:
      text = value.text.empty() ? "\"\"" : "\"***\"";
      break;
    case Type::kMillisList:
      text.clear();
      for (const std::int64_t n : value.numbers) text += (text.empty() ? "" : ", ") + std::to_string(n);
      text = "[" + text + "]";
      break;
    case Type::kTexts:
      text.clear();
      for (const std::string& t : value.texts) text += (text.empty() ? "" : ", ") + JsonQuote(t);
      text = "[" + text + "]";
      break;
    case Type::kTextTable:
      text.clear();
      for (const auto& [key, item] : value.table) {
        // What is passed on to a library may be a secret: only the names are shown.
        text += (text.empty() ? "" : ", ") + JsonQuote(key) + ": \"***\"";
      }
      text = "{" + text + "}";
      break;
    case Type::kText:
    case Type::kPath:
    case Type::kChoice:
    case Type::kTimeOfDay:
      break;
  }
  effective->emplace_back(path, std::move(text));
}

}  // namespace zhitui::daemon
