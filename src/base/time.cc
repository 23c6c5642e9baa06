#include "base/time.h"

#include <cstdio>

namespace zhitui {
namespace {

using std::chrono::day;
using std::chrono::days;
using std::chrono::local_days;
using std::chrono::minutes;
using std::chrono::month;
using std::chrono::year;
using std::chrono::year_month_day;

// Reads exactly `n` digits; -1 when there are fewer.
int Digits(std::string_view& text, std::size_t n) {
  if (text.size() < n) return -1;
  int v = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    v = v * 10 + (text[i] - '0');
  }
  text.remove_prefix(n);
  return v;
}

bool Eat(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<Date> EatDate(std::string_view& text) {
  const int y = Digits(text, 4);
  if (y < 1 || !Eat(text, '-')) return std::nullopt;
  const int m = Digits(text, 2);
  if (m < 1 || !Eat(text, '-')) return std::nullopt;
  const int d = Digits(text, 2);
  if (d < 1) return std::nullopt;
  const year_month_day ymd(year(y), month(static_cast<unsigned>(m)), day(static_cast<unsigned>(d)));
  if (!ymd.ok()) return std::nullopt;
  return local_days(ymd);
}

}  // namespace

Result<Date> ParseDate(std::string_view text) {
  std::string_view rest = text;
  const std::optional<Date> date = EatDate(rest);
  if (!date || !rest.empty()) return Invalid("not a date of the form 2026-03-01");
  return *date;
}

std::string FormatDate(Date date) {
  const year_month_day ymd(date);
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%04d-%02u-%02u", static_cast<int>(ymd.year()),
                static_cast<unsigned>(ymd.month()), static_cast<unsigned>(ymd.day()));
  return buffer;
}

Date MakeDate(int y, unsigned m, unsigned d) { return local_days(year_month_day(year(y), month(m), day(d))); }

Result<Instant> ParseInstant(std::string_view text) {
  const auto bad = [] { return Invalid("not an RFC 3339 time such as 2026-03-01T08:00:00+08:00"); };
  std::string_view rest = text;
  const std::optional<Date> date = EatDate(rest);
  if (!date || rest.empty() || (rest[0] != 'T' && rest[0] != 't' && rest[0] != ' ')) return bad();
  rest.remove_prefix(1);
  const int h = Digits(rest, 2);
  if (h < 0 || h > 23 || !Eat(rest, ':')) return bad();
  const int m = Digits(rest, 2);
  if (m < 0 || m > 59) return bad();
  int s = 0;
  int ms = 0;
  if (Eat(rest, ':')) {
    s = Digits(rest, 2);
    if (s < 0 || s > 60) return bad();
    if (s == 60) s = 59;  // a leap second is the last instant of its minute
    if (Eat(rest, '.')) {
      std::size_t n = 0;
      while (n < rest.size() && rest[n] >= '0' && rest[n] <= '9') {
        if (n < 3) ms = ms * 10 + (rest[n] - '0');
        ++n;
      }
      if (n == 0 || n > 9) return bad();
      for (std::size_t i = n; i < 3; ++i) ms *= 10;
      rest.remove_prefix(n);
    }
  }
  minutes offset{0};
  if (rest == "Z" || rest == "z") {
    rest = {};
  } else {
    if (rest.empty() || (rest[0] != '+' && rest[0] != '-')) return bad();
    const int sign = rest[0] == '-' ? -1 : 1;
    rest.remove_prefix(1);
    const int oh = Digits(rest, 2);
    if (oh < 0 || oh > 23 || !Eat(rest, ':')) return bad();
    const int om = Digits(rest, 2);
    if (om < 0 || om > 59 || !rest.empty()) return bad();
    offset = minutes(sign * (oh * 60 + om));
  }
  const Millis local =
      Millis(date->time_since_epoch()) + std::chrono::hours(h) + minutes(m) + std::chrono::seconds(s) + Millis(ms);
  return Instant(local - offset);
}

std::string FormatInstant(Instant at, Zone zone) {
  const auto local = zone.Local(at);
  const Date date = std::chrono::floor<days>(local);
  const long long ms = (local - std::chrono::local_time<Millis>(date)).count();
  const long long off = zone.offset.count();
  const long long abs_off = off < 0 ? -off : off;
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "T%02lld:%02lld:%02lld.%03lld%c%02lld:%02lld", ms / 3600000, ms / 60000 % 60,
                ms / 1000 % 60, ms % 1000, off < 0 ? '-' : '+', abs_off / 60, abs_off % 60);
  return FormatDate(date) + buffer;
}

std::string FormatUtc(Instant at) {
  const Zone utc{minutes(0)};
  const auto local = utc.Local(at);
  const Date date = std::chrono::floor<days>(local);
  const long long s = (local - std::chrono::local_time<Millis>(date)).count() / 1000;
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "T%02lld:%02lld:%02lldZ", s / 3600, s / 60 % 60, s % 60);
  return FormatDate(date) + buffer;
}

Instant SystemClock::Now() const { return std::chrono::floor<Millis>(std::chrono::system_clock::now()); }

void DrivenClock::AdvanceTo(Instant at) {
  const Millis::rep to = at.time_since_epoch().count();
  Millis::rep now = now_.load();
  while (now < to && !now_.compare_exchange_weak(now, to)) {
  }
}

}  // namespace zhitui
