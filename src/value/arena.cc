#include <algorithm>
#include <cstring>

#include "value/value.h"

namespace zhitui::value {
namespace {

constexpr std::size_t kFirstBlock = 4096;
constexpr std::size_t kLargestStep = std::size_t{1} << 20;

struct Block {
  std::unique_ptr<std::byte[]> memory;
  std::size_t size = 0;
};

}  // namespace

struct Arena::Impl {
  std::vector<Block> blocks;
  std::size_t current = 0;  // index of the block in use
  std::byte* at = nullptr;
  std::byte* end = nullptr;
  std::size_t full = 0;  // bytes used in the blocks before `current`

  void Use(std::size_t index) {
    current = index;
    at = blocks[index].memory.get();
    end = at + blocks[index].size;
  }

  static std::byte* Align(std::byte* p, std::size_t align) {
    const auto v = reinterpret_cast<std::uintptr_t>(p);
    return p + ((align - (v & (align - 1))) & (align - 1));
  }
};

Arena::Arena() : impl_(std::make_unique<Impl>()) {}
Arena::~Arena() = default;
Arena::Arena(Arena&&) noexcept = default;
Arena& Arena::operator=(Arena&&) noexcept = default;

void* Arena::Allocate(std::size_t bytes, std::size_t align) {
  Impl& a = *impl_;
  std::byte* p = Impl::Align(a.at, align);
  if (a.at != nullptr && p <= a.end && bytes <= static_cast<std::size_t>(a.end - p)) {
    a.at = p + bytes;
    return p;
  }
  if (!a.blocks.empty()) a.full += static_cast<std::size_t>(a.at - a.blocks[a.current].memory.get());
  const std::size_t need = bytes + align;
  std::size_t next = a.blocks.empty() ? 0 : a.current + 1;
  while (next < a.blocks.size() && a.blocks[next].size < need) ++next;
  if (next == a.blocks.size()) {
    const std::size_t step =
        a.blocks.empty() ? kFirstBlock : std::min(a.blocks.back().size * 2, std::max(kLargestStep, kFirstBlock));
    const std::size_t size = std::max(step, need);
    a.blocks.push_back({std::make_unique_for_overwrite<std::byte[]>(size), size});
  }
  a.Use(next);
  p = Impl::Align(a.at, align);
  a.at = p + bytes;
  return p;
}

std::string_view Arena::Copy(std::string_view s) {
  if (s.empty()) return {};
  char* p = NewArray<char>(s.size());
  std::memcpy(p, s.data(), s.size());
  return {p, s.size()};
}

void Arena::Reset() {
  impl_->full = 0;
  if (!impl_->blocks.empty()) impl_->Use(0);
}

std::size_t Arena::bytes_used() const {
  if (impl_->blocks.empty()) return 0;
  return impl_->full + static_cast<std::size_t>(impl_->at - impl_->blocks[impl_->current].memory.get());
}

}  // namespace zhitui::value
