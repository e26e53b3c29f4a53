#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "query/engine.h"
#include "query/page_tree.h"
#include "query/place.h"

namespace hearth::api {

/// The page's binary trees (docs/ui_api.md 3).
inline constexpr std::string_view kTreeContentType = "application/x-hearth-tree";

/// What the answer says about its own price: in JSON `{"profiles": …, "partial": […]}`.
std::string cost_json(const query::Cost& cost, double ms);

/// One tree of an answer. Views live as long as the call.
struct TreeAnswer {
  const query::PageTree* page = nullptr;
  std::span<const std::string> names;    ///< What page->name indexes.
  std::span<const query::Place> places;  ///< One per name, or none at all.
  int tree = 0, trees = 1;
  std::string_view unit;
  uint64_t cap = 0;
  uint64_t clamped = 0;
  std::string_view cost;  ///< From cost_json().
  struct Function {
    int64_t total = 0, self = 0;
    uint64_t paths = 0;
    bool recursive = false;
  };
  std::optional<Function> fn = {};  ///< Of a sandwich.
};

/// Appends the envelope (kind 2, length, payload). Only names in use are sent, in order of first
/// use; name 0 is the nameless one.
void append_tree_envelope(std::string& out, const TreeAnswer& answer);

}  // namespace hearth::api
