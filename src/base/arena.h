#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace hearth {

/// Append-only store of bytes with stable addresses. Freed as a whole. Not thread-safe; views stay valid until destruction.
class Arena {
 public:
  explicit Arena(size_t chunk_bytes = 16 * 1024) : chunk_bytes_(chunk_bytes) {}
  /// Copies `s`; the copy lives as long as the arena.
  std::string_view copy(std::string_view s);
  [[nodiscard]] size_t bytes_reserved() const { return reserved_; }

 private:
  size_t chunk_bytes_;
  size_t reserved_ = 0;
  std::vector<std::unique_ptr<char[]>> chunks_;
  char* next_ = nullptr;
  size_t room_ = 0;
};

}  // namespace hearth
