#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "editor/editor.h"
#include "editor/support.h"

namespace zhitui::editor {
namespace {

using Json = nlohmann::json;
using namespace nlohmann::literals;  // NOLINT

const char* const kFacts = R"(kind: resident
sources: {police: {zh: 公安, en: Public security}}
facts:
  birth_date: {type: date, source: police, label: {zh: 出生日期, en: Date of birth}}
  sex: {type: code, values: [male, female], source: police, label: {zh: 性别, en: Sex}}
  hukou.city: {type: code, source: police, label: {zh: 户籍城市, en: Hukou city}}
  guardians: {type: list, source: police, label: {zh: 监护人, en: Guardians}, of: {housing: {type: code, values: [own, rent], label: 住房}, id: {type: string, label: 编号}}}
)";
const char* const kMessage = R"(message: hello
app: {title: {zh: 你好, en: Hello}, body: {zh: 你好, en: Hello}}
)";
const char* const kRule = R"(rule: free
about: resident
title: {zh: 免费, en: Free}
owner: 交通局
topic: a.b
law: {std: {title: 办法, url: https://example.org/}}
params: {min_age: {2020-01-01: 65, 2027-01-01: 63}}
valid: {from: 2020-01-01}
let:
  age: age(resident.birth_date, today)
criteria:
  old: {label: {zh: 中𠀀文, en: Old}, when: age >= params.min_age, law: std}
  local: {label: 户籍, when: resident.hukou.city == "440300" && resident.sex == "male"}
notify:
  - {on: eligible, message: hello}
tests:
  - {name: one, facts: {birth_date: 1950-01-01, hukou: {city: 440300}, sex: male}, expect: {2026-01-01: eligible}}
)";

// A client that writes down what it says, and then reads all that the server says.
class Client {
 public:
  Client() { files_ = {{"facts/resident.yaml", kFacts}, {"messages/hello.yaml", kMessage}, {"city/free.yaml", kRule}}; }

  std::map<std::string, std::string>& files() { return files_; }

  void Raw(const std::string& body) { in_ += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body; }
  void Bytes(const std::string& bytes) { in_ += bytes; }
  int Ask(const std::string& method, Json params) {
    Raw(Json{{"jsonrpc", "2.0"}, {"id", ++id_}, {"method", method}, {"params", std::move(params)}}.dump());
    return id_;
  }
  void Tell(const std::string& method, Json params = Json::object()) {
    Raw(Json{{"jsonrpc", "2.0"}, {"method", method}, {"params", std::move(params)}}.dump());
  }
  void Start(Json capabilities = Json::object()) {
    Ask("initialize", {{"processId", nullptr}, {"rootUri", nullptr}, {"capabilities", std::move(capabilities)}});
    Tell("initialized");
  }
  void Open(const std::string& path, const std::string& text) {
    Tell("textDocument/didOpen",
         {{"textDocument", {{"uri", Uri(path)}, {"languageId", "yaml"}, {"version", 1}, {"text", text}}}});
  }
  void OpenRule(const std::string& text = kRule) { Open("city/free.yaml", text); }

  // Asks about the first place of `marked` in the rule, at the `^` in it.
  int At(const std::string& method, const std::string& marked, Json more = Json::object(),
         const std::string& text = kRule, const std::string& path = "city/free.yaml") {
    const std::size_t mark = marked.find('^');
    std::string plain = marked;
    plain.erase(mark, 1);
    const std::size_t found = text.find(plain);
    EXPECT_NE(found, std::string::npos) << marked;
    const std::size_t offset = found + mark;
    const std::size_t line =
        static_cast<std::size_t>(std::count(text.begin(), text.begin() + static_cast<long>(offset), '\n'));
    const std::size_t start = offset == 0 ? std::string::npos : text.rfind('\n', offset - 1);
    std::size_t units = 0;  // UTF-16
    for (std::size_t i = start == std::string::npos ? 0 : start + 1; i < offset; ++i) {
      const auto c = static_cast<unsigned char>(text[i]);
      units += (c & 0xC0) == 0x80 ? 0U : c >= 0xF0 ? 2U : 1U;
    }
    more["textDocument"] = {{"uri", Uri(path)}};
    more["position"] = {{"line", line}, {"character", units}};
    return Ask(method, more);
  }

  int Run() {
    std::istringstream in(in_);
    std::ostringstream out;
    const Disk disk{[&](const std::string& folder) { return folder == "/r"; },
                    [&](const std::string&) -> zhitui::Result<std::vector<rules::SourceFile>> {
                      std::vector<rules::SourceFile> list;
                      for (const auto& [path, text] : files_) list.push_back({path, text});
                      return list;
                    }};
    const int code = Serve(in, out, disk);
    const std::string said = out.str();
    for (std::size_t at = 0; at < said.size();) {
      const std::size_t body = said.find("\r\n\r\n", at) + 4;
      const std::size_t length = std::stoul(said.substr(at + 16, body - at));
      messages_.push_back(Json::parse(said.substr(body, length)));
      at = body + length;
    }
    return code;
  }

  const std::vector<Json>& messages() const { return messages_; }
  Json Result(int id) const {
    for (const Json& m : messages_) {
      if (m.contains("id") && m["id"] == id && m.contains("result")) return m["result"];
    }
    ADD_FAILURE() << "no result for " << id << ": " << Error(id);
    return nullptr;
  }
  Json Error(const Json& id) const {
    for (const Json& m : messages_) {
      if (m.contains("id") && m["id"] == id && m.contains("error")) return m["error"];
    }
    return nullptr;
  }
  // The last diagnostics of a file.
  Json Diagnosed(const std::string& path) const {
    Json out;
    for (const Json& m : messages_) {
      if (m.value("method", "") == "textDocument/publishDiagnostics" && m["params"]["uri"] == Uri(path)) {
        out = m["params"]["diagnostics"];
      }
    }
    return out;
  }
  static std::string Uri(const std::string& path) { return "file:///r/" + path; }

 private:
  std::map<std::string, std::string> files_;
  std::string in_;
  int id_ = 0;
  std::vector<Json> messages_;
};

std::vector<std::string> Labels(const Json& completion) {
  std::vector<std::string> out;
  for (const Json& item : completion["items"]) out.push_back(item["label"]);
  std::sort(out.begin(), out.end());
  return out;
}
bool Has(const std::vector<std::string>& list, const std::string& word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}
std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

// Completion in the rule with `from` written as `to`, at the ^ of it.
Json Completed(const std::string& from, const std::string& to) {
  Client client;
  std::string plain = to;
  plain.erase(plain.find('^'), 1);
  const std::string text = Replaced(kRule, from, plain);
  client.Start();
  client.OpenRule(text);
  const int id = client.At("textDocument/completion", to, Json::object(), text);
  client.Run();
  return client.Result(id);
}

TEST(Server, ShutdownAndExitEndItWithZeroAndEverythingElseWithOne) {
  Client good;
  good.Start();
  good.Ask("shutdown", nullptr);
  good.Tell("exit");
  EXPECT_EQ(good.Run(), 0);
  Client abrupt;
  abrupt.Start();
  abrupt.Tell("exit");
  EXPECT_EQ(abrupt.Run(), 1);
  Client cut;
  cut.Start();
  EXPECT_EQ(cut.Run(), 1);
}

TEST(Server, BadMessagesGetTheProtocolsErrors) {
  Client c;
  const int early = c.Ask("textDocument/hover", Json::object());
  c.Start();
  c.Raw("{not json");
  c.Raw("[1]");
  c.Raw(R"({"jsonrpc":"2.0","id":77})");
  c.Raw(R"({"jsonrpc":"1.0","id":78,"method":"shutdown"})");
  const int unknown = c.Ask("no/such", Json::object());
  const int bad = c.Ask("textDocument/hover", {{"textDocument", 5}});
  c.Tell("no/notification");
  c.Raw(R"({"jsonrpc":"2.0","method":"textDocument/didOpen","params":7})");
  const int again = c.Ask("initialize", {{"capabilities", Json::object()}});
  c.Ask("shutdown", nullptr);
  const int late = c.Ask("textDocument/hover", Json::object());
  c.Tell("exit");
  EXPECT_EQ(c.Run(), 0);
  EXPECT_EQ(c.Error(early)["code"], -32002);
  std::vector<int> of_none;
  for (const Json& m : c.messages()) {
    if (m.contains("error") && m["id"].is_null()) of_none.push_back(m["error"]["code"]);
  }
  EXPECT_EQ(of_none, (std::vector<int>{-32700, -32600}));
  EXPECT_EQ(c.Error(77)["code"], -32600);
  EXPECT_EQ(c.Error(78)["code"], -32600);
  EXPECT_EQ(c.Error(unknown)["code"], -32601);
  EXPECT_EQ(c.Error(bad)["code"], -32602);
  EXPECT_EQ(c.Error(again)["code"], -32600);
  EXPECT_EQ(c.Error(late)["code"], -32600);
}

TEST(Server, AMessageOver8MiBIsRefusedAndTheNextOneAnswered) {
  Client c;
  c.Start();
  c.Raw(std::string((8U << 20) + 1, ' '));
  const int id = c.Ask("shutdown", nullptr);
  c.Run();
  EXPECT_EQ(c.Error(nullptr)["code"], -32600);
  EXPECT_TRUE(c.Result(id).is_null());
}

TEST(Server, ACancelledRequestThatIsStillWaitingGetsTheErrorForIt) {
  Client c;
  c.Start();
  c.OpenRule();
  const int id = c.At("textDocument/hover", "par^ams.min_age");
  c.Tell("$/cancelRequest", {{"id", id}});
  c.Tell("$/cancelRequest", {{"id", 12345}});
  c.Run();
  EXPECT_EQ(c.Error(id)["code"], -32800);
}

TEST(Server, PositionsAreUtf16UnlessTheClientOffersOthers) {
  for (const auto& [offered, chosen] :
       std::map<std::string, std::string>{{"", "utf-16"}, {"utf-8", "utf-8"}, {"utf-32", "utf-32"}, {"x", "utf-16"}}) {
    Client c;
    const Json general = offered.empty() ? Json::object() : Json{{"positionEncodings", {offered}}};
    c.Start({{"general", general}});
    c.OpenRule(Replaced(kRule, "params.min_age, law", "param.min_age, law"));
    c.Run();
    EXPECT_EQ(c.Result(1)["capabilities"]["positionEncoding"], chosen);
    // `  old: {label: {zh: ` has 20 characters, then 3 that are 3 + 4 + 3 bytes and 1 + 2 + 1 UTF-16 units,
    // then `, en: Old}, when: age >= `, 25.
    const Json start = c.Diagnosed("city/free.yaml")[0]["range"]["start"];
    EXPECT_EQ(start["line"], 11);
    EXPECT_EQ(start["character"], chosen == "utf-8" ? 55 : chosen == "utf-16" ? 49 : 48) << chosen;
  }
}

TEST(Server, MistakesAreToldAsTheyAreTypedAndGoAwayWithThem) {
  Client c;
  c.Start();
  c.OpenRule();
  c.Tell("textDocument/didChange",
         {{"textDocument", {{"uri", Client::Uri("city/free.yaml")}, {"version", 2}}},
          {"contentChanges",
           {{{"range", {{"start", {{"line", 1}, {"character", 7}}}, {"end", {{"line", 1}, {"character", 15}}}}},
             {"text", "residents"}}}}});
  const int barrier = c.At("textDocument/hover", "ti^tle");
  c.Run();
  (void)barrier;
  std::vector<std::size_t> counts;
  for (const Json& m : c.messages()) {
    if (m.value("method", "") == "textDocument/publishDiagnostics") counts.push_back(m["params"]["diagnostics"].size());
  }
  ASSERT_FALSE(counts.empty());
  const Json found = c.Diagnosed("city/free.yaml");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0]["code"], "unknown-kind");
  EXPECT_EQ(found[0]["message"], "there is no kind of subject `residents`\ndid you mean `resident`?");
  EXPECT_EQ(found[0]["range"]["start"], (Json{{"line", 1}, {"character", 7}}));
}

TEST(Server, OpenFilesStandForThoseOnDisk) {
  Client c;
  c.files()["city/free.yaml"] = "rule: [broken\n";
  c.Start();
  c.OpenRule();
  c.Run();
  EXPECT_EQ(c.Diagnosed("city/free.yaml"), Json::array());
}

TEST(Server, AMistakeInTheFactsIsToldAtTheRuleThatUsesThem) {
  Client c;
  c.Start();
  c.OpenRule();
  c.Open("facts/resident.yaml", Replaced(kFacts, "  sex:", "  gender:"));
  c.Run();
  ASSERT_FALSE(c.Diagnosed("city/free.yaml").empty());
  EXPECT_EQ(c.Diagnosed("city/free.yaml")[0]["code"], "unknown-name");
}

TEST(Server, CompletesFactsParamsLetsAndFunctionsInAnExpression) {
  const Json all = Completed("when: age >= params.min_age", "when: age >= ^");
  const std::vector<std::string> labels = Labels(all);
  for (const char* word :
       {"age", "params.min_age", "today", "resident.hukou.city", "months_between", "math.greatest"}) {
    EXPECT_TRUE(Has(labels, word)) << word;
  }
  for (const Json& item : all["items"]) {
    if (item["label"] != "resident.birth_date") continue;
    EXPECT_EQ(item["detail"], "date");
    EXPECT_NE(item["documentation"]["value"].get<std::string>().find("出生日期"), std::string::npos);
  }
}

TEST(Server, CompletesWhatStandsAfterADot) {
  EXPECT_EQ(Labels(Completed("params.min_age", "params.^")), std::vector<std::string>{"min_age"});
  EXPECT_EQ(Labels(Completed("params.min_age", "resident.^")),
            (std::vector<std::string>{"birth_date", "guardians", "hukou.city", "sex"}));
  EXPECT_EQ(Labels(Completed("params.min_age", "resident.hukou.ci^")), std::vector<std::string>{"city"});
  EXPECT_EQ(Labels(Completed("when: age >= params.min_age", "when: 'resident.guardians[0].^'")),
            (std::vector<std::string>{"housing", "id"}));
  EXPECT_EQ(Labels(Completed("when: age >= params.min_age", "when: 'resident.guardians.exists(g, g.^'")),
            (std::vector<std::string>{"housing", "id"}));
  const std::vector<std::string> methods = Labels(Completed("age >= params.min_age", "resident.hukou.city.^"));
  EXPECT_TRUE(Has(methods, "startsWith"));
  EXPECT_FALSE(Has(methods, "exists"));
}

TEST(Server, CompletesTheCodesThatAFactIsComparedWith) {
  const std::vector<std::string> sexes = {"female", "male"};
  EXPECT_EQ(Labels(Completed("resident.sex == \"male\"", "resident.sex == \"^\"")), sexes);
  EXPECT_EQ(Labels(Completed("resident.sex == \"male\"", "resident.sex != \"^")), sexes);
  const Json in =
      Completed("when: age >= params.min_age", "when: 'resident.guardians.exists(g, g.housing in [\"own\", \"^'");
  EXPECT_EQ(Labels(in), (std::vector<std::string>{"own", "rent"}));
  EXPECT_EQ(Labels(Completed("sex: male}", "sex: ^}")), sexes);
}

TEST(Server, CompletesKeysAndValuesOfTheFile) {
  EXPECT_EQ(Labels(Completed("law: std}", "la^}")), std::vector<std::string>{"law"});
  EXPECT_EQ(Labels(Completed("law: std}", "law: ^}")), std::vector<std::string>{"std"});
  EXPECT_EQ(Labels(Completed("message: hello", "message: ^")), std::vector<std::string>{"hello"});
  EXPECT_TRUE(Has(Labels(Completed("on: eligible", "on: ^")), "amount_changed"));
  EXPECT_EQ(Labels(Completed("about: resident", "about: ^")), std::vector<std::string>{"resident"});
  const std::vector<std::string> root = Labels(Completed("topic: a.b\n", "topic: a.b\nam^\n"));
  EXPECT_TRUE(Has(root, "amount"));
  EXPECT_FALSE(Has(root, "rule"));  // is there already
  EXPECT_TRUE(
      Has(Labels(Completed("facts: {birth_date: 1950-01-01, ", "facts: {birth_date: 1950-01-01, gu^ ")), "guardians"));
}

std::string Hovered(const std::string& marked) {
  Client c;
  c.Start();
  c.OpenRule();
  const int id = c.At("textDocument/hover", marked);
  c.Run();
  const Json result = c.Result(id);
  return result.is_null() ? "" : result["contents"]["value"].get<std::string>();
}

TEST(Server, HoverSaysWhatANameIs) {
  EXPECT_EQ(Hovered("resident.hukou.ci^ty"),
            "```cel\nresident.hukou.city: string\n```\n户籍城市\n\nHukou city\n\n公安 / Public security");
  EXPECT_EQ(Hovered("params.min^_age"), "`params.min_age`\n\n- 2020-01-01: `65`\n- 2027-01-01: `63`");
  EXPECT_EQ(Hovered("when: ag^e"), "```cel\nage: int\nage(resident.birth_date, today)\n```");
  EXPECT_EQ(Hovered("law: st^d}"), "办法\n\n<https://example.org/>");
  EXPECT_NE(Hovered("age: ag^e(").find("age(date, date) -> int"), std::string::npos);
  EXPECT_NE(Hovered("to^pic").find("what people refuse"), std::string::npos);
  EXPECT_NE(Hovered("message: hel^lo").find("你好"), std::string::npos);
  EXPECT_EQ(Hovered("owner: 交^通局"), "");
}

Json Asked(const std::string& method, const std::string& marked, Json more = Json::object()) {
  Client c;
  c.Start();
  c.OpenRule();
  const int id = c.At(method, marked, std::move(more));
  c.Run();
  return c.Result(id);
}

TEST(Server, DefinitionLeadsToWhereTheNameIsDeclared) {
  const auto place = [](const Json& result) {
    return result.size() != 1
               ? std::string("none")
               : result[0]["uri"].get<std::string>().substr(10) + ":" + result[0]["range"]["start"]["line"].dump();
  };
  EXPECT_EQ(place(Asked("textDocument/definition", "resident.hukou.ci^ty")), "facts/resident.yaml:5");
  EXPECT_EQ(place(Asked("textDocument/definition", "params.min^_age")), "city/free.yaml:6");
  EXPECT_EQ(place(Asked("textDocument/definition", "when: ag^e")), "city/free.yaml:9");
  EXPECT_EQ(place(Asked("textDocument/definition", "law: st^d}")), "city/free.yaml:5");
  EXPECT_EQ(place(Asked("textDocument/definition", "message: hel^lo")), "messages/hello.yaml:0");
  EXPECT_EQ(place(Asked("textDocument/definition", "about: res^ident")), "facts/resident.yaml:0");
}

TEST(Server, ReferencesAreAllPlacesOfTheName) {
  // Declared in the facts, used in the let and in the test.
  EXPECT_EQ(
      Asked("textDocument/references", "resident.birth^_date", {{"context", {{"includeDeclaration", true}}}}).size(),
      3U);
  EXPECT_EQ(
      Asked("textDocument/references", "resident.birth^_date", {{"context", {{"includeDeclaration", false}}}}).size(),
      2U);
}

// The files after a rename, or the error.
std::string Renamed(const std::string& marked, const std::string& name, std::map<std::string, std::string>* files,
                    const std::string& rule = kRule) {
  Client c;
  c.files()["city/free.yaml"] = rule;
  c.Start({{"workspace", {{"workspaceEdit", {{"documentChanges", true}, {"resourceOperations", {"rename"}}}}}}});
  c.OpenRule(rule);
  const int id = c.At("textDocument/rename", marked, {{"newName", name}}, rule);
  c.Run();
  if (const Json error = c.Error(id); !error.is_null()) return error["message"];
  *files = c.files();
  const Json result = c.Result(id);
  Json changes = result.value("changes", Json::object());
  for (const Json& change : result.value("documentChanges", Json::array())) {
    if (change.contains("edits")) changes[change["textDocument"]["uri"].get<std::string>()] = change["edits"];
  }
  for (const auto& [uri, edits] : changes.items()) {
    std::string& text = (*files)[uri.substr(10)];
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    for (auto edit = edits.rbegin(); edit != edits.rend(); ++edit) {
      std::string& line = lines[(*edit)["range"]["start"]["line"].get<std::size_t>()];
      std::vector<std::size_t> at;
      for (std::size_t i = 0; i < line.size(); ++i) {
        const auto c8 = static_cast<unsigned char>(line[i]);
        if ((c8 & 0xC0) == 0x80) continue;
        at.push_back(i);
        if (c8 >= 0xF0) at.push_back(i);
      }
      at.push_back(line.size());
      const std::size_t begin = at[(*edit)["range"]["start"]["character"].get<std::size_t>()];
      const std::size_t end = at[(*edit)["range"]["end"]["character"].get<std::size_t>()];
      line.replace(begin, end - begin, (*edit)["newText"].get<std::string>());
    }
    text.clear();
    for (const std::string& line : lines) text += line + "\n";
  }
  for (const Json& change : result.value("documentChanges", Json::array())) {
    if (!change.contains("oldUri")) continue;
    const std::string from = change["oldUri"].get<std::string>().substr(10);
    (*files)[change["newUri"].get<std::string>().substr(10)] = (*files)[from];
    files->erase(from);
  }
  return "";
}

TEST(Server, RenameChangesEveryPlaceAndTheFolderStillCompiles) {
  for (const auto& [marked, name] : std::map<std::string, std::string>{{"params.min^_age", "lowest"},
                                                                       {"when: ag^e", "years_old"},
                                                                       {"law: st^d}", "rule_of_2020"},
                                                                       {"  loc^al:", "in-the-city"},
                                                                       {"resident.hukou.ci^ty", "hukou.town"},
                                                                       {"resident.se^x", "gender"},
                                                                       {"message: hel^lo", "welcome"}}) {
    std::map<std::string, std::string> files;
    ASSERT_EQ(Renamed(marked, name, &files), "") << marked;
    std::vector<rules::SourceFile> list;
    std::string all;
    for (const auto& [path, text] : files) {
      list.push_back({path, text});
      all += text;
    }
    const authoring::Report report = authoring::Check(list);
    EXPECT_TRUE(report.ok()) << marked << "\n" << FormatDiagnostics(report.diagnostics);
    const std::string last = name.substr(name.rfind('.') == std::string::npos ? 0 : name.rfind('.') + 1);
    EXPECT_NE(all.find(last), std::string::npos) << marked;
  }
}

TEST(Server, ARenameThatWouldChangeTheMeaningIsRefusedWithTheReason) {
  std::map<std::string, std::string> files;
  EXPECT_NE(Renamed("resident.se^x", "birth_date", &files), "");
  EXPECT_NE(Renamed("params.min^_age", "Min Age", &files), "");
  EXPECT_NE(Renamed("when: ag^e", "today", &files), "");
  // A let that a macro's own name would hide.
  const std::string rule = Replaced(kRule, "when: age >= params.min_age", "when: '[1].exists(g, g < age)'");
  EXPECT_NE(Renamed("g < ag^e", "g", &files, rule), "");
  EXPECT_NE(Renamed("resident.hukou.ci^ty", "city", &files), "");  // the test nests it below hukou
  const std::string broken = Replaced(kRule, "about: resident", "about: residant");
  EXPECT_NE(Renamed("params.min^_age", "other", &files, broken).find("first correct"), std::string::npos);
}

TEST(Server, SymbolsAreThePartsOfTheFile) {
  Client c;
  c.Start();
  c.OpenRule();
  const int id = c.Ask("textDocument/documentSymbol", {{"textDocument", {{"uri", Client::Uri("city/free.yaml")}}}});
  c.Run();
  std::map<std::string, std::vector<std::string>> parts;
  for (const Json& symbol : c.Result(id)) {
    for (const Json& child : symbol["children"]) parts[symbol["name"]].push_back(child["name"]);
  }
  EXPECT_EQ(parts["criteria"], (std::vector<std::string>{"old", "local"}));
  EXPECT_EQ(parts["tests"], std::vector<std::string>{"one"});
  EXPECT_EQ(parts["let"], std::vector<std::string>{"age"});
}

TEST(Server, FormattingIsOneEditOfTheWholeFile) {
  Client c;
  c.Start();
  c.OpenRule(Replaced(kRule, "let:\n  age:", "let:\n    age:"));
  const int id = c.Ask("textDocument/formatting",
                       {{"textDocument", {{"uri", Client::Uri("city/free.yaml")}}}, {"options", {{"tabSize", 8}}}});
  c.Run();
  ASSERT_EQ(c.Result(id).size(), 1U);
  EXPECT_EQ(c.Result(id)[0]["newText"], kRule);
}

TEST(Server, ADidYouMeanHasAQuickFix) {
  Client c;
  const std::string text = Replaced(kRule, "params.min_age, law", "param.min_age, law");
  c.Start();
  c.OpenRule(text);
  const Json at = {{"line", 11}, {"character", 52}};
  const int id = c.Ask("textDocument/codeAction", {{"textDocument", {{"uri", Client::Uri("city/free.yaml")}}},
                                                   {"range", {{"start", at}, {"end", at}}},
                                                   {"context", {{"diagnostics", Json::array()}}}});
  c.Run();
  const Json actions = c.Result(id);
  ASSERT_EQ(actions.size(), 1U);
  EXPECT_EQ(actions[0]["edit"]["changes"][Client::Uri("city/free.yaml")][0]["newText"], "params.min_age");
}

TEST(Server, NoUnfinishedRuleIsTooMuchForAnyQuestion) {
  const std::string whole = kRule;
  Client c;
  c.Start();
  for (std::size_t n = 0; n < whole.size(); n += 23) {
    while ((static_cast<unsigned char>(whole[n]) & 0xC0) == 0x80) ++n;  // not within a character
    c.OpenRule(whole.substr(0, n));
    for (const char* method :
         {"textDocument/completion", "textDocument/hover", "textDocument/definition", "textDocument/rename"}) {
      c.Ask(method, {{"textDocument", {{"uri", Client::Uri("city/free.yaml")}}},
                     {"position", {{"line", 1000}, {"character", 5}}},
                     {"newName", "x"}});
    }
  }
  c.Ask("shutdown", nullptr);
  c.Tell("exit");
  EXPECT_EQ(c.Run(), 0);
  for (const Json& m : c.messages()) {
    EXPECT_EQ(m.value("/error/code"_json_pointer, -32803), -32803) << m.dump();
  }
}

}  // namespace
}  // namespace zhitui::editor
