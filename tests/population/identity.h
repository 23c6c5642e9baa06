#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "base/base.h"
#include "population/random.h"

namespace zhitui::population {

// Names, places and contacts. Everything is invented: any likeness to a person is chance.

inline constexpr int kShenzhen = 440300;  // GB/T 2260
inline constexpr int kFutian = 440304;

int DrawHometown(Random& random);                  // a county or district code outside Shenzhen, by weight
int CityOf(int county);                            // 441481 -> 441400
int DrawShenzhenDistrict(Random& random);          // mostly Futian
int NativeAreaCode(int district, int birth_year);  // the code numbers were given in that year: districts came later
std::string_view DrawStreet(Random& random);       // one of the 11 Futian street codes, 9 digits, by weight

std::string DrawFamilyName(Random& random);
std::string DrawGivenName(Random& random, bool female, int birth_year);  // one or two characters, of the era

// The check character of GB 11643-1999 (ISO 7064 MOD 11-2) for the first 17 digits.
char IdCheckDigit(std::string_view first17);

// Gives out identity numbers and contacts, none of them twice.
class Registry {
 public:
  // magic_ppm: how many of a million contacts carry a value that the provider simulator answers in a special way.
  Registry(std::uint64_t seed, std::uint32_t magic_ppm);

  std::string IdNumber(int area, Date birth, bool female);
  // Mobile number ^1[3-9]\d{9}$. Ends in 0001 to 0004 if magic; otherwise never in 0001 to 0009.
  std::string Phone();
  // JPush registration id: 19 or 20 characters, hexadecimal, or "magic" + two digits + hexadecimal.
  std::string AppId();
  // WeChat openid: "o" + 27 URL-safe characters; "oMAGIC" + two digits at the start if, and only if, magic.
  std::string OpenId();

  std::uint64_t magic() const { return magic_; }

 private:
  bool IsMagic();
  unsigned MagicCode();
  std::string Hex(std::size_t n);

  Random random_;
  Random contacts_;
  std::uint32_t magic_ppm_;
  std::uint64_t magic_ = 0;
  std::set<std::string> ids_;
  std::set<std::string> phones_;
};

}  // namespace zhitui::population
