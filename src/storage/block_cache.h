#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/memory_accountant.h"
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

/// Which parts of remote objects are on this machine: on disk, the last used ones also in memory.
///
/// An object is cut into pages of 1 MiB, a page into blocks of 16 KiB. A page is one value under
/// (object, page): a checksum, one bit per block, set when it is there, then the blocks that are
/// there, in order (docs/kv_layout.md). So a read brings about as many bytes as were asked for, and
/// what is read next to it joins it. A page whose checksum is wrong counts as absent, so its bytes
/// are asked for again. Thread-safe.
class BlockCache {
 public:
  static constexpr uint64_t kBlockBytes = 16U << 10U;
  static constexpr uint64_t kPageBytes = 1U << 20U;
  static constexpr uint64_t kBlocksPerPage = kPageBytes / kBlockBytes;

  struct Options {
    MemoryAccountant* memory = nullptr;  ///< nullptr: pages in memory are charged to nobody.
    size_t memory_bytes = 32U << 20U;    ///< For the pages used last.
  };
  /// `pages`: nullptr: nothing is kept on disk.
  explicit BlockCache(std::unique_ptr<PageStore> pages) : BlockCache(std::move(pages), Options{}) {}
  BlockCache(std::unique_ptr<PageStore> pages, Options options);
  ~BlockCache();

  /// Copies what is there of `range` to `to`, which has room for all of it (nullptr: only looks).
  /// What is missing, ascending, widened to whole blocks of an object of `object_bytes`.
  [[nodiscard]] std::vector<ByteRange> get(const Id128& object, uint64_t object_bytes,
                                           ByteRange range, char* to) const;
  /// Keeps the whole blocks of `bytes`, which begin at `offset`; the object's last block may be
  /// short.
  void put(const Id128& object, uint64_t object_bytes, uint64_t offset, std::string_view bytes);

  struct Stats {
    uint64_t hits = 0;           ///< Reads that found all they wanted,
    uint64_t misses = 0;         ///< and those that did not.
    uint64_t hit_bytes = 0;      ///< Given to readers.
    uint64_t damaged_pages = 0;  ///< Found with a wrong checksum.
    uint64_t disk_bytes = 0;     ///< Taken now.
  };
  [[nodiscard]] Stats stats() const;

 private:
  class RecentPages;
  class Page;
  [[nodiscard]] std::shared_ptr<const Page> load(const Id128& object, uint64_t number,
                                                 uint64_t object_bytes) const;

  const std::unique_ptr<PageStore> pages_;
  const std::unique_ptr<RecentPages> recent_;
  std::mutex put_mutex_;  ///< A page is read, changed and written.
  mutable std::atomic<uint64_t> hits_ = 0, misses_ = 0, hit_bytes_ = 0, damaged_pages_ = 0;
};

}  // namespace hearth::storage
