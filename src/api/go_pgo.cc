#include "api/go_pgo.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <vector>

#include "base/saturate.h"

namespace hearth::api {
namespace {

/// Locations whose innermost line is cleared; equal ones are one.
class ClearedLeaves {
 public:
  explicit ClearedLeaves(ProfileBatch& batch) : batch_(batch) {}

  uint32_t of(uint32_t location) {
    const auto& begin = batch_.locations.line_begin;
    if (begin[location] == begin[location + 1] || batch_.lines.line[begin[location]] == 0)
      return location;
    const auto [it, is_new] = known_.try_emplace(content(location), 0);
    if (is_new) it->second = copy(location);
    return it->second;
  }

 private:
  /// Mapping, address, then function and line of each line, the first line being 0.
  using Content = std::tuple<uint32_t, uint64_t, std::vector<std::pair<uint32_t, int64_t>>>;
  [[nodiscard]] Content content(uint32_t location) const {
    Content out{batch_.locations.mapping[location], batch_.locations.address[location], {}};
    const auto& begin = batch_.locations.line_begin;
    for (uint32_t line = begin[location]; line < begin[location + 1]; ++line) {
      const bool first = line == begin[location];
      std::get<2>(out).emplace_back(batch_.lines.function[line],
                                    first ? 0 : batch_.lines.line[line]);
    }
    return out;
  }
  uint32_t copy(uint32_t location) {
    auto& l = batch_.locations;
    auto& lines = batch_.lines;
    const uint32_t begin = l.line_begin[location];
    const uint32_t end = l.line_begin[location + 1];
    for (uint32_t line = begin; line < end; ++line) {
      lines.function.push_back(uint32_t{lines.function[line]});
      lines.line.push_back(line == begin ? 0 : int64_t{lines.line[line]});
      lines.column.push_back(line == begin ? 0 : int64_t{lines.column[line]});
    }
    l.mapping.push_back(uint32_t{l.mapping[location]});
    l.address.push_back(uint64_t{l.address[location]});
    l.folded.push_back(uint8_t{l.folded[location]});
    l.line_begin.push_back(static_cast<uint32_t>(lines.function.size()));
    return static_cast<uint32_t>(l.size() - 1);
  }

  ProfileBatch& batch_;
  std::map<Content, uint32_t> known_;
};

}  // namespace

void shape_for_go_pgo(ProfileBatch& batch, formats::StackTree& stacks, uint32_t keep_locations,
                      bool aggregate_callees) {
  if (batch.types() == 0) return;
  ClearedLeaves leaves(batch);
  std::map<std::vector<uint32_t>, int64_t> shaped;  // By stack, the root first.
  formats::for_each_stack(stacks, [&](std::span<const uint32_t> stack, int64_t value) {
    if (keep_locations != 0 && stack.size() > keep_locations) stack = stack.first(keep_locations);
    std::vector<uint32_t> root_first(stack.rbegin(), stack.rend());
    if (aggregate_callees && !stack.empty()) root_first.back() = leaves.of(stack.front());
    int64_t& sum = shaped[std::move(root_first)];
    sum = add_saturating(sum, value);
  });
  stacks = formats::stack_tree(shaped);
}

}  // namespace hearth::api
