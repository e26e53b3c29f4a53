#include "storage/label_bloom.h"

#include <algorithm>

#include "base/hash.h"

namespace hearth::storage {
namespace {

constexpr size_t kBitsPerItem = 10;
constexpr unsigned kProbes = 7;

uint64_t label_hash(std::string_view name, std::string_view value) {
  std::string text;
  text.reserve(name.size() + 1 + value.size());
  text.append(name).append(1, '=').append(value);
  return hash64(text);
}

/// Bit number of probe i: the low half of the hash plus i times the high half made odd, modulo the
/// number of bits.
uint64_t probe(uint64_t hash, unsigned i, uint64_t bits) {
  const uint64_t step = hash >> 32U | 1U;
  return ((hash & 0xffffffffU) + i * step) % bits;
}

}  // namespace

void BloomBuilder::add_label(std::string_view name, std::string_view value) {
  hashes_.push_back(label_hash(name, value));
}

std::string BloomBuilder::finish() {
  std::ranges::sort(hashes_);
  const auto rest = std::ranges::unique(hashes_);
  hashes_.erase(rest.begin(), rest.end());
  std::string bloom((hashes_.size() * kBitsPerItem + 7) / 8, '\0');
  for (const uint64_t hash : hashes_) {
    for (unsigned i = 0; i < kProbes; ++i) {
      const uint64_t bit = probe(hash, i, bloom.size() * 8);
      bloom[bit / 8] =
          static_cast<char>(static_cast<unsigned char>(bloom[bit / 8]) | 1U << (bit % 8));
    }
  }
  return bloom;
}

bool bloom_may_contain(std::string_view bloom, std::string_view name, std::string_view value) {
  if (bloom.empty()) return false;
  const uint64_t hash = label_hash(name, value);
  for (unsigned i = 0; i < kProbes; ++i) {
    const uint64_t bit = probe(hash, i, bloom.size() * 8);
    if ((static_cast<unsigned char>(bloom[bit / 8]) >> (bit % 8) & 1U) == 0) return false;
  }
  return true;
}

}  // namespace hearth::storage
