#include "storage/heap_scale.h"

#include <cmath>

namespace hearth::storage {
namespace {

constexpr double kFactorMax = 0x1p62;
/// The first double that no int64 holds.
constexpr double kTooLarge = 0x1p63;

/// The count whose scaled values are `objects` and `bytes`, or −1. ⌊n·c⌋ grows strictly with n
/// because c ≥ 1, so only the neighbours of the quotient come into question.
int64_t unscale(int64_t objects, int64_t bytes, const HeapScale& scale) {
  if (objects == 0 || bytes == 0) return objects == bytes ? 0 : -1;
  if (objects < 0 || objects > kHeapValueMax || bytes < 0 || bytes > kHeapValueMax) return -1;
  const auto guess = static_cast<int64_t>(std::ceil(static_cast<double>(objects) / scale.c));
  for (const int64_t n : {guess, guess + 1, guess - 1}) {
    if (n > 0 && scaled_objects(n, scale) == objects && scaled_bytes(n, scale) == bytes) return n;
  }
  return -1;
}

int64_t truncated(double product) {
  return product < kTooLarge ? static_cast<int64_t>(product) : -1;
}

}  // namespace

int64_t scaled_objects(int64_t n, const HeapScale& scale) {
  if (n == 0) return 0;
  if (n < 0 || n > kHeapCountMax || scale.c == 0) return -1;
  return truncated(static_cast<double>(n) * scale.c);
}

int64_t scaled_bytes(int64_t n, const HeapScale& scale) {
  if (n == 0) return 0;
  if (n < 0 || n > kHeapCountMax || scale.c == 0) return -1;
  return truncated(static_cast<double>(n) * scale.size * scale.c);
}

bool is_valid(const HeapScale& scale) {
  // Also false for what is not a number.
  return scale.size >= 1 && scale.size <= static_cast<double>(kHeapSizeMax) && scale.c >= 1 &&
         scale.c < kFactorMax;
}

std::optional<HeapValues> scale_heap(const HeapCounts& counts, const HeapScale& scale) {
  const int64_t in_use = counts.allocs - counts.frees;
  const HeapValues v{scaled_objects(counts.allocs, scale), scaled_bytes(counts.allocs, scale),
                     scaled_objects(in_use, scale), scaled_bytes(in_use, scale)};
  if (v.alloc_objects < 0 || v.alloc_space < 0 || v.inuse_objects < 0 || v.inuse_space < 0) {
    return std::nullopt;
  }
  return v;
}

std::optional<HeapCounts> unscale_heap(const HeapValues& values, const HeapScale& scale) {
  if (!is_valid(scale)) return std::nullopt;
  const int64_t allocs = unscale(values.alloc_objects, values.alloc_space, scale);
  const bool none_freed =
      values.inuse_objects == values.alloc_objects && values.inuse_space == values.alloc_space;
  const int64_t in_use =
      none_freed ? allocs : unscale(values.inuse_objects, values.inuse_space, scale);
  if (allocs < 0 || in_use < 0) return std::nullopt;
  return HeapCounts{allocs, allocs - in_use};
}

double heap_scale_factor(uint64_t size, int64_t rate) {
  if (rate <= 1) return 1;
  return 1 / (1 - std::exp(-static_cast<double>(size) / static_cast<double>(rate)));
}

}  // namespace hearth::storage
