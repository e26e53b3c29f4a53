#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>

#include "base/result.h"
#include "storage/kv_store.h"
#include "storage/name_table.h"
#include "storage/segment_catalog.h"

namespace hearth::storage {

/// Rows of the `head` family whose profiles are in these segments, by key: the database is an older
/// copy, in which they were not sealed yet. A profile is known by its id, in day segments, which
/// have none, by its content. Memory: about 150 bytes per row of the head. A segment that is
/// damaged is passed over; other errors of reading end the search.
[[nodiscard]] Result<std::set<std::string, std::less<>>> find_sealed_rows(
    const KvStore& store, const NameTable& tenants, SegmentReaders& readers,
    std::span<const SegmentEntry> segments);

}  // namespace hearth::storage
