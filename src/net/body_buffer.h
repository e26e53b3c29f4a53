#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/memory_accountant.h"

namespace hearth::net {

/// A request body that grows with the bytes that arrive, never with what a header promises, within
/// a cap and charged to the memory accountant before each growth.
class BodyBuffer {
 public:
  enum class Outcome : unsigned char { ok, too_large, no_memory };

  /// To be called before the first append. `expected` is the Content-Length, if there is one:
  /// growth stops there. `accountant` may be null: nothing is charged then.
  void limit(size_t max_bytes, std::optional<size_t> expected, MemoryAccountant* accountant);
  /// Nothing is appended unless the outcome is ok.
  [[nodiscard]] Outcome append(std::string_view piece);
  /// Space for 1 to `max` more bytes, to be received in place; `max` > 0. Empty when they are
  /// refused, as outcome() tells. What is written there counts once commit() was called, before any
  /// other call.
  [[nodiscard]] std::span<char> room(size_t max);
  void commit(size_t bytes) { size_ += bytes; }
  [[nodiscard]] size_t size() const { return size_; }
  /// How the last append or room that failed did so.
  [[nodiscard]] Outcome outcome() const { return outcome_; }
  /// The body; its capacity has base's kReadSlack spare bytes, zeroed.
  [[nodiscard]] std::string take_data();
  [[nodiscard]] MemoryCharge take_charge() { return std::move(charge_); }

 private:
  [[nodiscard]] Outcome make_room(size_t bytes);
  [[nodiscard]] bool grow(size_t needed);

  std::string data_;  ///< All the space there is; behind `size_` zeros.
  size_t size_ = 0;
  size_t max_bytes_ = 0;
  std::optional<size_t> expected_;
  MemoryCharge charge_;
  Outcome outcome_ = Outcome::ok;
};

}  // namespace hearth::net
