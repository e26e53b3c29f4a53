#include "formats/id_index.h"

#include <algorithm>

namespace hearth::formats {
namespace {

bool is_dense(std::span<const uint64_t> ids) {
  uint64_t differs = 0;
  for (size_t i = 0; i < ids.size(); ++i) differs |= ids[i] ^ (i + 1);
  return differs == 0;
}

}  // namespace

void IdIndex::build(std::span<const uint64_t> ids) {
  size_ = ids.size();
  kind_ = Kind::dense;
  if (is_dense(ids)) return;
  const uint64_t largest = *std::max_element(ids.begin(), ids.end());
  if (largest <= 4 * ids.size() + 1024) {
    kind_ = Kind::array;
    array_.assign(static_cast<size_t>(largest) + 1, kMissing);
    for (size_t i = 0; i < ids.size(); ++i) array_[ids[i]] = static_cast<uint32_t>(i);
    return;
  }
  kind_ = Kind::sorted;
  sorted_.clear();
  for (size_t i = 0; i < ids.size(); ++i) sorted_.emplace_back(ids[i], static_cast<uint32_t>(i));
  std::sort(sorted_.begin(), sorted_.end());
}

uint32_t IdIndex::find_sparse(uint64_t id) const {
  if (kind_ == Kind::array) return id < array_.size() ? array_[id] : kMissing;
  // The last of equal ids is the one before the first larger pair.
  const auto after = std::upper_bound(sorted_.begin(), sorted_.end(), std::pair(id, kMissing));
  return after != sorted_.begin() && after[-1].first == id ? after[-1].second : kMissing;
}

}  // namespace hearth::formats
