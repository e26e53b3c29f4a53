#include "storage/segment_verify.h"

#include <fmt/format.h>

#include <tuple>

#include "storage/dataset_verify.h"
#include "storage/label_bloom.h"
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
  // With a damaged series section the filter cannot be computed, and the damage is already listed.
  if (findings.lines().empty() && bloom.finish() != directory->label_bloom)
    findings.add("label filter differs");
  report.findings = findings.lines();
  return report;
}

}  // namespace hearth::storage
