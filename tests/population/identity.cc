#include "population/identity.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <span>

#include "population/calendar.h"

namespace zhitui::population {
namespace {

struct Place {
  int code;
  std::uint32_t weight;
};

// One county of each city that many people in Shenzhen come from: Guangdong, Hunan, Hubei, Jiangxi, Guangxi, Sichuan
// first.
constexpr Place kHometowns[] = {
    {445281, 70}, {440882, 50}, {440982, 60}, {441481, 55}, {441581, 50}, {441622, 50}, {440513, 55}, {441303, 35},
    {440103, 20}, {430102, 20}, {430381, 30}, {430426, 30}, {430481, 35}, {430524, 45}, {430623, 30}, {431127, 30},
    {431003, 30}, {420106, 30}, {421087, 35}, {421122, 30}, {420984, 25}, {360102, 15}, {360731, 50}, {360828, 25},
    {360981, 30}, {361002, 20}, {360429, 15}, {450103, 20}, {450981, 45}, {450821, 35}, {450323, 20}, {450721, 25},
    {510104, 15}, {511321, 25}, {511622, 20}, {511703, 20}, {511921, 15}, {510521, 15}, {500101, 30}, {410105, 15},
    {411525, 30}, {411625, 25}, {411328, 30}, {411721, 20}, {350203, 12}, {350803, 15}, {350521, 12}, {340104, 12},
    {341221, 18}, {340826, 12}, {520103, 12}, {520526, 18}, {520382, 12}, {460105, 12}, {610113, 12}, {610722, 10},
    {370202, 8},  {371326, 10}, {320106, 8},  {320322, 8},  {330106, 6},  {330326, 8},  {210102, 8},  {220104, 8},
    {230103, 10}, {310104, 5},  {110108, 6},  {620102, 8},  {530102, 6},  {530325, 8},
};

constexpr Place kDistricts[] = {
    {kFutian, 720}, {440303, 60}, {440305, 70}, {440306, 45}, {440307, 45},
    {440309, 40},   {440308, 8},  {440310, 6},  {440311, 6},
};

struct Street {
  std::string_view code;
  std::uint32_t weight;
};

constexpr Street kStreets[] = {
    {"440304008", 150},  // 莲花
    {"440304005", 190},  // 沙头
    {"440304004", 180},  // 福田
    {"440304007", 130},  // 梅林
    {"440304010", 90},   // 福保
    {"440304006", 85},   // 香蜜湖
    {"440304001", 60},   // 南园
    {"440304002", 55},   // 园岭
    {"440304009", 45},   // 华富
    {"440304011", 40},   // 华强北
    {"440304400", 5},    // 福田保税区
};

constexpr std::string_view kFamily[] = {
    "陈",   "李", "黄", "王", "张", "刘", "林", "吴", "杨", "罗", "郑", "何", "周", "谢", "梁", "曾", "邓", "赵",
    "朱",   "叶", "钟", "徐", "彭", "胡", "唐", "廖", "肖", "曹", "蔡", "许", "郭", "邱", "赖", "余", "温", "冯",
    "欧阳", "蒋", "潘", "戴", "范", "袁", "江", "方", "詹", "卢", "古", "巫", "覃", "韦", "石", "龙", "熊", "侯"};

struct Era {
  std::span<const std::string_view> first;   // first of two characters
  std::span<const std::string_view> second;  // second of two, or the only one
};

constexpr std::string_view kMenOldA[] = {"国", "建", "志", "德", "永", "文", "世", "明",
                                         "金", "玉", "荣", "树", "光", "家", "庆"};
constexpr std::string_view kMenOldB[] = {"华", "明", "强", "平", "生", "林", "才", "福",
                                         "祥", "荣", "安", "昌", "贵", "山", "民"};
constexpr std::string_view kWomenOldA[] = {"秀", "桂", "玉", "淑", "美", "月", "凤", "兰",
                                           "惠", "素", "金", "翠", "春", "瑞", "丽"};
constexpr std::string_view kWomenOldB[] = {"英", "兰", "珍", "芳", "梅", "琴", "华", "莲",
                                           "云", "娥", "清", "贞", "香", "娟", "霞"};
constexpr std::string_view kMenMidA[] = {"志", "伟", "俊", "文", "晓", "嘉", "建", "海",
                                         "永", "少", "国", "立", "振", "锦", "泽"};
constexpr std::string_view kMenMidB[] = {"强", "伟", "杰", "鹏", "辉", "斌", "锋", "涛",
                                         "豪", "铭", "龙", "军", "勇", "亮", "超"};
constexpr std::string_view kWomenMidA[] = {"晓", "丽", "小", "雪", "慧", "燕", "海", "婉",
                                           "敏", "思", "嘉", "佩", "静", "秋", "文"};
constexpr std::string_view kWomenMidB[] = {"玲", "敏", "婷", "霞", "燕", "娟", "芳", "丹",
                                           "莹", "琳", "静", "倩", "萍", "雯", "君"};
constexpr std::string_view kMenNewA[] = {"浩", "子", "宇", "梓", "俊", "沐", "泽", "一",
                                         "奕", "铭", "皓", "嘉", "睿", "景", "承"};
constexpr std::string_view kMenNewB[] = {"轩", "宇", "辰", "泽", "睿", "豪", "然", "航",
                                         "霖", "熙", "凡", "恒", "阳", "朗", "诚"};
constexpr std::string_view kWomenNewA[] = {"梓", "欣", "诗", "雨", "子", "语", "可", "芷",
                                           "若", "思", "佳", "沐", "心", "乐", "静"};
constexpr std::string_view kWomenNewB[] = {"涵", "怡", "琪", "萱", "彤", "妍", "瑶", "宁",
                                           "悦", "桐", "晴", "恩", "蕊", "岚", "芸"};

constexpr Era kEras[2][3] = {
    {{kMenOldA, kMenOldB}, {kMenMidA, kMenMidB}, {kMenNewA, kMenNewB}},
    {{kWomenOldA, kWomenOldB}, {kWomenMidA, kWomenMidB}, {kWomenNewA, kWomenNewB}},
};

// Prefixes that the mobile operators number subscribers from.
constexpr std::string_view kPrefixes[] = {"134", "135", "136", "137", "138", "139", "150", "151", "152", "157",
                                          "158", "159", "178", "182", "183", "184", "187", "188", "198", "130",
                                          "131", "132", "155", "156", "166", "175", "176", "185", "186", "133",
                                          "153", "173", "177", "180", "181", "189", "191", "193", "199"};

template <class Range>
auto DrawByWeight(Random& random, const Range& range) {
  std::uint32_t total = 0;
  for (const auto& entry : range) total += entry.weight;
  std::uint32_t at = random.Below(total);
  for (const auto& entry : range) {
    if (at < entry.weight) return entry.code;
    at -= entry.weight;
  }
  return std::begin(range)->code;
}

template <class Range>
std::string_view DrawOne(Random& random, const Range& range) {
  return range[random.Below(static_cast<std::uint32_t>(std::size(range)))];
}

}  // namespace

int DrawHometown(Random& random) { return DrawByWeight(random, kHometowns); }

int CityOf(int county) { return county / 100 * 100; }

int DrawShenzhenDistrict(Random& random) { return DrawByWeight(random, kDistricts); }

int NativeAreaCode(int district, int birth_year) {
  if (birth_year < 1990) return 440301;  // the city as a whole, before it had districts
  switch (district) {
    case 440306:
    case 440307:
      return birth_year < 1993 ? 440301 : district;
    case 440308:
      return birth_year < 1998 ? 440303 : district;
    case 440309:
      return birth_year < 2017 ? 440306 : district;
    case 440310:
      return birth_year < 2017 ? 440307 : district;
    case 440311:
      return birth_year < 2019 ? 440306 : district;
    default:
      return district;
  }
}

std::string_view DrawStreet(Random& random) { return DrawByWeight(random, kStreets); }

std::string DrawFamilyName(Random& random) {
  // The first third of the list is borne by more than half.
  const auto n = static_cast<std::uint32_t>(std::size(kFamily));
  return std::string(kFamily[random.Below(random.Chance(5000) ? n / 3 : n)]);
}

std::string DrawGivenName(Random& random, bool female, int birth_year) {
  const std::size_t era = birth_year < 1966 ? 0 : birth_year < 2000 ? 1 : 2;
  const Era& lists = kEras[female ? 1 : 0][era];
  const std::string_view second = DrawOne(random, lists.second);
  if (random.Chance(1400)) return std::string(second);
  std::string_view first = DrawOne(random, lists.first);
  while (first == second) first = DrawOne(random, lists.first);
  return std::string(first).append(second);
}

char IdCheckDigit(std::string_view first17) {
  unsigned p = 0;  // sum of a_i * 2^(18-i) by Horner
  for (const char c : first17) p = (p + static_cast<unsigned>(c - '0')) * 2 % 11;
  return "0123456789X"[(12 - p) % 11];
}

Registry::Registry(std::uint64_t seed, std::uint32_t magic_ppm)
    : random_(seed, 11), contacts_(seed, 12), magic_ppm_(magic_ppm) {}

std::string Registry::IdNumber(int area, Date birth, bool female) {
  std::string id = std::to_string(area);
  std::string day;
  AppendDate(day, birth);
  std::erase(day, '-');
  id += day;
  for (;;) {
    // The registrars count upwards: most numbers are small. The last of the three is odd for men.
    unsigned sequence = 2 * random_.Below(random_.Chance(8000) ? 60 : 500) + (female ? 0 : 1);
    if (sequence == 0) sequence = 2;
    std::string number = id;
    number += static_cast<char>('0' + sequence / 100);
    number += static_cast<char>('0' + sequence / 10 % 10);
    number += static_cast<char>('0' + sequence % 10);
    number += IdCheckDigit(number);
    if (ids_.insert(number).second) return number;
  }
}

bool Registry::IsMagic() {
  const bool yes = contacts_.ChancePpm(magic_ppm_);
  if (yes) ++magic_;
  return yes;
}

// 1 throttled once, 2 permanently invalid, 3 server error twice, 4 the delivery report says failed.
unsigned Registry::MagicCode() {
  constexpr std::array<std::uint32_t, 4> kWeights = {40, 20, 20, 20};
  return 1 + static_cast<unsigned>(contacts_.Weighted(kWeights));
}

std::string Registry::Hex(std::size_t n) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i) out += "0123456789abcdef"[contacts_.Below(16)];
  return out;
}

std::string Registry::Phone() {
  const bool magic = IsMagic();
  for (;;) {
    std::string number(DrawOne(contacts_, kPrefixes));
    std::uint32_t rest = contacts_.Below(10000) * 10000;
    if (magic) {
      rest += MagicCode();
    } else {
      const std::uint32_t last4 = contacts_.Below(10000);
      if (last4 >= 1 && last4 <= 9) continue;
      rest += last4;
    }
    const std::string digits = std::to_string(rest);
    number.append(8 - digits.size(), '0');
    number += digits;
    if (phones_.insert(number).second) return number;
  }
}

std::string Registry::AppId() {
  if (IsMagic()) {
    std::string id = "magic0";
    id += static_cast<char>('0' + MagicCode());
    return id + Hex(12);
  }
  return "1" + Hex(contacts_.Chance(3000) ? 19 : 18);
}

std::string Registry::OpenId() {
  std::string id = "o";
  const bool magic = IsMagic();
  if (magic) {
    id = "oMAGIC0";
    id += static_cast<char>('0' + MagicCode());
  }
  while (id.size() < 28) {
    id += "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[contacts_.Below(64)];
  }
  if (!magic && id.starts_with("oM")) id[1] = 'N';
  return id;
}

}  // namespace zhitui::population
