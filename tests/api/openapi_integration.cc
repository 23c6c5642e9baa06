// docs/openapi.yaml against the running server: every operation answers as the file says, every route is in the file.

#include <set>

#include "api/api_bench.h"
#include "yaml/yaml.h"

namespace zhitui::api {
namespace {

using Json = nlohmann::json;

// YAML's core schema, as far as the file uses it.
Json ToJson(const yaml::Node& node) {
  switch (node.kind()) {
    case yaml::NodeKind::kNull:
      return nullptr;
    case yaml::NodeKind::kScalar: {
      if (node.quoted()) return node.text();
      if (node.text() == "true" || node.text() == "false") return node.text() == "true";
      Diagnostics none;
      if (const auto number = yaml::ToInt(node, &none)) return *number;
      return node.text();
    }
    case yaml::NodeKind::kSequence: {
      Json out = Json::array();
      for (const yaml::Node& item : node.items()) out.push_back(ToJson(item));
      return out;
    }
    case yaml::NodeKind::kMapping: {
      Json out = Json::object();
      for (const auto& [key, value] : node.entries()) out[key.text()] = ToJson(value);
      return out;
    }
  }
  return nullptr;
}

class Document {
 public:
  Document() {
    std::ifstream in(std::string(ZHITUI_SOURCE_DIR) + "/docs/openapi.yaml", std::ios::binary);
    Diagnostics diagnostics;
    const auto document =
        yaml::Parse("openapi.yaml", std::string(std::istreambuf_iterator<char>(in), {}), &diagnostics);
    if (!document) throw std::runtime_error(FormatDiagnostics(diagnostics));
    root_ = ToJson(document->root());
  }
  const Json& root() const { return root_; }

  const Json& Resolve(const Json& node) const {
    if (!node.is_object() || !node.contains("$ref")) return node;
    const std::string ref = node["$ref"].get<std::string>();
    if (!ref.starts_with("#/")) throw std::runtime_error("not a local reference: " + ref);
    return Resolve(root_.at(Json::json_pointer(ref.substr(1))));
  }

  // The keywords that the file uses; anything else is a fault of this checker, not of the answer.
  void Check(const Json& raw, const Json& value, const std::string& at, std::vector<std::string>* faults) const {
    const Json& schema = Resolve(raw);
    static const std::set<std::string> kKnown = {
        "type",        "required", "properties",          "items", "enum", "format", "minimum", "minItems",
        "description", "default",  "additionalProperties"};
    for (const auto& [keyword, unused] : schema.items()) {
      if (!kKnown.contains(keyword)) faults->push_back(at + ": the checker does not know " + keyword);
    }
    if (schema.contains("type")) {
      const Json types = schema["type"].is_array() ? schema["type"] : Json::array({schema["type"]});
      const bool fits =
          std::any_of(types.begin(), types.end(), [&](const Json& t) { return Is(value, t.get<std::string>()); });
      if (!fits) return faults->push_back(at + ": is " + value.type_name() + ", not " + types.dump());
    }
    if (schema.contains("enum") &&
        std::find(schema["enum"].begin(), schema["enum"].end(), value) == schema["enum"].end()) {
      faults->push_back(at + ": not one of " + schema["enum"].dump());
    }
    if (schema.contains("minimum") && value < schema["minimum"]) faults->push_back(at + ": too small");
    if (value.is_string() && schema.contains("format") && schema["format"] == "date" &&
        !ParseDate(value.get<std::string>())) {
      faults->push_back(at + ": not a date");
    }
    if (value.is_string() && schema.contains("format") && schema["format"] == "date-time" &&
        !ParseInstant(value.get<std::string>())) {
      faults->push_back(at + ": not a time");
    }
    if (value.is_object()) {
      for (const Json& name : schema.value("required", Json::array())) {
        if (!value.contains(name.get<std::string>()))
          faults->push_back(at + ": " + name.get<std::string>() + " is missing");
      }
      const Json properties = schema.value("properties", Json::object());
      for (const auto& [name, member] : value.items()) {
        if (properties.contains(name)) {
          Check(properties[name], member, at + "." + name, faults);
        } else if (schema.contains("additionalProperties") && schema["additionalProperties"] == false) {
          faults->push_back(at + ": " + name + " is not in the schema");
        }
      }
    }
    if (value.is_array() && schema.contains("items")) {
      for (std::size_t i = 0; i < value.size(); ++i) {
        Check(schema["items"], value[i], at + "[" + std::to_string(i) + "]", faults);
      }
    }
  }

 private:
  static bool Is(const Json& value, const std::string& type) {
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    if (type == "integer") return value.is_number_integer();
    if (type == "boolean") return value.is_boolean();
    return type == "null" && value.is_null();
  }
  Json root_;
};

std::string Upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

class OpenApi : public ::testing::Test {
 protected:
  const Json& Operation(const std::string& path, const std::string& method) const {
    return document_.root().at("paths").at(path).at(method);
  }

  // The answer has a documented status, its content type, and a body that fits the schema.
  void Expect(const std::string& path, const std::string& method, int status, const httplib::Result& answer) {
    ASSERT_TRUE(answer) << path;
    ASSERT_EQ(answer->status, status) << path << " " << answer->body;
    EXPECT_FALSE(answer->get_header_value("X-Request-Id").empty());
    const Json& responses = Operation(path, method).at("responses");
    ASSERT_TRUE(responses.contains(std::to_string(status))) << method << " " << path << " does not document " << status;
    const Json& response = document_.Resolve(responses[std::to_string(status)]);
    const Json headers = response.value("headers", Json::object());
    for (const auto& [name, header] : headers.items()) {
      EXPECT_FALSE(answer->get_header_value(name).empty()) << name;
    }
    std::string type = answer->get_header_value("Content-Type");
    type = type.substr(0, type.find(';'));
    ASSERT_TRUE(response.contains("content")) << path;
    ASSERT_TRUE(response["content"].contains(type)) << path << " answers " << type;
    const Json& schema = response["content"][type]["schema"];
    const bool json = type.ends_with("json");
    const Json body = json ? Json::parse(answer->body, nullptr, false) : Json(answer->body);
    ASSERT_FALSE(body.is_discarded()) << answer->body;
    std::vector<std::string> faults;
    document_.Check(schema, body, "body", &faults);
    for (const std::string& fault : faults) ADD_FAILURE() << method << " " << path << " " << status << ": " << fault;
    covered_.insert(method + " " + path + " " + std::to_string(status));
  }

  // The example of a request body.
  std::string Example(const std::string& path, const std::string& type) const {
    return Operation(path, "post").at("requestBody").at("content").at(type).at("example").dump();
  }

  const Document document_;
  std::set<std::string> covered_;
};

TEST_F(OpenApi, HasEveryRouteOfTheServerAndNoOther) {
  std::set<std::string> served;
  for (const Route& route : Server::Routes()) served.insert(route.method + " " + route.path);
  std::set<std::string> written;
  for (const auto& [path, item] : document_.root().at("paths").items()) {
    for (const auto& [key, value] : item.items()) {
      if (key == "servers") continue;
      written.insert(Upper(key) + " " + path);
    }
  }
  EXPECT_EQ(written, served);
}

TEST_F(OpenApi, SaysOfEachRouteWhetherItNeedsAKeyAndWhichScope) {
  for (const Route& route : Server::Routes()) {
    std::string method = route.method;
    std::transform(method.begin(), method.end(), method.begin(), [](unsigned char c) { return std::tolower(c); });
    const Json& operation = Operation(route.path, method);
    EXPECT_EQ(operation.contains("security"), !route.scope) << route.path;
    if (route.scope) {
      const std::string words = std::string("Scope ") + ScopeName(*route.scope) + ".";
      EXPECT_NE(operation.at("description").get<std::string>().find(words), std::string::npos) << route.path;
    }
    EXPECT_EQ(document_.root()["paths"][route.path].contains("servers"), route.admin) << route.path;
  }
}

TEST_F(OpenApi, EveryReferenceLeadsSomewhere) {
  std::vector<const Json*> open = {&document_.root()};
  while (!open.empty()) {
    const Json& node = *open.back();
    open.pop_back();
    if (node.is_object() && node.contains("$ref")) {
      EXPECT_NO_THROW(document_.Resolve(node)) << node.dump();
    }
    if (node.is_structured()) {
      for (const auto& [key, value] : node.items()) open.push_back(&value);
    }
  }
}

TEST_F(OpenApi, EveryDocumentedAnswerIsGivenAndFitsItsSchema) {
  const std::string events = "/v1/events";
  const std::string recommendations = "/v1/subjects/{kind}/{id}/recommendations";
  const std::string evaluate = "/v1/evaluate";
  const std::string receipts = "/v1/receipts/{connector}";
  const std::string big(2 * 1048576, ' ');
  const char* json = "application/json";
  {
    const Bench bench;
    auto chief = bench.Client(kChief);
    auto nobody = bench.Client();
    auto judge = bench.Client(kJudge);
    auto writer = bench.Client(kWriter);
    const std::string event = Example(events, "application/cloudevents+json");
    Expect(events, "post", 202, chief.Post(events, event, "application/cloudevents+json"));
    Expect(events, "post", 202, chief.Post(events, event, json));
    Expect(events, "post", 202, chief.Post(events, "[" + event + "]", "application/cloudevents-batch+json"));
    Expect(events, "post", 202, chief.Post(events, event + "\n" + event + "\n", "application/x-ndjson"));
    Expect(events, "post", 400, chief.Post(events, "{}\n{", "application/x-ndjson"));
    Expect(events, "post", 400, chief.Post(events, "[{}]", "application/cloudevents-batch+json"));
    Expect(events, "post", 401, nobody.Post(events, event, json));
    Expect(events, "post", 403, judge.Post(events, event, json));
    Expect(events, "post", 413, chief.Post(events, big, json));
    Expect(events, "post", 415, chief.Post(events, event, "text/csv"));

    const std::string subject = "/v1/subjects/resident/r-openapi/recommendations";
    EXPECT_EQ(RulesIn(bench.Known("r-openapi")["eligible"]), std::vector<std::string>{"senior-allowance"});
    Expect(recommendations, "get", 200, chief.Get(subject));
    Expect(recommendations, "get", 200, chief.Get(subject + "?locale=en"));
    ASSERT_EQ(chief.Post(events, Birth("r-soon", "1956-05-01").dump(), json)->status, 202);
    ASSERT_FALSE(bench.Known("r-soon")["upcoming"].empty());
    Expect(recommendations, "get", 200, chief.Get("/v1/subjects/resident/r-soon/recommendations"));
    Json nameless = Birth("r-unknown", "1950-01-01");
    nameless["data"].erase("hukou");
    ASSERT_EQ(chief.Post(events, nameless.dump(), json)->status, 202);
    ASSERT_FALSE(bench.Known("r-unknown")["unknown"].empty());
    Expect(recommendations, "get", 200, chief.Get("/v1/subjects/resident/r-unknown/recommendations"));
    Expect(recommendations, "get", 400, chief.Get(subject + "?locale=fr"));
    Expect(recommendations, "get", 401, nobody.Get(subject));
    Expect(recommendations, "get", 403, judge.Get(subject));
    Expect(recommendations, "get", 404, chief.Get("/v1/subjects/resident/nobody/recommendations"));

    Expect(evaluate, "post", 200, chief.Post(evaluate, Example(evaluate, json), json));
    Expect(evaluate, "post", 400, chief.Post(evaluate, "{}", json));
    Expect(evaluate, "post", 401, nobody.Post(evaluate, "{}", json));
    Expect(evaluate, "post", 403, writer.Post(evaluate, "{}", json));
    Expect(evaluate, "post", 413, chief.Post(evaluate, big, json));
    Expect(evaluate, "post", 415, chief.Post(evaluate, "{}", "text/plain"));

    Expect(receipts, "get", 404, nobody.Get("/v1/receipts/ghost"));
    Expect(receipts, "post", 404, nobody.Post("/v1/receipts/ghost", "", "text/plain"));
    Expect(receipts, "post", 413, nobody.Post("/v1/receipts/echo", big, "text/plain"));

    auto admin = bench.Admin();
    Expect("/livez", "get", 200, admin.Get("/livez"));
    Expect("/readyz", "get", 200, admin.Get("/readyz"));
    Expect("/metrics", "get", 200, admin.Get("/metrics"));
    Expect("/version", "get", 200, admin.Get("/version"));
  }
  {
    Bench::Setup setup;
    setup.ready = [] { return false; };
    const Bench bench(setup);
    Expect(events, "post", 503,
           bench.Client(kChief).Post(events, Example(events, "application/cloudevents+json"), json));
    Expect("/readyz", "get", 503, bench.Admin().Get("/readyz"));
  }
  // What only a store that is down, or a hung process, can show.
  const std::set<std::string> shown_elsewhere = {"get " + recommendations + " 503", "post " + receipts + " 503",
                                                 "get /livez 503"};
  for (const auto& [path, item] : document_.root().at("paths").items()) {
    for (const auto& [method, operation] : item.items()) {
      if (method == "servers") continue;
      for (const auto& [status, response] : operation.at("responses").items()) {
        const std::string name = method + " " + path + " " + status;
        if (status == "default" || shown_elsewhere.contains(name)) continue;
        EXPECT_TRUE(covered_.contains(name)) << name << " is documented and not shown";
      }
    }
  }
}

}  // namespace
}  // namespace zhitui::api
