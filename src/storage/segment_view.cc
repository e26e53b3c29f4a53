#include "storage/segment_view.h"

#include <algorithm>
#include <unordered_map>

#include "storage/masked_dataset.h"

namespace hearth::storage {
namespace {

using Parts = std::vector<Contents::SegmentPart>;
using OpenedByKey = std::unordered_map<std::string_view, SegmentReaders::Opened>;

// A segment holds several datasets of a service that has several families.
OpenedByKey open_each_once(SegmentReaders& readers, const Parts& parts) {
  OpenedByKey out;
  std::vector<const SegmentIdentity*> segments;
  for (const Contents::SegmentPart& part : parts) {
    if (out.try_emplace(part.segment->key).second) segments.push_back(part.segment.get());
  }
  auto opened = readers.open_all(segments);
  for (size_t i = 0; i < segments.size(); ++i) out[segments[i]->key] = std::move(opened[i]);
  return out;
}

// Adds what is left of the dataset. One of which it cannot be told is left out, and named.
Status add_dataset(std::shared_ptr<const Dataset> dataset, std::span<const Deletion> deletions,
                   DeletionLog* log, Store::View& view) {
  HEARTH_ASSIGN_OR_RETURN(auto left, without_deleted(std::move(dataset), deletions, log));
  if (left) view.datasets.push_back(std::move(left));
  return {};
}

void note_unreadable(std::string_view key, const Error& error, const Contents& contents,
                     OpenedView& out) {
  if (error.code == ErrorCode::not_found) {
    out.gone.emplace_back(key);
    out.replaced |= !contents.is_live(out.gone.back());
  }
  // A bucket that is away damages nothing.
  if (error.reason != kBucketAway) ++out.damaged;
  out.view.partial.push_back(error.message);
}

}  // namespace

OpenedView open_view(const Contents& contents, SegmentReaders& readers, DeletionLog& deletions,
                     const Tenant& tenant, const Store::ViewQuery& query) {
  OpenedView out;
  const auto deleted = deletions.current();
  Contents::View taken = contents.view(tenant.id(), query);
  for (auto& dataset : taken.head) {
    const Status added = add_dataset(std::move(dataset), *deleted, nullptr, out.view);
    if (!added) out.view.partial.push_back(added.error().message);
  }
  const OpenedByKey opened = open_each_once(readers, taken.segments);
  for (const auto& [key, reader] : opened) {
    if (!reader) note_unreadable(key, reader.error(), contents, out);
  }
  for (const Contents::SegmentPart& part : taken.segments) {
    if (out.replaced) return out;
    const auto& reader = opened.at(part.segment->key);
    if (!reader) continue;
    const Status added =
        add_dataset((*reader)->dataset(part.dataset), *deleted, &deletions, out.view);
    if (!added) note_unreadable(part.segment->key, added.error(), contents, out);
  }
  return out;
}

bool is_outdated(const OpenedView& opened, const Contents& contents) {
  return !std::ranges::all_of(opened.gone,
                              [&](const std::string& key) { return contents.is_live(key); });
}

}  // namespace hearth::storage
