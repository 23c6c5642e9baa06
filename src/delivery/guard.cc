#include <chrono>
#include <map>
#include <mutex>

#include "delivery/delivery.h"

namespace zhitui::delivery {

bool ConstantTimeEqual(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned different = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    different |= static_cast<unsigned>(static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]));
  }
  // A compiler that knew the result after the first difference could leave the loop.
  const volatile unsigned result = different;
  return result == 0;
}

struct AlarmGate::Impl {
  // Provider codes come from outside; past this many the oldest knowledge goes.
  static constexpr std::size_t kMaxCodes = 256;
  std::mutex mutex;
  std::map<std::string, std::chrono::steady_clock::time_point> last;
};

AlarmGate::AlarmGate() : impl_(std::make_unique<Impl>()) {}
AlarmGate::~AlarmGate() = default;

bool AlarmGate::Open(const std::string& code) {
  const auto now = std::chrono::steady_clock::now();
  const std::scoped_lock lock(impl_->mutex);
  const auto found = impl_->last.find(code);
  if (found != impl_->last.end() && now - found->second < std::chrono::minutes(1)) return false;
  if (impl_->last.size() >= Impl::kMaxCodes) impl_->last.clear();
  impl_->last[code] = now;
  return true;
}

}  // namespace zhitui::delivery
