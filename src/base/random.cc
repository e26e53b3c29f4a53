#include "base/random.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <cstring>
#include <mutex>

#include "base/check.h"
#include "base/hash.h"

namespace hearth {
namespace {

class SystemRandom final : public Random {
 public:
  uint64_t next_u64() override {
    uint64_t value = 0;
    HEARTH_CHECK(getrandom(&value, sizeof value, 0) == sizeof value, "getrandom");
    return value;
  }
};

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(uint64_t seed) : state_(seed) {}
  uint64_t next_u64() override {
    const std::lock_guard lock(mutex_);
    uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }

 private:
  std::mutex mutex_;
  uint64_t state_;
};

}  // namespace

void Random::fill(std::span<std::byte> out) {
  while (!out.empty()) {
    const uint64_t value = next_u64();
    const size_t n = out.size() < sizeof value ? out.size() : sizeof value;
    std::memcpy(out.data(), &value, n);
    out = out.subspan(n);
  }
}

Random& system_random() {
  static SystemRandom random;
  return random;
}

std::unique_ptr<Random> seeded_random(uint64_t seed) { return std::make_unique<SeededRandom>(seed); }

std::array<std::byte, 16> Id128::bytes() const {
  std::array<std::byte, 16> out{};
  for (size_t i = 0; i < 8; ++i) {
    out[i] = static_cast<std::byte>(hi >> (56 - 8 * i));
    out[8 + i] = static_cast<std::byte>(lo >> (56 - 8 * i));
  }
  return out;
}

Id128 Id128::from_bytes(std::span<const std::byte, 16> bytes) {
  Id128 id;
  for (size_t i = 0; i < 8; ++i) {
    id.hi = id.hi << 8U | std::to_integer<uint64_t>(bytes[i]);
    id.lo = id.lo << 8U | std::to_integer<uint64_t>(bytes[8 + i]);
  }
  return id;
}

std::string Id128::uuid() const {
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", hi >> 32U, (hi >> 16U) & 0xffffU, hi & 0xffffU, lo >> 48U,
                     lo & 0xffff'ffff'ffffU);
}

uint64_t process_hash_seed() {
  static const uint64_t seed = system_random().next_u64();
  return seed;
}

Id128 random_uuid(Random& random) {
  Id128 id{random.next_u64(), random.next_u64()};
  id.hi = (id.hi & ~uint64_t{0xf000}) | 0x4000U;
  id.lo = (id.lo & ~(uint64_t{3} << 62U)) | (uint64_t{2} << 62U);
  return id;
}

}  // namespace hearth
