#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "base/random.h"
#include "base/result.h"
#include "storage/kv_store.h"
#include "storage/name_table.h"
#include "storage/segment_catalog.h"

namespace hearth::storage {

/// Rows of the `head` family by key, with their profiles' ids.
using RowIds = std::map<std::string, Id128, std::less<>>;

/// Rows of the `head` family whose profiles are in these segments: the database is an older copy,
/// in which they were not sealed yet. A profile is known by its id, in day segments, which have
/// none, by its content and the values of its rows. Memory: about 150 bytes per row of the head. A
/// segment that is damaged is passed over; other errors of reading end the search.
[[nodiscard]] Result<RowIds> find_sealed_rows(const KvStore& store, const NameTable& tenants,
                                              SegmentReaders& readers,
                                              std::span<const SegmentEntry> segments);

}  // namespace hearth::storage
