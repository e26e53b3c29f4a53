#include "storage/segment_view.h"

#include "storage/masked_dataset.h"

namespace hearth::storage {
namespace {

/// Adds what is left of the dataset. One of which it cannot be told is left out, and named.
Status add_dataset(std::shared_ptr<const Dataset> dataset, std::span<const Deletion> deletions,
                   DeletionLog* log, Store::View& view) {
  HEARTH_ASSIGN_OR_RETURN(auto left, without_deleted(std::move(dataset), deletions, log));
  if (left) view.datasets.push_back(std::move(left));
  return {};
}

}  // namespace

OpenedView open_view(const Contents& contents, SegmentReaders& readers, DeletionLog& deletions,
                     const Tenant& tenant, const Store::ViewQuery& query,
                     std::atomic<uint64_t>& corrupt_objects) {
  OpenedView out;
  const auto deleted = deletions.current();
  Contents::View taken = contents.view(tenant.id(), query);
  for (auto& dataset : taken.head) {
    const Status added = add_dataset(std::move(dataset), *deleted, nullptr, out.view);
    if (!added) out.view.partial.push_back(added.error().message);
  }
  for (const Contents::SegmentPart& part : taken.segments) {
    auto reader = readers.open(*part.segment);
    const Status added =
        reader ? add_dataset((*reader)->dataset(part.dataset), *deleted, &deletions, out.view)
               : Status(tl::unexpected(reader.error()));
    if (added) continue;
    if (added.error().code == ErrorCode::not_found) {
      out.gone = true;
      out.replaced = !contents.is_live(part.segment->key);
      if (out.replaced) return out;
    }
    // A bucket that is away damages nothing.
    if (added.error().reason != kBucketAway) ++corrupt_objects;
    out.view.partial.push_back(added.error().message);
  }
  return out;
}

}  // namespace hearth::storage
