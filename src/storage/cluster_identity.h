#pragma once

#include "base/random.h"
#include "base/result.h"
#include "hearth/object_store.h"
#include "storage/kv_store.h"

namespace hearth::storage {

/// A data directory belongs to one bucket: `cluster.json`, created once by whoever comes first,
/// names the bucket's cluster, and `meta` remembers the name. So a mistyped bucket, or one that
/// another installation uses, is noticed before anything is written there or missed from there.

/// At a start. `conflict` when the bucket is another cluster's, or names none although the catalog
/// (`has_segments`) says that this directory's segments are in it. A bucket that cannot be asked
/// now is asked before the first segment.
[[nodiscard]] Status recognise_cluster(const KvStore& kv, ObjectStore& bucket, bool has_segments);

/// Before anything is written to the bucket: the same check; joins the cluster that the bucket
/// names or makes it one. Returns what is to be written to `meta` under kClusterKey; empty when
/// that is there already. Errors are also those of the bucket.
[[nodiscard]] Result<std::string> join_cluster(const KvStore& kv, ObjectStore& bucket,
                                               Random& random, bool has_segments);

}  // namespace hearth::storage
