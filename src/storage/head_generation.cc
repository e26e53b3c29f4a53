#include "storage/head_generation.h"

#include <algorithm>

#include "base/hash.h"
#include "base/saturate.h"

namespace hearth::storage {

HeadGroup::HeadGroup(std::shared_ptr<Epoch> epoch, Family family) : epoch_(std::move(epoch)) {
  info_.tenant = epoch_->identity().tenant_name;
  info_.service = epoch_->identity().service_name;
  info_.family = std::move(family);
  reset();
}

void HeadGroup::reset() {
  info_.t_min_ns = INT64_MAX;
  info_.t_max_ns = INT64_MIN;
  info_.series = info_.profiles = info_.rows = 0;
  info_.totals.assign(info_.family.types.size(), 0);
  series_.clear();
  bytes_ = 0;
}

void HeadGroup::add(std::unique_ptr<const HeadRecord> record) {
  info_.t_min_ns = std::min(info_.t_min_ns, record->start_ns);
  info_.t_max_ns = std::max(info_.t_max_ns, record->start_ns);
  info_.rows += record->rows;
  for (size_t t = 0; t < info_.totals.size() && t < record->totals.size(); ++t) {
    info_.totals[t] = add_saturating(info_.totals[t], record->totals[t]);
  }
  series_.insert(hash64(record->series, process_hash_seed()));
  info_.series = series_.size();
  bytes_ += record->value.size();
  records_.push_back(std::move(record));
  info_.profiles = records_.size();
}

DatasetInfo HeadGroup::info() const {
  DatasetInfo info = info_;
  info.nodes = epoch_->nodes();
  info.keys = epoch_->keys();
  return info;
}

Status HeadGeneration::add(NewRecord added, int64_t boot_ns, bool verified) {
  const std::pair<uint64_t, std::string_view> key(added.epoch->identity().number,
                                                  added.record->family);
  auto it = groups_.find(key);
  if (it == groups_.end()) {
    HEARTH_ASSIGN_OR_RETURN(Family family, decode_family(added.record->family));
    auto group = std::make_shared<HeadGroup>(std::move(added.epoch), std::move(family));
    group->verified = verified;
    it = groups_.emplace(std::pair(key.first, std::string(key.second)), std::move(group)).first;
  }
  it->second->add(std::move(added.record));
  began_ns_ = std::min(began_ns_, boot_ns);
  return {};
}

uint64_t HeadGeneration::profiles() const {
  uint64_t n = 0;
  for (const auto& [key, group] : groups_) n += group->records().size();
  return n;
}

uint64_t HeadGeneration::bytes() const {
  uint64_t n = 0;
  for (const auto& [key, group] : groups_) n += group->bytes();
  return n;
}

}  // namespace hearth::storage
