#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "storage/commit_queue.h"
#include "storage/keys.h"
#include "storage/kv_store.h"

namespace hearth::storage {

/// Numbers for tenant or service names, so that a row's key carries 4 bytes instead of a name.
/// A number, once given, is never given to another name. Thread-safe.
class NameTable {
 public:
  NameTable(NameKind kind, CommitQueue& queue) : kind_(kind), queue_(queue) {}

  [[nodiscard]] Status load(const KvStore& store);
  /// The number of `name`, made durable first when it is new. As a new number takes its place in
  /// the commit queue before anybody else can see it, no row that uses it is durable before it.
  [[nodiscard]] Result<uint32_t> number(std::string_view name);
  /// The name of a number; nullptr when there is no such number. Names never move.
  [[nodiscard]] const std::string* name(uint32_t number) const;

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view s) const { return std::hash<std::string_view>()(s); }
  };
  const NameKind kind_;
  CommitQueue& queue_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, uint32_t, Hash, std::equal_to<>> numbers_;
  std::unordered_map<uint32_t, const std::string*> names_;  ///< Into the keys of numbers_.
  uint32_t next_ = 1;
};

}  // namespace hearth::storage
