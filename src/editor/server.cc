// The Language Server Protocol: messages in and out, the life of the server, which documents are open.

#include <algorithm>
#include <charconv>
#include <deque>
#include <istream>
#include <ostream>
#include <set>
#include <utility>

#include "authoring/authoring.h"
#include "editor/features.h"

namespace zhitui::editor {
namespace {

constexpr std::size_t kMaxMessage = std::size_t{8} << 20;
constexpr std::size_t kMaxHeader = 4096;
constexpr std::size_t kMaxFile = std::size_t{1} << 20;
constexpr std::size_t kMaxAhead = 1024;

// JSON-RPC 2.0, and those of the protocol.
enum Code : int {
  kParseError = -32700,
  kInvalidRequest = -32600,
  kMethodNotFound = -32601,
  kInvalidParams = -32602,
  kInternalError = -32603,
  kNotInitialized = -32002,
  kRequestFailed = -32803,
  kRequestCancelled = -32800,
};

struct Failure {
  int code = kInternalError;
  std::string message;
};

std::string DumpOf(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

// Messages with their headers.
class Wire {
 public:
  Wire(std::istream& in, std::ostream& out) : in_(in), out_(out) {}

  enum class Read : std::uint8_t { kMessage, kTooLarge, kEnd };
  Read Next(std::string& body) {
    std::size_t length = 0;
    bool known = false;
    while (true) {
      std::string line;
      for (int c = in_.get(); c != '\n'; c = in_.get()) {
        if (c == std::istream::traits_type::eof() || line.size() > kMaxHeader) return Read::kEnd;
        line += static_cast<char>(c);
      }
      if (line.ends_with('\r')) line.pop_back();
      if (line.empty()) {
        if (known) break;
        continue;  // blank lines between messages
      }
      std::string name = line.substr(0, line.find(':'));
      std::transform(name.begin(), name.end(), name.begin(),
                     [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
      if (name != "content-length" || line.size() == name.size()) continue;
      const std::size_t digits = std::min(line.find_first_not_of(' ', name.size() + 1), line.size());
      const auto [end, error] = std::from_chars(line.data() + digits, line.data() + line.size(), length);
      if (error != std::errc() || end == line.data() + digits) return Read::kEnd;  // nothing says where the next begins
      known = true;
    }
    if (length > kMaxMessage) {
      in_.ignore(static_cast<std::streamsize>(std::min<std::size_t>(length, std::size_t{1} << 40)));
      return in_ ? Read::kTooLarge : Read::kEnd;
    }
    body.resize(length);
    in_.read(body.data(), static_cast<std::streamsize>(length));
    return in_ ? Read::kMessage : Read::kEnd;
  }

  bool Waiting() const { return in_.good() && in_.rdbuf()->in_avail() > 0; }

  void Send(const Json& message) {
    const std::string body = DumpOf(message);
    out_ << "Content-Length: " << body.size() << "\r\n\r\n" << body << std::flush;
  }

 private:
  std::istream& in_;
  std::ostream& out_;
};

class Server {
 public:
  Server(std::istream& in, std::ostream& out, const Disk& disk) : wire_(in, out), workspace_(disk) {}

  int Run() {
    while (!exit_) {
      if (queue_.empty()) {
        PublishDue();
        if (!ReadOne()) break;
      }
      // What has come in already: a cancellation may be for a request that is not answered yet.
      while (queue_.size() < kMaxAhead && wire_.Waiting()) {
        if (!ReadOne()) break;
      }
      if (queue_.empty()) continue;
      const Json message = std::move(queue_.front());
      queue_.pop_front();
      Handle(message);
    }
    return shutdown_ ? 0 : 1;
  }

 private:
  bool ReadOne() {
    std::string body;
    switch (wire_.Next(body)) {
      case Wire::Read::kEnd:
        return false;
      case Wire::Read::kTooLarge:
        Answer(nullptr, Failure{kInvalidRequest, "a message has at most 8 MiB"});
        return true;
      case Wire::Read::kMessage:
        break;
    }
    Json message = Json::parse(body, nullptr, false);
    if (message.is_discarded()) {
      Answer(nullptr, Failure{kParseError, "the message is not JSON"});
      return true;
    }
    const bool cancel = message.is_object() && message.value("method", Json()) == "$/cancelRequest";
    if (!cancel) {
      queue_.push_back(std::move(message));
      return true;
    }
    const Json params = message.value("params", Json());
    if (!params.is_object() || !params.contains("id")) return true;
    const auto it = std::find_if(queue_.begin(), queue_.end(), [&](const Json& m) {
      return m.is_object() && m.contains("method") && m.contains("id") && m["id"] == params["id"];
    });
    if (it == queue_.end()) return true;
    Answer(params["id"], Failure{kRequestCancelled, "cancelled"});
    queue_.erase(it);
    return true;
  }

  void Answer(const Json& id, const Failure& failure) {
    wire_.Send({{"jsonrpc", "2.0"}, {"id", id}, {"error", {{"code", failure.code}, {"message", failure.message}}}});
  }
  void Notify(const char* method, Json params) {
    wire_.Send({{"jsonrpc", "2.0"}, {"method", method}, {"params", std::move(params)}});
  }

  void Handle(const Json& message) {
    if (!message.is_object()) return Answer(nullptr, Failure{kInvalidRequest, "a message is a JSON object"});
    const Json id = message.value("id", Json());
    if (!message.contains("method")) {
      // An answer of the client's: nothing was asked.
      if (message.contains("result") || message.contains("error")) return;
      return Answer(id, Failure{kInvalidRequest, "a message has a method"});
    }
    const bool request = message.contains("id");
    const bool shaped = message["method"].is_string() && message.value("jsonrpc", Json()) == "2.0" &&
                        (!request || id.is_number_integer() || id.is_string());
    if (!shaped) {
      const Json back = id.is_number_integer() || id.is_string() ? id : Json();
      return Answer(back, Failure{kInvalidRequest, "not a message of JSON-RPC 2.0"});
    }
    const std::string method = message["method"].get<std::string>();
    const Json params = message.value("params", Json::object());
    try {
      if (request) {
        Json result = Request(method, params);
        wire_.Send({{"jsonrpc", "2.0"}, {"id", id}, {"result", std::move(result)}});
      } else {
        Notification(method, params);
      }
    } catch (const Failure& failure) {
      if (request) Answer(id, failure);
    } catch (const Json::exception&) {
      if (request) Answer(id, Failure{kInvalidParams, "the params of " + method + " are not as the protocol has them"});
    } catch (const std::exception&) {
      if (request) Answer(id, Failure{kInternalError, "internal error"});
    }
  }

  // ---- Requests

  Json Request(const std::string& method, const Json& params) {
    if (method == "initialize") return Initialize(params);
    if (!initialized_) throw Failure{kNotInitialized, "the first request is initialize"};
    if (shutdown_) throw Failure{kInvalidRequest, "after shutdown comes exit"};
    if (method == "shutdown") {
      shutdown_ = true;
      return nullptr;
    }
    if (method == "textDocument/completion") {
      const View view = ViewOf(params);
      return {{"isIncomplete", false}, {"items", Completion(view, OffsetOf(view, params))}};
    }
    if (method == "textDocument/hover") {
      const View view = ViewOf(params);
      return Hover(view, OffsetOf(view, params));
    }
    if (method == "textDocument/definition") {
      const View view = ViewOf(params);
      return Definition(view, OffsetOf(view, params));
    }
    if (method == "textDocument/references") {
      const View view = ViewOf(params);
      return References(view, OffsetOf(view, params), params.at("context").value("includeDeclaration", true));
    }
    if (method == "textDocument/prepareRename") {
      const View view = ViewOf(params);
      return PrepareRename(view, OffsetOf(view, params));
    }
    if (method == "textDocument/rename") {
      const View view = ViewOf(params);
      Result<Json> edit = Rename(view, OffsetOf(view, params), params.at("newName").get<std::string>());
      if (!edit) throw Failure{kRequestFailed, edit.error().message};
      return std::move(*edit);
    }
    if (method == "textDocument/documentSymbol") return Symbols(ViewOf(params));
    if (method == "textDocument/formatting") return Edits(ViewOf(params));
    if (method == "textDocument/codeAction") return CodeActions(params);
    throw Failure{kMethodNotFound, "there is no method " + method.substr(0, 100)};
  }

  Json Initialize(const Json& params) {
    if (initialized_) throw Failure{kInvalidRequest, "initialize comes once"};
    const Json capabilities = params.value("capabilities", Json::object());
    const auto at = [&](const char* path) {
      const Json::json_pointer pointer(path);
      return capabilities.contains(pointer) ? capabilities.at(pointer) : Json();
    };
    const char* name = "utf-16";
    for (const Json& offered : at("/general/positionEncodings")) {
      if (offered == "utf-16") break;
      if (offered == "utf-8" || offered == "utf-32") {
        encoding_ = offered == "utf-8" ? Encoding::kUtf8 : Encoding::kUtf32;
        name = offered == "utf-8" ? "utf-8" : "utf-32";
        break;
      }
    }
    const Json operations = at("/workspace/workspaceEdit/resourceOperations");
    can_rename_files_ = at("/workspace/workspaceEdit/documentChanges") == true && operations.is_array() &&
                        std::find(operations.begin(), operations.end(), Json("rename")) != operations.end();
    initialized_ = true;
    return {{"serverInfo", {{"name", "zhitui"}}},
            {"capabilities",
             {{"positionEncoding", name},
              {"textDocumentSync", {{"openClose", true}, {"change", 2}, {"save", {{"includeText", false}}}}},
              {"completionProvider", {{"triggerCharacters", {".", "\"", "'", "{", " "}}}},
              {"hoverProvider", true},
              {"definitionProvider", true},
              {"referencesProvider", true},
              {"renameProvider", {{"prepareProvider", true}}},
              {"documentSymbolProvider", true},
              {"documentFormattingProvider", true},
              {"codeActionProvider", {{"codeActionKinds", {"quickfix"}}}}}}};
  }

  static std::string PathOf(const Json& params) {
    const std::string path = PathOfUri(params.at("textDocument").at("uri").get<std::string>());
    if (path.empty()) throw Failure{kInvalidParams, "only documents with a file: address"};
    return path;
  }

  View ViewOf(const Json& params) {
    const std::string path = PathOf(params);
    std::shared_ptr<const File> file = workspace_.Opened(path);
    if (file == nullptr) throw Failure{kInvalidParams, "the document is not open"};
    return View{workspace_, workspace_.FolderOf(path), std::move(file), encoding_, can_rename_files_};
  }

  static std::size_t Place(const Lines& lines, const Json& position, Encoding encoding) {
    return lines.OffsetOf({position.at("line").get<std::size_t>(), position.at("character").get<std::size_t>()},
                          encoding);
  }
  std::size_t OffsetOf(const View& view, const Json& params) const {
    return Place(Lines(view.file->text), params.at("position"), encoding_);
  }

  Json CodeActions(const Json& params) {
    const View view = ViewOf(params);
    const Lines lines(view.file->text);
    const Span range{Place(lines, params.at("range").at("start"), encoding_),
                     Place(lines, params.at("range").at("end"), encoding_)};
    PublishDue();
    const auto it = found_.find(PathOf(params));
    return it == found_.end() ? Json::array() : Fixes(view, it->second, range);
  }

  // ---- Notifications

  void Notification(const std::string& method, const Json& params) {
    if (method == "exit") {
      exit_ = true;
      return;
    }
    if (!initialized_ || shutdown_) return;
    if (method == "textDocument/didOpen") {
      const std::string path = PathOf(params);
      Put(path, params.at("textDocument").at("text").get<std::string>());
      workspace_.Forget();
      Due(path, true);
    } else if (method == "textDocument/didChange") {
      const std::string path = PathOf(params);
      const std::string* text = workspace_.OpenText(path);
      if (text == nullptr) return;
      Put(path, Changed(*text, params.at("contentChanges")));
      Due(path, false);
    } else if (method == "textDocument/didSave") {
      workspace_.Forget();
      Due(PathOf(params), true);
    } else if (method == "textDocument/didClose") {
      const std::string path = PathOf(params);
      workspace_.Drop(path);
      workspace_.Forget();
      if (workspace_.FolderOf(path).empty()) {
        Publish(path, {}, "");
      } else {
        Due(path, true);
      }
    } else if (method == "workspace/didChangeWatchedFiles") {
      workspace_.Forget();
      for (const std::string& path : workspace_.OpenPaths()) Due(path, true);
    }
  }

  void Put(const std::string& path, std::string text) {
    if (text.size() <= kMaxFile) return workspace_.Put(path, std::move(text));
    Notify("window/showMessage", {{"type", 1}, {"message", "a file has at most 1 MiB"}});
    workspace_.Drop(path);
  }

  std::string Changed(std::string text, const Json& changes) const {
    for (const Json& change : changes) {
      const std::string fresh = change.at("text").get<std::string>();
      if (!change.contains("range")) {
        text = fresh;
        continue;
      }
      const Lines lines(text);
      const std::size_t begin = Place(lines, change["range"].at("start"), encoding_);
      const std::size_t end = Place(lines, change["range"].at("end"), encoding_);
      if (begin <= end) text.replace(begin, end - begin, fresh);
      if (text.size() > kMaxMessage) throw Failure{kInvalidParams, "the document is too large"};
    }
    return text;
  }

  // ---- Diagnostics

  void Due(const std::string& path, bool whole) {
    bool& known = due_[path];
    known = known || whole;
  }

  // Checks what was changed since the last time, each folder once.
  void PublishDue() {
    std::map<std::string, std::pair<bool, std::set<std::string>>> folders;
    for (const auto& [path, whole] : due_) {
      const std::string folder = workspace_.FolderOf(path);
      auto& [all, files] = folders[folder];
      all = all || whole;
      files.insert(path);
    }
    due_.clear();
    for (const auto& [folder, what] : folders) {
      if (folder.empty()) {
        for (const std::string& path : what.second) SyntaxOnly(path);
      } else {
        CheckFolder(folder, what.first, what.second);
      }
    }
  }

  // A file in no rules folder.
  void SyntaxOnly(const std::string& path) {
    const std::string* text = workspace_.OpenText(path);
    if (text == nullptr) return;
    Diagnostics found;
    (void)yaml::Parse(path, *text, &found);
    Publish(path, found, *text);
  }

  void CheckFolder(const std::string& folder, bool whole, const std::set<std::string>& changed) {
    std::string trouble;
    std::vector<rules::SourceFile> files = workspace_.Sources(folder, &trouble);
    if (!trouble.empty() && trouble != trouble_) Notify("window/showMessage", {{"type", 1}, {"message", trouble}});
    trouble_ = trouble;
    const auto is_rule = [](const std::string& path) {
      return !path.starts_with("facts/") && !path.starts_with("messages/") && !path.starts_with("calendars/");
    };
    // While a rule is being typed the other rules matter only where they have its id.
    std::set<std::string> names;
    std::vector<std::string> ids;
    for (const std::string& path : changed) {
      names.insert(path.substr(folder.size() + 1));
      whole = whole || !is_rule(*names.rbegin()) || !is_rule(path.substr(folder.size() + 1));
      const std::shared_ptr<const File> file = workspace_.Opened(path);
      if (file != nullptr) ids.push_back("rule: " + file->ValueOf("rule"));
    }
    if (!whole) {
      std::erase_if(files, [&](const rules::SourceFile& file) {
        if (!is_rule(file.path) || names.contains(file.path)) return false;
        return std::none_of(ids.begin(), ids.end(),
                            [&](const std::string& id) { return file.text.find(id) != std::string::npos; });
      });
    }
    const authoring::Report report = authoring::Check(files);
    std::map<std::string, Diagnostics> by_file;
    for (const Diagnostic& d : report.diagnostics) by_file[d.at.file].push_back(d);
    for (const rules::SourceFile& file : files) {
      if (!whole && !names.contains(file.path)) continue;
      const auto it = by_file.find(file.path);
      Publish(folder + "/" + file.path, it == by_file.end() ? Diagnostics() : it->second, file.text);
    }
    // What is no longer in the folder has no mistakes.
    std::vector<std::string> gone;
    for (const auto& [path, list] : found_) {
      if (!whole || !path.starts_with(folder + "/") || list.empty()) continue;
      const std::string name = path.substr(folder.size() + 1);
      if (std::none_of(files.begin(), files.end(), [&](const auto& f) { return f.path == name; })) gone.push_back(path);
    }
    for (const std::string& path : gone) Publish(path, {}, "");
  }

  // An open file is always told of; another one only when something about it changes.
  void Publish(const std::string& path, const Diagnostics& diagnostics, const std::string& text) {
    Diagnostics& before = found_[path];
    const bool open = workspace_.OpenText(path) != nullptr;
    if (!open && diagnostics.empty() && before.empty()) return;
    before = diagnostics;
    Json list = Json::array();
    for (const Diagnostic& d : diagnostics) {
      const Lines lines(text);
      const Span span = SpanOf(text, d);
      const Position from = lines.PositionOf(span.begin, encoding_);
      const Position to = lines.PositionOf(span.end, encoding_);
      list.push_back({{"range",
                       {{"start", {{"line", from.line}, {"character", from.character}}},
                        {"end", {{"line", to.line}, {"character", to.character}}}}},
                      {"severity", 1},
                      {"code", d.code},
                      {"source", "zhitui"},
                      {"message", d.message + (d.hint.empty() ? "" : "\n" + d.hint)}});
    }
    Notify("textDocument/publishDiagnostics", {{"uri", UriOfPath(path)}, {"diagnostics", std::move(list)}});
  }

  Wire wire_;
  Workspace workspace_;
  Encoding encoding_ = Encoding::kUtf16;
  bool can_rename_files_ = false;
  bool initialized_ = false;
  bool shutdown_ = false;
  bool exit_ = false;
  std::deque<Json> queue_;
  std::map<std::string, bool> due_;  // path -> whether its whole folder is to be checked
  std::map<std::string, Diagnostics> found_;
  std::string trouble_;
};

}  // namespace

int Serve(std::istream& in, std::ostream& out, const Disk& disk) { return Server(in, out, disk).Run(); }

}  // namespace zhitui::editor
