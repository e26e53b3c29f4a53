#include "objstore/bucket.h"

#include "base/log.h"
#include "objstore/local_store.h"

namespace hearth::objstore {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kProbeAgainAfter = 30 * kSecond;
constexpr int64_t kCleanEvery = 24 * 3600 * kSecond;
constexpr int64_t kLeftoverAge = 24 * 3600 * kSecond;
constexpr int64_t kProbeTimeout = 2 * kSecond;

}  // namespace

Result<std::unique_ptr<Bucket>> Bucket::open(FileSystem& files, const Clock& clock, Random& random,
                                             const BucketOptions& options) {
  auto bucket = std::unique_ptr<Bucket>(new Bucket(options.location, clock, random));
  bucket->read_only_ = options.read_only;
  if (!is_s3_location(options.location) && options.read_only) {
    bucket->store_ = view_local_store(files, options.location);
    return bucket;
  }
  if (!is_s3_location(options.location)) {
    HEARTH_ASSIGN_OR_RETURN(bucket->store_, open_local_store(files, options.location));
    return bucket;
  }
  S3Options s3 = options.s3;
  HEARTH_RETURN_IF_ERROR(parse_s3_location(options.location, s3));
  const Variables variables = process_variables();
  HEARTH_ASSIGN_OR_RETURN(bucket->s3_, open_s3_store(s3, variables, clock, random));
  s3.timeout_ns = std::min(s3.timeout_ns, kProbeTimeout);
  s3.patience = 1;
  HEARTH_ASSIGN_OR_RETURN(bucket->probe_, open_s3_store(s3, variables, clock, random));
  bucket->store_ = bucket->s3_;
  return bucket;
}

Status Bucket::probe() {
  if (!remote() || read_only_) return {};
  {
    const std::lock_guard lock(mutex_);
    next_probe_ns_ = clock_.boot_ns() + kProbeAgainAfter;
  }
  const auto found = probe_store(*probe_, random_);
  if (!found) {
    // A start asks the bucket a few things; it need not find out each time.
    if (found.error().code == ErrorCode::unavailable) s3_->note_away();
    return tl::unexpected(found.error());
  }
  {
    const std::lock_guard lock(mutex_);
    guarantees_ = *found;
  }
  HEARTH_RETURN_IF_ERROR(check_guarantees(*found));
  if (!found->create_if_absent) {
    log::warn("the bucket ignores conditions: only one process may compact it",
              {{"bucket", location_}});
  }
  return {};
}

std::optional<Guarantees> Bucket::guarantees() const {
  const std::lock_guard lock(mutex_);
  return guarantees_;
}

void Bucket::step() {
  if (!remote() || read_only_) return;
  const int64_t now = clock_.boot_ns();
  bool probe_due = false;
  bool clean_due = false;
  {
    const std::lock_guard lock(mutex_);
    probe_due = !guarantees_ && now >= next_probe_ns_;
    clean_due = guarantees_ && now >= next_cleaning_ns_;
    if (clean_due) next_cleaning_ns_ = now + kCleanEvery;
  }
  if (probe_due) {
    if (const Status probed = probe(); !probed) {
      log::warn("the bucket cannot be probed",
                {{"bucket", location_}, {"error", probed.error().message}});
    }
  }
  if (!clean_due) return;
  if (const Status cleaned = store_->remove_leftovers(kLeftoverAge); !cleaned) {
    log::warn("remove old uploads", {{"error", cleaned.error().message}});
  }
}

void Bucket::shut_down() {
  store_->shut_down();
  if (probe_) probe_->shut_down();
}

}  // namespace hearth::objstore
