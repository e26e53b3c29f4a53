#include "storage/segment_cover.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/bytes.h"
#include "base/saturate.h"
#include "storage/rollup_builder.h"
#include "storage/section_codec.h"
#include "storage/series_section.h"
#include "storage/string_section.h"

namespace hearth::storage {
namespace {

bool same_key(const DatasetInfo& a, const DatasetInfo& b) {
  return std::tie(a.tenant, a.service, a.family) == std::tie(b.tenant, b.service, b.family);
}

void add_info(const DatasetInfo& part, DatasetInfo& all) {
  all.t_min_ns = std::min(all.t_min_ns, part.t_min_ns);
  all.t_max_ns = std::max(all.t_max_ns, part.t_max_ns);
  all.series += part.series;
  all.profiles += part.profiles;
  all.rows += part.rows;
  all.nodes += part.nodes;
  all.keys += part.keys;
  for (size_t t = 0; t < all.totals.size(); ++t)
    all.totals[t] = add_saturating(all.totals[t], part.totals[t]);
}

}  // namespace

std::vector<DatasetRun> covered_runs(std::span<const DatasetEntry> datasets) {
  std::vector<DatasetRun> runs;
  size_t first = 0;
  for (size_t i = 0; i < datasets.size(); ++i) {
    if (!same_key(datasets[first].info, datasets[i].info)) first = i;
    const bool last = i + 1 == datasets.size() || !same_key(datasets[i].info, datasets[i + 1].info);
    if (last && i > first && datasets[i].find(SectionKind::cover_roll) != nullptr)
      runs.push_back({first, i + 1 - first});
  }
  return runs;
}

SegmentCover::SegmentCover(const ObjectReader& object, std::span<const DatasetEntry> parts,
                           Id128 symbols_id, CacheBudget& budget, std::string name)
    : object_(object),
      last_(parts.back()),
      symbols_id_(symbols_id),
      budget_(budget),
      name_(std::move(name)),
      info_(parts.front().info) {
  for (const DatasetEntry& part : parts.subspan(1)) add_info(part.info, info_);
}

tl::unexpected<Error> SegmentCover::in_context(Error error) const {
  error.message = fmt::format("{}: {}", name_, error.message);
  return tl::unexpected(std::move(error));
}

void SegmentCover::prefetch_rollup() const {
  const SectionEntry* const first = last_.find(SectionKind::cover_roll);
  const SectionEntry* const end = last_.find(SectionKind::cover_series);
  if (first == nullptr || end == nullptr || end->offset < first->offset) return;
  object_.prefetch(first->offset, end->offset + end->stored - first->offset);
}

Result<std::string> SegmentCover::raw_section(SectionKind kind) const {
  const SectionEntry* const s = last_.find(kind);
  if (s == nullptr) return section_damaged(kind, "missing");
  HEARTH_ASSIGN_OR_RETURN(const SharedBytes stored, object_.read(s->offset, s->stored));
  std::string raw;
  HEARTH_RETURN_IF_ERROR(
      load_section(stored.view, s->codec, s->raw, s->crc, section_name(kind), raw));
  return raw;
}

Result<std::shared_ptr<const Rollup>> SegmentCover::load_rollup() const {
  HEARTH_ASSIGN_OR_RETURN(const std::string roll, raw_section(SectionKind::cover_roll));
  HEARTH_ASSIGN_OR_RETURN(const std::string text, raw_section(SectionKind::cover_strings));
  ByteReader reader(text);
  StringColumn strings;
  HEARTH_RETURN_IF_ERROR(decode_strings(reader, strings));
  if (!reader.done()) return section_damaged(SectionKind::cover_strings, "bytes left over");
  HEARTH_ASSIGN_OR_RETURN(Rollup rollup,
                          decode_rollup(roll, std::move(strings), info_.family.types.size()));
  return std::make_shared<const Rollup>(std::move(rollup));
}

Result<std::shared_ptr<const Rollup>> SegmentCover::rollup() const {
  auto rollup = load_rollup();
  if (!rollup) return in_context(std::move(rollup).error());
  return rollup;
}

Result<std::shared_ptr<const std::vector<LabelSet>>> SegmentCover::load_series() const {
  HEARTH_ASSIGN_OR_RETURN(const std::string raw, raw_section(SectionKind::cover_series));
  auto series = std::make_shared<std::vector<LabelSet>>();
  HEARTH_RETURN_IF_ERROR(decode_series(raw, std::nullopt, *series));
  return series;
}

Result<std::shared_ptr<const std::vector<LabelSet>>> SegmentCover::series() const {
  auto series = series_.get(budget_, [this] { return load_series(); }, series_memory_bytes);
  if (!series) return in_context(std::move(series).error());
  return series;
}

}  // namespace hearth::storage
