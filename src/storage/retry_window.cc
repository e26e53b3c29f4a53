#include "storage/retry_window.h"

#include <array>
#include <cstring>

#include "base/hash.h"
#include "storage/keys.h"

namespace hearth::storage {

size_t RetryWindow::Hash::operator()(const Id128& id) const {
  std::array<char, 16> raw{};
  std::memcpy(raw.data(), &id.hi, 8);
  std::memcpy(raw.data() + 8, &id.lo, 8);
  return hash64({raw.data(), raw.size()}, seed);
}

RetryWindow::RetryWindow(int64_t window_ns, int64_t boot_ns, uint64_t seed,
                         MemoryAccountant& memory)
    : slot_ns_(window_ns / static_cast<int64_t>(kSlots - 1)),
      seed_(seed),
      memory_(memory),
      slot_began_ns_(boot_ns) {
  slots_.emplace_back(0, Hash{seed_});
}

// Equal ids of two tenants are two ids. The mask is a secret of the process, so that no client can
// choose an id that meets another tenant's.
Id128 RetryWindow::entry(uint32_t tenant, Id128 id) const {
  std::array<char, 4> raw{};
  std::memcpy(raw.data(), &tenant, raw.size());
  const Id128 mask = hash128({raw.data(), raw.size()}, seed_);
  return {id.hi ^ mask.hi, id.lo ^ mask.lo};
}

bool RetryWindow::contains(uint32_t tenant, Id128 id) const {
  const Id128 wanted = entry(tenant, id);
  for (const Slot& slot : slots_) {
    if (slot.contains(wanted)) return true;
  }
  return false;
}

bool RetryWindow::insert(uint32_t tenant, Id128 id) {
  if (contains(tenant, id)) return false;
  if (slots_.back().size() >= kIdsPerSlotMax) next_slot();
  slots_.back().insert(entry(tenant, id));
  return true;
}

void RetryWindow::next_slot() {
  ++slot_;
  slots_.emplace_back(0, Hash{seed_});
  if (slots_.size() > kSlots) slots_.pop_front();
  charge();
}

void RetryWindow::tick(int64_t boot_ns) {
  if (boot_ns - slot_began_ns_ < slot_ns_) return;
  slot_began_ns_ = boot_ns;
  next_slot();
}

size_t RetryWindow::size() const {
  size_t n = 0;
  for (const Slot& slot : slots_) n += slot.size();
  return n;
}

void RetryWindow::charge() {
  size_t bytes = 0;
  for (const Slot& slot : slots_) bytes += slot.bucket_count() * (sizeof(Id128) + 2);
  charge_ = memory_.must_charge(bytes);
}

Status RetryWindow::load(const KvStore& store) {
  bool first = true;
  const Status scanned =
      store.scan(KvFamily::meta, kRetryPrefix, prefix_end(kRetryPrefix),
                 [&](std::string_view key, std::string_view) {
                   const auto decoded = RetryKey::decode(key);
                   if (!decoded) return true;
                   if (first) slot_ = decoded->slot;
                   first = false;
                   while (slot_ < decoded->slot && decoded->slot - slot_ < kSlots) next_slot();
                   if (slot_ < decoded->slot) {
                     slots_.clear();
                     slots_.emplace_back(0, Hash{seed_});
                     slot_ = decoded->slot;
                   }
                   slots_.back().insert(entry(decoded->tenant, decoded->id));
                   return true;
                 });
  HEARTH_RETURN_IF_ERROR(scanned);
  if (!first) next_slot();
  charge();
  return {};
}

}  // namespace hearth::storage
