#include "query/function_search.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/saturate.h"

namespace hearth::query {
namespace {

// Value of the stacks in the subtree of `top` that have a match in it. A frame whose match makes
// its whole subtree count is not looked into.
int64_t matched_below(const FunctionTree& tree, uint32_t top, const std::vector<uint8_t>& matches) {
  int64_t value = 0;
  const uint32_t end = subtree_end(tree, top);
  for (uint32_t i = std::max(top, 1U); i < end;) {
    if (matches[tree.name[i]]) {
      value = add_saturating(value, tree.total[i]);
      i = subtree_end(tree, i);
    } else {
      ++i;
    }
  }
  return value;
}

// The same, when a match among the callers of `top` counts too.
int64_t matched_through(const FunctionTree& tree, uint32_t top,
                        const std::vector<uint8_t>& matches) {
  for (uint32_t at = top; at != 0; at = tree.parent[at]) {
    if (matches[tree.name[at]]) return tree.total[top];
  }
  return matched_below(tree, top, matches);
}

bool before(const FunctionRow& a, const FunctionRow& b, FunctionSort sort) {
  if (sort.by == FunctionSort::By::name) return sort.descending ? a.name > b.name : a.name < b.name;
  const auto key = [&sort](const FunctionRow& r) {
    return sort.by == FunctionSort::By::self ? r.self : r.total;
  };
  if (key(a) != key(b)) return sort.descending ? key(a) > key(b) : key(a) < key(b);
  return a.name < b.name;
}

}  // namespace

Result<FunctionSort> FunctionSort::parse(std::string_view text) {
  FunctionSort sort;
  sort.descending = text.starts_with('-');
  const std::string_view column = text.substr(sort.descending ? 1 : 0);
  if (column == "self") {
    sort.by = By::self;
  } else if (column == "total") {
    sort.by = By::total;
  } else if (column == "name") {
    sort.by = By::name;
  } else {
    return fail(
        ErrorCode::invalid_argument,
        fmt::format(
            "sort functions: got '{}'; want self, total or name, or one of them with '-' in front",
            text));
  }
  return sort;
}

FunctionPage function_page(const FunctionTree& tree, const FunctionQuery& query) {
  FunctionPage page;
  page.rows = function_table(tree);
  page.functions = page.rows.size();
  if (query.pattern) {
    std::vector<uint8_t> matches(tree.names.size());
    for (const FunctionRow& row : page.rows)
      matches[row.name] = query.pattern->matches(tree.names[row.name]);
    std::erase_if(page.rows, [&matches](const FunctionRow& row) { return !matches[row.name]; });
    page.matched = Matched{page.rows.size(), matched_below(tree, 0, matches),
                           tree.total[query.node], matched_through(tree, query.node, matches)};
  }
  page.rows_total = page.rows.size();
  const auto kept = static_cast<std::ptrdiff_t>(std::min<uint64_t>(query.limit, page.rows.size()));
  std::partial_sort(
      page.rows.begin(), page.rows.begin() + kept, page.rows.end(),
      [&query](const FunctionRow& a, const FunctionRow& b) { return before(a, b, query.sort); });
  page.rows.resize(static_cast<size_t>(kept));
  return page;
}

}  // namespace hearth::query
