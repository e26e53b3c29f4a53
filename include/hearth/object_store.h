#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hearth/result.h"

namespace hearth {

/// Bytes with whatever keeps them alive: a mapping, a cache entry, a buffer.
struct SharedBytes {
  std::shared_ptr<const void> owner;
  std::string_view view;
};

/// One object opened for ranged reads. Immutable. Thread-safe.
class ObjectReader {
 public:
  virtual ~ObjectReader() = default;
  [[nodiscard]] virtual uint64_t size() const = 0;
  /// Exactly `length` bytes from `offset`; a range outside the object is `data_loss`.
  [[nodiscard]] virtual Result<SharedBytes> read(uint64_t offset, uint64_t length) const = 0;
  /// These bytes will be read soon: where reading takes long, it begins. Returns at once.
  virtual void prefetch(uint64_t offset, uint64_t length) const {
    static_cast<void>(offset);
    static_cast<void>(length);
  }
  /// True once a read found that the object was removed.
  [[nodiscard]] virtual bool gone() const { return false; }
};

/// Reason of errors that reads give when the bucket cannot be asked now, as opposed to damage.
inline constexpr const char* kBucketAway = "bucket_away";

/// Reason of `not_found` errors that reads of an opened object give: somebody removed it meanwhile.
inline constexpr const char* kObjectGone = "object_gone";

/// The bucket: a local directory or any S3 service. Keys are relative paths of [A-Za-z0-9!-_.*'()/]
/// without empty, "." or ".." components. "Not found" and "already there" are values, not errors.
/// Calls block; thread-safe.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;
  enum class PutOutcome : unsigned char { created, exists };
  /// Create-if-absent: the commit primitive. Durable when it returns `created`. On `exists` the
  /// object is unchanged and the caller compares its nonce (a lost answer may have been our own).
  [[nodiscard]] virtual Result<PutOutcome> put_if_absent(const std::string& key,
                                                         std::string_view data) = 0;
  /// Creates or replaces; durable on success.
  [[nodiscard]] virtual Status put(const std::string& key, std::string_view data) = 0;
  /// nullptr when there is no such object.
  [[nodiscard]] virtual Result<std::unique_ptr<ObjectReader>> open(const std::string& key) = 0;
  /// The same for an object whose size is known, so that a remote store needs no request; what is wrong shows when it is read.
  [[nodiscard]] virtual Result<std::unique_ptr<ObjectReader>> open_sized(const std::string& key, uint64_t size) {
    static_cast<void>(size);
    return open(key);
  }
  struct Entry {
    std::string key;
    uint64_t size = 0;
    int64_t modified_ns = 0;  ///< By the store's clock.
  };
  /// Keys that start with `prefix` and sort after `start_after`, ascending, at most `limit`.
  [[nodiscard]] virtual Result<std::vector<Entry>> list(const std::string& prefix,
                                                        const std::string& start_after,
                                                        size_t limit) = 0;
  /// Success also when there is no such object.
  [[nodiscard]] virtual Status remove(const std::string& key) = 0;
  /// Removes what puts that never ended left behind at least `age_min_ns` ago, such as uploads in
  /// parts.
  [[nodiscard]] virtual Status remove_leftovers(int64_t age_min_ns) {
    static_cast<void>(age_min_ns);
    return {};
  }
  /// Running and later calls fail with `unavailable` within a moment, so that nobody waits for a
  /// store that does not answer.
  virtual void shut_down() {}
};

}  // namespace hearth
