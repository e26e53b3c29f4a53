#include "storage/segment_inspect.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "storage/rollup.h"
#include "storage/section_inspect.h"
#include "storage/segment_cover.h"
#include "storage/segment_dataset.h"
#include "storage/segment_file.h"

namespace hearth::storage {
namespace {

InspectTable segment_table(const ObjectReader& object, const SegmentDirectory& d) {
  InspectTable t{"segment", {"field", "value"}, {}};
  t.rows.push_back({"object key", d.object_key});
  t.rows.push_back({"uuid", d.uuid.uuid()});
  t.rows.push_back({"level", fmt::format("{}", d.level)});
  t.rows.push_back({"window start ns", fmt::format("{}", d.window_start_ns)});
  t.rows.push_back({"window length ns", fmt::format("{}", d.window_length_ns)});
  t.rows.push_back({"writer", d.writer_version});
  t.rows.push_back({"label filter bytes", fmt::format("{}", d.label_bloom.size())});
  t.rows.push_back({"bytes", fmt::format("{}", object.size())});
  return t;
}

std::string family_text(const Family& family) {
  std::string text;
  for (const SampleType& type : family.types)
    text += (text.empty() ? "" : " ") + type.type + ":" + type.unit;
  return text + " / " + family.period.type + ":" + family.period.unit;
}

InspectTable datasets_table(const SegmentDirectory& d) {
  InspectTable t{"datasets",
                 {"dataset", "tenant", "service", "types / period", "t_min_ns", "t_max_ns",
                  "series", "profiles", "rows", "nodes", "keys", "bytes"},
                 {}};
  for (size_t i = 0; i < d.datasets.size(); ++i) {
    const DatasetInfo& info = d.datasets[i].info;
    t.rows.push_back({uint64_t{i}, info.tenant, info.service, family_text(info.family),
                      info.t_min_ns, info.t_max_ns, info.series, info.profiles, info.rows,
                      info.nodes, info.keys, d.datasets[i].stored_bytes()});
  }
  return t;
}

InspectTable sections_table(const SegmentDirectory& d) {
  static constexpr std::array<const char*, 3> kCodecs = {"raw", "zstd", "lz4"};
  InspectTable t{
      "sections",
      {"dataset", "section", "codec", "offset", "stored", "raw", "bytes/profile", "crc32c"},
      {}};
  for (size_t i = 0; i < d.datasets.size(); ++i) {
    const auto profiles = static_cast<double>(std::max<uint64_t>(1, d.datasets[i].info.profiles));
    for (const SectionEntry& s : d.datasets[i].sections) {
      const auto codec = static_cast<size_t>(s.codec);
      t.rows.push_back({uint64_t{i}, section_name(s.kind),
                        codec < kCodecs.size() ? kCodecs[codec] : "unknown", s.offset, s.stored,
                        s.raw, fmt::format("{:.1f}", static_cast<double>(s.stored) / profiles),
                        fmt::format("{:08x}", s.crc)});
    }
  }
  return t;
}

Result<std::vector<InspectTable>> inspect_covers(const ObjectReader& object,
                                                 const SegmentDirectory& directory,
                                                 std::optional<size_t> dataset) {
  std::vector<InspectTable> tables;
  for (const DatasetRun& run : covered_runs(directory.datasets)) {
    const size_t last = run.first + run.count - 1;
    if (dataset && (*dataset < run.first || *dataset > last)) continue;
    CacheBudget budget(0);
    const SegmentCover cover(object, std::span(directory.datasets).subspan(run.first, run.count),
                             directory.uuid, budget, "");
    HEARTH_ASSIGN_OR_RETURN(const auto rollup, cover.rollup());
    InspectTable table = inspect_rollup(cover.info(), *rollup);
    table.name = fmt::format("CROLL of datasets {} to {}", run.first, last);
    tables.push_back(std::move(table));
  }
  return tables;
}

}  // namespace

Result<std::vector<InspectTable>> inspect_segment(const ObjectReader& object,
                                                  const InspectRequest& request) {
  HEARTH_ASSIGN_OR_RETURN(const SegmentDirectory directory, read_segment_directory(object));
  const size_t count = directory.datasets.size();
  if (request.dataset && *request.dataset >= count) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("inspect segment: no dataset {}; it has {}", *request.dataset, count));
  }
  std::vector<InspectTable> tables;
  if (request.section.empty()) {
    return std::vector{segment_table(object, directory), datasets_table(directory),
                       sections_table(directory)};
  }
  if (request.section == "CROLL") return inspect_covers(object, directory, request.dataset);
  for (size_t i = request.dataset.value_or(0); i < (request.dataset ? *request.dataset + 1 : count);
       ++i) {
    CacheBudget budget(0);
    const SegmentDataset dataset(object, directory.datasets[i], directory.label_bloom,
                                 dataset_symbols_id(directory.uuid, i), budget, "");
    HEARTH_ASSIGN_OR_RETURN(InspectTable table, inspect_section(dataset, request.section));
    table.name = fmt::format("{} of dataset {}", request.section, i);
    tables.push_back(std::move(table));
  }
  return tables;
}

}  // namespace hearth::storage
