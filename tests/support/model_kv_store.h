#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "storage/kv_store.h"

namespace hearth::test {

/// What a ModelKvStore leaves behind when it is closed or crashes; the next one opens it.
struct ModelKvDisk {
  using Maps = std::array<std::map<std::string, std::string, std::less<>>, storage::kKvFamilies>;
  Maps durable;
  storage::LogDamage damage;  ///< What the next store tells of its log.
};

/// Ordered maps in memory. Writes without sync are lost by a crash (a destructor without close());
/// the n-th write can be made to fail, with or without taking effect.
class ModelKvStore final : public storage::KvStore {
 public:
  using KvFamily = storage::KvFamily;
  using KvBatch = storage::KvBatch;

  /// With `lose_unsynced` close() keeps no more than a crash does.
  explicit ModelKvStore(std::shared_ptr<ModelKvDisk> disk, bool lose_unsynced = false)
      : disk_(std::move(disk)), maps_(disk_->durable), lose_unsynced_(lose_unsynced) {}

  /// Fails write `n` from now (1 = the next; 0 = none) and every later one. The failed write itself
  /// `survives` or not: the caller of a failed write cannot know.
  void fail_write(uint64_t n, bool survives = false) {
    const std::lock_guard lock(mutex_);
    writes_ = 0;
    fail_at_ = n;
    survives_ = survives;
  }
  /// Called at the begin of every write.
  void on_write(std::function<void()> hook) { on_write_ = std::move(hook); }
  [[nodiscard]] uint64_t writes() const {
    const std::lock_guard lock(mutex_);
    return writes_;
  }
  [[nodiscard]] bool fired() const {
    const std::lock_guard lock(mutex_);
    return fail_at_ != 0 && writes_ >= fail_at_;
  }

  using KvStore::write;
  Status write(std::span<const KvBatch* const> batches, bool sync) override {
    if (on_write_) on_write_();
    const std::lock_guard lock(mutex_);
    ++writes_;
    const bool failed = fail_at_ != 0 && writes_ >= fail_at_;
    if (!failed || (survives_ && writes_ == fail_at_)) {
      for (const KvBatch* batch : batches) apply(*batch);
      if (sync) disk_->durable = maps_;
    }
    if (failed) return fail(ErrorCode::internal, "write: injected fault");
    return {};
  }
  Result<std::optional<std::string>> get(KvFamily family, std::string_view key) const override {
    const std::lock_guard lock(mutex_);
    const auto& map = maps_[static_cast<size_t>(family)];
    const auto it = map.find(key);
    if (it == map.end()) return std::nullopt;
    return it->second;
  }
  Status scan(KvFamily family, std::string_view begin, std::string_view end,
              const Visit& visit) const override {
    std::vector<std::pair<std::string, std::string>> found;
    {
      const std::lock_guard lock(mutex_);
      const auto& map = maps_[static_cast<size_t>(family)];
      auto it = map.lower_bound(begin);
      for (; it != map.end() && (end.empty() || it->first < end); ++it) found.push_back(*it);
    }
    for (const auto& [key, value] : found) {
      if (!visit(key, value)) break;
    }
    return {};
  }
  Status flush_all(uint64_t /*log_bytes_min*/) override { return {}; }
  storage::LogDamage log_damage() const override { return disk_->damage; }
  Status close() override {
    const std::lock_guard lock(mutex_);
    if (!lose_unsynced_) disk_->durable = maps_;
    return {};
  }

 private:
  void apply(const KvBatch& batch) {
    batch.for_each(
        [&](KvBatch::Op op, KvFamily family, std::string_view key, std::string_view value) {
          auto& map = maps_[static_cast<size_t>(family)];
          if (op == KvBatch::Op::put) map.insert_or_assign(std::string(key), std::string(value));
          if (op == KvBatch::Op::remove) map.erase(std::string(key));
          if (op == KvBatch::Op::remove_range && key < value) {
            map.erase(map.lower_bound(key), map.lower_bound(value));
          }
        });
  }

  std::shared_ptr<ModelKvDisk> disk_;
  std::function<void()> on_write_;
  mutable std::mutex mutex_;
  ModelKvDisk::Maps maps_;
  uint64_t writes_ = 0;
  uint64_t fail_at_ = 0;
  bool survives_ = false;
  const bool lose_unsynced_;
};

}  // namespace hearth::test
