#pragma once

#include <cstdint>
#include <optional>

/// How the Go runtime scales sampled allocations, and back. For a stack with blocks of `size` bytes
/// it counts `a` sampled allocations and `u` of them still in use, and prints four values, each cut
/// to an integer, with c = 1 / (1 − e^(−size / rate)) for a mean of one sample per `rate` bytes:
///
///   alloc_objects = ⌊a·c⌋   alloc_space = ⌊(a·size)·c⌋   the same of u for inuse_…
///
/// (runtime/pprof, scaleHeapSample). So two small counters say what four large numbers say.
/// This file alone is compiled without contraction of products and sums into one operation, and it
/// never calls exp() while reading: c is stored, because libraries differ by its last bit.
namespace hearth::storage {

struct HeapScale {
  double size = 0;  ///< Bytes of a block, ≥ 1; 0: rows of this kind are not scaled.
  double c = 0;     ///< ≥ 1.
};

/// Counters of one row. Both are below 2^30; frees = allocations − blocks in use, may be negative
/// where values are differences of two profiles.
struct HeapCounts {
  int64_t allocs = 0, frees = 0;
};

struct HeapValues {
  int64_t alloc_objects = 0, alloc_space = 0, inuse_objects = 0, inuse_space = 0;
  bool operator==(const HeapValues&) const = default;
};

/// The largest counter, block size and value that take part: a difference of two counters, zigzagged,
/// fits 32 bits, and products are exact or, at worst, rounded as the runtime rounds them.
inline constexpr int64_t kHeapCountMax = (1LL << 30U) - 1;
inline constexpr uint64_t kHeapSizeMax = 1ULL << 53U;
inline constexpr int64_t kHeapValueMax = (1LL << 52U) - 1;

/// ⌊n·c⌋ and ⌊(n·size)·c⌋; −1 when n is negative, over kHeapCountMax, or the product does not fit.
/// Precondition: is_valid(scale) or scale.c == 0, which gives −1 for every n but 0.
int64_t scaled_objects(int64_t n, const HeapScale& scale);
int64_t scaled_bytes(int64_t n, const HeapScale& scale);

/// False unless 1 ≤ size ≤ 2^53 and 1 ≤ c < 2^62.
bool is_valid(const HeapScale& scale);

/// The four values of a row; nullopt when one of them would be −1.
std::optional<HeapValues> scale_heap(const HeapCounts& counts, const HeapScale& scale);

/// The counters that scale_heap() turns into exactly `values`; nullopt when there are none.
std::optional<HeapCounts> unscale_heap(const HeapValues& values, const HeapScale& scale);

/// c as this machine computes it; 1 for a rate of at most 1. `size` ≥ 1.
double heap_scale_factor(uint64_t size, int64_t rate);

}  // namespace hearth::storage
