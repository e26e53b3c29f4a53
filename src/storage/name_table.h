#pragma once

#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/memory_accountant.h"
#include "base/result.h"
#include "storage/commit_queue.h"
#include "storage/keys.h"
#include "storage/kv_store.h"

namespace hearth::storage {

/// Numbers for tenant or service names, so that a row's key carries 4 bytes instead of a name.
/// A number, once given, is never given to another name. Thread-safe.
class NameTable {
 public:
  NameTable(NameKind kind, CommitQueue& queue, MemoryAccountant& memory)
      : kind_(kind), queue_(queue), memory_(memory), charge_(memory.must_charge(0)) {}

  [[nodiscard]] Status load(const KvStore& store);
  /// The number of `name`, made durable first when it is new. As a new number takes its place in
  /// the commit queue before anybody else can see it, no row that uses it is durable before it.
  [[nodiscard]] Result<uint32_t> number(std::string_view name);
  /// Gives numbers to all of `names` that have none, by one durable write a mebibyte of names:
  /// number() then finds them. `unavailable` when there is no memory to remember them.
  [[nodiscard]] Status add(std::span<const std::string_view> names);
  /// Never gives `number` to a name that is new: a row or a retry id refers to it, also when the
  /// log lost the name that it was given to.
  void reserve(uint32_t number);
  /// The name of a number; nullptr when there is no such number. Names never move.
  [[nodiscard]] const std::string* name(uint32_t number) const;

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view s) const { return std::hash<std::string_view>()(s); }
  };
  [[nodiscard]] Status add_some(std::span<const std::string_view>& names) noexcept;

  const NameKind kind_;
  CommitQueue& queue_;
  MemoryAccountant& memory_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, uint32_t, Hash, std::equal_to<>> numbers_;
  std::unordered_map<uint32_t, const std::string*> names_;  ///< Into the keys of numbers_.
  uint32_t next_ = 1;
  MemoryCharge charge_;  ///< Of the names, which are kept for ever.
};

}  // namespace hearth::storage
