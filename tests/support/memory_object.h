#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "hearth/object_store.h"

namespace hearth::test {

/// An object in memory; keeps its bytes alive for every view it returned. Counts reads, from any thread.
class MemoryObject final : public ObjectReader {
 public:
  explicit MemoryObject(std::string bytes)
      : bytes_(std::make_shared<const std::string>(std::move(bytes))) {}
  [[nodiscard]] uint64_t size() const override { return bytes_->size(); }
  [[nodiscard]] Result<SharedBytes> read(uint64_t offset, uint64_t length) const override {
    ++reads;
    if (offset > size() || length > size() - offset) {
      return fail(ErrorCode::data_loss, "read memory object: range outside the object");
    }
    return SharedBytes{bytes_, std::string_view(*bytes_).substr(offset, length)};
  }
  mutable std::atomic<size_t> reads = 0;

 private:
  std::shared_ptr<const std::string> bytes_;
};

}  // namespace hearth::test
