#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "hearth/object_store.h"
#include "storage/block_cache.h"
#include "storage/page_store.h"

namespace hearth::test {

/// A bucket far away, in memory: counts what is read, can take its time for it and can hold a read
/// back until it is released. Thread-safe.
class RemoteBucket final : public ObjectStore {
 public:
  /// Waits for reads that nobody waits for any more.
  ~RemoteBucket() override {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return running_ == 0; });
  }
  Result<PutOutcome> put_if_absent(const std::string& key, std::string_view data) override {
    const std::lock_guard lock(mutex_);
    return objects_.emplace(key, std::string(data)).second ? PutOutcome::created
                                                           : PutOutcome::exists;
  }
  Status put(const std::string& key, std::string_view data) override {
    const std::lock_guard lock(mutex_);
    objects_[key] = std::string(data);
    return {};
  }
  Result<std::unique_ptr<ObjectReader>> open(const std::string& key) override {
    const std::lock_guard lock(mutex_);
    const auto it = objects_.find(key);
    if (it == objects_.end()) return std::unique_ptr<ObjectReader>();
    return std::make_unique<Object>(*this, std::make_shared<const std::string>(it->second));
  }
  Result<std::vector<Entry>> list(const std::string&, const std::string&, size_t) override {
    return std::vector<Entry>();
  }
  Status remove(const std::string& key) override {
    const std::lock_guard lock(mutex_);
    objects_.erase(key);
    return {};
  }

  /// Every read takes this long from now on.
  void set_latency(std::chrono::milliseconds latency) {
    const std::lock_guard lock(mutex_);
    latency_ = latency;
  }
  /// The next read waits for release().
  void hold_next() {
    const std::lock_guard lock(mutex_);
    hold_ = true;
    released_ = false;
  }
  /// Returns when the read that hold_next() is about has begun.
  void await_held() {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return !hold_; });
  }
  void release() {
    const std::lock_guard lock(mutex_);
    released_ = true;
    wake_.notify_all();
  }
  /// The next read fails.
  void fail_next() {
    const std::lock_guard lock(mutex_);
    fail_ = true;
  }
  /// What was read since the last call.
  std::vector<storage::ByteRange> take_reads() {
    const std::lock_guard lock(mutex_);
    return std::exchange(reads_, {});
  }

 private:
  class Object final : public ObjectReader {
   public:
    Object(RemoteBucket& bucket, std::shared_ptr<const std::string> bytes)
        : bucket_(bucket), bytes_(std::move(bytes)) {}
    uint64_t size() const override { return bytes_->size(); }
    Result<SharedBytes> read(uint64_t offset, uint64_t length) const override {
      if (!bucket_.note({offset, length}))
        return fail(ErrorCode::unavailable, "read remote object: it fails as asked");
      return SharedBytes{bytes_, std::string_view(*bytes_).substr(offset, length)};
    }

   private:
    RemoteBucket& bucket_;
    std::shared_ptr<const std::string> bytes_;
  };

  bool note(storage::ByteRange range) {
    std::unique_lock lock(mutex_);
    reads_.push_back(range);
    ++running_;
    if (std::exchange(hold_, false)) {
      wake_.notify_all();
      wake_.wait(lock, [this] { return released_; });
    }
    const bool fails = std::exchange(fail_, false);
    const auto latency = latency_;
    lock.unlock();
    if (latency.count() > 0) std::this_thread::sleep_for(latency);
    lock.lock();
    --running_;
    wake_.notify_all();
    return !fails;
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::map<std::string, std::string> objects_;
  std::vector<storage::ByteRange> reads_;
  std::chrono::milliseconds latency_{0};
  int running_ = 0;
  bool hold_ = false, released_ = false, fail_ = false;
};

/// Pages in memory.
class MemoryPageStore final : public storage::PageStore {
 public:
  std::optional<std::string> get(std::string_view key) const override {
    const std::lock_guard lock(mutex_);
    const auto it = pages_.find(std::string(key));
    return it == pages_.end() ? std::nullopt : std::optional(it->second);
  }
  void put(std::string_view key, std::string_view value) override {
    const std::lock_guard lock(mutex_);
    pages_[std::string(key)] = std::string(value);
  }
  std::map<std::string, std::string>& pages() { return pages_; }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::string> pages_;
};

}  // namespace hearth::test
