#include "population/events.h"

#include "population/calendar.h"

namespace zhitui::population {
namespace {

// An object or list under construction; keys and values come in order, commas by themselves.
class Json {
 public:
  explicit Json(char open) { out_ += open; }

  Json& Key(std::string_view key) {
    Comma();
    out_ += '"';
    out_ += key;
    out_ += "\":";
    after_key_ = true;
    return *this;
  }
  // Text that needs no escapes: names, codes and ids of this generator.
  void Text(std::string_view text) {
    Comma();
    out_ += '"';
    out_ += text;
    out_ += '"';
  }
  void TextOrNull(std::string_view text) { text.empty() ? Raw("null") : Text(text); }
  void Code(int code) { Text(std::to_string(code)); }
  void Bool(bool value) { Raw(value ? "true" : "false"); }
  void Day(Date day) {
    std::string text;
    AppendDate(text, day);
    Text(text);
  }
  void DayOrNull(const std::optional<Date>& day) {
    if (day) {
      Day(*day);
    } else {
      Raw("null");
    }
  }
  void Texts(const std::vector<std::string_view>& texts) {
    Json list('[');
    for (const std::string_view text : texts) list.Text(text);
    Raw(list.Close(']'));
  }
  void Raw(std::string_view json) {
    Comma();
    out_ += json;
  }
  // The parent's member `key`, unless nothing was added.
  void CloseInto(Json& parent, std::string_view key) {
    if (out_.size() > 1) parent.Key(key).Raw(Close('}'));
  }
  std::string Close(char close) {
    out_ += close;
    return std::move(out_);
  }

 private:
  void Comma() {
    if (!after_key_ && out_.size() > 1) out_ += ',';
    after_key_ = false;
  }

  std::string out_;
  bool after_key_ = false;
};

void Police(Json& json, const Person& p, Facts facts) {
  if ((facts & kName) != 0) json.Key("name").Text(p.name);
  if ((facts & kIdNumber) != 0 && p.birth_known) json.Key("id_number").Text(p.id_number);
  if ((facts & kSex) != 0) json.Key("sex").Text(p.female ? "female" : "male");
  if ((facts & kBirthDate) != 0 && p.birth_known) json.Key("birth_date").Day(p.birth);
  if ((facts & kDeathDate) != 0) json.Key("death_date").DayOrNull(p.death);
  if ((facts & kHukou) != 0) {
    Json hukou('{');
    hukou.Key("city").Code(p.hukou_city);
    hukou.Key("district").Code(p.hukou_district);
    hukou.Key("since").DayOrNull(p.hukou_since);
    hukou.CloseInto(json, "hukou");
  }
  Json residence('{');
  if ((facts & kStreetFact) != 0) residence.Key("street").TextOrNull(p.street);
  if ((facts & kRegisteredSince) != 0) residence.Key("registered_since").DayOrNull(p.registered_since);
  if ((facts & kPermitIssued) != 0) residence.Key("permit_issued").DayOrNull(p.permit_issued);
  if ((facts & kTalent) != 0) residence.Key("talent").Bool(p.talent);
  residence.CloseInto(json, "residence");
}

void Insurance(Json& json, const Person& p, Facts facts) {
  if ((facts & kInsuredMonths) == 0) return;
  Json months('[');
  for (const int month : p.insured) months.Day(FirstOfMonth(month));
  Json insurance('{');
  insurance.Key("months").Raw(months.Close(']'));
  insurance.CloseInto(json, "insurance");
}

std::string Guardians(const Society& society, const Person& p, int month) {
  Json list('[');
  for (const Index index : p.guardians) {
    const Person& g = society.people[index];
    Json guardian('{');
    guardian.Key("id").Text(g.subject);
    guardian.Key("hukou_city").Code(g.hukou_city);
    guardian.Key("housing").Text(g.housing);
    guardian.Key("housing_district").Code(g.housing_district);
    guardian.Key("lives_there").Bool(g.lives_there);
    guardian.Key("permit_issued").DayOrNull(g.permit_issued);
    guardian.Key("registered_since").DayOrNull(g.registered_since);
    if (g.insurance_known) {
      const std::optional<int> since = InsuredSince(g, month);
      guardian.Key("insured_since").DayOrNull(since ? std::optional(FirstOfMonth(*since)) : std::nullopt);
    }
    list.Raw(guardian.Close('}'));
  }
  return list.Close(']');
}

void Education(Json& json, const Society& society, const Person& p, Facts facts, int month) {
  // The records of grown-ups say only whether they study.
  const bool child = !p.guardians.empty();
  Json education('{');
  if ((facts & kStudent) != 0) education.Key("student").Bool(p.student);
  if ((facts & kPolicyChild) != 0 && child) education.Key("policy_child").Bool(p.policy_child);
  if ((facts & kEnrolled) != 0 && child) education.Key("enrolled").Bool(p.enrolled);
  education.CloseInto(json, "education");
  if ((facts & kGuardians) != 0 && child) json.Key("guardians").Raw(Guardians(society, p, month));
}

void Civil(Json& json, const Person& p, Facts facts) {
  if ((facts & kAllowance) != 0) {
    Json allowance('{');
    allowance.Key("registered").Bool(p.allowance);
    allowance.CloseInto(json, "allowance");
  }
  if ((facts & kIdCard) != 0) {
    Json documents('{');
    documents.Key("id_card").Bool(p.id_card_on_file);
    documents.CloseInto(json, "documents");
  }
}

void Self(Json& json, const Person& p, Facts facts) {
  Json contacts('{');
  if ((facts & kPhone) != 0) contacts.Key("phone").TextOrNull(p.phone.value_or(""));
  if ((facts & kWechat) != 0) contacts.Key("wechat").TextOrNull(p.openid.value_or(""));
  if ((facts & kApp) != 0) contacts.Key("app").TextOrNull(p.app_id.value_or(""));
  contacts.CloseInto(json, "contacts");
  Json preferences('{');
  if ((facts & kChannels) != 0) preferences.Key("channels").Texts(p.channels);
  if ((facts & kLocale) != 0) preferences.Key("locale").Text(p.english ? "en" : "zh");
  preferences.CloseInto(json, "preferences");
  Json consent('{');
  if ((facts & kAgrees) != 0) consent.Key("messages").Bool(p.agrees);
  if ((facts & kRefusedTopics) != 0) consent.Key("refused_topics").Texts(p.refused_topics);
  if ((facts & kRefusedChannels) != 0) consent.Key("refused_channels").Texts(p.refused_channels);
  consent.CloseInto(json, "consent");
}

}  // namespace

std::string_view AgencyName(Agency agency) {
  constexpr std::string_view kNames[kAgencies] = {"police", "insurance", "education", "civil", "self"};
  return kNames[static_cast<std::size_t>(agency)];
}

std::string_view TypeName(EventKind kind) {
  constexpr std::string_view kTypes[kEventKinds] = {"cn.gov.futian.resident.profile.patched",
                                                    "cn.gov.futian.resident.profile.replaced",
                                                    "cn.gov.futian.resident.profile.forgotten"};
  return kTypes[static_cast<std::size_t>(kind)];
}

Facts FactsOf(Agency agency) {
  switch (agency) {
    case Agency::kPolice:
      return kInsuredMonths - 1;
    case Agency::kInsurance:
      return kInsuredMonths;
    case Agency::kEducation:
      return kStudent | kPolicyChild | kEnrolled | kGuardians;
    case Agency::kCivil:
      return kAllowance | kIdCard;
    case Agency::kSelf:
      return kPhone | kWechat | kApp | kChannels | kLocale | kAgrees | kRefusedTopics | kRefusedChannels;
  }
  return 0;
}

std::string DataJson(const Society& society, const Person& person, Facts facts, int month) {
  Json json('{');
  Police(json, person, facts);
  Insurance(json, person, facts);
  Education(json, society, person, facts, month);
  Civil(json, person, facts);
  Self(json, person, facts);
  return json.Close('}');
}

void AppendLine(std::string& out, const Event& event) {
  out += R"({"specversion":"1.0","id":")";
  out += event.id;
  out += R"(","source":"/agencies/)";
  out += AgencyName(event.agency);
  out += R"(","type":")";
  out += TypeName(event.kind);
  out += R"(","subject":")";
  out += SubjectId(event.person);
  out += R"(","time":")";
  AppendInstant(out, event.time);
  out += R"(","recordedtime":")";
  AppendInstant(out, event.recorded);
  out += R"(","datacontenttype":"application/json",)";
  if (event.baseline) out += R"("baseline":true,)";
  out += R"("data":)";
  out += event.data;
  out += "}\n";
}

}  // namespace zhitui::population
