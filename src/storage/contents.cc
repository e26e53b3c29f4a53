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

Contents::Totals::Level& Contents::level_of(const SegmentIdentity& segment) {
  return levels_[std::min<size_t>(segment.level, levels_.size() - 1)];
}

void Contents::add_segment_locked(SegmentEntry entry) {
  remove_segment_locked(entry.segment.key);
  LiveSegment live{std::make_shared<const SegmentIdentity>(std::move(entry.segment)), {}};
  for (size_t i = 0; i < entry.parts.size(); ++i) {
    SegmentEntry::Part& part = entry.parts[i];
    const auto [service, added] =
        parts_.try_emplace({std::move(part.tenant), std::move(part.service)});
    service->second.push_back({live.identity, i, part.t_min_ns, part.t_max_ns, part.profiles});
    // Parts of one service follow each other.
    if (live.services.empty() || live.services.back() != service) live.services.push_back(service);
  }
  Totals::Level& level = level_of(*live.identity);
  ++level.segments;
  level.bytes += live.identity->size;
  const std::string& key = live.identity->key;
  segments_.emplace(key, std::move(live));
}

void Contents::remove_segment_locked(const std::string& key) {
  const auto it = segments_.find(key);
  if (it == segments_.end()) return;
  const LiveSegment& live = it->second;
  for (const auto& service : live.services) {
    std::erase_if(service->second,
                  [&](const SegmentPart& part) { return part.segment == live.identity; });
    if (service->second.empty()) parts_.erase(service);
  }
  Totals::Level& level = level_of(*live.identity);
  --level.segments;
  level.bytes -= live.identity->size;
  segments_.erase(it);
}

void Contents::replace(std::span<const std::string> removed, std::vector<SegmentEntry> added) {
  const std::lock_guard lock(mutex_);
  replace_locked(removed, std::move(added));
}

void Contents::replace_locked(std::span<const std::string> removed,
                              std::vector<SegmentEntry> added) {
  for (const std::string& key : removed) remove_segment_locked(key);
  for (SegmentEntry& entry : added) add_segment_locked(std::move(entry));
}

std::vector<Contents::Forgotten> Contents::catch_up(std::span<const std::string> removed,
                                                    std::vector<SegmentEntry> added,
                                                    std::span<const HeadGeneration* const> ended,
                                                    const IsSealed& sealed) {
  std::vector<Forgotten> out;
  const std::lock_guard lock(mutex_);
  replace_locked(removed, std::move(added));
  for (const HeadGeneration* generation : ended) drop_frozen_locked(*generation);
  const auto forget = [&](const HeadGeneration& generation) {
    for (const auto& [key, group] : generation.groups()) {
      const uint64_t bytes = group->bytes();
      const Epoch& epoch = *group->epoch();
      const size_t profiles =
          group->remove_if([&](const HeadRecord& record) { return sealed(epoch, record); });
      if (profiles > 0) out.push_back({group->epoch(), profiles, bytes - group->bytes()});
    }
  };
  for (const auto& generation : frozen_) {
    if (!sealing_.contains(generation.get())) forget(*generation);
  }
  forget(*open_);
  return out;
}

bool Contents::is_live(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  return segments_.contains(key);
}

std::vector<SegmentIdentity> Contents::identities() const {
  std::vector<SegmentIdentity> out;
  const std::lock_guard lock(mutex_);
  for (const auto& [key, live] : segments_) out.push_back(*live.identity);
  return out;
}

std::vector<SegmentEntry> Contents::segments(
    const std::function<bool(const SegmentIdentity&)>& wanted) const {
  std::vector<SegmentEntry> out;
  std::map<const SegmentIdentity*, size_t> index;
  const std::lock_guard lock(mutex_);
  for (const auto& [key, live] : segments_) {
    if (!wanted(*live.identity)) continue;
    index.emplace(live.identity.get(), out.size());
    out.push_back({*live.identity, std::vector<SegmentEntry::Part>(live.identity->datasets)});
  }
  for (const auto& [service, parts] : parts_) {
    for (const SegmentPart& part : parts) {
      const auto it = index.find(part.segment.get());
      if (it == index.end()) continue;
      out[it->second].parts[part.dataset] = {service.first, service.second, part.t_min_ns,
                                             part.t_max_ns, part.profiles};
    }
  }
  return out;
}

void Contents::add_segment(SegmentEntry entry) {
  const std::lock_guard lock(mutex_);
  add_segment_locked(std::move(entry));
}

void Contents::begin_seal(const HeadGeneration& frozen, std::string object_key) {
  const std::lock_guard lock(mutex_);
  sealing_.insert_or_assign(&frozen, std::move(object_key));
}

std::vector<std::string> Contents::sealing() const {
  std::vector<std::string> keys;
  const std::lock_guard lock(mutex_);
  for (const auto& [generation, key] : sealing_) keys.push_back(key);
  return keys;
}

void Contents::commit_seal(const HeadGeneration& frozen, SegmentEntry entry) {
  const std::lock_guard lock(mutex_);
  drop_frozen_locked(frozen);
  if (entry.segment.datasets > 0) add_segment_locked(std::move(entry));
}

void Contents::drop_frozen_locked(const HeadGeneration& frozen) {
  const auto is_frozen = [&](const auto& generation) { return generation.get() == &frozen; };
  HEARTH_CHECK(std::erase_if(frozen_, is_frozen) == 1, "a generation was sealed twice");
  sealing_.erase(&frozen);
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
  Totals totals;
  totals.head_profiles = open_->profiles();
  totals.head_bytes = open_->bytes();
  totals.open_began_ns = open_->began_ns();
  totals.open_bytes = open_->bytes();
  totals.segments = segments_.size();
  totals.levels = levels_;
  totals.frozen = frozen_.size();
  for (const Totals::Level& level : levels_) totals.segment_bytes += level.bytes;
  for (const auto& generation : frozen_) {
    totals.head_profiles += generation->profiles();
    totals.head_bytes += generation->bytes();
  }
  return totals;
}

}  // namespace hearth::storage
