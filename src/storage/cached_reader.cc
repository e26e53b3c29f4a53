#include "storage/cached_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstring>

namespace hearth::storage {
namespace {

/// Two parts that lie closer are fetched as one: a request costs more than these bytes, which take
/// some milliseconds where it takes tens.
constexpr uint64_t kGapBytes = 256U << 10U;
/// A longer part is fetched by several requests at once.
constexpr uint64_t kRequestBytes = 8U << 20U;

std::vector<ByteRange> in_requests(const std::vector<ByteRange>& ranges) {
  std::vector<ByteRange> out;
  for (const ByteRange& range : coalesced(ranges, kGapBytes)) {
    for (uint64_t at = range.offset; at < range.end(); at += kRequestBytes)
      out.push_back({at, std::min(kRequestBytes, range.end() - at)});
  }
  return out;
}

/// The part of `bytes`, which begin at `from.offset`, that lies in `range`.
void copy_overlap(ByteRange from, std::string_view bytes, ByteRange range, char* to) {
  const uint64_t begin = std::max(from.offset, range.offset);
  const uint64_t end = std::min(from.end(), range.end());
  if (begin < end)
    std::memcpy(to + (begin - range.offset), bytes.data() + (begin - from.offset), end - begin);
}

}  // namespace

struct CachedReader::UnderWay {
  std::mutex mutex;
  std::vector<FetchPtr> fetches;
  std::atomic<bool> gone = false;  ///< The object was removed.

  void forget(ByteRange range) {
    FetchPtr last;  // Freed without the lock.
    const std::lock_guard lock(mutex);
    const auto it = std::ranges::find(fetches, range, [](const FetchPtr& f) { return f->range(); });
    if (it == fetches.end()) return;
    last = std::move(*it);
    fetches.erase(it);
  }
};

CachedReader::CachedReader(RemoteReads remote, ObjectStore& bucket, std::string key, Id128 identity,
                           uint64_t size)
    : remote_(remote),
      bucket_(bucket),
      key_(std::move(key)),
      identity_(identity),
      size_(size),
      under_way_(std::make_shared<UnderWay>()) {}

Status CachedReader::check(ByteRange range) const {
  if (range.offset <= size_ && range.length <= size_ - range.offset) return {};
  return fail(ErrorCode::data_loss, fmt::format("read object \"{}\": bytes {} to {} of {}", key_,
                                                range.offset, range.offset + range.length, size_));
}

Result<std::shared_ptr<const ObjectReader>> CachedReader::object() const {
  const std::lock_guard lock(open_mutex_);
  if (object_ != nullptr) return object_;
  HEARTH_ASSIGN_OR_RETURN(std::shared_ptr<const ObjectReader> opened,
                          bucket_.open_sized(key_, size_));
  if (opened == nullptr) {
    under_way_->gone = true;
    return fail(ErrorCode::not_found, fmt::format("open object \"{}\": no such object", key_),
                kObjectGone);
  }
  if (opened->size() != size_) {
    return fail(ErrorCode::data_loss, fmt::format("open object \"{}\": got {} bytes; want {}", key_,
                                                  opened->size(), size_));
  }
  object_ = std::move(opened);
  return object_;
}

bool CachedReader::gone() const {
  return under_way_->gone;
}

// A fetch that ended since the cache was looked at has left its bytes there.
void CachedReader::look_again(std::vector<ByteRange>& rest, bool& came_meanwhile) const {
  std::vector<ByteRange> still;
  for (const ByteRange& range : rest) {
    const auto missing = remote_.cache->get(identity_, size_, range, nullptr);
    came_meanwhile |= missing.size() != 1 || missing[0] != range;
    still.insert(still.end(), missing.begin(), missing.end());
  }
  rest = std::move(still);
}

// What covers the missing ranges: fetches that are under way already, and new ones for the rest.
Result<CachedReader::Fetches> CachedReader::fetch(const std::vector<ByteRange>& missing) const {
  HEARTH_ASSIGN_OR_RETURN(const auto object, this->object());
  std::unique_lock lock(under_way_->mutex);
  Fetches out;
  std::vector<FetchPtr>& fetches = out.fetches;
  std::vector<FetchPtr> begun;
  std::vector<ByteRange> rest;
  for (ByteRange range : missing) {
    for (const FetchPtr& other : under_way_->fetches) {
      const ByteRange there = other->range();
      if (there.end() <= range.offset || there.offset >= range.end()) continue;
      if (std::ranges::find(fetches, other) == fetches.end()) fetches.push_back(other);
      // A part that sticks out on either side is asked for as a whole: it is rare.
      if (there.offset <= range.offset) {
        const uint64_t end = range.end();
        range.offset = std::min(end, there.end());
        range.length = end - range.offset;
      }
    }
    if (range.length > 0) rest.push_back(range);
  }
  look_again(rest, out.came_meanwhile);
  for (const ByteRange& range : in_requests(rest)) {
    const auto keep = [under_way = std::weak_ptr(under_way_), cache = remote_.cache, id = identity_,
                       bytes = size_](ByteRange of, const Result<SharedBytes>& read) {
      // First kept, then forgotten: nobody asks for it in between.
      if (read) cache->put(id, bytes, of.offset, read->view);
      const auto alive = under_way.lock();
      if (!alive) return;
      if (!read && read.error().reason == kObjectGone) alive->gone = true;
      alive->forget(of);
    };
    begun.push_back(std::make_shared<RangeFetcher::Fetch>(*remote_.fetcher, object, range, keep));
    under_way_->fetches.push_back(begun.back());
  }
  lock.unlock();
  for (const FetchPtr& fetch : begun) fetch->begin();
  fetches.insert(fetches.end(), begun.begin(), begun.end());
  return out;
}

Result<SharedBytes> CachedReader::read(uint64_t offset, uint64_t length) const {
  const ByteRange range{offset, length};
  HEARTH_RETURN_IF_ERROR(check(range));
  auto buffer = std::make_shared<std::string>(length, '\0');
  auto missing = remote_.cache->get(identity_, size_, range, buffer->data());
  while (!missing.empty()) {
    HEARTH_ASSIGN_OR_RETURN(const Fetches begun, fetch(missing));
    for (const FetchPtr& fetch : begun.fetches) {
      HEARTH_ASSIGN_OR_RETURN(const SharedBytes bytes, fetch->wait());
      copy_overlap(fetch->range(), bytes.view, range, buffer->data());
    }
    if (!begun.came_meanwhile) break;
    // Those that were waited for are in the cache now, too, unless it has no room.
    missing = remote_.cache->get(identity_, size_, range, buffer->data());
  }
  const std::string_view view(*buffer);
  return SharedBytes{std::move(buffer), view};
}

void CachedReader::prefetch(uint64_t offset, uint64_t length) const {
  const ByteRange range{offset, length};
  if (!check(range)) return;
  const auto missing = remote_.cache->get(identity_, size_, range, nullptr);
  // Whoever reads the bytes meets the error, if there is one.
  if (!missing.empty()) (void)fetch(missing);
}

}  // namespace hearth::storage
