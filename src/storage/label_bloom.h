#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::storage {

/// Bloom filter over short texts: 10 bits each, 7 probes by double hashing of xxh3-64 with seed 0
/// (1 % false positives). Its bytes are what the directory stores; an empty filter contains
/// nothing.
class BloomBuilder {
 public:
  void add_label(std::string_view name, std::string_view value);
  /// Equal sets of labels give equal bytes, in whatever order and however often they were added.
  [[nodiscard]] std::string finish();

 private:
  std::vector<uint64_t> hashes_;
};

/// False: `name=value` was never added. True may be wrong.
[[nodiscard]] bool bloom_may_contain(std::string_view bloom, std::string_view name,
                                     std::string_view value);

}  // namespace hearth::storage
