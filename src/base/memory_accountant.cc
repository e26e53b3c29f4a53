#include "base/memory_accountant.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace hearth {

MemoryCharge::~MemoryCharge() {
  if (accountant_ != nullptr) accountant_->give_back(bytes_);
}

Status MemoryCharge::resize(size_t bytes) {
  if (accountant_ == nullptr || bytes == bytes_) return {};
  if (bytes > bytes_ && !accountant_->try_add(bytes - bytes_)) {
    return fail(ErrorCode::unavailable, fmt::format("memory limit of {} bytes reached", accountant_->limit()));
  }
  if (bytes < bytes_) accountant_->give_back(bytes_ - bytes);
  bytes_ = bytes;
  return {};
}

bool MemoryAccountant::try_add(size_t bytes) {
  const size_t ceiling = limit_ / 100 * 85;
  size_t used = used_.load(std::memory_order_relaxed);
  do {
    if (bytes > ceiling || used > ceiling - bytes) return false;
  } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
  return true;
}

Result<MemoryCharge> MemoryAccountant::charge(size_t bytes, const char* what) {
  if (!try_add(bytes)) {
    return fail(ErrorCode::unavailable, fmt::format("{}: {} bytes do not fit: {} of {} bytes are in use", what, bytes,
                                                    used(), limit_));
  }
  return MemoryCharge(this, bytes);
}

MemoryCharge MemoryAccountant::must_charge(size_t bytes) {
  used_.fetch_add(bytes, std::memory_order_relaxed);
  return {this, bytes};
}

size_t machine_memory_bytes() {
  auto limit = static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
  for (const char* path : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    std::ifstream in(path);
    size_t value = 0;
    // "max" in memory.max does not parse as a number: no limit there.
    if (in >> value && value > 0) limit = std::min(limit, value);
  }
  return limit;
}

}  // namespace hearth
