#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace hearth::storage {

/// Pages of remote objects on local disk under a byte budget, the oldest going first. Whatever is
/// in it may be gone at any time, and its folder may be deleted while nobody has it open.
/// Thread-safe.
class PageStore {
 public:
  virtual ~PageStore() = default;
  /// nullopt: not there (any more).
  [[nodiscard]] virtual std::optional<std::string> get(std::string_view key) const = 0;
  /// Replaces. What cannot be stored is not.
  virtual void put(std::string_view key, std::string_view value) = 0;
  /// About what it takes on disk.
  [[nodiscard]] virtual uint64_t bytes() const { return 0; }
};

/// A RocksDB of its own in directory `path` (docs/kv_layout.md), so that filling it delays no
/// acknowledgement. A damaged one is thrown away.
[[nodiscard]] Result<std::unique_ptr<PageStore>> open_rocks_page_store(const std::string& path,
                                                                       uint64_t bytes_max);

}  // namespace hearth::storage
