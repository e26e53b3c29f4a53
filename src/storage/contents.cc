#include "storage/contents.h"

#include <algorithm>

#include "base/check.h"
#include "base/log.h"
#include "storage/head_dataset.h"

namespace hearth::storage {

Contents::Contents(uint64_t generation)
    : open_(std::make_shared<HeadGeneration>(generation, generation)) {}

void Contents::publish(std::vector<NewRecord> records, int64_t boot_ns) {
  const std::lock_guard lock(mutex_);
  for (NewRecord& record : records) {
    const Status added = open_->add(std::move(record), boot_ns, /*verified=*/true);
    HEARTH_CHECK(added, "a family that this process encoded does not decode");
  }
}

std::shared_ptr<HeadGeneration> Contents::recover_frozen(uint64_t first, uint64_t last) {
  const std::lock_guard lock(mutex_);
  return frozen_.emplace_back(std::make_shared<HeadGeneration>(first, last));
}

bool Contents::recover(uint64_t generation, NewRecord record, int64_t boot_ns) {
  const std::lock_guard lock(mutex_);
  HeadGeneration* home = open_.get();
  for (const auto& frozen : frozen_) {
    if (frozen->first <= generation && generation <= frozen->last) home = frozen.get();
  }
  if (home == open_.get()) home->first = std::min(home->first, generation);
  if (const Status added = home->add(std::move(record), boot_ns, /*verified=*/false); !added) {
    log::warn("recovered record left out", {{"error", added.error().message}});
    return false;
  }
  return true;
}

std::shared_ptr<HeadGeneration> Contents::freeze(uint64_t next) {
  const std::lock_guard lock(mutex_);
  if (open_->empty()) {
    open_->last = next;
    return nullptr;
  }
  frozen_.push_back(std::exchange(open_, std::make_shared<HeadGeneration>(next, next)));
  return frozen_.back();
}

void Contents::add_segment_locked(SegmentEntry entry) {
  ++segments_;
  segment_bytes_ += entry.segment.size;
  const auto segment = std::make_shared<const SegmentIdentity>(std::move(entry.segment));
  for (size_t i = 0; i < entry.parts.size(); ++i) {
    SegmentEntry::Part& part = entry.parts[i];
    parts_[{std::move(part.tenant), std::move(part.service)}].push_back(
        {segment, i, part.t_min_ns, part.t_max_ns});
  }
}

void Contents::add_segment(SegmentEntry entry) {
  const std::lock_guard lock(mutex_);
  add_segment_locked(std::move(entry));
}

void Contents::commit_seal(const HeadGeneration& frozen, SegmentEntry entry) {
  const std::lock_guard lock(mutex_);
  const auto is_frozen = [&](const auto& generation) { return generation.get() == &frozen; };
  HEARTH_CHECK(std::erase_if(frozen_, is_frozen) == 1, "a generation was sealed twice");
  if (entry.segment.datasets > 0) add_segment_locked(std::move(entry));
}

template <class Visit>
void Contents::for_each_group(const std::string& tenant, const std::optional<std::string>& service,
                              Visit&& visit) const {
  const auto visit_generation = [&](const HeadGeneration& generation) {
    for (const auto& [key, group] : generation.groups()) {
      const Epoch::Identity& of = group->epoch()->identity();
      if (of.tenant_name == tenant && (!service || of.service_name == *service)) visit(group);
    }
  };
  for (const auto& generation : frozen_) visit_generation(*generation);
  visit_generation(*open_);
}

Contents::View Contents::view(const std::string& tenant, const Store::ViewQuery& query) const {
  View view;
  const std::lock_guard lock(mutex_);
  for_each_group(tenant, query.service, [&](const std::shared_ptr<HeadGroup>& group) {
    if (!group->overlaps(query.t_min_ns, query.t_max_ns)) return;
    view.head.push_back(std::make_shared<HeadDataset>(group));
  });
  auto it = parts_.lower_bound({tenant, query.service.value_or("")});
  for (; it != parts_.end() && it->first.first == tenant; ++it) {
    if (query.service && it->first.second != *query.service) break;
    for (const SegmentPart& part : it->second) {
      if (part.t_min_ns <= query.t_max_ns && query.t_min_ns <= part.t_max_ns) {
        view.segments.push_back(part);
      }
    }
  }
  return view;
}

std::vector<std::shared_ptr<HeadGroup>> Contents::unverified(
    const std::string& tenant, const std::optional<std::string>& service) const {
  std::vector<std::shared_ptr<HeadGroup>> found;
  const std::lock_guard lock(mutex_);
  for_each_group(tenant, service, [&](const std::shared_ptr<HeadGroup>& group) {
    if (!group->verified) found.push_back(group);
  });
  return found;
}

Contents::Totals Contents::totals() const {
  const std::lock_guard lock(mutex_);
  Totals totals{open_->profiles(), open_->bytes(),    segments_,
                segment_bytes_,    open_->began_ns(), open_->bytes()};
  for (const auto& generation : frozen_) {
    totals.head_profiles += generation->profiles();
    totals.head_bytes += generation->bytes();
  }
  return totals;
}

}  // namespace hearth::storage
