#include "editor/shape.h"

#include <algorithm>
#include <utility>

namespace zhitui::editor {
namespace {

using Kind = Shape::Kind;

constexpr const char* kIdPattern = "^[a-z][a-z0-9]*([-_][a-z0-9]+)*$";
constexpr const char* kTopicPattern = R"(^[a-z][a-z0-9]*([-_][a-z0-9]+)*(\.[a-z][a-z0-9]*([-_][a-z0-9]+)*)*$)";
constexpr const char* kNamePattern = "^[a-z][a-z0-9]*(_[a-z0-9]+)*$";
constexpr const char* kSegmentPattern = "^[a-z][a-z0-9_]*$";
constexpr const char* kFactPattern = R"(^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$)";
constexpr const char* kDatePattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$";
constexpr const char* kDaysPattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}( to [0-9]{4}-[0-9]{2}-[0-9]{2})?$";

ShapeRef Make(Shape shape) { return std::make_shared<const Shape>(std::move(shape)); }

ShapeRef Line(std::size_t min = 0, std::string pattern = "", Role role = Role::kNone) {
  Shape s;
  s.min = min;
  s.pattern = std::move(pattern);
  s.role = role;
  return Make(std::move(s));
}
ShapeRef Ref(Role role) { return Line(0, "", role); }
ShapeRef Expression() { return Line(1, "", Role::kExpression); }
ShapeRef Of(Kind kind) {
  Shape s;
  s.kind = kind;
  return Make(std::move(s));
}
ShapeRef Choice(std::vector<std::string> choices) {
  Shape s;
  s.kind = Kind::kChoice;
  s.choices = std::move(choices);
  return Make(std::move(s));
}
ShapeRef Record(std::vector<Key> keys) {
  Shape s;
  s.kind = Kind::kRecord;
  s.keys = std::move(keys);
  return Make(std::move(s));
}
ShapeRef Table(ShapeRef value, std::string pattern, std::size_t min = 0, std::size_t max = 0) {
  Shape s;
  s.kind = Kind::kTable;
  s.pattern = std::move(pattern);
  s.min = min;
  s.max = max;
  s.parts = {std::move(value)};
  return Make(std::move(s));
}
ShapeRef List(ShapeRef item, std::size_t min = 0, std::size_t max = 0) {
  Shape s;
  s.kind = Kind::kList;
  s.min = min;
  s.max = max;
  s.parts = {std::move(item)};
  return Make(std::move(s));
}
ShapeRef Either(std::vector<ShapeRef> parts) {
  Shape s;
  s.kind = Kind::kEither;
  s.parts = std::move(parts);
  return Make(std::move(s));
}

// {zh: …, en: …}, or Chinese alone.
ShapeRef LocalText(Role role = Role::kNone) {
  return Either(
      {Line(1, "", role),
       Record({{"zh", true, Line(0, "", role), {"中文", "Chinese"}},
               {"en", false, Line(0, "", role), {"英文；缺省时显示中文", "English; Chinese where it is missing"}}})});
}

// Warnings that may stand, in every kind of file but calendars.
Key Allowed() {
  const ShapeRef one = Record({
      {"lint", true, Line(1), {"哪种警告", "The code of the warning"}},
      {"at",
       false,
       Line(),
       {"在哪里，如 params.x；不写为整个文件", "Where, such as params.x; left out: the whole file"}},
      {"because", true, Line(1), {"理由", "The reason"}},
  });
  return {
      "allow", false, List(one, 1, 200), {"允许保留的警告，附理由", "Warnings that may stand, each with its reason"}};
}

// ---- Facts

ShapeRef FactShape(bool field, int depth) {
  const ShapeRef flag = Of(Kind::kBool);
  std::vector<Key> common = {
      {"label", true, LocalText(), {"给人看的名称", "What people read"}},
      {"nullable", false, flag, {"null 表示“确知没有”", "null says \"known to be none\""}},
      {"sensitive", false, flag, {"解释里只提名称，不显示值", "Explanations name the fact and never show its value"}},
  };
  if (!field) {
    common.push_back(
        {"fixed", false, flag, {"本人无法改变，如出生日期", "A person cannot change it, such as the date of birth"}});
    common.push_back(
        {"source", true, Ref(Role::kSourceRef), {"拥有它的部门，见 sources", "The agency that owns it, of `sources`"}});
  }
  const Text type_meaning = {"类型", "The type"};
  const Text of_meaning = {"列表：元素的类型或字段；记录：字段",
                           "List: a type, or the fields of its records; record: its fields"};
  const ShapeRef values = List(Line(1), 1, 1000);
  const Key values_key = {"values", false, values, {"允许的代码", "The values allowed, for codes only"}};
  Shape number;
  number.kind = Kind::kInt;
  number.min = 1;
  number.max = 10'000;
  const Key max_items = {
      "max_items", false, Make(std::move(number)), {"列表最多几项，默认 100", "Most items of the list; default 100"}};
  const auto with = [&](std::vector<std::string> types, std::vector<Key> more) {
    std::vector<Key> keys = {{"type", true, Choice(std::move(types)), type_meaning}};
    keys.insert(keys.end(), more.begin(), more.end());
    keys.insert(keys.end(), common.begin(), common.end());
    return Record(std::move(keys));
  };
  const Key least = {"min", false, Of(Kind::kNumber), {"最小值", "The least value there is"}};
  const Key greatest = {"max", false, Of(Kind::kNumber), {"最大值", "The greatest value there is"}};
  std::vector<ShapeRef> parts = {
      with({"bool", "string", "date", "timestamp"}, {}),
      with({"int", "decimal", "money"}, {least, greatest}),
      with({"code"}, {values_key}),
  };
  const ShapeRef simple = Choice({"bool", "int", "decimal", "money", "string", "code", "date", "timestamp"});
  if (depth > 0) {
    const ShapeRef fields = Table(FactShape(true, depth - 1), kSegmentPattern, 1, 64);
    parts.push_back(with({"list"}, {{"of", true, Either({simple, fields}), of_meaning}, values_key, max_items}));
    parts.push_back(with({"record"}, {{"of", true, fields, of_meaning}}));
  } else {
    parts.push_back(with({"list"}, {{"of", true, simple, of_meaning}, values_key, max_items}));
  }
  return Either(std::move(parts));
}

ShapeRef FactsFile() {
  return Record({
      {"kind",
       true,
       Line(1, kSegmentPattern),
       {"主体类型，规则用 about 引用", "The kind of subject that rules are about"}},
      {"alive_unless",
       false,
       Ref(Role::kOwnFactRef),
       {"有值即表示已死亡、注销或拆除", "A date fact: with a value, the subject is dead, struck off or gone"}},
      {"recipients",
       false,
       Ref(Role::kOwnFactRef),
       {"通知谁：带 id 字段的列表", "A list of records with `id`: who is told instead"}},
      {"recipients_are",
       false,
       Ref(Role::kKindRef),
       {"他们的主体类型，与本类不同时写", "Their kind of subject, where it is another one"}},
      {"sources",
       true,
       Table(LocalText(), kSegmentPattern, 1),
       {"部门", "Agencies; only the events of its agency set a fact"}},
      {"facts", true, Table(FactShape(false, 4), kFactPattern, 1, 2000), {"能知道什么", "What can be known"}},
      Allowed(),
  });
}

// ---- Rules

ShapeRef ParamShape() {
  // A number, a date, true, false, or a text in quotes; what a text without quotes is only the reader sees.
  const ShapeRef value = Line();
  const ShapeRef entered = Record({
      {"is", true, value, {"值", "The value"}},
      {"entered",
       true,
       Of(Kind::kDate),
       {"哪天起才知道（事后录入）", "The day from which it is known, for a value that comes after the fact"}},
  });
  const ShapeRef entry = Either({value, entered});
  return Either({value, Table(Either({value, entered, List(entry, 1)}), kDatePattern, 1, 200)});
}

ShapeRef NotifyShape() {
  const ShapeRef lead = Line(1);
  const std::vector<Key> common = {
      {"message", true, Line(1, kIdPattern, Role::kMessageRef), {"messages/ 里的消息", "A message of messages/"}},
      {"channels",
       false,
       List(Choice({"app", "wechat", "sms"}), 1, 3),
       {"渠道，按此顺序；不写则用消息的全部渠道", "In this order; left out: all that the message has"}},
      {"escalate_after",
       false,
       Line(1, "^[0-9]{1,5}[dhm]$"),
       {"多久未读就换下一个渠道：3d、12h、30m", "Not read for so long, the next channel: 3d, 12h, 30m"}},
      {"to",
       false,
       Ref(Role::kRecipient),
       {"通知谁：subject，或该类主体的 recipients", "`subject`, or the recipients of the kind"}},
  };
  const Text on = {"什么时候通知", "When people are told"};
  const auto with = [&](std::vector<std::string> choices, std::vector<Key> more) {
    std::vector<Key> keys = {{"on", true, Choice(std::move(choices)), on}};
    keys.insert(keys.end(), more.begin(), more.end());
    keys.insert(keys.end(), common.begin(), common.end());
    return Record(std::move(keys));
  };
  return Either({
      with({"upcoming"},
           {{"ahead", true, lead, {"提前多久：2 months、60 days", "How long before the day: 2 months, 60 days"}}}),
      with({"eligible", "amount_changed", "ceased", "correction"}, {}),
      with({"reminder"}, {{"before", true, lead, {"结束前多久：7 days", "How long before the end: 7 days"}}}),
  });
}

ShapeRef ExpectShape() {
  const auto names = [](Role role) { return Either({Ref(role), List(Ref(role))}); };
  return Either({
      Choice({"eligible", "ineligible"}),
      Record({
          {"eligible", false, Of(Kind::kBool), {"是否符合", "Whether it is eligible"}},
          {"ineligible",
           false,
           names(Role::kCriterionRef),
           {"恰好这些条件不成立", "Ineligible, and exactly these criteria are false"}},
          {"unknown",
           false,
           names(Role::kFactRef),
           {"恰好缺这些事实", "Unknown, and exactly these facts would settle it"}},
          {"amount", false, Line(1), {"符合，金额为", "Eligible, with that amount"}},
          {"upcoming", false, Of(Kind::kDate), {"将来从这天起符合", "Not eligible, and eligible from that day"}},
          {"until", false, Of(Kind::kDate), {"从这天起不再符合", "Eligible, and that is the first day it is not"}},
          {"next_change",
           false,
           Of(Kind::kDate),
           {"答案或金额下次变化的日子", "Answer or amount differ first on that day"}},
      }),
  });
}

ShapeRef RuleFile() {
  const ShapeRef law = Record({
      {"title", true, Line(1), {"名称或文号", "Title or number"}},
      {"url", false, Line(), {"网址", "Address"}},
  });
  const ShapeRef criterion = Record({
      {"label", true, LocalText(), {"人们看到的理由", "What people read as the reason"}},
      {"when", true, Expression(), {"条件，布尔表达式", "The condition, an expression of type bool"}},
      {"law", false, Ref(Role::kLawRef), {"依据，law 里的编号", "An id of `law`"}},
  });
  const ShapeRef row = Record({
      {"when",
       false,
       Expression(),
       {"成立时用这一行；最后一行不写", "The row counts when this holds; the last row has none"}},
      {"is", true, Expression(), {"金额", "The amount: a whole number or a decimal"}},
      {"law", false, Ref(Role::kLawRef), {"这一行的依据", "What this row is based on"}},
  });
  const ShapeRef waived = Either({Line(1), List(Line(1), 1)});
  const Text because = {"理由", "The reason"};
  const ShapeRef waiver = Either({
      Record({{"mutant", true, waived, {"无法被测试发现的改动", "Changes that no test can notice"}},
              {"because", true, Line(1), because}}),
      Record({{"condition", true, waived, {"无法单独起作用的条件", "Conditions that cannot decide alone"}},
              {"because", true, Line(1), because}}),
  });
  const ShapeRef material = Record({
      {"id", true, Line(1, kIdPattern), {"编号", "Its id"}},
      {"label", true, LocalText(), {"名称", "What people read"}},
      {"on_file", false, Expression(), {"成立时不必带", "When this is true it need not be brought"}},
  });
  const ShapeRef test = Record({
      {"name", true, Line(), {"测试的名称", "What the test shows"}},
      {"facts", true, Of(Kind::kAny), {"事实；不写为未知，null 为没有", "Facts; left out: unknown, null: none"}},
      {"expect", true, Table(ExpectShape(), kDatePattern, 1, 200), {"每一天的期望", "What holds on each day"}},
  });
  // What stands on the rule of a larger area leaves out what is not to be different.
  const auto keys = [&](bool over) {
    std::vector<Key> out = {
        {"rule",
         true,
         Line(1, kIdPattern),
         {"编号，文件夹内唯一；使用后不要改名", "The id, unique in the folder; do not rename a rule that is in use"}},
        {"about", !over, Ref(Role::kKindRef), {"主体类型", "The kind of subject"}},
        {"by", false, Expression(), {"看哪项事实算属于哪个地区", "The fact that says in which area a subject counts"}},
        {"title", !over, LocalText(), {"名称", "The title"}},
        {"owner", !over, Line(1), {"主管部门", "The authority"}},
        {"area",
         over,
         Line(0, "^([0-9]{2,12})?$"),
         {"部门的 GB/T 2260 区划代码或其开头", "GB/T 2260 code of the authority, or its beginning"}},
        {"topic",
         !over,
         Line(1, kTopicPattern),
         {"主题，如 benefits.elderly：人们退订、应用订阅",
          "The topic, such as benefits.elderly: what people refuse and applications subscribe to"}},
        {"law", over, Table(law, kIdPattern, over ? 1 : 0, 32), {"依据", "Citations by id"}},
        {"valid",
         false,
         Record({
             {"from", false, Of(Kind::kDate), {"施行之日", "The first day in force"}},
             {"until", false, Of(Kind::kDate), {"失效之日", "The first day no longer in force"}},
         }),
         {"有效期", "When the rule is in force"}},
        {"calendar",
         false,
         Ref(Role::kCalendarRef),
         {"工作日所依的日历", "The calendar that working days are counted in"}},
        {"recheck", false, Choice({"daily"}), {"每天检查", "Look every day"}},
        {"params",
         false,
         Table(ParamShape(), kNamePattern, 0, 64),
         {"法律规定的数值：params.名称", "Values that the law sets, used as params.name"}},
        {"let", false, Table(Expression(), kNamePattern, 0, 64), {"表达式的名称", "Names for expressions"}},
        {"criteria",
         !over,
         Table(criterion, kIdPattern, 1, 64),
         {"条件，全部成立才符合", "The conditions; all must be true"}},
        {"amount",
         false,
         Record({
             {"unit", true, Line(1), {"单位，如 CNY/month", "The unit, such as CNY/month"}},
             {"law", false, Ref(Role::kLawRef), {"金额的依据", "What the amounts are based on"}},
             {"table", true, List(row, 1, 100), {"第一个成立的行", "The first row that holds"}},
         }),
         {"金额", "What one gets"}},
        {"apply",
         false,
         Record({
             {"url",
              false,
              Line(0, "^(https://.*)?$"),
              {"网址，以 https:// 开头", "The address, begins with https://"}},
             {"deadline", false, LocalText(), {"截止时间，给人看", "The deadline as people read it"}},
             {"materials", false, List(material, 0, 32), {"材料", "What to bring"}},
             {"reply",
              false,
              Ref(Role::kFactRef),
              {"短信回复“同意”时记为当天日期的资料", "The date fact that a reply 同意 to a text message sets"}},
         }),
         {"怎样办", "How and where"}},
        {"notify", false, List(NotifyShape(), 0, 32), {"通知", "Who is told of what"}},
        {"waive", false, List(waiver, 0, 200), {"测试无法证明的，附理由", "What no test can show, with its reason"}},
        Allowed(),
        {"tests", false, List(test, 0, 500), {"测试", "Tests beside the rule"}},
    };
    if (over) {
      out.push_back({"over",
                     true,
                     Line(1, kIdPattern),
                     {"所依托的上级地区规则", "The rule of the larger area that this one stands on"}});
    }
    return out;
  };
  return Either({Record(keys(false)), Record(keys(true))});
}

// ---- Messages and calendars

ShapeRef MessageFile() {
  const ShapeRef text = LocalText(Role::kPlaceholders);
  return Record({
      {"message", true, Line(1), {"编号，与文件同名", "The id; the file is named like it"}},
      {"app",
       false,
       Record({
           {"title", true, text, {"标题", "The title"}},
           {"body", true, text, {"正文", "The text"}},
       }),
       {"应用推送", "In the app"}},
      {"wechat",
       false,
       Record({
           {"template",
            true,
            Line(),
            {"模板的逻辑名称", "Logical name of the template; the configuration has the provider's id"}},
           {"fields",
            true,
            Table(text,
                  "^(thing|character_string|number|letter|symbol|time|date|amount|phone_number|car_number|name|phrase|"
                  "enum|const)[0-9]{1,3}$",
                  1, 20),
            {"字段，如 thing1", "Fields, such as thing1"}},
       }),
       {"微信", "WeChat"}},
      {"sms",
       false,
       Record({
           {"template", true, Line(), {"模板的逻辑名称", "Logical name of the template"}},
           {"params", false, Table(text, "", 0, 20), {"模板参数", "Parameters of the template"}},
           {"text", true, text, {"短信全文，不带签名", "The whole text, without the signature"}},
       }),
       {"短信", "SMS"}},
      Allowed(),
  });
}

ShapeRef CalendarFile() {
  const ShapeRef day = Of(Kind::kDate);
  const ShapeRef holiday = Record({
      {"label", true, LocalText(), {"节日", "The holiday"}},
      {"days",
       true,
       Line(1, kDaysPattern),
       {"放假的日子：2026-02-15 to 2026-02-23", "Its days: 2026-02-15 to 2026-02-23"}},
      {"worked", false, Either({day, List(day, 0, 100)}), {"调休上班的周末", "Weekend days that are worked"}},
  });
  const ShapeRef year = Record({
      {"law",
       true,
       Record({{"title", true, Line(), {"通知名称", "The notice"}}, {"url", false, Line(), {"网址", "Address"}}}),
       {"依据", "The notice of the year"}},
      {"holidays", true, List(holiday, 1, 100), {"节假日", "The holidays"}},
  });
  return Record({
      {"calendar", true, Line(1, kIdPattern), {"编号，与文件同名", "The id; the file is named like it"}},
      {"title", true, LocalText(), {"名称", "The title"}},
      {"years", true, Table(year, "^[1-9][0-9]{3}$", 1, 100), {"各年，按顺序", "The years, in order, none left out"}},
  });
}

void Collect(const Shape& shape, std::vector<const Shape*>& out) {
  if (shape.kind != Kind::kEither) {
    out.push_back(&shape);
    return;
  }
  for (const ShapeRef& part : shape.parts) Collect(*part, out);
}

}  // namespace

const Shape* ShapeOf(std::string_view file_kind) {
  static const ShapeRef rule = RuleFile();
  static const ShapeRef facts = FactsFile();
  static const ShapeRef message = MessageFile();
  static const ShapeRef calendar = CalendarFile();
  if (file_kind == "rule") return rule.get();
  if (file_kind == "facts") return facts.get();
  if (file_kind == "message") return message.get();
  return file_kind == "calendar" ? calendar.get() : nullptr;
}

std::string_view FileKind(std::string_view path) {
  if (path.starts_with("facts/")) return "facts";
  if (path.starts_with("messages/")) return "message";
  return path.starts_with("calendars/") ? "calendar" : "rule";
}

std::vector<const Shape*> ShapesAt(const Shape& root, const std::vector<std::string>& path) {
  std::vector<const Shape*> here;
  Collect(root, here);
  for (const std::string& step : path) {
    std::vector<const Shape*> next;
    for (const Shape* shape : here) {
      if (step == "[]") {
        if (shape->kind == Kind::kList) Collect(*shape->parts.front(), next);
      } else if (shape->kind == Kind::kTable) {
        Collect(*shape->parts.front(), next);
      } else if (shape->kind == Kind::kRecord) {
        for (const Key& key : shape->keys) {
          if (key.name == step) Collect(*key.shape, next);
        }
      }
    }
    here = std::move(next);
  }
  return here;
}

std::vector<const Key*> KeysOf(const std::vector<const Shape*>& shapes) {
  std::vector<const Key*> out;
  for (const Shape* shape : shapes) {
    if (shape->kind != Kind::kRecord) continue;
    for (const Key& key : shape->keys) {
      const bool there = std::any_of(out.begin(), out.end(), [&](const Key* k) { return k->name == key.name; });
      if (!there) out.push_back(&key);
    }
  }
  return out;
}

}  // namespace zhitui::editor
