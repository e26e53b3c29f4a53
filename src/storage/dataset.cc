#include "storage/dataset.h"

#include "storage/rollup.h"

namespace hearth::storage {

Status Dataset::visit_rows(const std::function<Status(const RowRun&)>& /*visit*/) const {
  return fail(ErrorCode::unimplemented, "visit rows: this dataset is not a segment's");
}

Status Dataset::add_side_rows(std::span<const uint32_t> /*chosen*/, size_t /*type*/,
                              const SideSelector& /*selector*/,
                              std::span<int64_t> /*by_key*/) const {
  return {};
}

Result<std::shared_ptr<const Rollup>> RollupSource::rollup() const {
  return std::shared_ptr<const Rollup>();
}

}  // namespace hearth::storage
