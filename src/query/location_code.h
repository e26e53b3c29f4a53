#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "hearth/profile.h"
#include "symbols/symbol_tables.h"

namespace hearth::query {

/// The whole content of a location as bytes: its mapping, address, lines and their functions, with
/// texts instead of ids. Equal locations of any two datasets have equal codes; codes sort by the
/// name of the outermost function first.
std::string encode_location(const symbols::SymbolTables& tables, uint32_t location);

/// Fills an empty batch with tables that have no duplicates, in order of first use. Strings are
/// copied into the batch.
class BatchBuilder {
 public:
  /// Borrows `batch`, which must be empty.
  explicit BatchBuilder(ProfileBatch& batch);
  ProfileBatch& batch() { return *batch_; }
  uint32_t string(std::string_view text);
  /// Appends the location that encode_location() made `code` of; returns its index. Equal codes are
  /// the caller's to find.
  uint32_t location(std::string_view code);

 private:
  uint32_t mapping(std::string_view code);
  uint32_t function(std::string_view code);

  ProfileBatch* batch_;
  std::unordered_map<std::string, uint32_t> strings_, mappings_, functions_;
};

}  // namespace hearth::query
