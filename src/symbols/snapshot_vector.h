#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>

namespace hearth::symbols {

/// Append-only column that readers see without a lock. A reader takes `items()` together with
/// `owner()`; later appends write only behind what it sees, and growing moves the writer to a new
/// buffer while the reader keeps the old one.
///
/// Threads: one writer at a time. A snapshot taken while no append runs is read freely afterwards.
template <class T>
class SnapshotVector {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  void push_back(T value) {
    if (size_ == capacity_) grow(size_ + 1);
    data_[size_++] = value;
  }
  void append(std::span<const T> values) {
    if (values.size() > capacity_ - size_) grow(size_ + values.size());
    std::copy(values.begin(), values.end(), data_ + size_);
    size_ += values.size();
  }
  /// Appends copies of `value` until there are `size` items.
  void fill_to(size_t size, T value) {
    if (size > capacity_) grow(size);
    for (; size_ < size; ++size_) data_[size_] = value;
  }

  /// Forgets the items from `size` on. Only for items that no snapshot has seen.
  void truncate(size_t size) noexcept { size_ = std::min(size_, size); }

  [[nodiscard]] const T& operator[](size_t i) const { return data_[i]; }
  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] uint32_t size32() const { return static_cast<uint32_t>(size_); }
  [[nodiscard]] std::span<const T> items() const { return {data_, size_}; }
  [[nodiscard]] std::shared_ptr<const void> owner() const { return buffer_; }
  [[nodiscard]] size_t memory_bytes() const { return capacity_ * sizeof(T); }
  void prefetch(size_t i) const { __builtin_prefetch(data_ + i); }

 private:
  static constexpr size_t kFirstCapacity = 16;

  void grow(size_t at_least) {
    const size_t capacity = std::max({at_least, 2 * capacity_, kFirstCapacity});
    auto buffer = std::make_shared_for_overwrite<T[]>(capacity);
    std::copy_n(data_, size_, buffer.get());
    buffer_ = std::move(buffer);
    data_ = buffer_.get();
    capacity_ = capacity;
  }

  std::shared_ptr<T[]> buffer_;
  T* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace hearth::symbols
