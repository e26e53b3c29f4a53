#include "base/arena.h"

#include <cstring>

namespace hearth {

std::string_view Arena::copy(std::string_view s) {
  if (s.empty()) return {"", 0};
  if (s.size() > room_) {
    // A string larger than a quarter chunk gets its own block, so that the current one is not wasted.
    const bool alone = s.size() > chunk_bytes_ / 4;
    const size_t size = alone ? s.size() : chunk_bytes_;
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(size));
    reserved_ += size;
    char* block = chunks_.back().get();
    if (alone) {
      std::memcpy(block, s.data(), s.size());
      return {block, s.size()};
    }
    next_ = block;
    room_ = size;
  }
  std::memcpy(next_, s.data(), s.size());
  const std::string_view out(next_, s.size());
  next_ += s.size();
  room_ -= s.size();
  return out;
}

}  // namespace hearth
