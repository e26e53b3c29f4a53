#pragma once

#include <string>
#include <utility>

namespace hearth {

/// A credential. It can be neither streamed nor formatted nor compared by accident: whoever needs
/// the text says reveal(), which is easy to find in a review. Memory is overwritten at the end.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  Secret(const Secret&) = default;
  Secret& operator=(const Secret&) = default;
  // The source must not keep the text that a short string holds in place.
  Secret(Secret&& other) noexcept : value_(other.value_) { other.wipe(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this == &other) return *this;
    wipe();
    value_ = other.value_;
    other.wipe();
    return *this;
  }
  ~Secret() { wipe(); }

  [[nodiscard]] const std::string& reveal() const { return value_; }
  [[nodiscard]] bool empty() const { return value_.empty(); }

 private:
  void wipe() {
    volatile char* at = value_.data();
    for (size_t i = 0; i < value_.size(); ++i) at[i] = 0;
    value_.clear();
  }
  std::string value_;
};

}  // namespace hearth
