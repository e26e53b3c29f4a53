#include "storage/name_table.h"

#include <algorithm>

#include "base/bytes.h"

namespace hearth::storage {

Status NameTable::load(const KvStore& store) {
  const std::lock_guard lock(mutex_);
  const std::string prefix = name_key(kind_, "");
  return store.scan(
      KvFamily::meta, prefix, prefix_end(prefix),
      [&](std::string_view key, std::string_view value) {
        if (value.size() != sizeof(uint32_t)) return true;
        const auto number = load_le<uint32_t>(value.data());
        const auto it = numbers_.try_emplace(std::string(key.substr(prefix.size())), number).first;
        names_[number] = &it->first;
        next_ = std::max(next_, number + 1);
        return true;
      });
}

Result<uint32_t> NameTable::number(std::string_view name) {
  PendingWrite write;
  uint32_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    if (const auto it = numbers_.find(name); it != numbers_.end()) return it->second;
    number = next_++;
    std::string value;
    put_le(value, number);
    write.batch.put(KvFamily::meta, name_key(kind_, name), value);
    const auto it = numbers_.try_emplace(std::string(name), number).first;
    names_[number] = &it->first;
    queue_.enqueue(write);
  }
  HEARTH_RETURN_IF_ERROR(queue_.wait(write));
  return number;
}

const std::string* NameTable::name(uint32_t number) const {
  const std::lock_guard lock(mutex_);
  const auto it = names_.find(number);
  return it == names_.end() ? nullptr : it->second;
}

}  // namespace hearth::storage
