#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <utility>

namespace hearth {

/// One value that comes once, and one listener that takes it, in either order: whoever is second
/// runs the listener. Thread-safe.
template <class T>
class Delivery {
 public:
  using Listener = std::function<void(T)>;

  void put(T value) {
    Listener listener;
    {
      const std::lock_guard lock(mutex_);
      if (!listener_) {
        value_ = std::move(value);
        return;
      }
      listener = std::exchange(listener_, {});
    }
    listener(std::move(value));
  }

  void take(Listener listener) {
    std::optional<T> value;
    {
      const std::lock_guard lock(mutex_);
      if (!value_) {
        listener_ = std::move(listener);
        return;
      }
      value = std::exchange(value_, std::nullopt);
    }
    listener(std::move(*value));
  }

 private:
  std::mutex mutex_;
  std::optional<T> value_;
  Listener listener_;
};

}  // namespace hearth
