#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace hearth {

/// Source of random bits; a seeded one makes a run repeatable. Thread-safe.
class Random {
 public:
  virtual ~Random() = default;
  virtual uint64_t next_u64() = 0;
  /// Fills `out` with random bytes.
  void fill(std::span<std::byte> out);
};

/// getrandom(2). Lives as long as the process.
Random& system_random();
/// SplitMix64 from `seed`: the same seed gives the same sequence.
std::unique_ptr<Random> seeded_random(uint64_t seed);

/// 128 random or hashed bits: segment uuids, profile ids.
struct Id128 {
  uint64_t hi = 0;
  uint64_t lo = 0;
  auto operator<=>(const Id128&) const = default;
  /// 16 bytes, big-endian: the order of the bytes is the order of the ids.
  [[nodiscard]] std::array<std::byte, 16> bytes() const;
  static Id128 from_bytes(std::span<const std::byte, 16> bytes);
  /// Text form 8-4-4-4-12 in lower-case hex.
  [[nodiscard]] std::string uuid() const;
};

/// A random (version 4) uuid.
Id128 random_uuid(Random& random);

}  // namespace hearth
