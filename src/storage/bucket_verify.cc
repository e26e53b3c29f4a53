#include "storage/bucket_verify.h"

#include <fmt/format.h>

#include "base/random.h"
#include "hearth/clock.h"
#include "storage/manifest.h"
#include "storage/open_segment.h"

namespace hearth::storage {
namespace {

/// Why the object is not what the snapshot says; empty when it is.
std::string compare(ObjectStore& bucket, const SnapshotSegment& listed) {
  auto object = bucket.open(listed.key);
  if (!object) return object.error().message;
  if (!*object) return "named by the snapshot, but not there";
  const uint64_t size = (*object)->size();
  if (size != listed.size) return fmt::format("{} bytes; the snapshot says {}", size, listed.size);
  const auto segment = OpenSegment::open(std::move(*object), listed.key);
  if (!segment) return segment.error().message;
  const SegmentDirectory& directory = (*segment)->directory();
  if (directory.uuid != listed.uuid || directory.level != listed.level ||
      directory.datasets.size() != listed.datasets) {
    return "not the segment that the snapshot names";
  }
  return {};
}

}  // namespace

std::vector<std::string> verify_bucket(ObjectStore& bucket) {
  const auto random = seeded_random(0);
  Manifest manifest(bucket, *random, system_clock(), "");
  if (const Status found = manifest.refresh(); !found) return {found.error().message};
  const auto snapshot = manifest.current();
  std::vector<std::string> findings;
  for (const SnapshotSegment& listed : snapshot->segments) {
    if (std::string why = compare(bucket, listed); !why.empty())
      findings.push_back(fmt::format("{}: {}", listed.key, why));
  }
  for (const Tombstone& t : snapshot->tombstones) {
    const auto fresh = parse_fresh_key(t.key);
    const bool live =
        fresh ? !snapshot->absorbed.contains(*fresh) : snapshot->find(t.key) != nullptr;
    if (live) findings.push_back(fmt::format("{}: live, but marked for deletion", t.key));
  }
  return findings;
}

}  // namespace hearth::storage
