#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hearth/clock.h"
#include "hearth/object_store.h"
#include "support/memory_object.h"

namespace hearth::test {

/// A bucket in memory whose calls a test can watch, fail, and cut short. One thread.
class MemoryBucket final : public ObjectStore {
 public:
  enum class Fault : unsigned char {
    none,
    refused,      ///< An error; nothing happened.
    lost_answer,  ///< An error; it happened nevertheless.
  };
  /// Called with "put", "open", "list" or "remove" before each call, with `done` false, and after
  /// it, with `done` true. It may throw, which is how a process dies, or act on the bucket itself.
  using Watch = std::function<Fault(std::string_view call, const std::string& key, bool done)>;

  explicit MemoryBucket(const Clock& clock) : clock_(clock) {}
  void watch(Watch watch) { watch_ = std::move(watch); }
  /// New keys show in listings only after this time.
  void delay_listing(int64_t ns) { list_delay_ns_ = ns; }
  [[nodiscard]] bool has(const std::string& key) const { return objects_.contains(key); }
  [[nodiscard]] const std::string& bytes(const std::string& key) const {
    return objects_.at(key).bytes;
  }
  [[nodiscard]] std::vector<std::string> keys(const std::string& prefix = "") const {
    std::vector<std::string> out;
    for (const auto& [key, object] : objects_) {
      if (key.starts_with(prefix)) out.push_back(key);
    }
    return out;
  }

  [[nodiscard]] Result<PutOutcome> put_if_absent(const std::string& key,
                                                 std::string_view data) override {
    return call<PutOutcome>("put", key, [&]() -> Result<PutOutcome> {
      const auto [it, created] = objects_.try_emplace(key, object(data));
      return created ? PutOutcome::created : PutOutcome::exists;
    });
  }
  [[nodiscard]] Status put(const std::string& key, std::string_view data) override {
    return call<void>("put", key, [&]() -> Status {
      const auto [it, created] = objects_.try_emplace(key, object(data));
      if (!created) it->second = {std::string(data), clock_.wall_ns(), it->second.created_boot_ns};
      return {};
    });
  }
  [[nodiscard]] Result<std::unique_ptr<ObjectReader>> open(const std::string& key) override {
    using Reader = std::unique_ptr<ObjectReader>;
    return call<Reader>("open", key, [&]() -> Result<Reader> {
      const auto it = objects_.find(key);
      if (it == objects_.end()) return Reader();
      return std::make_unique<MemoryObject>(it->second.bytes);
    });
  }
  [[nodiscard]] Result<std::vector<Entry>> list(const std::string& prefix,
                                                const std::string& start_after,
                                                size_t limit) override {
    return call<std::vector<Entry>>("list", prefix, [&]() -> Result<std::vector<Entry>> {
      std::vector<Entry> out;
      for (auto it = objects_.upper_bound(start_after); it != objects_.end(); ++it) {
        const auto& [key, object] = *it;
        if (out.size() == limit || !key.starts_with(prefix)) {
          if (out.size() == limit || key > prefix + "\x7f") break;
          continue;
        }
        if (clock_.boot_ns() - object.created_boot_ns < list_delay_ns_) continue;
        out.push_back({key, object.bytes.size(), object.modified_ns});
      }
      return out;
    });
  }
  [[nodiscard]] Status remove(const std::string& key) override {
    return call<void>("remove", key, [&]() -> Status {
      objects_.erase(key);
      return {};
    });
  }

 private:
  struct Object {
    std::string bytes;
    int64_t modified_ns = 0, created_boot_ns = 0;
  };
  Object object(std::string_view data) const {
    return {std::string(data), clock_.wall_ns(), clock_.boot_ns()};
  }
  template <class T, class Act>
  Result<T> call(std::string_view name, const std::string& key, Act act) {
    const Fault fault = watch_ ? watch_(name, key, false) : Fault::none;
    if (fault == Fault::refused) return fail(ErrorCode::unavailable, "injected fault");
    Result<T> result = act();
    if (watch_) (void)watch_(name, key, true);
    if (fault == Fault::lost_answer) return fail(ErrorCode::unavailable, "injected lost answer");
    return result;
  }

  const Clock& clock_;
  std::map<std::string, Object> objects_;
  Watch watch_;
  int64_t list_delay_ns_ = 0;
};

}  // namespace hearth::test
