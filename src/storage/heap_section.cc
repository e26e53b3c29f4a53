#include "storage/heap_section.h"

#include <algorithm>
#include <bit>
#include <tuple>

#include "base/bytes.h"
#include "storage/column_codec.h"
#include "storage/key_sections.h"
#include "storage/segment_format.h"

namespace hearth::storage {
namespace {

constexpr std::string_view kSizeLabel = "bytes";

tl::unexpected<Error> damaged(std::string_view what) {
  return section_damaged(SectionKind::heap, what);
}

auto order(const HeapFactor& f) {
  return std::tuple(f.rate, f.size);
}

/// Sizes of label sets, by set: the number of the one numeric label whose name is string `name`.
std::vector<uint64_t> set_sizes(const symbols::SymbolTables& t, uint32_t name) {
  std::vector<uint64_t> sizes(t.label_begin.size() - 1);
  for (size_t s = 0; s < sizes.size(); ++s) {
    size_t found = 0;
    for (size_t i = t.label_begin[s]; i < t.label_begin[s + 1]; ++i) {
      if (t.label_key[i] != name || t.label_str[i] != 0) continue;
      ++found;
      const int64_t size = t.label_num[i];
      sizes[s] =
          size > 0 && static_cast<uint64_t>(size) <= kHeapSizeMax ? static_cast<uint64_t>(size) : 0;
    }
    if (found != 1) sizes[s] = 0;
  }
  return sizes;
}

std::vector<uint64_t> key_sizes(const symbols::SymbolTables& t, uint32_t name) {
  const std::vector<uint64_t> by_set = set_sizes(t, name);
  std::vector<uint64_t> sizes(t.keys());
  for (size_t k = 0; k < sizes.size(); ++k) sizes[k] = by_set[t.key_labels[k]];
  return sizes;
}

uint32_t size_label(const symbols::SymbolTables& t) {
  const auto found = std::ranges::find(t.strings, kSizeLabel);
  return static_cast<uint32_t>(found - t.strings.begin());
}

/// rate and size columns: differences to the factor before, in 64 bits.
template <class Get>
std::vector<int64_t> differences(std::span<const HeapFactor> factors, Get get) {
  std::vector<int64_t> out;
  uint64_t before = 0;
  for (const HeapFactor& f : factors) {
    const auto v = static_cast<uint64_t>(get(f));
    out.push_back(static_cast<int64_t>(v - std::exchange(before, v)));
  }
  return out;
}

bool read_factors(ByteReader& reader, std::vector<HeapFactor>& out) {
  const size_t n = reader.count(limit::kKeys);
  std::vector<int64_t> rates;
  std::vector<int64_t> sizes;
  if (!read_zigzag_vcol(reader, n, rates) || !read_zigzag_vcol(reader, n, sizes)) return false;
  if (reader.left() != n * sizeof(uint64_t)) return false;
  uint64_t rate = 0;
  uint64_t size = 0;
  for (size_t i = 0; i < n; ++i) {
    rate += static_cast<uint64_t>(rates[i]);
    size += static_cast<uint64_t>(sizes[i]);
    out.push_back({size, static_cast<int64_t>(rate), std::bit_cast<double>(reader.u64())});
    if (size > kHeapSizeMax || !is_valid({static_cast<double>(size), out.back().c})) return false;
    if (i > 0 && order(out[i - 1]) >= order(out[i])) return false;
  }
  return reader.done();
}

}  // namespace

bool is_go_heap(const Family& family) {
  static const std::vector<SampleType> kTypes = {{"alloc_objects", "count"},
                                                 {"alloc_space", "bytes"},
                                                 {"inuse_objects", "count"},
                                                 {"inuse_space", "bytes"}};
  return family.types == kTypes;
}

std::vector<HeapScale> HeapScales::at_rate(int64_t rate) const {
  std::vector<HeapScale> scales(key_size.size());
  const auto of_rate = std::ranges::equal_range(factors, rate, {}, &HeapFactor::rate);
  for (size_t k = 0; k < scales.size(); ++k) {
    const auto f = std::ranges::lower_bound(of_rate, key_size[k], {}, &HeapFactor::size);
    if (f == of_rate.end() || f->size != key_size[k]) continue;
    scales[k] = {static_cast<double>(f->size), f->c};
  }
  return scales;
}

std::vector<uint64_t> heap_key_sizes(const symbols::SymbolTables& tables) {
  return key_sizes(tables, size_label(tables));
}

Status encode_heap(std::span<const HeapFactor> factors, const symbols::SymbolTables& tables,
                   std::string& out) {
  const uint32_t name = size_label(tables);
  if (name == tables.strings.size()) {
    return fail(ErrorCode::internal, "write HEAP: no label \"bytes\" among the strings");
  }
  put_varint(out, name);
  put_varint(out, factors.size());
  put_zigzag_vcol(out, differences(factors, [](const HeapFactor& f) { return f.rate; }));
  put_zigzag_vcol(out, differences(factors, [](const HeapFactor& f) { return f.size; }));
  for (const HeapFactor& f : factors) put_le(out, std::bit_cast<uint64_t>(f.c));
  return {};
}

Status decode_heap(std::string_view raw, std::string_view classes, std::string_view raw_keys,
                   size_t keys, HeapScales& out) {
  ByteReader reader(raw);
  const auto name = static_cast<uint32_t>(reader.varint_max(limit::kStrings));
  if (!read_factors(reader, out.factors)) return damaged("factors");
  OwnedSymbols symbols;
  HEARTH_RETURN_IF_ERROR(decode_keys(classes, raw_keys, keys, limit::kStrings, symbols));
  out.key_size = key_sizes(symbols.view(), name);
  return {};
}

}  // namespace hearth::storage
