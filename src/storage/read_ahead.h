#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/memory_accountant.h"
#include "hearth/object_store.h"

namespace hearth::storage {

/// An object of a remote bucket that is read from front to back, a little at a time, as a merge
/// does: each request takes at least a chunk, and the two chunks used last are kept. Thread-safe.
class ReadAhead final : public ObjectReader {
 public:
  static constexpr uint64_t kChunkBytes = 512ULL << 10U;

  ReadAhead(std::unique_ptr<ObjectReader> object, MemoryAccountant& memory)
      : object_(std::move(object)), memory_(memory) {}

  [[nodiscard]] uint64_t size() const override { return object_->size(); }
  [[nodiscard]] Result<SharedBytes> read(uint64_t offset, uint64_t length) const override;
  [[nodiscard]] bool gone() const override { return object_->gone(); }

 private:
  struct Chunk {
    uint64_t number = UINT64_MAX;
    SharedBytes bytes;
    MemoryCharge charge;
  };
  [[nodiscard]] Result<std::string_view> chunk(uint64_t number) const;

  const std::unique_ptr<ObjectReader> object_;
  MemoryAccountant& memory_;
  mutable std::mutex mutex_;
  mutable std::array<Chunk, 2> kept_;  ///< The one used last first.
};

}  // namespace hearth::storage
