#pragma once

#include <cstdint>

#include "bench/benchset/model.h"

namespace zhitui::benchset {

// Places are invented codes in the shape of GB/T 2260: cities 4401 to 4412, eight districts each, six streets each.
inline constexpr int kProvince = 44;
inline constexpr int kCities = 12;
inline constexpr int kDistricts = 8;
inline constexpr int kStreets = 6;
std::int64_t CityCode(int city);                              // "440300"
std::int64_t DistrictCode(int city, int district);            // "440304"
std::int64_t StreetCode(int city, int district, int street);  // "440304006"

// The resident of that number: the same for a seed, whatever the number of residents. Each fact is missing in
// missing_ppm of a million cases; what is not missing is the same for every missing_ppm.
Resident MakeResident(std::uint64_t seed, std::uint64_t number, std::int64_t today, std::uint32_t missing_ppm);

}  // namespace zhitui::benchset
