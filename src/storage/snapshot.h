#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "storage/absorbed_set.h"

/// The list of merged segments, as one immutable object per change: `s/<number, 20 digits>.snap`.
/// docs/kv_layout.md gives the rules, this page the bytes.
namespace hearth::storage {

/// A merged segment (L1 or L2).
struct SnapshotSegment {
  std::string key;
  Id128 uuid;
  uint64_t size = 0;  ///< Bytes.
  uint8_t level = 0;
  int64_t window_start_ns = 0;  ///< The hour or day that it holds profiles of.
  uint64_t window_length_ns = 0;
  uint64_t datasets = 0, profiles = 0;
  bool operator==(const SnapshotSegment&) const = default;
};

/// An object that no reader of this snapshot needs any more; it is deleted after a delay.
struct Tombstone {
  std::string key;
  uint64_t since = 0;  ///< Number of the snapshot that no longer had it.
  bool operator==(const Tombstone&) const = default;
};

struct Snapshot {
  uint64_t number = 0;  ///< 0: none was ever published.
  Id128 nonce;          ///< Says whose attempt became this number.
  Id128 previous_nonce;
  int64_t created_ns = 0;  ///< By the wall clock of its writer; to be looked at, never relied on.
  std::string writer_version;
  std::vector<SnapshotSegment> segments;  ///< By key.
  AbsorbedSet absorbed;
  std::vector<Tombstone> tombstones;  ///< By key.
  bool operator==(const Snapshot&) const = default;

  /// nullptr when it has no such segment.
  [[nodiscard]] const SnapshotSegment* find(std::string_view key) const;
};

inline constexpr std::string_view kSnapshotPrefix = "s/";
[[nodiscard]] std::string snapshot_key(uint64_t number);
/// 0 for keys of other objects.
[[nodiscard]] uint64_t parse_snapshot_key(std::string_view key);

/// magic "HEARTHSN" · u16 major = 1, u16 minor = 0 · u32 raw bytes · one zstd frame · u32 crc32c of
/// all before it. The frame: varint number · 16 B nonce · 16 B previous nonce · svarint created ·
/// str writer version · vec of segments {str key, 16 B uuid, varint size, u8 level, svarint window
/// start, varint window length, datasets, profiles} · absorbed (AbsorbedSet) · vec of tombstones
/// {str key, varint since}. What a later minor version adds follows and is passed over.
[[nodiscard]] std::string encode_snapshot(const Snapshot& snapshot);

/// `data_loss` for bytes that cannot be true, `unimplemented` for another major version.
[[nodiscard]] Result<Snapshot> decode_snapshot(std::string_view bytes);

}  // namespace hearth::storage
