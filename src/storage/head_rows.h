#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "hearth/profile.h"

namespace hearth::storage {

/// Rows of one profile: what its samples come to per key.
/// Shape: keys strictly ascending; row r has the values [r * types, (r + 1) * types); no row is all
///        zero. `totals` has one saturating sum per type. Buffers are reused.
struct Rows {
  size_t types = 0;
  std::vector<uint32_t> keys;
  std::vector<int64_t> values;
  std::vector<int64_t> totals;
  [[nodiscard]] size_t size() const { return keys.size(); }
};

/// Turns samples into rows; keeps its scratch space, so that a profile costs no allocation.
class RowCollector {
 public:
  /// `sample_keys[s]` is the key of sample s of `batch`; `samples` are the ones to take, in any
  /// order, possibly with equal keys (their values are added, saturating).
  void collect(const ProfileBatch& batch, std::span<const uint32_t> samples,
               std::span<const uint32_t> sample_keys, Rows& out);

 private:
  void sort(uint32_t key_max);
  void add_up(const int64_t* sample_values, Rows& out);
  std::vector<uint64_t> order_, scratch_;  ///< key << 32 | sample.
};

/// Appends the rows in the form of docs/kv_layout.md "Rows".
void encode_rows(const Rows& rows, std::string& out);

/// The inverse; `rows` and `types` are known from the record. `data_loss` when the bytes do not
/// hold exactly that.
[[nodiscard]] Status decode_rows(std::string_view bytes, size_t rows, size_t types, Rows& out);

/// Adds column `type` of encoded rows to by_key[key], saturating, without unpacking the others.
/// `data_loss` on malformed bytes or a key >= by_key.size(); what was added before stays added.
[[nodiscard]] Status add_encoded_rows(std::string_view bytes, size_t rows, size_t types,
                                      size_t type, std::span<int64_t> by_key);

}  // namespace hearth::storage
