#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace hearth::objstore {

enum class BucketOperation : uint8_t { get, put, list, remove };
inline constexpr size_t kBucketOperations = 4;
inline constexpr std::array<const char*, kBucketOperations> kBucketOperationNames = {
    "get", "put", "list", "remove"};

/// Counters of requests to a remote bucket since the start.
struct BucketStats {
  struct Operation {
    uint64_t requests = 0;  ///< On the wire, retries included.
    uint64_t retries = 0;
    uint64_t failures = 0;  ///< Tries that failed, whether they were repeated or not.
  };
  std::array<Operation, kBucketOperations> operations;  ///< By BucketOperation.
  uint64_t sent_bytes = 0, received_bytes = 0;          ///< Bodies.
};

}  // namespace hearth::objstore
