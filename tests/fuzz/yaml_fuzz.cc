// Any bytes: a document or at least one diagnostic; every place lies in the file; every scalar's lines can be traced.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "yaml/yaml.h"

namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

void Walk(const zhitui::yaml::Node& node, const zhitui::yaml::Document& document) {
  Require(node.at().line >= 1 && node.at().column >= 1 && node.length() >= 1);
  if (node.IsScalar()) {
    const auto lines = node.Lines();
    Require(!lines.empty());
    for (const auto& line : lines) Require(line.source_line == document.SourceLine(line.line));
    (void)node.Unfolded();
  }
  for (const auto& item : node.items()) Walk(item, document);
  for (const auto& [key, value] : node.entries()) {
    Walk(key, document);
    Walk(value, document);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  zhitui::Diagnostics diagnostics;
  const auto document =
      zhitui::yaml::Parse("fuzz.yaml", std::string(reinterpret_cast<const char*>(data), size), &diagnostics);
  Require(document.has_value() != !diagnostics.empty());
  if (document) Walk(document->root(), *document);
  (void)zhitui::FormatDiagnostics(diagnostics);
  return 0;
}
