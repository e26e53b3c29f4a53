#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "query/function_tree.h"
#include "query/name_pattern.h"

namespace hearth::query {

/// How the page's function table is sorted; ties are in order of name.
struct FunctionSort {
  enum class By : unsigned char { self, total, name };
  By by = By::self;
  bool descending = true;
  /// `self`, `total`, `name`, with `-` in front for descending.
  [[nodiscard]] static Result<FunctionSort> parse(std::string_view text);
};

/// What a search finds, as unions: a stack with several matches counts once.
struct Matched {
  uint64_t functions = 0;
  int64_t value = 0;       ///< Of all stacks with a match.
  int64_t path_value = 0;  ///< Total of the frame that was asked about,
  int64_t in_path = 0;     ///< and the part of it in stacks with a match anywhere.
};

/// Rows of the function table, exact over the whole tree.
struct FunctionPage {
  std::vector<FunctionRow> rows;   ///< At most `limit`, sorted.
  uint64_t rows_total = 0;         ///< Before the limit.
  uint64_t functions = 0;          ///< Without a pattern.
  std::optional<Matched> matched;  ///< With a pattern only.
};
struct FunctionQuery {
  FunctionSort sort;
  uint64_t limit = 10'000;
  std::optional<NamePattern> pattern;
  uint32_t node = 0;  ///< The frame for Matched::path_value and in_path.
};
FunctionPage function_page(const FunctionTree& tree, const FunctionQuery& query);

}  // namespace hearth::query
