#include "storage/read_ahead.h"

#include <algorithm>
#include <utility>

namespace hearth::storage {

// What reaches over chunks is copied together; what is larger than one is read as it is.
Result<SharedBytes> ReadAhead::read(uint64_t offset, uint64_t length) const {
  if (length > kChunkBytes || offset > size() || length > size() - offset)
    return object_->read(offset, length);
  const std::lock_guard lock(mutex_);
  const uint64_t begin = offset % kChunkBytes;
  HEARTH_ASSIGN_OR_RETURN(const std::string_view first, chunk(offset / kChunkBytes));
  if (begin + length <= first.size())
    return SharedBytes{kept_[0].bytes.owner, first.substr(begin, length)};
  auto joined = std::make_shared<std::string>(first.substr(begin));
  HEARTH_ASSIGN_OR_RETURN(const std::string_view second, chunk(offset / kChunkBytes + 1));
  joined->append(second.substr(0, length - joined->size()));
  return SharedBytes{joined, *joined};
}

Result<std::string_view> ReadAhead::chunk(uint64_t number) const {
  if (kept_[0].number != number) std::swap(kept_[0], kept_[1]);
  Chunk& chunk = kept_[0];
  if (chunk.number != number) {
    const uint64_t offset = number * kChunkBytes;
    const uint64_t length = std::min(kChunkBytes, size() - offset);
    HEARTH_ASSIGN_OR_RETURN(SharedBytes bytes, object_->read(offset, length));
    chunk = {number, std::move(bytes), memory_.must_charge(length)};
  }
  return chunk.bytes.view;
}

}  // namespace hearth::storage
