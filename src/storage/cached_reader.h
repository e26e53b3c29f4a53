#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "hearth/object_store.h"
#include "storage/block_cache.h"
#include "storage/range_fetcher.h"

namespace hearth::storage {

/// What reading segments of a remote bucket goes through. Everything borrowed outlives the readers,
/// the cache also the tasks of the fetcher's executor.
struct RemoteReads {
  BlockCache* cache = nullptr;
  RangeFetcher* fetcher = nullptr;
  Executor* executor = nullptr;  ///< Of the fetcher: threads that may wait for the bucket.
  size_t requests = 0;           ///< How many of them there are.
};

/// An immutable object of a remote bucket, read through the block cache: what is missing is fetched
/// in one wave of ranges, each once however many queries wait for it. The object itself is opened
/// when something is missing. Thread-safe.
class CachedReader final : public ObjectReader {
 public:
  /// `identity` names the bytes: other bytes have another one. `bucket` outlives the reader.
  CachedReader(RemoteReads remote, ObjectStore& bucket, std::string key, Id128 identity,
               uint64_t size);

  [[nodiscard]] uint64_t size() const override { return size_; }
  [[nodiscard]] Result<SharedBytes> read(uint64_t offset, uint64_t length) const override;
  void prefetch(uint64_t offset, uint64_t length) const override;
  [[nodiscard]] bool gone() const override;

 private:
  using FetchPtr = std::shared_ptr<RangeFetcher::Fetch>;
  /// Fetches under way, whose bytes are not in the cache yet. It outlives the reader, for what was
  /// begun and never waited for.
  struct UnderWay;
  [[nodiscard]] Status check(ByteRange range) const;
  [[nodiscard]] Result<std::shared_ptr<const ObjectReader>> object() const;
  struct Fetches {
    std::vector<FetchPtr> fetches;
    bool came_meanwhile = false;  ///< Some of it is in the cache by now.
  };
  [[nodiscard]] Result<Fetches> fetch(const std::vector<ByteRange>& missing) const;
  void look_again(std::vector<ByteRange>& rest, bool& came_meanwhile) const;

  const RemoteReads remote_;
  ObjectStore& bucket_;
  const std::string key_;
  const Id128 identity_;
  const uint64_t size_;
  mutable std::mutex open_mutex_;
  mutable std::shared_ptr<const ObjectReader> object_;  ///< nullptr: not opened yet.
  const std::shared_ptr<UnderWay> under_way_;
};

}  // namespace hearth::storage
