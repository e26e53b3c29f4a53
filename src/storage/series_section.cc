#include "storage/series_section.h"

#include <algorithm>

#include "base/bytes.h"
#include "storage/segment_format.h"
#include "storage/string_section.h"

namespace hearth::storage {
namespace {

constexpr uint8_t kPostings = 1;

tl::unexpected<Error> damaged(std::string_view what) {
  return section_damaged(SectionKind::series, what);
}

std::vector<std::string_view> string_table(std::span<const LabelSet> series) {
  std::vector<std::string_view> strings = {""};
  for (const LabelSet& set : series) {
    for (const Label& label : set.labels()) {
      strings.emplace_back(label.name);
      strings.emplace_back(label.value);
    }
  }
  std::ranges::sort(strings);
  const auto rest = std::ranges::unique(strings);
  strings.erase(rest.begin(), rest.end());
  return strings;
}

uint64_t index_of(std::span<const std::string_view> strings, std::string_view s) {
  return static_cast<uint64_t>(std::ranges::lower_bound(strings, s) - strings.begin());
}

/// False when the labels are not sorted by name with values that are not empty.
bool read_labels(ByteReader& reader, const StringColumn& strings, std::vector<Label>& labels) {
  const size_t n = reader.count(limit::kLabelsPerSet);
  labels.clear();
  for (size_t i = 0; i < n; ++i) {
    const uint64_t name = reader.varint_max(strings.views.size() - 1);
    const uint64_t value = reader.varint_max(strings.views.size() - 1);
    if (!reader.ok() || value == 0) return false;
    labels.push_back({std::string(strings.views[name]), std::string(strings.views[value])});
    if (i > 0 && labels[i - 1].name >= labels[i].name) return false;
  }
  return reader.ok();
}

}  // namespace

Status encode_series(std::span<const LabelSet> series, std::string& out) {
  if (series.size() > limit::kSeries)
    return section_too_large(SectionKind::series, "more than 2^20 series");
  const std::vector<std::string_view> strings = string_table(series);
  out.push_back(0);
  HEARTH_RETURN_IF_ERROR(encode_strings(strings, out));
  put_varint(out, series.size());
  for (const LabelSet& set : series) {
    if (set.size() > limit::kLabelsPerSet)
      return section_too_large(SectionKind::series, "more than 4096 labels");
    put_varint(out, set.size());
    for (const Label& label : set.labels()) {
      put_varint(out, index_of(strings, label.name));
      put_varint(out, index_of(strings, label.value));
    }
  }
  return {};
}

Status decode_series(std::string_view raw, std::optional<size_t> want, std::vector<LabelSet>& out) {
  ByteReader reader(raw);
  const uint8_t flags = reader.u8();
  if (flags > kPostings) return damaged("unknown flags");
  StringColumn strings;
  HEARTH_RETURN_IF_ERROR(decode_strings(reader, strings));
  const size_t series = reader.count(limit::kSeries);
  if (!reader.ok() || series != want.value_or(series)) return damaged("number of series");
  out.clear();
  out.reserve(series);
  std::vector<Label> labels;
  for (size_t i = 0; i < series; ++i) {
    if (!read_labels(reader, strings, labels)) return damaged("labels of a series");
    HEARTH_ASSIGN_OR_RETURN(LabelSet set, LabelSet::make(labels));
    if (i > 0 && !(out.back() < set)) return damaged("series out of order");
    out.push_back(std::move(set));
  }
  if (flags == kPostings) reader.str();
  return reader.done() ? Status{} : damaged("bytes left over");
}

size_t series_memory_bytes(const std::vector<LabelSet>& series) {
  size_t bytes = sizeof series;
  for (const LabelSet& set : series) {
    bytes += sizeof set;
    for (const Label& label : set.labels())
      bytes += sizeof label + label.name.capacity() + label.value.capacity();
  }
  return bytes;
}

}  // namespace hearth::storage
