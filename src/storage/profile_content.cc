#include "storage/profile_content.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "storage/head_record.h"

namespace hearth::storage {

Id128 ProfileContent::hash() const {
  std::string text;
  put_str(text, tenant);
  put_str(text, family);
  put_str(text, series);
  put_svarint(text, start_ns);
  put_svarint(text, duration_ns);
  put_svarint(text, period);
  put_varint(text, rows);
  for (const int64_t total : totals) put_svarint(text, total);
  return hash128(text);
}

Result<std::vector<Id128>> contents_of(const DatasetInfo& info, std::span<const LabelSet> series,
                                       const ProfileColumns& columns) {
  const std::string family = encode_family(info.family);
  std::vector<std::string> labels;
  for (const LabelSet& set : series) labels.push_back(set.encode());
  std::vector<Id128> out;
  out.reserve(columns.size());
  std::vector<int64_t> totals(columns.totals.size());
  for (size_t p = 0; p < columns.size(); ++p) {
    if (columns.series[p] >= labels.size())
      return fail(ErrorCode::data_loss, "read profiles: a series that is not there");
    for (size_t t = 0; t < totals.size(); ++t) totals[t] = columns.totals[t][p];
    out.push_back(ProfileContent{info.tenant, family, labels[columns.series[p]],
                                 columns.start_ns[p], columns.duration_ns[p], columns.period[p],
                                 columns.rows[p], totals}
                      .hash());
  }
  return out;
}

}  // namespace hearth::storage
