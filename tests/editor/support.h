#pragma once

// What the tests of the editor share: the repository's YAML files and a folder of rules to edit.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "authoring/authoring.h"
#include "rules/rules.h"
#include "yaml/yaml.h"

namespace zhitui::editor {

inline std::string ReadText(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

inline const std::filesystem::path kRoot = ZHITUI_SOURCE_DIR;

// Every YAML file of the repository that the product's reader accepts; paths relative to the root.
inline std::vector<rules::SourceFile> RepositoryYaml() {
  std::vector<rules::SourceFile> out;
  for (const char* folder : {"rules", "config", "docs", "helm", "tests"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(kRoot / folder)) {
      if (!entry.is_regular_file() || entry.path().extension() != ".yaml") continue;
      rules::SourceFile file{entry.path().lexically_relative(kRoot).generic_string(), ReadText(entry.path())};
      Diagnostics unused;
      if (yaml::Parse(file.path, file.text, &unused)) out.push_back(std::move(file));
    }
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return out;
}

inline bool SameNodes(const yaml::Node& a, const yaml::Node& b) {
  if (a.kind() != b.kind() || a.text() != b.text() || a.quoted() != b.quoted()) return false;
  if (a.items().size() != b.items().size() || a.entries().size() != b.entries().size()) return false;
  for (std::size_t i = 0; i < a.items().size(); ++i) {
    if (!SameNodes(a.items()[i], b.items()[i])) return false;
  }
  for (std::size_t i = 0; i < a.entries().size(); ++i) {
    if (!SameNodes(a.entries()[i].first, b.entries()[i].first)) return false;
    if (!SameNodes(a.entries()[i].second, b.entries()[i].second)) return false;
  }
  return true;
}

}  // namespace zhitui::editor
