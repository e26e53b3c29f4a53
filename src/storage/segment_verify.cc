#include "storage/segment_verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "storage/cover_builder.h"
#include "storage/dataset_verify.h"
#include "storage/label_bloom.h"
#include "storage/segment_cover.h"
#include "storage/segment_file.h"

namespace hearth::storage {
namespace {

void verify_header(const ObjectReader& object, const SegmentDirectory& directory,
                   Findings& findings) {
  const auto bytes = object.read(0, kHeaderBytes);
  const auto header = bytes ? decode_header(bytes->view) : tl::unexpected(bytes.error());
  if (!header) {
    findings.add(header.error().message);
  } else if (header->minor != directory.minor || header->uuid != directory.uuid ||
             header->level != directory.level) {
    findings.add("header and directory name different segments");
  }
}

void verify_order(const SegmentDirectory& directory, Findings& findings) {
  const auto key = [&](size_t i) {
    const DatasetInfo& info = directory.datasets[i].info;
    return std::tie(info.tenant, info.service, info.family);
  };
  for (size_t i = 1; i < directory.datasets.size(); ++i) {
    if (key(i) < key(i - 1)) findings.add(fmt::format("dataset {} is out of order", i));
  }
}

void verify_dataset_at(const ObjectReader& object, const SegmentDirectory& directory, size_t i,
                       BloomBuilder& bloom, Findings& findings) {
  CacheBudget budget(0);
  const SegmentDataset dataset(object, directory.datasets[i], directory.label_bloom,
                               dataset_symbols_id(directory.uuid, i), budget, "");
  Findings found;
  verify_dataset(dataset, found);
  for (const std::string& line : found.lines())
    findings.add(fmt::format("dataset {}: {}", i, line));
  const auto series = dataset.series();
  if (!series) return;
  for (const LabelSet& set : **series) {
    for (const Label& label : set.labels()) bloom.add_label(label.name, label.value);
  }
}

/// The rollup that the datasets of a run make together, from their own; those are compared with the
/// rows elsewhere.
Result<std::optional<CoverSections>> cover_again(const ObjectReader& object,
                                                 const SegmentDirectory& directory,
                                                 const DatasetRun& run, CacheBudget& budget) {
  const size_t types = directory.datasets[run.first].info.family.types.size();
  CoverBuilder builder(types, limit::kNodes);
  for (size_t i = run.first; i < run.first + run.count; ++i) {
    const SegmentDataset dataset(object, directory.datasets[i], directory.label_bloom,
                                 dataset_symbols_id(directory.uuid, i), budget, "");
    HEARTH_ASSIGN_OR_RETURN(const auto rollup, dataset.rollup());
    HEARTH_ASSIGN_OR_RETURN(const auto series, dataset.series());
    if (rollup == nullptr)
      return fail(ErrorCode::data_loss, fmt::format("dataset {} of a cover has no ROLL", i));
    builder.add(*rollup, *series);
  }
  return builder.finish();
}

void verify_cover(const ObjectReader& object, const SegmentDirectory& directory,
                  const DatasetRun& run, Findings& findings) {
  CacheBudget budget(0);
  const auto want = cover_again(object, directory, run, budget);
  if (!want) return findings.add(want.error().message);
  if (!*want) return findings.add("CROLL where datasets can have none");
  const SegmentCover cover(object, std::span(directory.datasets).subspan(run.first, run.count),
                           directory.uuid, budget, fmt::format("dataset {}", run.first));
  for (const auto& [kind, bytes] : {std::pair{SectionKind::cover_roll, &(*want)->roll},
                                    {SectionKind::cover_strings, &(*want)->strings},
                                    {SectionKind::cover_series, &(*want)->series}}) {
    const auto raw = cover.raw_section(kind);
    if (!raw) findings.add(raw.error().message);
    if (raw && *raw != *bytes) {
      findings.add(fmt::format("{} of datasets {} to {} is not what they add up to",
                               section_name(kind), run.first, run.first + run.count - 1));
    }
  }
}

/// Covers stand where they belong, each whole, and say the same as their datasets.
void verify_covers(const ObjectReader& object, const SegmentDirectory& directory,
                   Findings& findings) {
  const std::vector<DatasetRun> runs = covered_runs(directory.datasets);
  const auto ends_a_run = [&](size_t i) {
    return std::ranges::any_of(
        runs, [&](const DatasetRun& run) { return run.first + run.count - 1 == i; });
  };
  for (size_t i = 0; i < directory.datasets.size(); ++i) {
    for (const SectionEntry& s : directory.datasets[i].sections) {
      const bool of_cover =
          s.kind >= SectionKind::cover_roll && s.kind <= SectionKind::cover_series;
      if (of_cover && !ends_a_run(i))
        findings.add(fmt::format("dataset {} has {} and is not the last of several", i,
                                 section_name(s.kind)));
    }
  }
  for (const DatasetRun& run : runs) verify_cover(object, directory, run, findings);
}

}  // namespace

VerifyReport verify_segment(const ObjectReader& object, const std::string& expected_key) {
  VerifyReport report;
  report.bytes = object.size();
  const auto directory = read_segment_directory(object);
  if (!directory) {
    report.findings.push_back(directory.error().message);
    return report;
  }
  report.object_key = directory->object_key;
  report.datasets = directory->datasets.size();
  Findings findings;
  if (!expected_key.empty() && directory->object_key != expected_key) {
    findings.add(fmt::format("the object is '{}'; it was written as '{}'", expected_key,
                             directory->object_key));
  }
  verify_header(object, *directory, findings);
  verify_order(*directory, findings);
  BloomBuilder bloom;
  for (size_t i = 0; i < directory->datasets.size(); ++i) {
    report.profiles += directory->datasets[i].info.profiles;
    report.rows += directory->datasets[i].info.rows;
    verify_dataset_at(object, *directory, i, bloom, findings);
  }
  verify_covers(object, *directory, findings);
  // With a damaged series section the filter cannot be computed, and the damage is already listed.
  if (findings.lines().empty() && bloom.finish() != directory->label_bloom)
    findings.add("label filter differs");
  report.findings = findings.lines();
  return report;
}

}  // namespace hearth::storage
