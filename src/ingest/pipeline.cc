#include "ingest/pipeline.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "ingest/active_series.h"
#include "ingest/discard_counters.h"
#include "ingest/go_shapes.h"
#include "ingest/label_split.h"
#include "ingest/normalise.h"
#include "ingest/profile_identity.h"
#include "ingest/series_labels.h"
#include "ingest/side_labels.h"
#include "ingest/validation.h"

namespace hearth::ingest {
namespace {

// Puts a group's labels behind the series' own, which win.
std::vector<Label> with_group_labels(const std::vector<Label>& series,
                                     const std::vector<Label>& group) {
  std::vector<Label> labels = series;
  for (const Label& l : group) {
    const auto same_name = [&](const Label& own) { return own.name == l.name; };
    const auto own = std::find_if(labels.begin(), labels.end(), same_name);
    if (own == labels.end()) {
      labels.push_back(l);
    } else if (own->value.empty()) {
      own->value = l.value;
    }
  }
  return labels;
}

// Two label groups can end as one series: equal texts under different string indices, or labels
// that the series overrides.
std::vector<Prepared::Group> merge_equal_series(std::vector<Prepared::Group> groups) {
  if (groups.size() < 2) return groups;
  std::stable_sort(groups.begin(), groups.end(),
                   [](const auto& a, const auto& b) { return a.series < b.series; });
  std::vector<Prepared::Group> out;
  for (Prepared::Group& group : groups) {
    if (out.empty() || out.back().series != group.series) {
      out.push_back(std::move(group));
    } else {
      out.back().samples.insert(out.back().samples.end(), group.samples.begin(),
                                group.samples.end());
    }
  }
  for (Prepared::Group& group : out) std::sort(group.samples.begin(), group.samples.end());
  return out;
}

void add(ProfileBatch::Repairs& sum, const ProfileBatch::Repairs& r) {
  sum.samples_negative += r.samples_negative;
  sum.samples_zero += r.samples_zero;
  sum.stacks_truncated += r.stacks_truncated;
  sum.strings_truncated += r.strings_truncated;
  sum.numeric_labels_dropped += r.numeric_labels_dropped;
  sum.frames_dropped += r.frames_dropped;
  sum.sample_ids_dropped += r.sample_ids_dropped;
  sum.side_data_dropped += r.side_data_dropped;
}

tl::unexpected<Error> too_many_series(const Tenant& tenant, size_t max) {
  return fail(ErrorCode::resource_exhausted,
              fmt::format("maximum active series limit exceeded for tenant '{}'; limit {}: send "
                          "fewer distinct label values",
                          tenant.id(), max),
              "series_limit");
}

Result<std::vector<storage::AppendProfile>> appends_of(std::span<const Prepared> profiles) {
  std::vector<storage::AppendProfile> appends;
  size_t frames = 0;
  for (const Prepared& profile : profiles) {
    frames += profile.batch->samples.frames.size();
    for (const Prepared::Group& group : profile.groups)
      appends.push_back({&group.series, profile.batch, group.samples, group.id});
  }
  if (frames <= kFramesMax) return appends;
  return fail(
      ErrorCode::too_large,
      fmt::format("request: {} frames in all stacks; at most {} at once", frames, kFramesMax),
      "body_size_limit_exceeded");
}

}  // namespace

struct Pipeline::Impl {
  Impl(storage::Store& s, const Clock& c, Limits l) : store(s), clock(c), defaults(l), active(c) {}

  Result<Prepared> prepare(const Tenant& tenant, const Incoming& incoming);
  Result<std::vector<Prepared::Group>> split(const Tenant& tenant, const Incoming& incoming,
                                             const std::optional<Id128>& id);

  storage::Store& store;
  const Clock& clock;
  const Limits defaults;
  ActiveSeries active;
  DiscardCounters discards;
  mutable std::mutex repairs_mutex;
  ProfileBatch::Repairs repairs;  // Under repairs_mutex.
};

Result<Prepared> Pipeline::Impl::prepare(const Tenant& tenant, const Incoming& incoming) {
  ProfileBatch& batch = *incoming.batch;
  const int64_t now = clock.wall_ns();
  HEARTH_RETURN_IF_ERROR(check_profile(batch, incoming.raw.size(), incoming.labels, defaults, now));
  const std::optional<Id128> id = profile_identity(tenant, incoming);
  if (batch.time_ns <= 0) batch.time_ns = now;
  batch.duration_ns = std::max<int64_t>(batch.duration_ns, 0);
  drop_unusable_samples(batch);
  drop_empty_frames(batch);
  clear_addresses(batch);
  strip_go_shapes(batch, incoming.labels);
  HEARTH_ASSIGN_OR_RETURN(std::vector<Prepared::Group> groups, split(tenant, incoming, id));
  return Prepared{&batch, std::move(groups)};
}

Result<std::vector<Prepared::Group>> Pipeline::Impl::split(const Tenant& tenant,
                                                           const Incoming& incoming,
                                                           const std::optional<Id128>& id) {
  HEARTH_ASSIGN_OR_RETURN(
      std::vector<LabelGroup> by_labels,
      split_by_labels(*incoming.batch, {defaults.active_series_max, defaults.label_name_max_bytes,
                                        defaults.label_value_max_bytes}));
  limit_side_data(*incoming.batch, defaults.side_data_max);
  if (defaults.active_series_max != 0 && by_labels.size() > defaults.active_series_max) {
    return too_many_series(tenant, defaults.active_series_max);
  }
  std::vector<Prepared::Group> groups;
  for (LabelGroup& group : by_labels) {
    HEARTH_ASSIGN_OR_RETURN(
        LabelSet series, series_labels(with_group_labels(incoming.labels, group.labels), defaults));
    groups.push_back({std::move(series), std::move(group.samples), std::nullopt});
  }
  // A profile without samples stores nothing, but its labels must be right as well.
  if (by_labels.empty())
    HEARTH_RETURN_IF_ERROR(series_labels(incoming.labels, defaults).map([](const LabelSet&) {}));
  groups = merge_equal_series(std::move(groups));
  std::vector<uint64_t> hashes;
  for (Prepared::Group& group : groups) {
    hashes.push_back(hash64(group.series.encode(), process_hash_seed()));
    if (id) group.id = group_identity(*id, group.series);
  }
  if (!active.admit(tenant, hashes, defaults.active_series_max))
    return too_many_series(tenant, defaults.active_series_max);
  return groups;
}

Pipeline::Pipeline(storage::Store& store, const Clock& clock, Limits defaults)
    : impl_(std::make_unique<Impl>(store, clock, defaults)) {}
Pipeline::~Pipeline() = default;

Limits Pipeline::limits(const Tenant&) const {
  return impl_->defaults;
}

Result<Prepared> Pipeline::prepare(const Tenant& tenant, const Incoming& incoming) {
  Result<Prepared> prepared = impl_->prepare(tenant, incoming);
  if (!prepared) {
    impl_->discards.add(tenant.id(), prepared.error().reason, 1, incoming.raw.size());
    return prepared;
  }
  const std::lock_guard lock(impl_->repairs_mutex);
  add(impl_->repairs, incoming.batch->repairs);
  return prepared;
}

Result<storage::AppendOutcome> Pipeline::commit(const Tenant& tenant,
                                                std::span<const Prepared> profiles) {
  HEARTH_ASSIGN_OR_RETURN(const auto appends, appends_of(profiles));
  if (appends.empty()) return storage::AppendOutcome{};
  return impl_->store.append(tenant, appends);
}

Status Pipeline::commit_later(const Tenant& tenant, std::span<const Prepared> profiles,
                              const std::function<void()>& encoded,
                              storage::Store::AppendDone done) {
  HEARTH_ASSIGN_OR_RETURN(const auto appends, appends_of(profiles));
  return impl_->store.append_later(tenant, appends, encoded, std::move(done));
}

void Pipeline::count_discarded(const Tenant& tenant, std::string_view reason, uint64_t profiles,
                               uint64_t bytes) {
  impl_->discards.add(tenant.id(), reason, profiles, bytes);
}

std::vector<Pipeline::Discarded> Pipeline::discarded() const {
  return impl_->discards.list();
}

ProfileBatch::Repairs Pipeline::repairs() const {
  const std::lock_guard lock(impl_->repairs_mutex);
  return impl_->repairs;
}

}  // namespace hearth::ingest
