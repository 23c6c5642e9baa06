#include "yaml/yaml.h"

namespace zhitui::yaml {
namespace {

constexpr std::size_t kMaxAllows = 200;
constexpr std::size_t kMaxReasonBytes = 600;
constexpr const char* kShape = "write for example `- {lint: unused-param, at: params.rate, because: …}`";

}  // namespace

std::vector<Allow> ToAllows(const Node& node, Diagnostics* diagnostics) {
  std::vector<Allow> out;
  if (!node.IsSequence() || node.items().empty()) {
    diagnostics->push_back(node.Fault("bad-allow", "allow is a list of warnings and reasons", kShape));
    return out;
  }
  if (node.items().size() > kMaxAllows) {
    diagnostics->push_back(
        node.Fault("too-many", std::to_string(node.items().size()) + " entries; at most " + std::to_string(kMaxAllows),
                   "leave `at` out to allow a warning in the whole file"));
    return out;
  }
  for (const Node& item : node.items()) {
    Reader reader(item, diagnostics);
    if (!reader.valid()) continue;
    const Node* lint = reader.Required("lint");
    Allow allow;
    allow.at = reader.String("at", "");
    const Node* because = reader.Required("because");
    reader.Done();
    if (lint == nullptr || because == nullptr) continue;
    if (!lint->IsScalar() || lint->text().empty()) {
      diagnostics->push_back(lint->Fault("bad-allow", "here the name of a warning is expected", kShape));
      continue;
    }
    if (!because->IsScalar() || because->text().find_first_not_of(" \t\n") == std::string::npos ||
        because->text().size() > kMaxReasonBytes) {
      diagnostics->push_back(because->Fault("bad-allow", "a warning is allowed for a reason",
                                            "say in one line why it may stay, in at most 600 bytes"));
      continue;
    }
    const Diagnostic here = lint->Fault("", "");
    allow.lint = lint->text();
    allow.because = because->text();
    allow.place = here.at;
    allow.length = here.length;
    allow.source_line = here.source_line;
    out.push_back(std::move(allow));
  }
  return out;
}

}  // namespace zhitui::yaml
