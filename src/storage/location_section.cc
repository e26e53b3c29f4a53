#include <algorithm>
#include <numeric>

#include "storage/column_codec.h"
#include "storage/segment_format.h"
#include "storage/symbol_sections.h"

namespace hearth::storage {
namespace {

constexpr uint8_t kFolded = 1;
constexpr uint8_t kColumns = 2;
constexpr uint8_t kAllAddresses = 4;

tl::unexpected<Error> damaged(std::string_view what) {
  return section_damaged(SectionKind::locations, what);
}

bool has_lines(const symbols::SymbolTables& t, size_t location) {
  return t.line_begin[location] != t.line_begin[location + 1];
}

uint8_t location_flags(const symbols::SymbolTables& t) {
  uint8_t flags = 0;
  for (size_t l = 1; l < t.locations(); ++l) {
    if (t.location_folded[l] != 0) flags |= kFolded;
    if (t.location_address[l] != 0 && has_lines(t, l)) flags |= kAllAddresses;
  }
  if (std::ranges::any_of(t.line_column, [](int64_t c) { return c != 0; })) flags |= kColumns;
  return flags;
}

/// Within a mapping addresses ascend, so the deltas are small and never negative.
std::vector<uint64_t> address_deltas(const symbols::SymbolTables& t, bool all) {
  std::vector<uint64_t> deltas;
  uint64_t previous = 0;
  for (size_t l = 1; l < t.locations(); ++l) {
    if (t.location_mapping[l] != t.location_mapping[l - 1] || l == 1) previous = 0;
    if (!all && has_lines(t, l)) continue;
    deltas.push_back(t.location_address[l] - previous);
    previous = t.location_address[l];
  }
  return deltas;
}

bool restore_addresses(std::span<const uint64_t> deltas, bool all, OwnedSymbols& out) {
  const symbols::SymbolTables t = out.view();
  uint64_t previous = 0;
  size_t next = 0;
  for (size_t l = 1; l < t.locations(); ++l) {
    if (t.location_mapping[l] != t.location_mapping[l - 1] || l == 1) previous = 0;
    if (!all && has_lines(t, l)) continue;
    if (__builtin_add_overflow(previous, deltas[next++], &previous)) return false;
    out.location_address[l] = previous;
  }
  return true;
}

/// Line counts → line_begin with the filler for location 0. False when a count is over its limit.
bool restore_line_begin(std::span<const uint32_t> counts, OwnedSymbols& out) {
  out.line_begin.assign(counts.size() + 2, 0);
  uint64_t total = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    total += counts[i];
    if (counts[i] > limit::kLocationLines || total > UINT32_MAX) return false;
    out.line_begin[i + 2] = static_cast<uint32_t>(total);
  }
  return true;
}

Status decode_lines(ByteReader& reader, uint8_t flags, OwnedSymbols& out) {
  const size_t lines = out.line_begin.back();
  if (!read_svb(reader, lines, out.line_function)) return damaged("functions of lines");
  for (const uint32_t f : out.line_function) {
    if (f >= out.function_name.size()) return damaged("function index out of range");
  }
  if (!read_zigzag_vcol(reader, lines, out.line_number)) return damaged("line numbers");
  if ((flags & kColumns) == 0) {
    out.line_column.assign(lines, 0);
  } else if (!read_zigzag_vcol(reader, lines, out.line_column)) {
    return damaged("columns");
  }
  return {};
}

Status decode_folded(ByteReader& reader, size_t n, uint8_t flags, OwnedSymbols& out) {
  out.location_folded.assign(n + 1, 0);
  if ((flags & kFolded) == 0) return {};
  const std::string_view folded = reader.str();
  if (folded.size() != n) return damaged("folded flags");
  for (size_t i = 0; i < n; ++i) {
    out.location_folded[i + 1] = static_cast<uint8_t>(folded[i]);
    if (out.location_folded[i + 1] > 1) return damaged("folded flags");
  }
  return {};
}

}  // namespace

int compare_locations(const symbols::SymbolTables& t, size_t a, size_t b) {
  if (t.location_mapping[a] != t.location_mapping[b])
    return t.location_mapping[a] < t.location_mapping[b] ? -1 : 1;
  if (t.location_address[a] != t.location_address[b])
    return t.location_address[a] < t.location_address[b] ? -1 : 1;
  size_t i = t.line_begin[a];
  size_t j = t.line_begin[b];
  for (; i < t.line_begin[a + 1] && j < t.line_begin[b + 1]; ++i, ++j) {
    if (t.line_function[i] != t.line_function[j])
      return t.line_function[i] < t.line_function[j] ? -1 : 1;
    if (t.line_number[i] != t.line_number[j]) return t.line_number[i] < t.line_number[j] ? -1 : 1;
    if (t.line_column[i] != t.line_column[j]) return t.line_column[i] < t.line_column[j] ? -1 : 1;
  }
  const size_t lines_a = t.line_begin[a + 1] - t.line_begin[a];
  const size_t lines_b = t.line_begin[b + 1] - t.line_begin[b];
  if (lines_a != lines_b) return lines_a < lines_b ? -1 : 1;
  return int{t.location_folded[a]} - int{t.location_folded[b]};
}

Status encode_locations(const symbols::SymbolTables& t, std::string& out) {
  const size_t n = t.locations() - 1;
  if (n > limit::kLocations)
    return section_too_large(SectionKind::locations, "more than 2^24 locations");
  const uint8_t flags = location_flags(t);
  std::vector<uint32_t> counts(n);
  for (size_t l = 1; l <= n; ++l) counts[l - 1] = t.line_begin[l + 1] - t.line_begin[l];
  if (std::ranges::any_of(counts, [](uint32_t c) { return c > limit::kLocationLines; })) {
    return section_too_large(SectionKind::locations, "more than 1024 lines in a location");
  }
  put_varint(out, n);
  out.push_back(static_cast<char>(flags));
  put_svb(out, t.location_mapping.subspan(1));
  put_svb(out, counts);
  if ((flags & kFolded) != 0) {
    put_str(out, {reinterpret_cast<const char*>(t.location_folded.data()) + 1, n});
  }
  put_vcol(out, address_deltas(t, (flags & kAllAddresses) != 0));
  put_svb(out, t.line_function);
  put_zigzag_vcol(out, t.line_number);
  if ((flags & kColumns) != 0) put_zigzag_vcol(out, t.line_column);
  return {};
}

Status decode_locations(std::string_view raw, OwnedSymbols& out) {
  ByteReader reader(raw);
  const size_t n = reader.count(limit::kLocations);
  const uint8_t flags = reader.u8();
  if (flags > (kFolded | kColumns | kAllAddresses)) return damaged("unknown flags");
  std::vector<uint32_t> counts;
  if (!read_svb(reader, n, static_cast<uint32_t>(out.mapping_start.size()), out.location_mapping)) {
    return damaged("mappings");
  }
  if (!read_svb(reader, n, counts) || !restore_line_begin(counts, out))
    return damaged("line counts");
  out.location_mapping.insert(out.location_mapping.begin(), 0);
  HEARTH_RETURN_IF_ERROR(decode_folded(reader, n, flags, out));
  const bool all = (flags & kAllAddresses) != 0;
  const size_t addresses = all ? n : static_cast<size_t>(std::ranges::count(counts, 0U));
  std::vector<uint64_t> deltas;
  if (!read_vcol(reader, addresses, deltas)) return damaged("addresses");
  out.location_address.assign(n + 1, 0);
  if (!restore_addresses(deltas, all, out)) return damaged("addresses");
  HEARTH_RETURN_IF_ERROR(decode_lines(reader, flags, out));
  if (!reader.done()) return damaged("bytes left over");
  const symbols::SymbolTables t = out.view();
  for (size_t l = 2; l <= n; ++l) {
    if (compare_locations(t, l - 1, l) >= 0) return damaged("locations out of order");
  }
  return {};
}

}  // namespace hearth::storage
