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

// No room to tell what is deleted: of a query, not of a segment.
bool is_refusal(const Error& error) {
  return error.code == ErrorCode::unavailable && error.reason != kBucketAway;
}

}  // namespace

Result<OpenedView> open_view(const Contents& contents, SegmentReaders& readers,
                             DeletionLog& deletions, MemoryAccountant& memory, const Tenant& tenant,
                             const Store::ViewQuery& query) {
  OpenedView out;
  const auto deleted = deletions.current();
  Contents::View taken = contents.view(tenant.id(), query);
  for (auto& dataset : taken.head) {
    auto left = without_deleted(std::move(dataset), *deleted, nullptr, memory);
    if (!left && is_refusal(left.error())) return tl::unexpected(std::move(left).error());
    if (!left) out.view.partial.push_back(left.error().message);
    if (left && *left) out.view.datasets.push_back(std::move(*left));
  }
  const OpenedByKey opened = open_each_once(readers, taken.segments);
  for (const auto& [key, reader] : opened) {
    if (!reader) note_unreadable(key, reader.error(), contents, out);
  }
  if (out.replaced) return out;
  std::erase_if(taken.segments, [&](const auto& part) { return !opened.at(part.segment->key); });
  std::vector<std::shared_ptr<const Dataset>> datasets;
  for (const Contents::SegmentPart& part : taken.segments) {
    datasets.push_back((*opened.at(part.segment->key))->dataset(part.dataset));
    prefetch_for_deletions(*datasets.back(), *deleted, deletions);
  }
  for (size_t i = 0; i < datasets.size() && !out.replaced; ++i) {
    auto left = without_deleted(std::move(datasets[i]), *deleted, &deletions, memory);
    if (!left && is_refusal(left.error())) return tl::unexpected(std::move(left).error());
    if (!left) note_unreadable(taken.segments[i].segment->key, left.error(), contents, out);
    if (left && *left) out.view.datasets.push_back(std::move(*left));
  }
  return out;
}

bool is_outdated(const OpenedView& opened, const Contents& contents) {
  return !std::ranges::all_of(opened.gone,
                              [&](const std::string& key) { return contents.is_live(key); });
}

}  // namespace hearth::storage
