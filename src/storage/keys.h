#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"

namespace hearth::storage {

/// Keys in the key-value store, big-endian so that their order is the order of the numbers.
/// docs/kv_layout.md gives every byte of every key and value.

/// `head` R: one profile's record. Generations, epochs and sequences only grow.
struct RowKey {
  uint64_t generation = 0;
  uint32_t tenant = 0;
  uint32_t service = 0;
  uint64_t epoch = 0;
  uint64_t sequence = 0;

  [[nodiscard]] std::string encode() const;
  /// nullopt when the bytes are not such a key.
  [[nodiscard]] static std::optional<RowKey> decode(std::string_view key);
  /// First possible key of a generation; the rows of g are [begin(g), begin(g + 1)).
  [[nodiscard]] static std::string begin(uint64_t generation);
};

/// `head` D: one symbol delta.
struct DeltaKey {
  uint64_t epoch = 0;
  uint64_t sequence = 0;

  [[nodiscard]] std::string encode() const;
  [[nodiscard]] static std::string begin(uint64_t epoch);
};

/// `head` I: the intent of a seal, by its first generation.
[[nodiscard]] std::string intent_key(uint64_t first_generation);
inline constexpr std::string_view kIntentPrefix = "I";
inline constexpr std::string_view kRowPrefix = "R";

/// `meta` N: the number of a tenant or service name.
enum class NameKind : char { tenant = 't', service = 's' };
[[nodiscard]] std::string name_key(NameKind kind, std::string_view name);

/// `meta` P: a profile id of the retry window.
struct RetryKey {
  uint64_t slot = 0;
  uint32_t tenant = 0;
  Id128 id;

  [[nodiscard]] std::string encode() const;
  [[nodiscard]] static std::optional<RetryKey> decode(std::string_view key);
  [[nodiscard]] static std::string begin(uint64_t slot);
};
inline constexpr std::string_view kRetryPrefix = "P";

/// `meta` V: a small durable value of a tenant.
[[nodiscard]] std::string value_key(std::string_view kind, std::string_view tenant,
                                    std::string_view name);
/// `meta` S: how often this directory was started.
inline constexpr std::string_view kStartCountKey = "S";
/// `meta` B: the id of the cluster whose bucket this directory's segments are in.
inline constexpr std::string_view kClusterKey = "B";

/// `catalog` L: one live segment by its object key; C: the catalog was completed from the bucket.
[[nodiscard]] std::string segment_key(std::string_view object_key);
inline constexpr std::string_view kSegmentPrefix = "L";
inline constexpr std::string_view kCatalogCompleteKey = "C";
/// `catalog` M: number of the snapshot that the catalog agrees with.
inline constexpr std::string_view kCatalogSnapshotKey = "M";
/// `catalog` E: copy of a deletion, by its id.
[[nodiscard]] std::string deletion_copy_key(Id128 id);
inline constexpr std::string_view kDeletionCopyPrefix = "E";

}  // namespace hearth::storage
