#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/file_system.h"
#include "base/result.h"

namespace rocksdb {
class Env;
}  // namespace rocksdb

namespace hearth::storage {

/// Which of the ordered maps a key belongs to; docs/kv_layout.md lists the keys of each.
enum class KvFamily : uint8_t { head, catalog, meta };
inline constexpr size_t kKvFamilies = 3;

/// Changes that become visible and durable together. One flat buffer: building one costs no
/// allocation per change, and joining two is a copy of bytes.
class KvBatch {
 public:
  enum class Op : uint8_t { put, remove, remove_range };

  void put(KvFamily family, std::string_view key, std::string_view value) {
    add(Op::put, family, key, value);
  }
  void remove(KvFamily family, std::string_view key) { add(Op::remove, family, key, {}); }
  /// Removes the keys in [begin, end).
  void remove_range(KvFamily family, std::string_view begin, std::string_view end) {
    add(Op::remove_range, family, begin, end);
  }
  [[nodiscard]] bool empty() const { return ops_.empty(); }
  [[nodiscard]] size_t bytes() const { return ops_.size(); }
  void clear() { ops_.clear(); }

  /// Calls visit(op, family, key, value) in the order of addition; `value` is the end of a range.
  template <class Visit>
  void for_each(Visit&& visit) const {
    const char* p = ops_.data();
    const char* const end = p + ops_.size();
    while (p != end) {
      const auto op = static_cast<Op>(p[0]);
      const auto family = static_cast<KvFamily>(p[1]);
      const std::string_view key(p + kHeader, load_le<uint32_t>(p + 2));
      const std::string_view value(key.data() + key.size(), load_le<uint32_t>(p + 6));
      visit(op, family, key, value);
      p = value.data() + value.size();
    }
  }

 private:
  static constexpr size_t kHeader = 10;
  void add(Op op, KvFamily family, std::string_view key, std::string_view value);

  std::string ops_;
};

/// What a damaged log cost.
struct LogDamage {
  uint64_t bytes = 0;    ///< Read, found damaged and dropped. At the end of the log they may never
                         ///< have been acknowledged.
  uint64_t changes = 0;  ///< Certainly lost: numbers that are missing between recovered writes.
  [[nodiscard]] bool any() const { return bytes > 0 || changes > 0; }
};

/// The smallest key greater than every key that starts with `prefix`; "" when there is none.
[[nodiscard]] std::string prefix_end(std::string_view prefix);

/// The embedded engine as this module sees it: ordered byte maps with atomic, durable batches.
/// Thread-safe.
class KvStore {
 public:
  virtual ~KvStore() = default;
  /// Applies all batches in order as one atomic write; with `sync` it is on stable storage when
  /// this returns success. After an error the outcome is unknown. `unavailable` with reason
  /// "no_space" when the disk is full; any other error means that the engine cannot go on.
  [[nodiscard]] virtual Status write(std::span<const KvBatch* const> batches, bool sync) = 0;
  [[nodiscard]] Status write(const KvBatch& batch, bool sync) {
    const KvBatch* const one = &batch;
    return write(std::span(&one, 1), sync);
  }
  /// nullopt: no such key.
  [[nodiscard]] virtual Result<std::optional<std::string>> get(KvFamily family,
                                                               std::string_view key) const = 0;
  /// Visits the keys in [begin, end) in order (end "": to the last) until `visit` returns false.
  using Visit = std::function<bool(std::string_view key, std::string_view value)>;
  [[nodiscard]] virtual Status scan(KvFamily family, std::string_view begin, std::string_view end,
                                    const Visit& visit) const = 0;
  /// Starts writing out what is only in the log, of all families, so that the log can go; not
  /// before it has grown by `log_bytes_min` since the last time. Does not wait.
  [[nodiscard]] virtual Status flush_all(uint64_t log_bytes_min) = 0;
  /// What recovery did not get back from the log when this store was opened.
  [[nodiscard]] virtual LogDamage log_damage() const = 0;
  [[nodiscard]] virtual Status close() = 0;
};

/// RocksDB in directory `path` (docs/kv_layout.md). `files` is used for the
/// directory itself and for keeping damaged log files aside as `path`-corrupt/*.log. `env`: through
/// what RocksDB itself reads and writes; nullptr: the machine's files. It outlives the store.
[[nodiscard]] Result<std::unique_ptr<KvStore>> open_rocks_kv_store(FileSystem& files,
                                                                   const std::string& path,
                                                                   rocksdb::Env* env = nullptr);
/// The same without changing a byte; writes answer `unavailable`.
[[nodiscard]] Result<std::unique_ptr<KvStore>> open_rocks_kv_store_read_only(
    const std::string& path);

}  // namespace hearth::storage
