#include "net/body_buffer.h"

#include <algorithm>

#include "base/gzip_codec.h"

namespace hearth::net {
namespace {

constexpr size_t kFirstStep = 64 * 1024;

}  // namespace

void BodyBuffer::limit(size_t max_bytes, std::optional<size_t> expected,
                       MemoryAccountant* accountant) {
  max_bytes_ = max_bytes;
  expected_ = expected;
  if (accountant != nullptr) charge_ = accountant->must_charge(0);
}

bool BodyBuffer::grow(size_t needed) {
  size_t want = std::max({needed, data_.capacity() * 2, kFirstStep});
  if (expected_) want = std::max(needed, std::min(want, *expected_ + kReadSlack));
  if (!charge_.resize(want)) return false;
  data_.reserve(want);
  return true;
}

BodyBuffer::Outcome BodyBuffer::append(std::string_view piece) {
  if (piece.size() > max_bytes_ - data_.size()) return outcome_ = Outcome::too_large;
  const size_t needed = data_.size() + piece.size() + kReadSlack;
  if (needed > data_.capacity() && !grow(needed)) return outcome_ = Outcome::no_memory;
  data_.append(piece);
  return Outcome::ok;
}

std::string BodyBuffer::take_data() {
  const size_t size = data_.size();
  data_.append(kReadSlack, '\0');
  data_.resize(size);
  return std::move(data_);
}

}  // namespace hearth::net
