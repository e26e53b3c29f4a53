#include "storage/side_block.h"

#include <algorithm>
#include <vector>

#include "base/bytes.h"
#include "base/wrap.h"
#include "storage/column_codec.h"
#include "storage/segment_format.h"
#include "storage/value_column.h"

namespace hearth::storage {
namespace {

constexpr uint8_t kSpans = 1;
constexpr uint8_t kTraces = 2;
constexpr uint8_t kTimes = 4;

tl::unexpected<Error> damaged(std::string_view what) {
  return section_damaged(SectionKind::side, what);
}

void put_id(std::string& out, uint64_t id) {
  put_be(out, id);
}
void put_id(std::string& out, const Id128& id) {
  put_be(out, id.hi);
  put_be(out, id.lo);
}
void load_id(const char* bytes, uint64_t& id) {
  id = load_be<uint64_t>(bytes);
}
void load_id(const char* bytes, Id128& id) {
  id = {load_be<uint64_t>(bytes), load_be<uint64_t>(bytes + 8)};
}

template <class Id>
bool uses(std::span<const SideEntry> entries, Id SideEntry::* member) {
  return std::ranges::any_of(entries, [&](const SideEntry& e) { return e.*member != Id{}; });
}

template <class Id>
void put_ids(std::span<const SideEntry> entries, Id SideEntry::* member, std::string& out) {
  std::vector<Id> table;
  table.reserve(entries.size());
  for (const SideEntry& e : entries) {
    if (e.*member != Id{}) table.push_back(e.*member);
  }
  std::ranges::sort(table);
  table.erase(std::ranges::unique(table).begin(), table.end());
  put_varint(out, table.size());
  put_varint(out, table.size() * sizeof(Id));
  for (const Id& id : table) put_id(out, id);
  std::vector<uint32_t> index(entries.size());
  for (size_t e = 0; e < entries.size(); ++e) {
    if (entries[e].*member == Id{}) continue;
    const auto at = std::ranges::lower_bound(table, entries[e].*member) - table.begin();
    index[e] = static_cast<uint32_t>(at + 1);
  }
  put_svb(out, index);
}

/// False, with the reader's error set, unless the table ascends and every index is in it.
template <class Id>
bool read_ids(ByteReader& reader, Id SideEntry::* member, std::vector<SideEntry>& entries) {
  const size_t n = reader.count(entries.size());
  const std::string_view bytes = reader.str();
  std::vector<uint32_t> index;
  if (!reader.ok() || bytes.size() != n * sizeof(Id)) return false;
  std::vector<Id> table(n + 1);  // The first stands for "none".
  for (size_t i = 1; i <= n; ++i) {
    load_id(bytes.data() + (i - 1) * sizeof(Id), table[i]);
    if (table[i] <= table[i - 1]) return false;
  }
  if (!read_svb(reader, entries.size(), static_cast<uint32_t>(n), index)) return false;
  for (size_t e = 0; e < entries.size(); ++e) entries[e].*member = table[index[e]];
  return true;
}

std::vector<uint32_t> key_gaps(const SideView& view) {
  std::vector<uint32_t> gaps;
  gaps.reserve(view.entries.size());
  for (const uint32_t n : view.count) {
    uint32_t before = 0;
    for (uint32_t i = 0; i < n; ++i) {
      const uint32_t key = view.entries[gaps.size()].key;
      gaps.push_back(key - before);
      before = key;
    }
  }
  return gaps;
}

std::vector<int64_t> time_deltas(const SideView& view) {
  std::vector<int64_t> deltas;
  deltas.reserve(view.entries.size());
  for (size_t p = 0; p < view.count.size(); ++p) {
    for (uint32_t i = 0; i < view.count[p]; ++i)
      deltas.push_back(subtract_wrapping(view.entries[deltas.size()].time_ns, view.start_ns[p]));
  }
  return deltas;
}

bool read_keys(ByteReader& reader, size_t keys, SideTable& out) {
  std::vector<uint32_t> gaps;
  if (!read_svb(reader, out.entries.size(), gaps)) return false;
  size_t e = 0;
  for (const uint32_t n : out.count) {
    uint64_t key = 0;
    for (const size_t end = e + n; e < end; ++e) {
      key += gaps[e];
      if (key >= keys) return false;
      out.entries[e].key = static_cast<uint32_t>(key);
    }
  }
  return true;
}

bool read_times(ByteReader& reader, std::span<const int64_t> start_ns, SideTable& out) {
  std::vector<int64_t> deltas;
  if (!read_zigzag_vcol(reader, out.entries.size(), deltas)) return false;
  size_t e = 0;
  for (size_t p = 0; p < out.count.size(); ++p) {
    for (const size_t end = e + out.count[p]; e < end; ++e)
      out.entries[e].time_ns = add_wrapping(deltas[e], start_ns[p]);
  }
  return true;
}

bool read_columns(ByteReader& reader, size_t types, SideTable& out) {
  const size_t n = out.entries.size();
  out.values.resize(n * types);
  std::vector<int64_t> column;
  for (size_t t = 0; t < types; ++t) {
    ValueColumn stored;
    read_values(reader, n, stored);
    if (!reader.ok() || stored.encoding == ValueEncoding::times_period ||
        !expand_values(stored, n, Sign::positive, column))
      return false;
    for (size_t e = 0; e < n; ++e) out.values[e * types + t] = column[e];
  }
  return true;
}

/// Entries ascend inside a profile, each says and holds something.
bool in_order(const SideTable& side, size_t types) {
  size_t e = 0;
  for (const uint32_t n : side.count) {
    for (uint32_t i = 0; i < n; ++i, ++e) {
      if (i > 0 && side.entries[e] <= side.entries[e - 1]) return false;
      const auto values = side.values_of(e, types);
      if (side.entries[e].says_nothing() ||
          std::ranges::all_of(values, [](int64_t v) { return v == 0; }))
        return false;
    }
  }
  return true;
}

bool read_counts(ByteReader& reader, const SideBlockShape& shape, SideTable& out) {
  if (!read_vcol(reader, shape.start_ns.size(), static_cast<uint32_t>(limit::kSideEntries),
                 out.count))
    return false;
  uint64_t sum = 0;
  for (const uint32_t n : out.count) sum += n;
  return sum == shape.entries;
}

}  // namespace

void encode_side_block(const SideView& view, std::string& out) {
  const bool spans = uses(view.entries, &SideEntry::span_id);
  const bool traces = uses(view.entries, &SideEntry::trace_id);
  const bool times = uses(view.entries, &SideEntry::time_ns);
  out.push_back(
      static_cast<char>((spans ? kSpans : 0) | (traces ? kTraces : 0) | (times ? kTimes : 0)));
  put_vcol(out, view.count);
  put_svb(out, key_gaps(view));
  if (spans) put_ids(view.entries, &SideEntry::span_id, out);
  if (traces) put_ids(view.entries, &SideEntry::trace_id, out);
  if (times) put_zigzag_vcol(out, time_deltas(view));
  std::vector<int64_t> column(view.entries.size());
  for (size_t t = 0; t < view.types; ++t) {
    for (size_t e = 0; e < column.size(); ++e) column[e] = view.values[e * view.types + t];
    put_values(column, Sign::positive, out);
  }
}

Status decode_side_block(std::string_view raw, const SideBlockShape& shape, SideTable& out) {
  ByteReader reader(raw);
  const uint8_t flags = reader.u8();
  if (flags > (kSpans | kTraces | kTimes)) return damaged("unknown flags");
  // A key takes a byte at least.
  if (shape.entries > raw.size() || shape.entries > limit::kSideEntries ||
      !read_counts(reader, shape, out))
    return damaged("entries per profile");
  out.entries.assign(shape.entries, {});
  if (!read_keys(reader, shape.keys, out)) return damaged("keys");
  if ((flags & kSpans) != 0 && !read_ids(reader, &SideEntry::span_id, out.entries))
    return damaged("span ids");
  if ((flags & kTraces) != 0 && !read_ids(reader, &SideEntry::trace_id, out.entries))
    return damaged("trace ids");
  if ((flags & kTimes) != 0 && !read_times(reader, shape.start_ns, out)) return damaged("times");
  if (!read_columns(reader, shape.types, out)) return damaged("values");
  if (!reader.done()) return damaged("bytes left over");
  return in_order(out, shape.types) ? Status{} : damaged("entries out of order or empty");
}

}  // namespace hearth::storage
