// Any bytes as a segment: a value or an error, no crash, no memory beyond the limits. Mutated files
// would all end at a checksum, so the harness repairs those of tail and directory, and of the
// sections that the directory lists; the first byte selects a decoder of one section instead.
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/zstd_codec.h"
#include "storage/heap_section.h"
#include "storage/key_sections.h"
#include "storage/profile_section.h"
#include "storage/rollup_builder.h"
#include "storage/row_adder.h"
#include "storage/segment_directory.h"
#include "storage/segment_inspect.h"
#include "storage/segment_reader.h"
#include "storage/segment_verify.h"
#include "storage/series_section.h"
#include "storage/side_section.h"
#include "storage/symbol_sections.h"
#include "storage/tree_sections.h"
#include "support/memory_object.h"

namespace hearth::storage {
namespace {

void put_u32(std::string& bytes, size_t at, uint32_t v) {
  std::memcpy(bytes.data() + at, &v, sizeof v);
}

/// Stores the directory again with true checksums of every section; gives up where the frame itself
/// is broken.
std::string repair(std::string bytes) {
  if (bytes.size() < kHeaderBytes + kTailBytes) return bytes;
  const size_t tail = bytes.size() - kTailBytes;
  put_u32(bytes, tail + 24, crc32c(std::string_view(bytes).substr(tail, 24)));
  const auto pointer = decode_tail(std::string_view(bytes).substr(tail), bytes.size());
  if (!pointer || pointer->raw > (1U << 20U)) return bytes;
  std::string raw;
  if (!zstd_decompress(std::string_view(bytes).substr(pointer->offset, pointer->stored),
                       pointer->raw, raw))
    return bytes;
  auto directory = decode_directory(raw, pointer->offset);
  if (!directory) return bytes;
  for (DatasetEntry& d : directory->datasets) {
    for (SectionEntry& s : d.sections)
      s.crc = crc32c(std::string_view(bytes).substr(s.offset, s.stored));
  }
  raw = encode_directory(*directory);
  const std::string stored = zstd_compress(raw, 1);
  bytes.resize(pointer->offset);
  bytes += stored;
  bytes +=
      encode_tail({pointer->offset, static_cast<uint32_t>(stored.size()),
                   static_cast<uint32_t>(raw.size()), crc32c(stored), kFormatMajor, kFormatMinor});
  return bytes;
}

/// Small enough that a lie about sizes, not the fuzzer, is what takes memory.
bool is_small(const DatasetInfo& info) {
  return info.keys <= (1U << 20U) && info.profiles <= (1U << 16U);
}

void read_dataset(const Dataset& dataset) {
  (void)dataset.series();
  (void)dataset.symbols();
  const auto profiles = dataset.profiles();
  if (!profiles || !is_small(dataset.info())) return;
  std::vector<uint32_t> all((*profiles)->size());
  for (uint32_t p = 0; p < all.size(); ++p) all[p] = p;
  std::vector<int64_t> by_key(dataset.info().keys);
  for (size_t t = 0; t < dataset.info().family.types.size(); ++t)
    (void)dataset.add_rows(all, t, by_key);
  (void)dataset.add_side_rows(all, 0, {{1}, {}}, by_key);
}

void fuzz_file(std::string_view data) {
  const std::string bytes = repair(std::string(data));
  const auto reader = SegmentReader::open(std::make_unique<test::MemoryObject>(bytes), "");
  if (reader) {
    for (size_t i = 0; i < (*reader)->dataset_count(); ++i) read_dataset(*(*reader)->dataset(i));
  }
  (void)verify_segment(test::MemoryObject(bytes), "");
}

/// Tables that the decoders of later sections refer to: some strings, functions, mappings,
/// locations and nodes.
OwnedSymbols some_symbols() {
  OwnedSymbols s;
  for (int i = 0; i < 8; ++i) s.strings.views.push_back("abcdefg");
  s.function_name.assign(4, 0);
  s.mapping_start.assign(2, 0);
  s.node_parent.assign(9, 0);
  return s;
}

/// Scales for keys 0 … 299: every third has none.
HeapScales some_scales() {
  HeapScales scales;
  for (uint64_t k = 0; k < 300; ++k) scales.key_size.push_back(k % 3 * 24);
  for (const int64_t rate : {INT64_MIN, int64_t{1}, int64_t{10'000'000}}) {
    for (const uint64_t size : {24U, 48U})
      scales.factors.push_back({size, rate, heap_scale_factor(size, rate)});
  }
  return scales;
}

/// What decodes is what its own encoding decodes to.
void check_again(const DecodedRowBlock& decoded, std::span<const uint32_t> rows,
                 std::span<const int64_t> period, RowForm form, const HeapScales& heap) {
  const std::string encoded = encode_row_block(decoded.view(rows, period), form);
  ParsedRowBlock parsed;
  if (!parse_row_block(encoded, rows.size(), decoded.key.size(), decoded.values.size(), parsed))
    __builtin_trap();
  DecodedRowBlock twice;
  if (!decode_row_block(parsed, rows, period, heap.key_size.size(), &heap, twice) ||
      twice.key != decoded.key || twice.values != decoded.values)
    __builtin_trap();
}

void fuzz_rows(std::string_view data, size_t types) {
  const std::vector<uint32_t> rows = {3, 0, 5};
  const std::vector<int64_t> period = {10'000'000, 1, INT64_MIN};
  const HeapScales heap = some_scales();
  RowAdder adder;
  adder.heap = std::make_shared<HeapScales>(heap);
  if (!parse_row_block(data, 3, 8, types, adder.parsed)) return;
  std::vector<int64_t> by_key(heap.key_size.size());
  const std::vector<uint32_t> chosen = {0, 2};
  for (size_t type = 0; type < types; ++type)
    (void)adder.add(adder.parsed, type, 0, rows, period, chosen, by_key);
  DecodedRowBlock decoded;
  if (!decode_row_block(adder.parsed, rows, period, by_key.size(), &heap, decoded)) return;
  check_again(decoded, rows, period, adder.parsed.form, heap);
}

/// decode(encode(decode(x))) == decode(x) for strings; the others are compared by verify.
void fuzz_strings(std::string_view data) {
  ByteReader reader(data);
  StringColumn strings;
  if (!decode_strings(reader, strings)) return;
  std::string encoded;
  StringColumn again;
  ByteReader second(encoded);
  if (!encode_strings(strings.views, encoded)) __builtin_trap();
  second = ByteReader(encoded);
  if (!decode_strings(second, again) || again.views != strings.views) __builtin_trap();
}

void fuzz_heap(std::string_view data) {
  HeapScales scales;
  const std::string_view classes("\1\1\xff", 3);
  // One label set, {bytes (string 1) = 48}, which the third node's key has.
  const std::string_view keys("\1\1\1\0\140\0\0\1\1\1", 10);
  if (decode_heap(data, classes, keys, 3, scales)) (void)scales.at_rate(1);
}

void fuzz_rollup(std::string_view data) {
  const auto rollup = decode_rollup(data, std::move(some_symbols().strings), 2);
  if (!rollup) return;
  std::vector<int64_t> self(rollup->nodes());
  for (size_t g = 0; g < rollup->groups.size(); ++g) rollup->add(g, 1, self);
}

/// A block of three profiles; what decodes is what its own encoding decodes to.
void fuzz_side(std::string_view data) {
  const std::vector<int64_t> start_ns = {1'700'000'000'000'000'000, 0, INT64_MIN};
  const size_t entries = data.empty() ? 0 : static_cast<unsigned char>(data[0]) % 8;
  const SideBlockShape shape{entries, 300, 2, start_ns};
  SideTable side;
  if (!decode_side_block(data.substr(std::min<size_t>(1, data.size())), shape, side)) return;
  std::string encoded;
  encode_side_block({side.count, side.entries, side.values, start_ns, 2}, encoded);
  SideTable again;
  if (!decode_side_block(encoded, shape, again) || again.count != side.count ||
      again.entries != side.entries || again.values != side.values)
    __builtin_trap();
}

void fuzz_section(unsigned section, std::string_view data) {
  OwnedSymbols s = some_symbols();
  Successors successors;
  ProfileTable profiles;
  std::vector<LabelSet> series;
  switch (section) {
    case 1:
      return fuzz_strings(data);
    case 2:
      s.function_name.clear();
      return (void)decode_functions(data, s);
    case 3:
      s.mapping_start.clear();
      return (void)decode_mappings(data, s);
    case 4:
      return (void)decode_locations(data, s);
    case 5:
      return (void)decode_edges(data, 5, successors);
    case 6:
      successors = {{0, 2, 4, 5, 5, 6}, {1, 2, 2, 3, 4, 1}};
      return (void)decode_tree(data, data.empty() ? 0 : static_cast<unsigned char>(data[0]),
                               successors, ChildOrder::by_edge, s.node_parent, s.node_location);
    case 7:
      return (void)decode_keys(data.substr(0, std::min<size_t>(8, data.size())),
                               data.substr(std::min<size_t>(8, data.size())), 5, s);
    case 8:
      return (void)decode_series(data, 3, series);
    case 9:
      return (void)decode_profiles(data, 4, 2, 2, profiles);
    case 10:
      return fuzz_rows(data, 2);
    case 11:
      return fuzz_rows(data, 4);
    case 12:
      return fuzz_rollup(data);
    case 13:
      return fuzz_heap(data);
    default:
      return fuzz_side(data);
  }
}

}  // namespace
}  // namespace hearth::storage

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] == 0) {
    hearth::storage::fuzz_file(rest);
  } else {
    hearth::storage::fuzz_section(data[0] % 15, rest);
  }
  return 0;
}
