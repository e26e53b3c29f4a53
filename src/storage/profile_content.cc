#include "storage/profile_content.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/hash.h"

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

void RowsHash::add(std::span<const int64_t> values) {
  const Id128 row = hash128({reinterpret_cast<const char*>(values.data()), values.size_bytes()});
  rows_.push_back(row.lo);
}

Id128 RowsHash::take() {
  std::ranges::sort(rows_);
  const Id128 out =
      hash128({reinterpret_cast<const char*>(rows_.data()), rows_.size() * sizeof(uint64_t)});
  rows_.clear();
  return out;
}

Result<Id128> rows_of(const HeadRecord& record) {
  const size_t types = record.totals.size();
  Rows rows;
  HEARTH_RETURN_IF_ERROR(decode_rows(record.row_bytes, record.rows, types, rows));
  RowsHash hash;
  for (size_t row = 0; row < rows.size(); ++row)
    hash.add(std::span(rows.values).subspan(row * types, types));
  return hash.take();
}

namespace {

/// Hashes the rows of the chosen profiles as runs go by.
class ChosenRows {
 public:
  explicit ChosenRows(std::span<const uint32_t> chosen) : chosen_(chosen) {}

  Status add(const RowRun& run) {
    std::vector<int64_t> row(run.values.size());
    size_t at = 0;
    for (size_t i = 0; i < run.rows.size(); at += run.rows[i], ++i) {
      if (out.size() == chosen_.size() || chosen_[out.size()] != run.first_profile + i) continue;
      for (size_t r = at; r < at + run.rows[i]; ++r) {
        for (size_t t = 0; t < row.size(); ++t) row[t] = run.values[t][r];
        hash_.add(row);
      }
      out.push_back(hash_.take());
    }
    return {};
  }

  std::vector<Id128> out;

 private:
  const std::span<const uint32_t> chosen_;
  RowsHash hash_;
};

}  // namespace

Result<std::vector<Id128>> rows_of(const Dataset& dataset, std::span<const uint32_t> profiles) {
  ChosenRows rows(profiles);
  if (profiles.empty()) return rows.out;
  HEARTH_RETURN_IF_ERROR(dataset.visit_rows([&](const RowRun& run) { return rows.add(run); }));
  if (rows.out.size() != profiles.size())
    return fail(ErrorCode::data_loss, "read rows: some profiles have none");
  return std::move(rows.out);
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
