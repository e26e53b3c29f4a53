#include "storage/block_cache.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <list>
#include <unordered_map>
#include <utility>

#include "base/bytes.h"
#include "base/crc32c.h"

namespace hearth::storage {
namespace {

constexpr uint64_t kBlock = BlockCache::kBlockBytes;
constexpr uint64_t kPage = BlockCache::kPageBytes;
/// u32 checksum of the key and what follows, u64 bits of the blocks.
constexpr size_t kPageHead = sizeof(uint32_t) + sizeof(uint64_t);

std::string page_key(const Id128& object, uint64_t page) {
  std::string key;
  put_be(key, object.hi);
  put_be(key, object.lo);
  put_be(key, page);
  return key;
}

void add_missing(uint64_t begin, uint64_t end, std::vector<ByteRange>& missing) {
  if (!missing.empty() && missing.back().end() == begin) {
    missing.back().length += end - begin;
  } else {
    missing.push_back({begin, end - begin});
  }
}

}  // namespace

std::vector<ByteRange> coalesced(const std::vector<ByteRange>& ranges, uint64_t gap) {
  std::vector<ByteRange> out;
  for (const ByteRange& range : ranges) {
    if (!out.empty() && range.offset < out.back().end() + gap) {
      out.back().length = std::max(out.back().end(), range.end()) - out.back().offset;
    } else {
      out.push_back(range);
    }
  }
  return out;
}

/// The value of a page, taken apart. Immutable.
class BlockCache::Page {
 public:
  /// `page_bytes`: less than a whole page at the end of an object. A value of another shape, or
  /// with a wrong checksum, reads as empty.
  Page(std::string_view key, std::string value, uint64_t page_bytes)
      : value_(std::move(value)), page_bytes_(page_bytes) {
    if (value_.size() < kPageHead || load_le<uint32_t>(value_.data()) != checksum(key, value_))
      return;
    bits_ = load_le<uint64_t>(value_.data() + sizeof(uint32_t));
    if (value_.size() != kPageHead + bytes_before(kBlocksPerPage)) bits_ = 0;
  }
  /// `old` with the blocks of `bytes`, which begin `offset` into the object; `page_offset` is where
  /// the page begins. The result is for the disk and for memory.
  static std::shared_ptr<const Page> joined(std::string_view key, const Page* old,
                                            uint64_t page_bytes, uint64_t page_offset,
                                            uint64_t offset, std::string_view bytes) {
    const Page empty(key, {}, page_bytes);
    const Page& before = old != nullptr ? *old : empty;
    std::string value(kPageHead, '\0');
    value.reserve(kPageHead + std::min(page_bytes, before.value().size() + bytes.size()));
    uint64_t bits = 0;
    for (uint64_t block = 0; block < kBlocksPerPage; ++block) {
      const uint64_t begin = page_offset + block * kBlock;
      const uint64_t length = before.length(block);
      const bool given = length > 0 && begin >= offset && begin + length <= offset + bytes.size();
      if (!given && !before.has(block)) continue;
      bits |= uint64_t{1} << block;
      value += given ? bytes.substr(begin - offset, length) : before.block(block);
    }
    if (bits == 0) return nullptr;
    std::string head;
    put_le(head, bits);
    value.replace(sizeof(uint32_t), head.size(), head);
    head.clear();
    put_le(head, checksum(key, value));
    value.replace(0, head.size(), head);
    return std::make_shared<const Page>(key, std::move(value), page_bytes);
  }

  /// Whether it has all whole blocks of [begin, end) of the object.
  [[nodiscard]] bool covers(uint64_t page_offset, uint64_t begin, uint64_t end) const {
    for (uint64_t block = 0; block < kBlocksPerPage && length(block) > 0; ++block) {
      const uint64_t at = page_offset + block * kBlock;
      if (!has(block) && at >= begin && at + length(block) <= end) return false;
    }
    return true;
  }

  [[nodiscard]] const std::string& value() const { return value_; }
  [[nodiscard]] bool empty() const { return bits_ == 0; }
  [[nodiscard]] bool has(uint64_t block) const { return (bits_ >> block & 1U) != 0; }
  [[nodiscard]] std::string_view block(uint64_t block) const {
    return std::string_view(value_).substr(kPageHead + bytes_before(block), length(block));
  }
  [[nodiscard]] uint64_t length(uint64_t block) const {
    const uint64_t begin = block * kBlock;
    return begin >= page_bytes_ ? 0 : std::min(kBlock, page_bytes_ - begin);
  }

 private:
  static uint32_t checksum(std::string_view key, std::string_view value) {
    return crc32c(value.substr(sizeof(uint32_t)), crc32c(key));
  }
  // Only the last block of an object is short, and nothing stands behind it.
  [[nodiscard]] uint64_t bytes_before(uint64_t block) const {
    const uint64_t below = block >= kBlocksPerPage ? bits_ : bits_ & ((uint64_t{1} << block) - 1);
    const auto blocks = static_cast<uint64_t>(std::popcount(below));
    const uint64_t last = (page_bytes_ - 1) / kBlock;
    const bool has_short = block > last && has(last);
    return blocks * kBlock - (has_short ? kBlock - length(last) : 0);
  }

  std::string value_;
  uint64_t page_bytes_;
  uint64_t bits_ = 0;
};

/// The pages used last, within a budget. Thread-safe.
class BlockCache::RecentPages {
 public:
  explicit RecentPages(Options options) : options_(options) {}

  std::shared_ptr<const Page> find(const std::string& key) {
    const std::lock_guard lock(mutex_);
    const auto it = by_key_.find(key);
    if (it == by_key_.end()) return nullptr;
    pages_.splice(pages_.begin(), pages_, it->second);
    return it->second->page;
  }
  /// `replace`: it has more than the one that is there; else that one stays.
  void keep(const std::string& key, std::shared_ptr<const Page> page, bool replace) {
    const size_t bytes = page->value().size();
    const std::lock_guard lock(mutex_);
    if (const auto it = by_key_.find(key); it != by_key_.end()) {
      if (!replace) return;
      drop(it->second);
    }
    while (!pages_.empty() && bytes_ + bytes > options_.memory_bytes) drop(std::prev(pages_.end()));
    if (bytes > options_.memory_bytes) return;
    MemoryCharge charge;
    if (options_.memory != nullptr) {
      auto charged = options_.memory->charge(bytes, "pages of remote segments");
      if (!charged) return;  // Memory is short; the disk has them.
      charge = *std::move(charged);
    }
    pages_.push_front({key, std::move(page), std::move(charge)});
    by_key_[key] = pages_.begin();
    bytes_ += bytes;
  }

 private:
  struct Kept {
    std::string key;
    std::shared_ptr<const Page> page;
    MemoryCharge charge;
  };
  using Place = std::list<Kept>::iterator;

  void drop(Place place) {
    bytes_ -= place->page->value().size();
    by_key_.erase(place->key);
    pages_.erase(place);
  }

  const Options options_;
  std::mutex mutex_;
  std::list<Kept> pages_;  ///< Most recently used first.
  std::unordered_map<std::string, Place> by_key_;
  size_t bytes_ = 0;
};

BlockCache::BlockCache(std::unique_ptr<PageStore> pages, Options options)
    : pages_(std::move(pages)), recent_(std::make_unique<RecentPages>(options)) {}
BlockCache::~BlockCache() = default;

BlockCache::Stats BlockCache::stats() const {
  return {hits_, misses_, hit_bytes_, damaged_pages_, pages_ != nullptr ? pages_->bytes() : 0};
}

// nullptr: nothing is there.
std::shared_ptr<const BlockCache::Page> BlockCache::load(const Id128& object, uint64_t number,
                                                         uint64_t object_bytes) const {
  const std::string key = page_key(object, number);
  if (auto page = recent_->find(key)) return page;
  if (pages_ == nullptr) return nullptr;
  auto value = pages_->get(key);
  if (!value) return nullptr;
  auto page = std::make_shared<const Page>(key, *std::move(value),
                                           std::min(kPage, object_bytes - number * kPage));
  if (page->empty()) {
    ++damaged_pages_;
    return nullptr;
  }
  recent_->keep(key, page, /*replace=*/false);
  return page;
}

std::vector<ByteRange> BlockCache::get(const Id128& object, uint64_t object_bytes, ByteRange range,
                                       char* to) const {
  std::vector<ByteRange> missing;
  uint64_t copied = 0;
  for (uint64_t at = range.offset; at < range.end();) {
    const uint64_t number = at / kPage;
    const auto page = load(object, number, object_bytes);
    const uint64_t page_end = std::min(range.end(), (number + 1) * kPage);
    while (at < page_end) {
      const uint64_t block = at % kPage / kBlock;
      const uint64_t begin = number * kPage + block * kBlock;
      const uint64_t end = std::min(page_end, begin + kBlock);
      if (page == nullptr || !page->has(block)) {
        add_missing(begin, std::min(begin + kBlock, object_bytes), missing);
      } else if (to != nullptr) {
        std::memcpy(to + (at - range.offset), page->block(block).data() + (at - begin), end - at);
        copied += end - at;
      }
      at = end;
    }
  }
  if (to != nullptr) {
    ++(missing.empty() ? hits_ : misses_);
    hit_bytes_ += copied;
  }
  return missing;
}

void BlockCache::put(const Id128& object, uint64_t object_bytes, uint64_t offset,
                     std::string_view bytes) {
  const std::lock_guard lock(put_mutex_);
  for (uint64_t number = offset / kPage; number * kPage < offset + bytes.size(); ++number) {
    const std::string key = page_key(object, number);
    const auto old = load(object, number, object_bytes);
    if (old != nullptr && old->covers(number * kPage, offset, offset + bytes.size())) continue;
    const auto page = Page::joined(key, old.get(), std::min(kPage, object_bytes - number * kPage),
                                   number * kPage, offset, bytes);
    if (page == nullptr) continue;
    recent_->keep(key, page, /*replace=*/true);
    if (pages_ != nullptr) pages_->put(key, page->value());
  }
}

}  // namespace hearth::storage
