#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "model/selector.h"
#include "storage/dataset.h"

namespace hearth::storage {

/// A request to delete profiles of a tenant: those whose stored labels the selector accepts and
/// that start in a range of time, whenever they came or come. It holds until it is withdrawn, also
/// when nothing of them is left. docs/compaction.md gives the protocol.
struct Deletion {
  Id128 id;
  std::string tenant;
  std::string selector_text;
  Selector selector;
  int64_t begin_ns = INT64_MIN, last_ns = INT64_MAX;  ///< Inclusive.
  int64_t asked_ns = 0;  ///< By the wall clock of the process that was asked.

  /// `invalid_argument` for a selector that cannot be parsed, one of labels that are made from the
  /// sample type (rows are stored for all sample types together), and an empty range.
  [[nodiscard]] static Result<Deletion> make(std::string tenant, std::string selector,
                                             int64_t begin_ns, int64_t last_ns);

  /// False when it deletes nothing of such profiles; t_max_ns is inclusive.
  [[nodiscard]] bool may_touch(std::string_view of_tenant, std::string_view service,
                               int64_t t_min_ns, int64_t t_max_ns) const;
  /// True when it deletes all of them.
  [[nodiscard]] bool covers(const DatasetInfo& info) const;
};

inline constexpr std::string_view kDeletionPrefix = "d/";
[[nodiscard]] std::string deletion_key(Id128 id);
/// Bytes of the object d/<id>.del (docs/compaction.md, "A deletion's bytes").
[[nodiscard]] std::string encode_deletion(const Deletion& deletion);
/// `data_loss` for bytes that cannot be true, `unimplemented` for another major version.
[[nodiscard]] Result<Deletion> decode_deletion(std::string_view bytes);

/// The deletions among `all` that may touch such profiles.
[[nodiscard]] std::vector<const Deletion*> touching(std::span<const Deletion> all,
                                                    std::string_view tenant,
                                                    std::string_view service, int64_t t_min_ns,
                                                    int64_t t_max_ns);

/// Profiles that are deleted.
struct DeletedProfiles {
  std::vector<uint8_t> flags;  ///< By profile: 1 when it is.
  uint64_t count = 0;
};
/// `series_of[p]` is profile p's index in `series`.
[[nodiscard]] DeletedProfiles find_deleted(std::span<const Deletion* const> deletions,
                                           std::span<const LabelSet> series,
                                           std::span<const uint32_t> series_of,
                                           std::span<const int64_t> start_ns);
/// The same of a dataset, of which series and profiles are read.
[[nodiscard]] Result<DeletedProfiles> find_deleted(std::span<const Deletion* const> deletions,
                                                   const Dataset& dataset);

}  // namespace hearth::storage
