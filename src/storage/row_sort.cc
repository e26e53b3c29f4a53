#include "storage/row_sort.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace hearth::storage {

void sort_rows(std::span<SortRow> rows, unsigned key_bits, std::vector<SortRow>& scratch) {
  constexpr size_t kRadixFrom = 64;
  if (rows.size() < kRadixFrom) {
    std::ranges::sort(rows);
    return;
  }
  scratch.resize(rows.size());
  std::span<SortRow> from = rows;
  std::span<SortRow> to = scratch;
  for (unsigned shift = 32; shift < 32 + key_bits; shift += 8) {
    std::array<uint32_t, 257> next{};
    for (const SortRow r : from) ++next[(r >> shift & 0xffU) + 1];
    std::partial_sum(next.begin(), next.end(), next.begin());
    for (const SortRow r : from) to[next[r >> shift & 0xffU]++] = r;
    std::swap(from, to);
  }
  if (from.data() != rows.data()) std::ranges::copy(from, rows.begin());
}

}  // namespace hearth::storage
