#include "storage/keys.h"

#include <array>

#include "base/bytes.h"

namespace hearth::storage {
namespace {

constexpr size_t kRowKeyBytes = 1 + 8 + 4 + 4 + 8 + 8;
constexpr size_t kRetryKeyBytes = 1 + 8 + 4 + 16;

}  // namespace

std::string RowKey::encode() const {
  std::string key = begin(generation);
  put_be(key, tenant);
  put_be(key, service);
  put_be(key, epoch);
  put_be(key, sequence);
  return key;
}

std::optional<RowKey> RowKey::decode(std::string_view key) {
  if (key.size() != kRowKeyBytes || key[0] != 'R') return std::nullopt;
  const char* p = key.data();
  return RowKey{load_be<uint64_t>(p + 1), load_be<uint32_t>(p + 9), load_be<uint32_t>(p + 13),
                load_be<uint64_t>(p + 17), load_be<uint64_t>(p + 25)};
}

std::string RowKey::begin(uint64_t generation) {
  std::string key;
  key.reserve(kRowKeyBytes);
  key.push_back('R');
  put_be(key, generation);
  return key;
}

std::string DeltaKey::encode() const {
  std::string key = begin(epoch);
  put_be(key, sequence);
  return key;
}

std::string DeltaKey::begin(uint64_t epoch) {
  std::string key(1, 'D');
  put_be(key, epoch);
  return key;
}

std::string intent_key(uint64_t first_generation) {
  std::string key(kIntentPrefix);
  put_be(key, first_generation);
  return key;
}

std::string name_key(NameKind kind, std::string_view name) {
  std::string key{'N', static_cast<char>(kind)};
  key.append(name);
  return key;
}

std::string RetryKey::encode() const {
  std::string key = begin(slot);
  put_be(key, tenant);
  put_be(key, id.hi);
  put_be(key, id.lo);
  return key;
}

std::optional<RetryKey> RetryKey::decode(std::string_view key) {
  if (key.size() != kRetryKeyBytes || key[0] != 'P') return std::nullopt;
  const char* p = key.data();
  return RetryKey{load_be<uint64_t>(p + 1),
                  load_be<uint32_t>(p + 9),
                  {load_be<uint64_t>(p + 13), load_be<uint64_t>(p + 21)}};
}

std::string RetryKey::begin(uint64_t slot) {
  std::string key;
  key.reserve(kRetryKeyBytes);
  key.push_back('P');
  put_be(key, slot);
  return key;
}

// Lengths in front, so that no choice of names makes two keys equal.
std::string value_key(std::string_view kind, std::string_view tenant, std::string_view name) {
  std::string key(1, 'V');
  put_str(key, kind);
  put_str(key, tenant);
  key.append(name);
  return key;
}

std::string segment_key(std::string_view object_key) {
  std::string key(kSegmentPrefix);
  key.append(object_key);
  return key;
}

std::string deletion_copy_key(Id128 id) {
  std::string key(kDeletionCopyPrefix);
  put_be(key, id.hi);
  put_be(key, id.lo);
  return key;
}

}  // namespace hearth::storage
