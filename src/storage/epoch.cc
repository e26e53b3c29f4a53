#include "storage/epoch.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "storage/keys.h"

namespace hearth::storage {

Epoch::Epoch(Identity identity, uint64_t seed, int64_t boot_ns, MemoryAccountant& memory,
             std::shared_ptr<MemoryAccountant> dictionaries, const KvStore* recovered_from)
    : identity_(std::move(identity)),
      began_ns_(boot_ns),
      memory_(memory),
      dictionaries_(std::move(dictionaries)),
      dictionary_(identity_.symbols, seed),
      to_load_(recovered_from),
      ended_(recovered_from != nullptr) {
  if (ended_) dictionary_.end_mapping();
}

void Epoch::end() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  dictionary_.end_mapping();
  measure();
}

// The growth is a fact once the request was accepted, so it is charged without a limit.
void Epoch::measure() {
  nodes_ = dictionary_.nodes();
  keys_ = dictionary_.keys();
  const size_t bytes = dictionary_.memory_bytes() + order_bytes_;
  if (bytes == memory_bytes_) return;
  memory_bytes_ = bytes;
  charge_ = memory_.must_charge(bytes);
  dictionary_charge_ = dictionaries_->must_charge(bytes);
}

void Epoch::map(const ProfileBatch& batch, std::vector<uint32_t>& keys,
                symbols::MapScratch& scratch) {
  const std::lock_guard lock(mutex_);
  dictionary_.map(batch, keys, scratch);
  measure();
}

std::string Epoch::pending_delta() {
  const std::lock_guard lock(mutex_);
  return dictionary_.pending_delta();
}

void Epoch::delta_written() noexcept {
  const std::lock_guard lock(mutex_);
  dictionary_.delta_written();
}

Status Epoch::load() {
  uint64_t damaged = 0;
  const std::string begin = DeltaKey::begin(identity_.number);
  const Status scanned = to_load_->scan(KvFamily::head, begin, prefix_end(begin),
                                        [&](std::string_view, std::string_view delta) {
                                          if (!dictionary_.apply_delta(delta)) ++damaged;
                                          return true;
                                        });
  // Damage costs the rows that need what was lost; anything else may pass, so it is tried again.
  if (!scanned && scanned.error().code != ErrorCode::data_loss) return scanned;
  if (!scanned || damaged > 0 || dictionary_.lost() > 0) {
    log::warn("symbols were lost with a damaged log", {{"tenant", identity_.tenant_name},
                                                       {"service", identity_.service_name},
                                                       {"entries", dictionary_.lost()}});
  }
  to_load_ = nullptr;
  measure();
  return {};
}

Result<std::shared_ptr<const symbols::SymbolTables>> Epoch::tables() {
  const std::lock_guard lock(mutex_);
  if (to_load_ != nullptr) HEARTH_RETURN_IF_ERROR(load());
  return dictionary_.tables();
}

Result<Epoch::Ordered> Epoch::ordered_tables() {
  HEARTH_ASSIGN_OR_RETURN(auto now, tables());
  order_.extend(*now);
  const std::lock_guard lock(mutex_);
  order_bytes_ = order_.memory_bytes();
  measure();
  return Ordered{std::move(now), &order_};
}

bool Epoch::knows(const std::vector<uint32_t>& keys) const {
  const std::lock_guard lock(mutex_);
  return std::all_of(keys.begin(), keys.end(),
                     [&](uint32_t key) { return dictionary_.is_known(key); });
}

}  // namespace hearth::storage
