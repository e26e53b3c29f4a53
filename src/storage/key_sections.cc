#include "storage/key_sections.h"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <tuple>

#include "storage/column_codec.h"
#include "storage/segment_format.h"

namespace hearth::storage {
namespace {

constexpr size_t kRankedKeys = 512;
constexpr size_t kRankAllFrom = 500;

tl::unexpected<Error> damaged(std::string_view what) {
  return section_damaged(SectionKind::keys, what);
}

auto label_tuple(const symbols::SymbolTables& t, size_t i) {
  return std::tuple(t.label_key[i], t.label_str[i], t.label_num[i], t.label_unit[i]);
}

/// True for a node whose only key has no labels: its class byte says everything. The root has no
/// class byte.
bool is_plain(const KeyList& keys, size_t i) {
  if (keys.node[i] == 0) return false;
  const bool first = i == 0 || keys.node[i - 1] != keys.node[i];
  const bool last = i + 1 == keys.size() || keys.node[i + 1] != keys.node[i];
  return first && last && keys.labels[i] == 0;
}

void put_label_set(const symbols::SymbolTables& t, size_t set, std::string& out) {
  put_varint(out, t.label_begin[set + 1] - t.label_begin[set]);
  for (size_t i = t.label_begin[set]; i < t.label_begin[set + 1]; ++i) {
    put_varint(out, t.label_key[i]);
    put_varint(out, t.label_str[i]);
    if (t.label_str[i] != 0) continue;
    put_svarint(out, t.label_num[i]);
    put_varint(out, t.label_unit[i]);
  }
}

void read_label_set(ByteReader& reader, uint64_t string_max, OwnedSymbols& out) {
  const size_t labels = reader.count(limit::kLabelsPerSet);
  for (size_t i = 0; i < labels && reader.ok(); ++i) {
    out.label_key.push_back(static_cast<uint32_t>(reader.varint_max(string_max)));
    out.label_str.push_back(static_cast<uint32_t>(reader.varint_max(string_max)));
    const bool numeric = out.label_str.back() == 0;
    out.label_num.push_back(numeric ? reader.svarint() : 0);
    out.label_unit.push_back(numeric ? static_cast<uint32_t>(reader.varint_max(string_max)) : 0);
  }
  out.label_begin.push_back(static_cast<uint32_t>(out.label_key.size()));
}

Status check_label_sets(const symbols::SymbolTables& t) {
  for (size_t s = 1; s + 1 < t.label_begin.size(); ++s) {
    if (compare_label_sets(t, s - 1, s) >= 0) return damaged("label sets out of order");
    for (size_t i = t.label_begin[s] + 1; i < t.label_begin[s + 1]; ++i) {
      if (label_tuple(t, i) < label_tuple(t, i - 1)) return damaged("labels out of order");
    }
  }
  return {};
}

/// The keys of one node, from `i` on; returns where the next node's begin.
size_t put_listed(const KeyList& keys, size_t i, std::string& out) {
  size_t end = i;
  while (end < keys.size() && keys.node[end] == keys.node[i]) ++end;
  put_varint(out, end - i);
  for (; i < end; ++i) {
    put_varint(out, keys.labels[i]);
    out.push_back(static_cast<char>(keys.key_class[i]));
  }
  return end;
}

/// Entries of KEYS for one node, appended to the list.
bool read_listed(ByteReader& reader, uint32_t node, size_t sets, KeyList& keys) {
  const size_t n = reader.count(limit::kKeys);
  for (size_t i = 0; i < n && reader.ok(); ++i) {
    const auto labels = static_cast<uint32_t>(reader.varint_max(sets - 1));
    if (i > 0 && labels <= keys.labels.back()) return false;
    keys.node.push_back(node);
    keys.labels.push_back(labels);
    keys.key_class.push_back(reader.u8());
    if (keys.key_class.back() == 0 || keys.key_class.back() > kClassMax) return false;
  }
  if (!reader.ok() || node == 0) return reader.ok();
  // A lone key without labels belongs into CLASS.
  return n > 0 && !(n == 1 && keys.labels.back() == 0);
}

/// Keys in (node, label set) order from the class bytes and the lists.
Status read_key_list(ByteReader& reader, std::string_view classes, size_t sets, size_t key_max,
                     KeyList& keys) {
  if (!read_listed(reader, 0, sets, keys)) return damaged("list of the root's keys");
  for (size_t i = 0; i < classes.size(); ++i) {
    const auto c = static_cast<uint8_t>(classes[i]);
    const auto node = static_cast<uint32_t>(i + 1);
    if (c == 0) continue;
    if (c == kClassListed) {
      if (!read_listed(reader, node, sets, keys)) return damaged("list of a node's keys");
    } else {
      if (c > kClassMax) return damaged("class byte");
      keys.node.push_back(node);
      keys.labels.push_back(0);
      keys.key_class.push_back(c);
    }
    if (keys.size() > key_max) return damaged("more keys than the directory says");
  }
  return keys.size() == key_max ? Status{} : damaged("fewer keys than the directory says");
}

void place_keys(const KeyList& keys, OwnedSymbols& out) {
  const std::vector<uint32_t> ids = assign_key_ids(keys.key_class);
  out.key_node.resize(keys.size());
  out.key_labels.resize(keys.size());
  out.key_class.resize(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    out.key_node[ids[i]] = keys.node[i];
    out.key_labels[ids[i]] = keys.labels[i];
    out.key_class[ids[i]] = keys.key_class[i];
  }
}

}  // namespace

std::vector<uint8_t> choose_classes(std::span<const uint32_t> frequency, size_t profiles) {
  std::vector<uint8_t> classes(frequency.size(), 1);
  const auto log_class = [&](size_t i) {
    return static_cast<uint8_t>(std::bit_width(frequency[i]));
  };
  if (profiles >= kRankAllFrom || frequency.size() <= kRankedKeys) {
    for (size_t i = 0; i < frequency.size(); ++i) classes[i] = log_class(i);
    return classes;
  }
  std::vector<uint32_t> order(frequency.size());
  std::iota(order.begin(), order.end(), 0);
  const auto more_frequent = [&](uint32_t a, uint32_t b) {
    return frequency[a] != frequency[b] ? frequency[a] > frequency[b] : a < b;
  };
  std::nth_element(order.begin(), order.begin() + kRankedKeys, order.end(), more_frequent);
  for (size_t i = 0; i < kRankedKeys; ++i) classes[order[i]] = log_class(order[i]);
  return classes;
}

std::vector<uint32_t> assign_key_ids(std::span<const uint8_t> key_class) {
  std::array<uint32_t, 256> next{};
  for (const uint8_t c : key_class) ++next[c];
  uint32_t id = 0;
  for (size_t c = next.size(); c-- > 0;) id += std::exchange(next[c], id);
  std::vector<uint32_t> ids(key_class.size());
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = next[key_class[i]]++;
  return ids;
}

void encode_classes(const KeyList& keys, size_t nodes, std::string& out) {
  const size_t base = out.size();
  out.resize(base + nodes, 0);
  for (size_t i = 0; i < keys.size(); ++i) {
    if (keys.node[i] == 0) continue;
    out[base + keys.node[i] - 1] =
        static_cast<char>(is_plain(keys, i) ? keys.key_class[i] : kClassListed);
  }
}

Status encode_keys(const KeyList& keys, const symbols::SymbolTables& t, std::string& out) {
  if (keys.size() > limit::kKeys)
    return section_too_large(SectionKind::keys, "more than 2^24 keys");
  const size_t sets = t.label_begin.size() - 1;
  put_varint(out, sets - 1);
  for (size_t s = 1; s < sets; ++s) {
    if (t.label_begin[s + 1] - t.label_begin[s] > limit::kLabelsPerSet) {
      return section_too_large(SectionKind::keys, "more than 4096 labels on a sample");
    }
    put_label_set(t, s, out);
  }
  size_t i = 0;
  if (keys.size() > 0 && keys.node[0] == 0) {
    i = put_listed(keys, 0, out);
  } else {
    put_varint(out, 0);
  }
  while (i < keys.size()) i = is_plain(keys, i) ? i + 1 : put_listed(keys, i, out);
  return {};
}

Status decode_keys(std::string_view classes, std::string_view raw, size_t keys, OwnedSymbols& out) {
  if (classes.size() + 1 != out.node_parent.size())
    return section_damaged(SectionKind::classes, "one byte per node");
  return decode_keys(classes, raw, keys, out.strings.views.size(), out);
}

Status decode_keys(std::string_view classes, std::string_view raw, size_t keys, uint64_t strings,
                   OwnedSymbols& out) {
  ByteReader reader(raw);
  const uint64_t string_max = strings - 1;
  const size_t sets = reader.count(limit::kLabelSets);
  out.label_begin.assign(2, 0);
  for (size_t s = 0; s < sets && reader.ok(); ++s) read_label_set(reader, string_max, out);
  if (!reader.ok()) return damaged("label sets");
  HEARTH_RETURN_IF_ERROR(check_label_sets(out.view()));
  KeyList list;
  HEARTH_RETURN_IF_ERROR(read_key_list(reader, classes, sets + 1, keys, list));
  if (!reader.done()) return damaged("bytes left over");
  place_keys(list, out);
  return {};
}

int compare_label_sets(const symbols::SymbolTables& t, size_t a, size_t b) {
  size_t i = t.label_begin[a];
  size_t j = t.label_begin[b];
  for (; i < t.label_begin[a + 1] && j < t.label_begin[b + 1]; ++i, ++j) {
    if (label_tuple(t, i) != label_tuple(t, j))
      return label_tuple(t, i) < label_tuple(t, j) ? -1 : 1;
  }
  const size_t size_a = t.label_begin[a + 1] - t.label_begin[a];
  const size_t size_b = t.label_begin[b + 1] - t.label_begin[b];
  return size_a == size_b ? 0 : (size_a < size_b ? -1 : 1);
}

}  // namespace hearth::storage
