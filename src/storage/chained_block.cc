#include "storage/chained_block.h"

#include <array>
#include <utility>

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

void put_changes(const ChainView& view, std::string& out) {
  const RowChain chain = make_chain(view);
  put_chain(chain, out);
  for (const auto& column : chain.delta) put_values(column, Sign::either, out);
}

/// The rows that no counters explain.
struct VerbatimRows {
  std::vector<uint32_t> rows, key;
  std::vector<std::vector<int64_t>> values;
};

VerbatimRows collect_verbatim(const RowBlockView& block) {
  VerbatimRows out;
  out.values.resize(block.values.size());
  size_t row = 0;
  for (const uint32_t rows : block.rows) {
    const size_t begin = out.key.size();
    for (const size_t end = row + rows; row < end; ++row) {
      if (block.verbatim[row] == 0) continue;
      out.key.push_back(block.key[row]);
      for (size_t t = 0; t < out.values.size(); ++t) out.values[t].push_back(block.values[t][row]);
    }
    out.rows.push_back(static_cast<uint32_t>(out.key.size() - begin));
  }
  return out;
}

void parse_chain(ByteReader& reader, size_t profiles, ParsedChain& out) {
  std::vector<uint32_t> heads;
  read_svb(reader, profiles, heads);
  uint64_t entries = 0;
  for (const uint32_t head : heads) {
    out.entries.push_back(head / 2);
    out.chained.push_back(static_cast<uint8_t>(head % 2));
    entries += head / 2;
  }
  if (!heads.empty() && out.chained[0] != 0) reader.set_error();
  // An svb takes a byte a value: its length check bounds the number.
  out.size = entries;
  read_svb_view(reader, out.size, out.key_gaps);
}

void parse_changes(ByteReader& reader, size_t profiles, size_t types, ParsedRowBlock& out) {
  parse_chain(reader, profiles, out.changes);
  out.columns.assign(types, {});
  for (ValueColumn& column : out.columns) {
    read_values(reader, out.changes.size, column);
    if (column.encoding == ValueEncoding::times_period) reader.set_error();
  }
}

Status unpack_chain(const ParsedChain& from, size_t keys, RowChain& out) {
  out.entries = from.entries;
  out.chained = from.chained;
  out.key.resize(from.size);
  svb::decode(from.key_gaps, from.size, out.key.data());
  return restore_keys(out.entries, keys, out.key) ? Status{} : damaged("key out of range");
}

Status unpack_changes(const ParsedRowBlock& block, size_t keys, RowChain& out) {
  HEARTH_RETURN_IF_ERROR(unpack_chain(block.changes, keys, out));
  out.delta.resize(block.columns.size());
  for (size_t t = 0; t < block.columns.size(); ++t) {
    if (!expand_values(block.columns[t], block.changes.size, Sign::either, out.delta[t]))
      return damaged("a value does not fit 64 bits");
  }
  return {};
}

/// Undoes one chain, profile by profile.
class Replay {
 public:
  explicit Replay(RowChain chain) : chain_(std::move(chain)), state_(chain_.delta.size()) {}
  const ChainState& next() {
    const size_t begin = entry_;
    entry_ += chain_.entries[profile_];
    state_.apply(chain_, begin, entry_, chain_.chained[profile_] != 0);
    ++profile_;
    return state_;
  }

 private:
  RowChain chain_;
  ChainState state_;
  size_t profile_ = 0, entry_ = 0;
};

void append_row(DecodedRowBlock& out, uint32_t key, const HeapCounts& counts, bool verbatim,
                std::span<const int64_t> values) {
  out.key.push_back(key);
  out.allocs.push_back(counts.allocs);
  out.frees.push_back(counts.frees);
  out.verbatim.push_back(verbatim ? 1 : 0);
  for (size_t t = 0; t < values.size(); ++t) out.values[t].push_back(values[t]);
}

void append_verbatim(const ChainState& state, size_t i, DecodedRowBlock& out) {
  std::array<int64_t, kHeapTypes> values{};
  for (size_t t = 0; t < kHeapTypes; ++t) values[t] = state.state(t)[i];
  append_row(out, state.key()[i], {}, true, values);
}

/// Rows of one profile: those of the counters and the others, merged by key.
Status append_heap_profile(const ChainState& counters, const ChainState& others,
                           std::span<const HeapScale> scales, DecodedRowBlock& out) {
  size_t other = 0;
  for (size_t i = 0; i < counters.key().size(); ++i) {
    const uint32_t key = counters.key()[i];
    while (other < others.key().size() && others.key()[other] < key)
      append_verbatim(others, other++, out);
    if (other < others.key().size() && others.key()[other] == key)
      return damaged("a row in two forms");
    const HeapCounts counts{counters.state(0)[i], counters.state(1)[i]};
    const auto values = scale_heap(counts, scales[key]);
    if (!values) return damaged("counters without a scale");
    append_row(out, key, counts, false,
               std::array{values->alloc_objects, values->alloc_space, values->inuse_objects,
                          values->inuse_space});
  }
  while (other < others.key().size()) append_verbatim(others, other++, out);
  return {};
}

}  // namespace

void read_differences(std::string_view column, size_t n, std::vector<int64_t>& out) {
  std::vector<uint32_t> words(n);
  svb::decode(column, n, words.data());
  out.resize(n);
  for (size_t i = 0; i < n; ++i) out[i] = unzigzag(words[i]);
}

void encode_chained_block(const RowBlockView& block, std::string& out) {
  put_changes({block.rows, block.key, block.values, {}}, out);
}

void encode_heap_block(const RowBlockView& block, std::string& out) {
  const RowChain chain =
      make_chain({block.rows, block.key, {block.allocs, block.frees}, block.period});
  put_chain(chain, out);
  put_differences(chain.delta[0], out);
  put_differences(chain.delta[1], out);
  const VerbatimRows others = collect_verbatim(block);
  ChainView view{others.rows, others.key, {}, {}};
  for (const auto& column : others.values) view.columns.emplace_back(column);
  put_changes(view, out);
}

void parse_chained_block(ByteReader& reader, size_t profiles, size_t types, ParsedRowBlock& out) {
  parse_changes(reader, profiles, types, out);
}

void parse_heap_block(ByteReader& reader, size_t profiles, size_t types, ParsedRowBlock& out) {
  if (types != kHeapTypes) reader.set_error();
  parse_chain(reader, profiles, out.counters);
  read_svb_view(reader, out.counters.size, out.allocs);
  read_svb_view(reader, out.counters.size, out.frees);
  parse_changes(reader, profiles, types, out);
}

Status decode_chained_block(const ParsedRowBlock& block, std::span<const uint32_t> rows,
                            size_t keys, DecodedRowBlock& out) {
  RowChain chain;
  HEARTH_RETURN_IF_ERROR(unpack_changes(block, keys, chain));
  Replay replay(std::move(chain));
  for (const uint32_t n : rows) {
    const ChainState& state = replay.next();
    if (state.key().size() != n) return damaged("number of rows of a profile");
    out.key.insert(out.key.end(), state.key().begin(), state.key().end());
    for (size_t t = 0; t < out.values.size(); ++t)
      out.values[t].insert(out.values[t].end(), state.state(t).begin(), state.state(t).end());
  }
  return {};
}

Status decode_heap_block(const ParsedRowBlock& block, std::span<const uint32_t> rows,
                         std::span<const int64_t> period, size_t keys, const HeapScales& heap,
                         DecodedRowBlock& out) {
  RowChain chain;
  HEARTH_RETURN_IF_ERROR(unpack_chain(block.counters, keys, chain));
  chain.delta.resize(2);
  read_differences(block.allocs, block.counters.size, chain.delta[0]);
  read_differences(block.frees, block.counters.size, chain.delta[1]);
  Replay counters(std::move(chain));
  RowChain changes;
  HEARTH_RETURN_IF_ERROR(unpack_changes(block, keys, changes));
  Replay others(std::move(changes));
  std::vector<HeapScale> scales;
  for (size_t p = 0; p < rows.size(); ++p) {
    const bool new_rate = p == 0 || period[p] != period[p - 1];
    if (new_rate && block.counters.chained[p] != 0) return damaged("a chain over two rates");
    if (new_rate) scales = heap.at_rate(period[p]);
    const ChainState& counted = counters.next();
    const ChainState& other = others.next();
    if (counted.key().size() + other.key().size() != rows[p])
      return damaged("number of rows of a profile");
    HEARTH_RETURN_IF_ERROR(append_heap_profile(counted, other, scales, out));
  }
  return {};
}

}  // namespace hearth::storage
