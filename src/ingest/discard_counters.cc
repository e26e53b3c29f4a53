#include "ingest/discard_counters.h"

namespace hearth::ingest {

void DiscardCounters::add(std::string_view tenant, std::string_view reason, uint64_t profiles,
                          uint64_t bytes) {
  std::pair<std::string, std::string> key(tenant, reason.empty() ? "unknown" : reason);
  const std::lock_guard lock(mutex_);
  if (counts_.size() >= kPairsMax && !counts_.contains(key)) key.first = "other";
  Count& count = counts_[std::move(key)];
  count.profiles += profiles;
  count.bytes += bytes;
}

std::vector<Pipeline::Discarded> DiscardCounters::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<Pipeline::Discarded> out;
  for (const auto& [key, count] : counts_)
    out.push_back({key.first, key.second, count.profiles, count.bytes});
  return out;
}

}  // namespace hearth::ingest
