#include "storage/block_cache.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/bytes.h"

namespace hearth::storage {
namespace {

constexpr uint64_t kBlock = BlockCache::kBlockBytes;
constexpr uint64_t kPage = BlockCache::kPageBytes;

std::string page_key(const Id128& object, uint64_t page) {
  std::string key;
  put_be(key, object.hi);
  put_be(key, object.lo);
  put_be(key, page);
  return key;
}

/// The value of a page, taken apart.
class Page {
 public:
  /// `page_bytes`: less than a whole page at the end of an object. A value of another shape reads
  /// as empty.
  Page(std::string value, uint64_t page_bytes) : value_(std::move(value)), page_bytes_(page_bytes) {
    if (value_.size() >= sizeof(uint64_t)) bits_ = load_le<uint64_t>(value_.data());
    if (value_.size() != sizeof(uint64_t) + bytes_before(BlockCache::kBlocksPerPage)) bits_ = 0;
  }
  [[nodiscard]] bool has(uint64_t block) const { return (bits_ >> block & 1U) != 0; }
  [[nodiscard]] std::string_view block(uint64_t block) const {
    return std::string_view(value_).substr(sizeof(uint64_t) + bytes_before(block), length(block));
  }
  [[nodiscard]] uint64_t length(uint64_t block) const {
    const uint64_t begin = block * kBlock;
    return begin >= page_bytes_ ? 0 : std::min(kBlock, page_bytes_ - begin);
  }

 private:
  [[nodiscard]] uint64_t bytes_before(uint64_t block) const {
    uint64_t bytes = 0;
    for (uint64_t b = 0; b < block; ++b) bytes += has(b) ? length(b) : 0;
    return bytes;
  }

  std::string value_;
  uint64_t page_bytes_;
  uint64_t bits_ = 0;
};

Page load(const PageStore& pages, const Id128& object, uint64_t page, uint64_t object_bytes) {
  auto value = pages.get(page_key(object, page));
  return {value ? std::move(*value) : std::string(), std::min(kPage, object_bytes - page * kPage)};
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

std::vector<ByteRange> BlockCache::get(const Id128& object, uint64_t object_bytes, ByteRange range,
                                       char* to) const {
  std::vector<ByteRange> missing;
  for (uint64_t at = range.offset; at < range.end();) {
    const uint64_t number = at / kPage;
    const Page page = load(*pages_, object, number, object_bytes);
    const uint64_t page_end = std::min(range.end(), (number + 1) * kPage);
    while (at < page_end) {
      const uint64_t block = at % kPage / kBlock;
      const uint64_t begin = number * kPage + block * kBlock;
      const uint64_t end = std::min(page_end, begin + kBlock);
      if (!page.has(block)) {
        add_missing(begin, begin + page.length(block), missing);
      } else if (to != nullptr) {
        std::memcpy(to + (at - range.offset), page.block(block).data() + (at - begin), end - at);
      }
      at = end;
    }
  }
  return missing;
}

void BlockCache::put(const Id128& object, uint64_t object_bytes, uint64_t offset,
                     std::string_view bytes) {
  const uint64_t end = offset + bytes.size();
  const std::lock_guard lock(put_mutex_);
  for (uint64_t number = offset / kPage; number * kPage < end; ++number) {
    const Page old = load(*pages_, object, number, object_bytes);
    std::string value(sizeof(uint64_t), '\0');
    uint64_t bits = 0;
    for (uint64_t block = 0; block < kBlocksPerPage; ++block) {
      const uint64_t begin = number * kPage + block * kBlock;
      const uint64_t length = old.length(block);
      const bool given = length > 0 && begin >= offset && begin + length <= end;
      if (!given && !old.has(block)) continue;
      bits |= uint64_t{1} << block;
      value += given ? bytes.substr(begin - offset, length) : old.block(block);
    }
    std::memcpy(value.data(), &bits, sizeof bits);
    if (bits != 0) pages_->put(page_key(object, number), value);
  }
}

}  // namespace hearth::storage
