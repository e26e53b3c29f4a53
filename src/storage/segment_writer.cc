#include "storage/segment_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/zstd_codec.h"
#include "storage/cover_builder.h"
#include "storage/dataset_encoder.h"
#include "storage/label_bloom.h"
#include "storage/rollup_builder.h"
#include "storage/saturating_sum.h"
#include "storage/section_codec.h"
#include "storage/segment_directory.h"
#include "storage/side_section.h"
#include "storage/string_section.h"

namespace hearth::storage {
namespace {

DatasetInfo describe(const std::string& tenant, const std::string& service, const Family& family,
                     const CanonicalDataset& d) {
  DatasetInfo info;
  info.tenant = tenant;
  info.service = service;
  info.family = family;
  const auto [t_min, t_max] = std::ranges::minmax(d.profiles.start_ns);
  info.t_min_ns = t_min;
  info.t_max_ns = t_max;
  info.series = d.series.size();
  info.profiles = d.profiles.size();
  info.rows = d.row_key.size();
  info.nodes = d.symbols.columns.node_parent.size() - 1;
  info.keys = d.symbols.keys.size();
  for (const auto& total : d.profiles.totals) info.totals.push_back(saturating_sum(total));
  return info;
}

Result<std::string> encode_rollup(const CanonicalDataset& d,
                                  const std::vector<std::string>& labels) {
  const symbols::SymbolTables tables = d.symbols.columns.view();
  RollupBuilder builder(tables, d.series, labels, d.row_values.size());
  size_t row = 0;
  for (size_t p = 0; p < d.profiles.size(); ++p) {
    const size_t n = d.profiles.rows[p];
    std::vector<std::span<const int64_t>> values;
    for (const auto& column : d.row_values) values.push_back(std::span(column).subspan(row, n));
    builder.add(d.profiles.series[p], d.profiles.period[p], std::span(d.row_key).subspan(row, n),
                values);
    row += n;
  }
  return builder.finish();
}

Result<Rollup> decode_own_rollup(std::span<const RawSection> sections, size_t types) {
  const auto bytes_of = [&](SectionKind kind) -> std::string_view {
    return std::ranges::find(sections, kind, &RawSection::kind)->bytes;
  };
  StringColumn strings;
  ByteReader reader(bytes_of(SectionKind::strings));
  HEARTH_RETURN_IF_ERROR(decode_strings(reader, strings));
  return decode_rollup(bytes_of(SectionKind::roll), std::move(strings), types);
}

}  // namespace

struct SegmentWriter::Impl {
  Impl(Options options, Sink to) : sink(std::move(to)) {
    directory.object_key = std::move(options.object_key);
    directory.uuid = options.uuid;
    directory.level = options.level;
    directory.window_start_ns = options.window_start_ns;
    directory.window_length_ns = options.window_length_ns;
    directory.writer_version = std::move(options.writer_version);
    with_rollup = options.rollup;
    rollup_labels = std::move(options.rollup_labels);
  }

  /// After an error of the sink nothing more is written: the object would have a hole.
  Status write(std::string_view bytes) {
    if (broken) return fail(ErrorCode::internal, "write segment: an earlier write failed");
    Status status = sink(bytes);
    broken = !status;
    offset += bytes.size();
    return status;
  }

  Status write_header_once() {
    return offset == 0 ? write(encode_header(directory.level, directory.uuid)) : Status{};
  }

  Status write_section(SectionKind kind, std::string raw, DatasetEntry& entry) {
    const uint64_t raw_size = raw.size();
    const StoredBytes stored = store_section(std::move(raw), zstd_level(directory.level));
    entry.sections.push_back(
        {kind, stored.codec, stored.bytes.size(), raw_size, stored.crc, offset});
    return write(stored.bytes);
  }

  Status write_rows(const EncodedRows& rows, DatasetEntry& entry) {
    std::string index;
    encode_blocks(rows.blocks, index);
    HEARTH_RETURN_IF_ERROR(write_section(SectionKind::blocks, std::move(index), entry));
    const uint64_t bytes = rows.stored.size();
    entry.sections.push_back({SectionKind::rows, SectionCodec::raw, bytes, bytes, 0, offset});
    return write(rows.stored);
  }

  /// Its frames are compressed one by one.
  Status write_side(const std::string& side, DatasetEntry& entry) {
    if (side.empty()) return {};
    entry.sections.push_back(
        {SectionKind::side, SectionCodec::raw, side.size(), side.size(), crc32c(side), offset});
    return write(side);
  }

  [[nodiscard]] Status encode_side(const CanonicalDataset& d, std::string& out) const {
    if (d.side.empty()) return {};
    return storage::encode_side(d.side, d.profiles, d.row_values.size(),
                                zstd_level(directory.level), out);
  }

  Status add(const DatasetInput& input) {
    if (input.profile_series.empty())
      return fail(ErrorCode::internal, "write dataset: no profiles");
    HEARTH_ASSIGN_OR_RETURN(const CanonicalDataset dataset, canonicalise(input));
    return add(input.tenant, input.service, input.family, dataset);
  }

  /// Everything that can fail for the dataset's own sake fails here, before a byte of it is
  /// written.
  Status add(const std::string& tenant, const std::string& service, const Family& family,
             const CanonicalDataset& dataset) {
    if (family.types.size() > limit::kSampleTypes) {
      return fail(ErrorCode::too_large,
                  fmt::format("write dataset: {} sample types; want at most {}",
                              family.types.size(), limit::kSampleTypes));
    }
    HEARTH_ASSIGN_OR_RETURN(const EncodedRows rows, encode_rows(dataset, directory.level));
    HEARTH_ASSIGN_OR_RETURN(std::vector<RawSection> sections,
                            encode_sections(section_input(dataset, rows.heap)));
    if (with_rollup) {
      HEARTH_ASSIGN_OR_RETURN(std::string rollup, encode_rollup(dataset, rollup_labels));
      sections.insert(sections.begin(), {SectionKind::roll, std::move(rollup)});
    }
    std::string side;
    HEARTH_RETURN_IF_ERROR(encode_side(dataset, side));
    for (const RawSection& s : sections) {
      if (s.bytes.size() > limit::kSectionBytes)
        return section_too_large(s.kind, "more than 1 GiB");
    }
    if (cover_nodes) HEARTH_RETURN_IF_ERROR(add_to_cover(sections, dataset));
    HEARTH_RETURN_IF_ERROR(write_header_once());
    DatasetEntry entry;
    entry.info = describe(tenant, service, family, dataset);
    entry.offset = offset;
    for (RawSection& s : sections)
      HEARTH_RETURN_IF_ERROR(write_section(s.kind, std::move(s.bytes), entry));
    HEARTH_RETURN_IF_ERROR(write_rows(rows, entry));
    HEARTH_RETURN_IF_ERROR(write_side(side, entry));
    for (const LabelSet& set : dataset.series) {
      for (const Label& label : set.labels()) bloom.add_label(label.name, label.value);
    }
    directory.datasets.push_back(std::move(entry));
    return {};
  }

  Status add_to_cover(std::span<const RawSection> sections, const CanonicalDataset& dataset) {
    const size_t types = dataset.row_values.size();
    HEARTH_ASSIGN_OR_RETURN(const Rollup rollup, decode_own_rollup(sections, types));
    if (!cover) cover.emplace(types, *cover_nodes);
    cover->add(rollup, dataset.series);
    return {};
  }

  /// Behind the last dataset's own sections, so that all of its part is known.
  Status close_cover() {
    if (cover) {
      HEARTH_ASSIGN_OR_RETURN(auto sections, cover->finish());
      if (sections) HEARTH_RETURN_IF_ERROR(write_cover(*std::move(sections)));
    }
    cover.reset();
    cover_nodes.reset();
    return {};
  }
  Status write_cover(CoverSections sections) {
    DatasetEntry& last = directory.datasets.back();
    HEARTH_RETURN_IF_ERROR(write_section(SectionKind::cover_roll, std::move(sections.roll), last));
    HEARTH_RETURN_IF_ERROR(
        write_section(SectionKind::cover_strings, std::move(sections.strings), last));
    return write_section(SectionKind::cover_series, std::move(sections.series), last);
  }

  Status finish() {
    HEARTH_RETURN_IF_ERROR(write_header_once());
    directory.label_bloom = bloom.finish();
    const std::string raw = encode_directory(directory);
    if (raw.size() > limit::kDirectoryBytes || directory.datasets.size() > limit::kDatasets) {
      return fail(ErrorCode::too_large, "write segment: directory over 64 MiB or 2^20 datasets");
    }
    const std::string stored = zstd_compress(raw, kSymbolZstdLevel);
    DirectoryPointer pointer;
    pointer.offset = offset;
    pointer.stored = static_cast<uint32_t>(stored.size());
    pointer.raw = static_cast<uint32_t>(raw.size());
    pointer.crc = crc32c(stored);
    pointer.major = kFormatMajor;
    pointer.minor = kFormatMinor;
    HEARTH_RETURN_IF_ERROR(write(stored));
    return write(encode_tail(pointer));
  }

  Sink sink;
  uint64_t offset = 0;
  bool broken = false;
  bool with_rollup = false;
  std::vector<std::string> rollup_labels;
  std::optional<size_t> cover_nodes;  ///< While a cover is open.
  std::optional<CoverBuilder> cover;  ///< From its first dataset on.
  SegmentDirectory directory;
  BloomBuilder bloom;
};

SegmentWriter::SegmentWriter(Options options, Sink sink)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(sink))) {}
SegmentWriter::~SegmentWriter() = default;

Status SegmentWriter::add(const DatasetInput& dataset) {
  return impl_->add(dataset);
}
Status SegmentWriter::add(const std::string& tenant, const std::string& service,
                          const Family& family, const CanonicalDataset& dataset) {
  return impl_->add(tenant, service, family, dataset);
}
void SegmentWriter::open_cover(size_t nodes_max) {
  if (impl_->with_rollup) impl_->cover_nodes = nodes_max;
}
Status SegmentWriter::close_cover() {
  return impl_->close_cover();
}
Status SegmentWriter::finish() {
  return impl_->finish();
}

}  // namespace hearth::storage
