#include "net/body_buffer.h"

#include <algorithm>

#include "base/gzip_codec.h"

namespace hearth::net {
namespace {

constexpr size_t kFirstStep = 64 * 1024;
constexpr size_t kGrowth = 4;

}  // namespace

void BodyBuffer::limit(size_t max_bytes, std::optional<size_t> expected,
                       MemoryAccountant* accountant) {
  max_bytes_ = max_bytes;
  expected_ = expected;
  if (accountant != nullptr) charge_ = accountant->must_charge(0);
}

// A new string takes exactly what was charged; one that grows may take twice as much.
bool BodyBuffer::grow(size_t needed) {
  const size_t most = std::min(expected_.value_or(max_bytes_), max_bytes_) + kReadSlack;
  const size_t step = std::max(data_.size() * kGrowth, kFirstStep);
  const size_t want = std::max(needed, std::min(step, most));
  if (!charge_.resize(want)) return false;
  std::string larger;
  larger.reserve(want);
  larger.append(data_, 0, size_);
  larger.resize(want);
  data_ = std::move(larger);
  return true;
}

BodyBuffer::Outcome BodyBuffer::make_room(size_t bytes) {
  if (bytes > max_bytes_ - size_) return outcome_ = Outcome::too_large;
  const size_t needed = size_ + bytes + kReadSlack;
  if (needed > data_.size() && !grow(needed)) return outcome_ = Outcome::no_memory;
  return Outcome::ok;
}

BodyBuffer::Outcome BodyBuffer::append(std::string_view piece) {
  if (const Outcome made = make_room(piece.size()); made != Outcome::ok) return made;
  piece.copy(data_.data() + size_, piece.size());
  size_ += piece.size();
  return Outcome::ok;
}

std::span<char> BodyBuffer::room(size_t max) {
  if (make_room(1) != Outcome::ok) return {};
  const size_t free = data_.size() - size_ - kReadSlack;
  return {data_.data() + size_, std::min({max, free, max_bytes_ - size_})};
}

std::string BodyBuffer::take_data() {
  data_.resize(std::max(data_.size(), size_ + kReadSlack));
  std::fill_n(data_.begin() + static_cast<ptrdiff_t>(size_), kReadSlack, '\0');
  data_.resize(size_);
  return std::move(data_);
}

}  // namespace hearth::net
