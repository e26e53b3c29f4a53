#include "storage/bucket_store.h"

#include <fmt/format.h>

#include "base/log.h"
#include "storage/compaction_options.h"
#include "storage/segment_view.h"

namespace hearth::storage {
namespace {

constexpr size_t kSegmentReadersKept = 1024;
constexpr int kViewAttempts = 3;
/// Deletions wait longer than that, so an older view may miss objects.
constexpr int64_t kStaleAfterNs = 300'000'000'000;

tl::unexpected<Error> not_here(const char* what) {
  return fail(ErrorCode::unimplemented,
              fmt::format("{}: this process keeps nothing of its own; ask one that writes", what));
}

/// Others write to the bucket whatever the options say: this process does not.
Compaction::Options bucket_compaction(const Store::Options& options, Contents& contents,
                                      SegmentReaders& readers, DeletionLog& deletions) {
  Compaction::Options out = compaction_options(options, contents, readers, deletions);
  out.shared = true;
  return out;
}

}  // namespace

BucketStore::BucketStore(Options options)
    : options_(std::move(options)),
      contents_(1),
      readers_(*options_.bucket, kSegmentReadersKept, options_.remote),
      deletions_({options_.bucket.get(), options_.random, options_.clock,
                  [](const KvBatch&) { return Status(); }}),
      compaction_(bucket_compaction(options_, contents_, readers_, deletions_)) {}

Result<std::unique_ptr<Store>> BucketStore::open(Options options) {
  std::unique_ptr<BucketStore> store(new BucketStore(std::move(options)));
  const Status looked = store->compaction_.look();
  if (!looked) {
    log::warn("the bucket cannot be read; it is tried again", {{"error", looked.error().message}});
  }
  return store;
}

Result<AppendOutcome> BucketStore::append(const Tenant&, std::span<const AppendProfile>) {
  return not_here("append");
}

// How long ago the bucket was last read, when that is too long.
std::optional<std::string> BucketStore::stale_reason() const {
  const int64_t age_ns = options_.clock->boot_ns() - compaction_.looked_at_ns();
  if (age_ns < std::max(kStaleAfterNs, 3 * options_.poll_interval_ns)) return std::nullopt;
  return fmt::format("the list of segments is {} s old: the bucket does not answer",
                     age_ns / 1'000'000'000);
}

Result<Store::View> BucketStore::view(const Tenant& tenant, const ViewQuery& query) {
  if (auto reason = not_ready_reason()) return fail(ErrorCode::unavailable, "view: " + *reason);
  const auto open = [&] {
    return open_view(contents_, readers_, deletions_, *options_.memory, tenant, query);
  };
  HEARTH_ASSIGN_OR_RETURN(OpenedView opened, open());
  for (int again = 0; !opened.gone.empty() && again < kViewAttempts; ++again) {
    // Another process merged it and deleted it since the last look.
    (void)compaction_.look();
    if (!is_outdated(opened, contents_)) break;
    HEARTH_ASSIGN_OR_RETURN(opened, open());
  }
  corrupt_objects_ += opened.damaged;
  if (opened.replaced) return fail(ErrorCode::unavailable, "view: segments are replaced too fast");
  if (auto stale = stale_reason()) opened.view.partial.push_back(std::move(*stale));
  if (const uint64_t damaged = compaction_.unreadable(); damaged > 0) {
    opened.view.partial.push_back(
        fmt::format("{} segments of the bucket are damaged or lost", damaged));
  }
  return std::move(opened.view);
}

Result<CompactOutcome> BucketStore::compact(bool force, const CancelToken& cancel) {
  return compaction_.run(force, cancel);
}

Status BucketStore::compact_step(const CancelToken& cancel) {
  return compaction_.step(true, cancel);
}

StoreStats BucketStore::stats() const {
  const Contents::Totals totals = contents_.totals();
  StoreStats stats;
  stats.segments = totals.segments;
  stats.segment_bytes = totals.segment_bytes;
  stats.corrupt_objects_total = corrupt_objects_ + compaction_.unreadable() + deletions_.damaged();
  stats.compaction = compaction_.stats();
  return stats;
}

Result<std::optional<std::string>> BucketStore::meta_get(std::string_view, const Tenant&,
                                                         std::string_view) {
  return std::nullopt;
}

Status BucketStore::meta_put(std::string_view, const Tenant&, std::string_view, std::string_view) {
  return not_here("store a setting");
}

std::optional<std::string> BucketStore::not_ready_reason() const {
  if (compaction_.looked_at_ns() != INT64_MIN) return std::nullopt;
  return "the bucket was not read yet";
}

}  // namespace hearth::storage
