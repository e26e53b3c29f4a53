#pragma once

#include <optional>

#include "base/random.h"
#include "hearth/labels.h"
#include "hearth/tenant.h"
#include "ingest/pipeline.h"

namespace hearth::ingest {

/// What a profile's groups derive their ids from: OTLP's profile id, else the idempotency key and
/// index, else a hash over tenant, labels, types, time range and bytes; nullopt when two truly
/// different profiles could be equal in all of these (no time of their own, or no bytes). Unseeded,
/// so that a retry is recognised after a restart. Call it before anything is rewritten. See
/// docs/write_pipeline.md, "Retries".
[[nodiscard]] std::optional<Id128> profile_identity(const Tenant& tenant, const Incoming& incoming);

/// Id of the part of a profile that goes to `series`: distinct per series.
[[nodiscard]] Id128 group_identity(const Id128& profile, const LabelSet& series);

}  // namespace hearth::ingest
