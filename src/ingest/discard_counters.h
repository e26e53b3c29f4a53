#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ingest/pipeline.h"

namespace hearth::ingest {

/// Refused profiles and their bytes by (tenant, reason). At most kPairsMax pairs are told apart;
/// what comes after counts as tenant "other", since tenants are named by clients. Thread-safe.
class DiscardCounters {
 public:
  static constexpr size_t kPairsMax = 4096;

  void add(std::string_view tenant, std::string_view reason, uint64_t profiles, uint64_t bytes);
  [[nodiscard]] std::vector<Pipeline::Discarded> list() const;

 private:
  struct Count {
    uint64_t profiles = 0, bytes = 0;
  };
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, Count> counts_;
};

}  // namespace hearth::ingest
