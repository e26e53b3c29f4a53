#include "storage/segment_view.h"

namespace hearth::storage {

OpenedView open_view(const Contents& contents, SegmentReaders& readers, const Tenant& tenant,
                     const Store::ViewQuery& query, std::atomic<uint64_t>& corrupt_objects) {
  OpenedView out;
  Contents::View taken = contents.view(tenant.id(), query);
  out.view.datasets = std::move(taken.head);
  for (const Contents::SegmentPart& part : taken.segments) {
    auto reader = readers.open(*part.segment);
    if (reader) {
      out.view.datasets.push_back((*reader)->dataset(part.dataset));
      continue;
    }
    if (reader.error().code == ErrorCode::not_found) {
      out.gone = true;
      out.replaced = !contents.is_live(part.segment->key);
      if (out.replaced) return out;
    }
    // A bucket that is away damages nothing.
    if (reader.error().reason != kBucketAway) ++corrupt_objects;
    out.view.partial.push_back(reader.error().message);
  }
  return out;
}

}  // namespace hearth::storage
