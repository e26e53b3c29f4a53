#include "storage/rollup.h"

#include <algorithm>

#include "base/saturate.h"
#include "storage/head_rows.h"

namespace hearth::storage {

size_t Rollup::find_group(std::string_view name, std::string_view value) const {
  const auto found = std::ranges::find_if(
      groups, [&](const RollupGroup& g) { return g.name == name && g.value == value; });
  return static_cast<size_t>(found - groups.begin());
}

void Rollup::add(size_t group, size_t type, std::span<int64_t> self) const {
  const Rows& from = rows[group];
  const std::vector<int64_t>& values = from.values[type];
  for (size_t i = 0; i < from.node.size(); ++i) {
    int64_t& to = self[from.node[i]];
    to = add_saturating(to, values[i]);
  }
}

size_t Rollup::memory_bytes() const {
  size_t bytes = sizeof *this + strings.bytes.capacity() +
                 (strings.views.capacity() + names.capacity()) * sizeof(std::string_view) +
                 (node_parent.capacity() + node_name.capacity()) * sizeof(uint32_t);
  for (const Rows& r : rows) {
    bytes += r.node.capacity() * (sizeof(uint32_t) + r.values.size() * sizeof(int64_t));
  }
  return bytes;
}

}  // namespace hearth::storage
