// calendars/<id>.yaml: the holidays and make-up days of each year, as the notice of that year names them.

#include <algorithm>
#include <map>

#include "rules/rule_parser.h"
#include "rules/vocabulary.h"

namespace zhitui::rules {
namespace {

constexpr std::int64_t kLongestHoliday = 31;  // days

class CalendarParser {
 public:
  CalendarParser(const yaml::Document& document, Diagnostics* diagnostics)
      : document_(document), diagnostics_(diagnostics) {}

  std::shared_ptr<const cel::Calendar> Run(std::string& id) {
    const std::size_t before = diagnostics_->size();
    yaml::Reader reader(document_.root(), diagnostics_);
    if (!reader.valid()) return nullptr;
    if (const yaml::Node* name = reader.Required("calendar")) {
      id = name->text();
      if (!name->IsScalar() || !IsId(id)) {
        Fault(*name, "bad-id", "`" + id + "` is not an id for a calendar", "name the country or the authority: cn");
      } else if (document_.file() != "calendars/" + id + ".yaml" && document_.file() != "calendars/" + id + ".yml") {
        Fault(*name, "file-name", "the calendar `" + id + "` is in another file than its name says",
              "rename the file to calendars/" + id + ".yaml");
      }
    }
    reader.LocalText("title", true);
    const yaml::Node* years = reader.Required("years");
    reader.Done();
    if (years != nullptr) Years(*years);
    if (diagnostics_->size() != before) return nullptr;
    std::vector<Date> off;
    std::vector<Date> worked;
    for (const auto& [day, what] : days_) (what.worked ? worked : off).push_back(day);
    return cel::Calendar::Make(id, first_, last_, off, worked);
  }

 private:
  struct Named {
    bool worked = false;
    Location at;
  };

  void Fault(const yaml::Node& node, const char* code, std::string message, std::string hint = "") {
    diagnostics_->push_back(node.Fault(code, std::move(message), std::move(hint)));
  }

  void Years(const yaml::Node& node) {
    if (!node.IsMapping() || node.entries().empty()) {
      Fault(node, "bad-calendar", "years maps each year to its holidays", "for example `2026: {law: …, holidays: …}`");
      return;
    }
    if (!CheckCount(node, node.entries().size(), kMaxCalendarYears, "years", diagnostics_)) return;
    for (const auto& [key, value] : node.entries()) {
      const std::optional<std::int64_t> year = yaml::ToInt(key, diagnostics_);
      if (!year) continue;
      if (*year < 1900 || *year > 9998) {
        Fault(key, "bad-calendar", "`" + key.text() + "` is not a year", "write the year, such as 2026");
        continue;
      }
      if (last_ != 0 && *year != last_ + 1) {
        Fault(key, "bad-calendar", "after " + std::to_string(last_) + " comes " + std::to_string(last_ + 1),
              "write the years in order and leave none out: what lies between is not known");
      }
      if (last_ == 0) first_ = static_cast<int>(*year);
      last_ = static_cast<int>(*year);
      Year(value, static_cast<int>(*year));
    }
  }

  void Year(const yaml::Node& node, int year) {
    yaml::Reader reader(node, diagnostics_);
    if (!reader.valid()) return;
    if (const yaml::Node* law = reader.Required("law")) {
      yaml::Reader one(*law, diagnostics_);
      if (one.valid()) {
        one.String("title");
        one.String("url", "");
        one.Done();
      }
    }
    const yaml::Node* holidays = reader.Required("holidays");
    reader.Done();
    if (holidays == nullptr) return;
    if (!holidays->IsSequence() || holidays->items().empty()) {
      Fault(*holidays, "bad-calendar", "holidays is a list",
            "for example `- {label: 春节, days: 2026-02-15 to 2026-02-23, worked: [2026-02-14]}`");
      return;
    }
    if (!CheckCount(*holidays, holidays->items().size(), kMaxHolidays, "holidays", diagnostics_)) return;
    for (const yaml::Node& item : holidays->items()) Holiday(item, year);
  }

  void Holiday(const yaml::Node& node, int year) {
    yaml::Reader reader(node, diagnostics_);
    if (!reader.valid()) return;
    reader.LocalText("label", true);
    if (const yaml::Node* days = reader.Required("days")) Days(*days, year);
    if (const yaml::Node* worked = reader.Optional("worked")) {
      if (worked->IsSequence()) {
        if (CheckCount(*worked, worked->items().size(), kMaxHolidays, "make-up days", diagnostics_)) {
          for (const yaml::Node& day : worked->items()) Worked(day, year);
        }
      } else {
        Worked(*worked, year);
      }
    }
    reader.Done();
  }

  // "2026-02-15 to 2026-02-23", or one day.
  void Days(const yaml::Node& node, int year) {
    const std::string& text = node.text();
    const std::size_t to = text.find(" to ");
    const Result<Date> first = ParseDate(text.substr(0, to));
    const Result<Date> last = to == std::string::npos ? first : ParseDate(text.substr(to + 4));
    if (!node.IsScalar() || !first || !last) {
      Fault(node, "bad-calendar", "here days are expected", "write 2026-01-01, or 2026-02-15 to 2026-02-23");
      return;
    }
    if (*last < *first || (*last - *first).count() >= kLongestHoliday) {
      Fault(node, "bad-calendar",
            "a holiday has 1 to " + std::to_string(kLongestHoliday) + " days, the first one first");
      return;
    }
    for (Date day = *first; day <= *last; day += std::chrono::days(1)) Add(node, day, year, false);
  }

  void Worked(const yaml::Node& node, int year) {
    const std::optional<Date> day = yaml::ToDate(node, diagnostics_);
    if (!day) return;
    if (std::chrono::weekday(*day).iso_encoding() <= 5) {
      Fault(node, "bad-calendar", FormatDate(*day) + " is not on a weekend, it is worked anyway",
            "make-up days are Saturdays and Sundays");
      return;
    }
    Add(node, *day, year, true);
  }

  void Add(const yaml::Node& node, Date day, int year, bool worked) {
    // The notice of a year may name days at the end of the year before or the beginning of the next one.
    const int of = static_cast<int>(std::chrono::year_month_day(day).year());
    if (of < year - 1 || of > year + 1) {
      Fault(node, "bad-calendar", FormatDate(day) + " does not belong to " + std::to_string(year));
      return;
    }
    const auto [it, fresh] = days_.emplace(day, Named{worked, node.at()});
    if (fresh) return;
    Fault(node, "bad-calendar",
          FormatDate(day) + " stands in line " + std::to_string(it->second.at.line) + " already" +
              (it->second.worked == worked ? ""
               : it->second.worked         ? ", as worked"
                                           : ", as a holiday"),
          "keep one of the two");
  }

  const yaml::Document& document_;
  Diagnostics* diagnostics_;
  std::map<Date, Named> days_;
  int first_ = 0;
  int last_ = 0;
};

}  // namespace

std::shared_ptr<const cel::Calendar> ParseCalendar(const yaml::Document& document, std::string& id,
                                                   Diagnostics* diagnostics) {
  return CalendarParser(document, diagnostics).Run(id);
}

}  // namespace zhitui::rules
