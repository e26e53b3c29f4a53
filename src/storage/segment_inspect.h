#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "hearth/object_store.h"

namespace hearth::storage {

/// One section as a table of texts and numbers; the caller prints it as text or JSON.
struct InspectTable {
  using Cell = std::variant<std::string, int64_t, uint64_t>;
  std::string name;
  std::vector<std::string> columns;
  std::vector<std::vector<Cell>> rows;
};

struct InspectRequest {
  std::string section;            ///< "STR", "TREE" …; empty: the directory.
  std::optional<size_t> dataset;  ///< Default: all.
};

/// The directory (segment, datasets, sections), or one section of some datasets, decoded.
/// `invalid_argument` for a section or dataset that is not there, `data_loss` for one that is
/// damaged.
[[nodiscard]] Result<std::vector<InspectTable>> inspect_segment(const ObjectReader& object,
                                                                const InspectRequest& request);

/// Columns aligned by blanks, numbers to the right. Control characters and bytes that are not UTF-8
/// are escaped.
[[nodiscard]] std::string format_text(const std::vector<InspectTable>& tables);
/// [{"name": …, "rows": [{column: value, …}, …]}, …]
[[nodiscard]] std::string format_json(const std::vector<InspectTable>& tables);

}  // namespace hearth::storage
