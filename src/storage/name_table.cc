#include "storage/name_table.h"

#include <algorithm>

#include "base/bytes.h"

namespace hearth::storage {
namespace {

constexpr size_t kWriteBytesMax = size_t{1} << 20;

// Two hash nodes, the name and the allocator's overhead.
size_t memory_of(std::string_view name) {
  return name.size() + 160;
}

}  // namespace

Status NameTable::load(const KvStore& store) {
  const std::lock_guard lock(mutex_);
  const std::string prefix = name_key(kind_, "");
  size_t bytes = 0;
  const Status scanned = store.scan(
      KvFamily::meta, prefix, prefix_end(prefix),
      [&](std::string_view key, std::string_view value) {
        if (value.size() != sizeof(uint32_t)) return true;
        const auto number = load_le<uint32_t>(value.data());
        const auto it = numbers_.try_emplace(std::string(key.substr(prefix.size())), number).first;
        names_[number] = &it->first;
        next_ = std::max(next_, number + 1);
        bytes += memory_of(it->first);
        return true;
      });
  charge_ = memory_.must_charge(bytes);
  return scanned;
}

Result<uint32_t> NameTable::number(std::string_view name) {
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (const auto it = numbers_.find(name); it != numbers_.end()) return it->second;
    }
    HEARTH_RETURN_IF_ERROR(add(std::span(&name, 1)));
  }
}

Status NameTable::add(std::span<const std::string_view> names) {
  while (!names.empty()) HEARTH_RETURN_IF_ERROR(add_some(names));
  return {};
}

// Takes names off the front until one write is full. A number that others see must be on its way
// to the disk, so running out of memory in between ends the process.
Status NameTable::add_some(std::span<const std::string_view>& names) noexcept {
  PendingWrite write;
  Status charged;
  {
    const std::lock_guard lock(mutex_);
    for (; !names.empty() && write.batch.bytes() < kWriteBytesMax; names = names.subspan(1)) {
      const std::string_view name = names.front();
      if (numbers_.contains(name)) continue;
      charged = charge_.resize(charge_.bytes() + memory_of(name));
      if (!charged) break;
      std::string value;
      put_le(value, next_);
      write.batch.put(KvFamily::meta, name_key(kind_, name), value);
      const auto it = numbers_.try_emplace(std::string(name), next_).first;
      names_[next_++] = &it->first;
    }
    if (write.batch.empty()) return charged;
    queue_.enqueue(write);
  }
  HEARTH_RETURN_IF_ERROR(queue_.wait(write));
  return charged;
}

void NameTable::reserve(uint32_t number) {
  const std::lock_guard lock(mutex_);
  if (number < UINT32_MAX) next_ = std::max(next_, number + 1);
}

const std::string* NameTable::name(uint32_t number) const {
  const std::lock_guard lock(mutex_);
  const auto it = names_.find(number);
  return it == names_.end() ? nullptr : it->second;
}

}  // namespace hearth::storage
