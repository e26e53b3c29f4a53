#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hearth/profile.h"

/// What `hearth query` prints of a profile: as `go tool pprof -top` does, or as a call tree.
namespace hearth::cli {

/// A value with its unit, as pprof writes it: 1230000000 nanoseconds → "1.23s", 1536 bytes →
/// "1.50kB", 7 count → "7".
std::string format_amount(int64_t value, std::string_view unit);

/// One function: what its own code took, and what it took with everything it called.
struct TopRow {
  std::string name;
  int64_t flat = 0;
  int64_t cum = 0;
};
struct Top {
  int64_t total = 0;
  std::vector<TopRow> rows;  ///< By flat, then cum, descending, then name.
};
/// Sums column `type` by function name; recursion counts once in `cum`. Locations without a
/// function go by their address. `type` < batch.types(); the batch is valid.
Top make_top(const ProfileBatch& batch, size_t type);

struct TextOptions {
  std::string unit;
  size_t rows_max = 0;  ///< 0: all.
  bool colour = false;
};
/// Columns flat, flat%, sum%, cum, cum%, name.
std::string format_top(const Top& top, const TextOptions& options);

/// The call tree from the root, largest first: cum, cum%, flat, name indented by depth. The
/// `rows_max` largest nodes are shown.
std::string format_call_tree(const ProfileBatch& batch, size_t type, const TextOptions& options);

}  // namespace hearth::cli
