#include "base/diagnostic.h"

#include <algorithm>
#include <tuple>

namespace zhitui {
namespace {

// The next code point of UTF-8 text; a broken byte counts as one code point.
std::uint32_t NextCodePoint(std::string_view& s) {
  const auto b = static_cast<unsigned char>(s.front());
  std::size_t n = b < 0x80 ? 1 : b < 0xE0 ? 2 : b < 0xF0 ? 3 : 4;
  n = std::min(n, s.size());
  std::uint32_t cp = n == 1 ? b : b & (0xFFU >> (n + 1));
  for (std::size_t i = 1; i < n; ++i) cp = cp << 6 | (static_cast<unsigned char>(s[i]) & 0x3FU);
  s.remove_prefix(n);
  return cp;
}

// East Asian wide and full-width ranges (Unicode TR 11, condensed).
std::size_t Cells(std::uint32_t cp) {
  const bool wide =
      (cp >= 0x1100 && cp <= 0x115F) || (cp >= 0x2E80 && cp <= 0xA4CF) || (cp >= 0xAC00 && cp <= 0xD7A3) ||
      (cp >= 0xF900 && cp <= 0xFAFF) || (cp >= 0xFE30 && cp <= 0xFE6F) || (cp >= 0xFF00 && cp <= 0xFF60) ||
      (cp >= 0xFFE0 && cp <= 0xFFE6) || (cp >= 0x1F300 && cp <= 0x1FAFF) || (cp >= 0x20000 && cp <= 0x3FFFD);
  return wide ? 2 : 1;
}

struct Labels {
  std::string_view error;
  std::string_view warning;
  std::string_view colon;  // behind them
  std::string_view hint;
};
constexpr Labels kEnglish{"error", "warning", ": ", "hint: "};
constexpr Labels kChinese{"错误", "警告", "：", "提示："};

std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

std::size_t DisplayWidth(std::string_view utf8) {
  std::size_t width = 0;
  while (!utf8.empty()) width += Cells(NextCodePoint(utf8));
  return width;
}

std::string FormatDiagnostics(const Diagnostics& diagnostics, std::string_view lang) {
  const Labels& labels = lang == "zh" ? kChinese : kEnglish;
  Diagnostics sorted = diagnostics;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return std::tie(a.at.file, a.at.line, a.at.column) < std::tie(b.at.file, b.at.line, b.at.column);
  });
  std::string out;
  for (const Diagnostic& d : sorted) {
    out += d.at.file;
    if (d.at.line > 0) out += ":" + std::to_string(d.at.line) + ":" + std::to_string(d.at.column);
    out += ": ";
    out += d.severity == Severity::kWarning ? labels.warning : labels.error;
    if (!d.code.empty()) out += " [" + d.code + "]";
    out.append(labels.colon).append(d.message).append("\n");
    if (!d.source_line.empty() && d.at.line > 0) {
      out += "    " + d.source_line + "\n    ";
      std::string_view rest = d.source_line;
      for (std::uint32_t c = 1; c < d.at.column && !rest.empty(); ++c) {
        if (rest.front() == '\t') {
          rest.remove_prefix(1);
          out += '\t';
        } else {
          out.append(Cells(NextCodePoint(rest)), ' ');
        }
      }
      std::size_t width = 0;
      for (std::uint32_t i = 0; i < std::max(d.length, 1U); ++i) {
        if (rest.empty()) break;
        width += Cells(NextCodePoint(rest));
      }
      out.append(std::max<std::size_t>(width, 1), '^');
      out += '\n';
    }
    if (!d.hint.empty()) out.append("    ").append(labels.hint).append(d.hint).append("\n");
  }
  return out;
}

std::string_view NearestName(std::string_view word, const std::vector<std::string>& candidates) {
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = EditDistance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace zhitui
