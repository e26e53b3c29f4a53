// What each encoding of a segment saves: the bytes of a section beside those of simpler forms of
// the same data, all compressed as the section is.
#include <algorithm>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/zstd_codec.h"
#include "dataset.h"
#include "harness.h"
#include "storage/canonical_dataset.h"
#include "storage/column_codec.h"
#include "storage/dataset_encoder.h"
#include "storage/heap_rows.h"
#include "storage/row_block.h"
#include "storage/section_codec.h"
#include "storage/segment_format.h"
#include "stream.h"

namespace hearth::bench {
namespace {

using storage::CanonicalDataset;
using storage::RowBlockView;
using storage::RowForm;
using storage::SectionKind;

size_t compressed(const std::string& raw, int level) {
  return zstd_compress(raw, level).size();
}

/// Prints B/profile of the forms of one section, ours first.
class Report {
 public:
  Report(Context& context, const Stream& stream, size_t profiles)
      : context_(context), stream_(stream.name), profiles_(profiles) {}
  void add(const std::string& section, const std::string& form, size_t bytes) {
    context_.report("size/encodings",
                    {{"stream", stream_},
                     {"profiles", std::to_string(profiles_)},
                     {"section", section},
                     {"form", form}},
                    "B/profile", {static_cast<double>(bytes) / static_cast<double>(profiles_)});
  }

 private:
  Context& context_;
  std::string stream_;
  size_t profiles_;
};

void report_strings(const CanonicalDataset& d, const std::string& section, Report& report) {
  std::string plain;
  for (const auto s : d.symbols.columns.strings.views) put_str(plain, s);
  report.add("STR", "front-coded", compressed(section, 3));
  report.add("STR", "whole", compressed(plain, 3));
}

void report_tree(const CanonicalDataset& d, const std::string& edges, const std::string& tree,
                 Report& report) {
  const auto& columns = d.symbols.columns;
  std::vector<uint32_t> depth(columns.node_parent.size());
  std::vector<uint32_t> pops;
  std::vector<uint32_t> up;
  for (uint32_t i = 1; i < depth.size(); ++i) {
    depth[i] = depth[columns.node_parent[i]] + 1;
    pops.push_back(depth[i - 1] + 1 - depth[i]);
    up.push_back(i - columns.node_parent[i]);
  }
  const std::span locations = std::span(columns.node_location).subspan(1);
  std::string by_location;
  storage::put_vcol(by_location, pops);
  storage::put_svb(by_location, locations);
  std::string by_parent;
  storage::put_svb(by_parent, up);
  storage::put_svb(by_parent, locations);
  report.add("EDGE+TREE", "index among successors", compressed(edges, 3) + compressed(tree, 3));
  report.add("EDGE+TREE", "location", compressed(by_location, 3));
  report.add("EDGE+TREE", "distance to the parent, location", compressed(by_parent, 3));
}

/// Rows by another numbering of the keys, as plain blocks.
size_t rows_bytes(const CanonicalDataset& d, std::span<const uint32_t> id_of) {
  std::vector<uint32_t> key;
  std::vector<std::vector<int64_t>> values(d.row_values.size());
  size_t row = 0;
  for (const uint32_t n : d.profiles.rows) {
    std::vector<size_t> order(n);
    std::iota(order.begin(), order.end(), row);
    std::ranges::sort(order, {}, [&](size_t r) { return id_of[d.row_key[r]]; });
    for (const size_t r : order) {
      key.push_back(id_of[d.row_key[r]]);
      for (size_t t = 0; t < values.size(); ++t) values[t].push_back(d.row_values[t][r]);
    }
    row += n;
  }
  size_t bytes = 0;
  uint64_t first_row = 0;
  for (size_t p = 0; p < d.profiles.size();) {
    const auto block = storage::summarise_block(
        d.profiles, p, storage::block_length(d.profiles.rows, p, storage::kBlockRows));
    RowBlockView view{block.rows_of(d.profiles),
                      block.periods_of(d.profiles),
                      std::span(key).subspan(first_row, block.rows),
                      {}};
    for (const auto& column : values)
      view.values.push_back(std::span(column).subspan(first_row, block.rows));
    bytes += compressed(storage::encode_row_block(view, RowForm::plain), storage::kRowZstdLevel);
    first_row += block.rows;
    p += block.profiles;
  }
  return bytes;
}

void report_classes(const CanonicalDataset& d, const std::string& classes, Report& report) {
  std::vector<uint32_t> same(d.symbols.keys.size());
  std::iota(same.begin(), same.end(), 0U);
  // Keys by node and label set: their order in the list.
  const std::vector<uint32_t> ids = storage::assign_key_ids(d.symbols.keys.key_class);
  std::vector<uint32_t> preorder(same.size());
  for (uint32_t i = 0; i < ids.size(); ++i) preorder[ids[i]] = i;
  std::string one_class = classes;
  for (char& c : one_class) c = c == 0 ? 0 : 1;
  report.add("CLASS+ROWS", "frequency classes", compressed(classes, 3) + rows_bytes(d, same));
  report.add("CLASS+ROWS", "one class", compressed(one_class, 3) + rows_bytes(d, preorder));
}

void report_rows(CanonicalDataset& d, Report& report) {
  const auto rows = storage::encode_rows(d, 1);
  HEARTH_CHECK(rows.has_value(), "encode rows");
  std::vector<uint32_t> same(d.symbols.keys.size());
  std::iota(same.begin(), same.end(), 0U);
  report.add("ROWS", "as chosen", rows->stored.size());
  report.add("ROWS", "plain", rows_bytes(d, same));
  const bool go_heap = std::exchange(d.go_heap, false);
  const auto chained = storage::encode_rows(d, 1);
  HEARTH_CHECK(chained.has_value(), "encode rows");
  d.go_heap = go_heap;
  report.add("ROWS", "without counters", chained->stored.size());
}

/// A section at every level that a writer might use.
void report_levels(const std::vector<storage::RawSection>& sections, Report& report) {
  for (const int level : {1, 3, 6, 9, 12, 19}) {
    size_t bytes = 0;
    for (const auto& s : sections) bytes += compressed(s.bytes, level);
    report.add("all but ROWS", "zstd-" + std::to_string(level), bytes);
  }
}

void report_row_levels(const CanonicalDataset& d, Report& report) {
  const auto rows = storage::encode_rows(d, 1);
  HEARTH_CHECK(rows.has_value(), "encode rows");
  for (const int level : {1, 3, 6, 12, 19}) {
    size_t bytes = 0;
    for (const auto& block : rows->blocks) {
      std::string raw;
      const auto stored = std::string_view(rows->stored).substr(block.offset, block.stored);
      HEARTH_CHECK(zstd_decompress(stored, block.raw, raw).has_value(), "read a row block");
      bytes += compressed(raw, level);
    }
    report.add("ROWS", "zstd-" + std::to_string(level), bytes);
  }
}

void run(Context& context) {
  constexpr size_t kMost = 10'000;
  for (const Stream& stream : streams(context, kMost)) {
    for (const size_t n : {size_t{228}, kMost}) {
      if (n > 228 && stream.size() <= 228) continue;
      auto dataset = storage::canonicalise(make_dataset(stream, n));
      HEARTH_CHECK(dataset.has_value(), "canonicalise");
      const auto sections = storage::encode_sections(storage::section_input(*dataset, {}));
      HEARTH_CHECK(sections.has_value(), "encode sections");
      const auto bytes_of = [&](SectionKind kind) {
        return std::ranges::find(*sections, kind, &storage::RawSection::kind)->bytes;
      };
      Report report(context, stream, std::min(n, stream.size()));
      report_strings(*dataset, bytes_of(SectionKind::strings), report);
      report_tree(*dataset, bytes_of(SectionKind::edges), bytes_of(SectionKind::tree), report);
      report_classes(*dataset, bytes_of(SectionKind::classes), report);
      report_rows(*dataset, report);
      report_levels(*sections, report);
      report_row_levels(*dataset, report);
    }
  }
}

const Registration kEncodings("size/encodings", run);

}  // namespace
}  // namespace hearth::bench
