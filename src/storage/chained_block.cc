#include "storage/chained_block.h"

#include <algorithm>
#include <tuple>

#include "storage/column_codec.h"
#include "storage/segment_format.h"
#include "storage/streamvbyte.h"

namespace hearth::storage {
namespace {

constexpr size_t kHeapTypes = 4;

tl::unexpected<Error> damaged(std::string_view what) {
  return section_damaged(SectionKind::rows, what);
}

void put_chain(const RowChain& chain, std::string& out) {
  std::vector<uint32_t> heads(chain.entries.size());
  for (size_t p = 0; p < heads.size(); ++p) heads[p] = 2 * chain.entries[p] + chain.chained[p];
  put_svb(out, heads);
  std::vector<uint32_t> gaps = chain.key;
  size_t entry = 0;
  for (const uint32_t n : chain.entries) {
    for (size_t i = entry + n; i-- > entry + 1;) gaps[i] -= gaps[i - 1] + 1;
    entry += n;
  }
  put_svb(out, gaps);
}

void put_differences(std::span<const int64_t> values, std::string& out) {
  std::vector<uint32_t> words(values.size());
  for (size_t i = 0; i < words.size(); ++i) words[i] = static_cast<uint32_t>(zigzag(values[i]));
  put_svb(out, words);
}

void put_verbatim(const RowBlockView& block, std::string& out) {
  put_varint(out, static_cast<uint64_t>(std::ranges::count(block.verbatim, 1)));
  size_t row = 0;
  size_t before = 0;
  for (size_t p = 0; p < block.rows.size(); ++p) {
    for (const size_t end = row + block.rows[p]; row < end; ++row) {
      if (block.verbatim[row] == 0) continue;
      put_varint(out, p - std::exchange(before, p));
      put_varint(out, block.key[row]);
      for (const auto& column : block.values) put_svarint(out, column[row]);
    }
  }
}

/// The profiles' entries and the keys; what follows has out.entries values a column.
void parse_chain(ByteReader& reader, size_t profiles, ParsedRowBlock& out) {
  std::vector<uint32_t> heads;
  read_svb(reader, profiles, heads);
  uint64_t entries = 0;
  for (const uint32_t head : heads) {
    out.profile_entries.push_back(head / 2);
    out.chained.push_back(static_cast<uint8_t>(head % 2));
    entries += head / 2;
  }
  if (!heads.empty() && out.chained[0] != 0) reader.set_error();
  // An svb takes a byte a value: its length check bounds the number.
  out.entries = entries;
  read_svb_view(reader, out.entries, out.key_gaps);
}

bool verbatim_in_order(const std::vector<ParsedRowBlock::Verbatim>& rows) {
  const auto not_before = [](const auto& a, const auto& b) {
    return std::tie(a.profile, a.key) >= std::tie(b.profile, b.key);
  };
  return std::ranges::adjacent_find(rows, not_before) == rows.end();
}

std::vector<int64_t> read_differences(std::string_view column, size_t n) {
  std::vector<uint32_t> words(n);
  svb::decode(column, n, words.data());
  std::vector<int64_t> out(n);
  for (size_t i = 0; i < n; ++i) out[i] = unzigzag(words[i]);
  return out;
}

bool unpack_chain(const ParsedRowBlock& block, size_t keys, RowChain& out) {
  out.entries = block.profile_entries;
  out.chained = block.chained;
  out.key.resize(block.entries);
  svb::decode(block.key_gaps, block.entries, out.key.data());
  return restore_keys(out.entries, keys, out.key);
}

/// Calls visit(profile, state) for each profile after its entries were applied; stops at an error.
template <class Visit>
Status replay(const RowChain& chain, Visit visit) {
  ChainState state(chain.delta.size());
  size_t entry = 0;
  for (size_t p = 0; p < chain.entries.size(); ++p) {
    const size_t end = entry + chain.entries[p];
    state.apply(chain, entry, end, chain.chained[p] != 0);
    entry = end;
    HEARTH_RETURN_IF_ERROR(visit(p, state));
  }
  return {};
}

void append_row(DecodedRowBlock& out, uint32_t key, const HeapCounts& counts, bool verbatim,
                std::span<const int64_t> values) {
  out.key.push_back(key);
  out.allocs.push_back(counts.allocs);
  out.frees.push_back(counts.frees);
  out.verbatim.push_back(verbatim ? 1 : 0);
  for (size_t t = 0; t < values.size(); ++t) out.values[t].push_back(values[t]);
}

/// Rows of one profile: those of the counters and the verbatim ones, merged by key.
Status append_heap_profile(const ChainState& state,
                           std::span<const ParsedRowBlock::Verbatim> verbatim,
                           std::span<const HeapScale> scales, DecodedRowBlock& out) {
  size_t v = 0;
  const auto flush_verbatim = [&](uint32_t below) {
    for (; v < verbatim.size() && verbatim[v].key < below; ++v)
      append_row(out, verbatim[v].key, {}, true, verbatim[v].values);
  };
  for (size_t i = 0; i < state.key().size(); ++i) {
    const uint32_t key = state.key()[i];
    flush_verbatim(key);
    if (v < verbatim.size() && verbatim[v].key == key) return damaged("a row in two forms");
    const HeapCounts counts{state.state(0)[i], state.state(1)[i]};
    const auto values = scale_heap(counts, scales[key]);
    if (!values) return damaged("counters without a scale");
    append_row(out, key, counts, false,
               std::array{values->alloc_objects, values->alloc_space, values->inuse_objects,
                          values->inuse_space});
  }
  flush_verbatim(UINT32_MAX);
  return {};
}

}  // namespace

void encode_chained_block(const RowBlockView& block, std::string& out) {
  const RowChain chain = make_chain({block.rows, block.key, block.values, {}});
  put_chain(chain, out);
  for (const auto& column : chain.delta) put_values(column, Sign::either, out);
}

void encode_heap_block(const RowBlockView& block, std::string& out) {
  const RowChain chain =
      make_chain({block.rows, block.key, {block.allocs, block.frees}, block.period});
  put_chain(chain, out);
  put_differences(chain.delta[0], out);
  put_differences(chain.delta[1], out);
  put_verbatim(block, out);
}

void parse_chained_block(ByteReader& reader, size_t profiles, size_t types, ParsedRowBlock& out) {
  parse_chain(reader, profiles, out);
  out.columns.assign(types, {});
  for (ValueColumn& column : out.columns) {
    read_values(reader, out.entries, column);
    if (column.encoding == ValueEncoding::times_period) reader.set_error();
  }
}

void parse_heap_block(ByteReader& reader, size_t profiles, size_t types, ParsedRowBlock& out) {
  if (types != kHeapTypes) reader.set_error();
  parse_chain(reader, profiles, out);
  read_svb_view(reader, out.entries, out.allocs);
  read_svb_view(reader, out.entries, out.frees);
  const size_t n = reader.count(limit::kBlockRowsRead);
  uint64_t profile = 0;
  for (size_t i = 0; i < n && reader.ok(); ++i) {
    ParsedRowBlock::Verbatim row;
    profile += reader.varint_max(limit::kProfiles);
    if (profile >= profiles) reader.set_error();
    row.profile = static_cast<uint32_t>(profile);
    row.key = static_cast<uint32_t>(reader.varint_max(limit::kKeys));
    for (int64_t& v : row.values) v = reader.svarint();
    out.verbatim.push_back(row);
  }
  if (!verbatim_in_order(out.verbatim)) reader.set_error();
}

Status decode_chained_block(const ParsedRowBlock& block, std::span<const uint32_t> rows,
                            size_t keys, DecodedRowBlock& out) {
  RowChain chain;
  if (!unpack_chain(block, keys, chain)) return damaged("key out of range");
  chain.delta.resize(block.columns.size());
  for (size_t t = 0; t < block.columns.size(); ++t) {
    if (!expand_values(block.columns[t], block.entries, Sign::either, chain.delta[t]))
      return damaged("a value does not fit 64 bits");
  }
  return replay(chain, [&](size_t p, const ChainState& state) -> Status {
    if (state.key().size() != rows[p]) return damaged("number of rows of a profile");
    out.key.insert(out.key.end(), state.key().begin(), state.key().end());
    for (size_t t = 0; t < out.values.size(); ++t)
      out.values[t].insert(out.values[t].end(), state.state(t).begin(), state.state(t).end());
    return {};
  });
}

Status decode_heap_block(const ParsedRowBlock& block, std::span<const uint32_t> rows,
                         std::span<const int64_t> period, size_t keys, const HeapScales& heap,
                         DecodedRowBlock& out) {
  RowChain chain;
  if (!unpack_chain(block, keys, chain)) return damaged("key out of range");
  chain.delta = {read_differences(block.allocs, block.entries),
                 read_differences(block.frees, block.entries)};
  std::vector<HeapScale> scales;
  size_t verbatim = 0;
  return replay(chain, [&](size_t p, const ChainState& state) -> Status {
    const bool new_rate = p == 0 || period[p] != period[p - 1];
    if (new_rate && chain.chained[p] != 0) return damaged("a chain over two rates");
    if (new_rate) scales = heap.at_rate(period[p]);
    size_t end = verbatim;
    while (end < block.verbatim.size() && block.verbatim[end].profile == p) ++end;
    const auto of_profile = std::span(block.verbatim).subspan(verbatim, end - verbatim);
    verbatim = end;
    if (!of_profile.empty() && of_profile.back().key >= keys) return damaged("key out of range");
    if (state.key().size() + of_profile.size() != rows[p])
      return damaged("number of rows of a profile");
    return append_heap_profile(state, of_profile, scales, out);
  });
}

}  // namespace hearth::storage
