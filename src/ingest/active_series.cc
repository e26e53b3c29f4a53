#include "ingest/active_series.h"

#include <algorithm>

namespace hearth::ingest {

void ActiveSeries::age(Generations& g) const {
  const int64_t now = clock_.boot_ns();
  const int64_t elapsed = now - g.recent_since_ns;
  if (elapsed < kGenerationNs) return;
  if (elapsed >= 2 * kGenerationNs) g.recent.clear();
  g.older = std::exchange(g.recent, {});
  g.recent_since_ns = now;
}

bool ActiveSeries::admit(const Tenant& tenant, std::span<const uint64_t> series, size_t max) {
  if (max == 0) return true;
  const std::lock_guard lock(mutex_);
  const auto [it, added] = tenants_.try_emplace(tenant.id());
  Generations& g = it->second;
  if (added) g.recent_since_ns = clock_.boot_ns();
  age(g);
  const auto is_new = [&g](uint64_t s) { return !g.recent.contains(s) && !g.older.contains(s); };
  const auto fresh = static_cast<size_t>(std::count_if(series.begin(), series.end(), is_new));
  if (g.recent.size() + g.older.size() + fresh > max) {
    if (fresh > 0) return false;
  }
  for (const uint64_t s : series) {
    g.older.erase(s);
    g.recent.insert(s);
  }
  return true;
}

size_t ActiveSeries::count(const Tenant& tenant) const {
  const std::lock_guard lock(mutex_);
  const auto found = tenants_.find(tenant.id());
  return found == tenants_.end() ? 0 : found->second.recent.size() + found->second.older.size();
}

}  // namespace hearth::ingest
