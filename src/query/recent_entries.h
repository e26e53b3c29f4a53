#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace hearth::query {

/// Entries by key, the least recently used ones going first when they take more than a budget.
/// Readers of an entry that went keep it alive. Thread-safe; what is in an entry is the caller's to
/// guard.
template <class Key, class Entry, class Hash = std::hash<Key>>
class RecentEntries {
 public:
  /// The entry of a key, a new one when there is none; it is the most recently used one now.
  std::shared_ptr<Entry> find_or_add(const Key& key) {
    const std::lock_guard lock(mutex_);
    if (const auto it = by_key_.find(key); it != by_key_.end()) {
      recent_.splice(recent_.begin(), recent_, it->second);
      return it->second->entry;
    }
    recent_.push_front({key, std::make_shared<Entry>(), 0});
    by_key_.emplace(key, recent_.begin());
    return recent_.front().entry;
  }

  /// Notes what an entry takes now, then drops others, or itself, until both limits hold.
  void account(const Key& key, const std::shared_ptr<Entry>& entry, size_t bytes, size_t bytes_max,
               size_t entries_max) {
    const std::lock_guard lock(mutex_);
    const auto it = by_key_.find(key);
    if (it != by_key_.end() && it->second->entry == entry) {
      bytes_ += bytes - it->second->bytes;
      it->second->bytes = bytes;
    }
    while (!recent_.empty() && (bytes_ > bytes_max || recent_.size() > entries_max)) {
      bytes_ -= recent_.back().bytes;
      by_key_.erase(recent_.back().key);
      recent_.pop_back();
    }
  }

  [[nodiscard]] size_t bytes() const {
    const std::lock_guard lock(mutex_);
    return bytes_;
  }

 private:
  struct Slot {
    Key key;
    std::shared_ptr<Entry> entry;
    size_t bytes = 0;
  };
  mutable std::mutex mutex_;
  size_t bytes_ = 0;
  std::list<Slot> recent_;  ///< Most recently used first.
  std::unordered_map<Key, typename std::list<Slot>::iterator, Hash> by_key_;
};

}  // namespace hearth::query
