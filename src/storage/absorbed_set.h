#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace hearth::storage {

/// Which fresh segment a key names: `l0/<writer>/<sequence, 10 digits>.seg`.
struct FreshKey {
  std::string writer;
  uint64_t sequence = 0;
};
/// nullopt for keys of other objects.
[[nodiscard]] std::optional<FreshKey> parse_fresh_key(std::string_view key);
[[nodiscard]] std::string fresh_key(std::string_view writer, uint64_t sequence);

/// The fresh segments whose profiles are in merged ones: per writer, ranges of sequences. An object
/// in it is never read again, even if a late retry creates it anew.
class AbsorbedSet {
 public:
  void add(const FreshKey& key);
  [[nodiscard]] bool contains(const FreshKey& key) const;
  /// False for keys that name no fresh segment.
  [[nodiscard]] bool contains(std::string_view key) const;
  [[nodiscard]] size_t writers() const { return ranges_.size(); }
  bool operator==(const AbsorbedSet&) const = default;

  /// vec of {str writer, vec of {varint gap before, varint length − 1}}, ascending.
  void encode(std::string& out) const;
  /// Sets the reader's error for bytes that encode() would not write.
  [[nodiscard]] static AbsorbedSet decode(ByteReader& in);

 private:
  /// Disjoint, not adjacent: first → last.
  using Ranges = std::map<uint64_t, uint64_t>;
  std::map<std::string, Ranges, std::less<>> ranges_;
};

}  // namespace hearth::storage
