#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "storage/page_store.h"

namespace hearth::storage {

/// A part of an object.
struct ByteRange {
  uint64_t offset = 0, length = 0;
  [[nodiscard]] uint64_t end() const { return offset + length; }
  auto operator<=>(const ByteRange&) const = default;
};
/// Joins ranges that are ascending where fewer than `gap` bytes lie between them.
std::vector<ByteRange> coalesced(const std::vector<ByteRange>& ranges, uint64_t gap);

/// Which parts of remote objects are on local disk.
///
/// An object is cut into pages of 1 MiB, a page into blocks of 16 KiB. A page is one value under
/// (object, page): one bit per block, set when it is there, then the blocks that are there, in
/// order. So a read brings about as many bytes as were asked for, and what is read next to it joins
/// it. Nothing is checked here: sections carry checksums. Thread-safe.
class BlockCache {
 public:
  static constexpr uint64_t kBlockBytes = 16U << 10U;
  static constexpr uint64_t kPageBytes = 1U << 20U;
  static constexpr uint64_t kBlocksPerPage = kPageBytes / kBlockBytes;

  explicit BlockCache(std::unique_ptr<PageStore> pages) : pages_(std::move(pages)) {}

  /// Copies what is there of `range` to `to`, which has room for all of it (nullptr: only looks).
  /// What is missing, ascending, widened to whole blocks of an object of `object_bytes`.
  [[nodiscard]] std::vector<ByteRange> get(const Id128& object, uint64_t object_bytes,
                                           ByteRange range, char* to) const;
  /// Keeps the whole blocks of `bytes`, which begin at `offset`; the object's last block may be
  /// short.
  void put(const Id128& object, uint64_t object_bytes, uint64_t offset, std::string_view bytes);

 private:
  std::unique_ptr<PageStore> pages_;
  std::mutex put_mutex_;  ///< A page is read, changed and written.
};

}  // namespace hearth::storage
