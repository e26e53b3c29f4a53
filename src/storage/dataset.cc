#include "storage/dataset.h"

#include "storage/rollup.h"

namespace hearth::storage {

Status Dataset::visit_rows(const std::function<Status(const RowRun&)>& /*visit*/) const {
  return fail(ErrorCode::unimplemented, "visit rows: this dataset is not a segment's");
}

Result<std::shared_ptr<const Rollup>> Dataset::rollup() const {
  return std::shared_ptr<const Rollup>();
}

}  // namespace hearth::storage
