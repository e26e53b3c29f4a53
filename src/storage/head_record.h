#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/memory_accountant.h"
#include "base/random.h"
#include "base/result.h"
#include "hearth/profile_type.h"
#include "storage/head_rows.h"
#include "storage/side_data.h"

namespace hearth::storage {

/// One accepted profile that is not sealed yet: the value of its `R` record, and views into it.
/// Immutable; pinned, because the views point into `value`.
struct HeadRecord {
  std::string value;
  std::string_view family;  ///< encode_family().
  std::string_view series;  ///< LabelSet::encode().
  int64_t start_ns = 0, duration_ns = 0, period = 0;
  Id128 id;
  uint32_t rows = 0;
  std::vector<int64_t> totals;  ///< One per sample type.
  std::string_view row_bytes;   ///< encode_rows().
  uint32_t side_entries = 0;    ///< Of side data; 0: none.
  std::string_view side_bytes;  ///< encode_side_block() of this profile.
  MemoryCharge charge;

  HeadRecord() = default;
  HeadRecord(const HeadRecord&) = delete;
  HeadRecord& operator=(const HeadRecord&) = delete;

  /// Reads the value of an `R` record. `data_loss` when it is malformed or of an unknown format.
  [[nodiscard]] static Result<std::unique_ptr<HeadRecord>> parse(std::string value);
};

/// What parse() reads back, but for the rows.
struct HeadRecordHeader {
  std::string_view family, series;
  int64_t start_ns = 0, duration_ns = 0, period = 0;
  Id128 id;
};
/// `side` has the entries of this profile, or none.
[[nodiscard]] std::string encode_head_record(const HeadRecordHeader& header, const Rows& rows,
                                             const SideTable& side = {});

/// The side data of a record, whose keys are below `keys`. `data_loss` when it is malformed.
[[nodiscard]] Status decode_side(const HeadRecord& record, size_t keys, SideTable& out);

/// Canonical bytes of a family: equal families have equal bytes.
[[nodiscard]] std::string encode_family(const Family& family);
[[nodiscard]] Result<Family> decode_family(std::string_view bytes);

}  // namespace hearth::storage
