#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace hearth::formats {

/// Maps the ids of one pprof table to positions in it. Ids are any 64-bit numbers (often
/// addresses), so memory depends on how many there are, never on how large they are: position = id
/// − 1 when they are dense, which they nearly always are; an array when the largest is small; else
/// a sorted list. Of equal ids the last one counts, as in a map filled in order.
class IdIndex {
 public:
  static constexpr uint32_t kMissing = UINT32_MAX;

  /// Keeps no reference to `ids`; fewer than 2^31 of them.
  void build(std::span<const uint64_t> ids);
  [[nodiscard]] bool dense() const { return kind_ == Kind::dense; }
  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] uint32_t find(uint64_t id) const {
    if (kind_ != Kind::dense) [[unlikely]]
      return find_sparse(id);
    return id - 1 < size_ ? static_cast<uint32_t>(id - 1) : kMissing;
  }

 private:
  [[nodiscard]] uint32_t find_sparse(uint64_t id) const;

  enum class Kind : uint8_t { dense, array, sorted };
  Kind kind_ = Kind::dense;
  size_t size_ = 0;
  std::vector<uint32_t> array_;
  std::vector<std::pair<uint64_t, uint32_t>> sorted_;
};

}  // namespace hearth::formats
