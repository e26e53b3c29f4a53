#include "symbols/batch_mapper.h"

#include <algorithm>
#include <utility>

namespace hearth::symbols {
namespace {

constexpr uint32_t kNone = IdTable::kNone;

constexpr auto kNothingToWarm = [](uint32_t) {};

void list_used(std::span<const uint32_t> ids, uint32_t used, std::vector<uint32_t>& todo) {
  todo.resize(ids.size());
  const uint32_t* const in = ids.data();
  uint32_t* const out = todo.data();
  size_t n = 0;
  for (uint32_t i = 0; i < ids.size(); ++i) {
    out[n] = i;
    n += in[i] == used ? 1 : 0;
  }
  todo.resize(n);
}

}  // namespace

// Gives every used entry of a table its id, in blocks of four passes: hash, and prefetch the slot;
// prefetch the content of the id in the slot; prefetch what that content points to; compare, or
// add. Without them each entry of a cold dictionary would wait for memory three times.
template <class EntryAt, class Warm, class WarmDeep>
void BatchMapper::resolve(IdTable& table, std::vector<uint32_t>& ids, EntryAt entry_at, Warm warm,
                          WarmDeep warm_deep) {
  using Entry = decltype(entry_at(uint32_t{}));
  list_used(ids, kUsed, scratch_.todo);
  // The first profile of a service brings nothing but new entries.
  if (table.size() <= 1) table.reserve(scratch_.todo.size());
  uint32_t* const out = ids.data();
  Entry entries[kBlock];
  uint64_t hashes[kBlock];
  uint32_t candidates[kBlock];
  for (size_t begin = 0; begin < scratch_.todo.size(); begin += kBlock) {
    const uint32_t* const block = scratch_.todo.data() + begin;
    const size_t n = std::min(kBlock, scratch_.todo.size() - begin);
    for (size_t i = 0; i < n; ++i) {
      entries[i] = entry_at(block[i]);
      hashes[i] = index_.hash_of(entries[i]);
      table.prefetch(hashes[i]);
    }
    for (size_t i = 0; i < n; ++i) {
      candidates[i] = table.candidate(hashes[i]);
      if (candidates[i] != kNone) warm(candidates[i]);
    }
    for (size_t i = 0; i < n; ++i) {
      if (candidates[i] != kNone) warm_deep(candidates[i]);
    }
    for (size_t i = 0; i < n; ++i) {
      uint32_t id = candidates[i];
      if (id == kNone || !index_.equals(id, entries[i])) {
        // Not the first with its tag, or added since by an equal entry of this block, or new.
        id = index_.find(hashes[i], entries[i]);
        if (id == kNone) table.insert(hashes[i], id = add(entries[i]));
      }
      out[block[i]] = id;
    }
  }
}

void BatchMapper::map(std::vector<uint32_t>& keys) {
  mark_used();
  map_strings();
  map_functions();
  map_mappings();
  map_locations();
  map_label_sets();
  map_samples(keys);
}

void BatchMapper::mark_used() {
  const ProfileBatch& b = batch_;
  MapBuffers& s = scratch_;
  s.strings.assign(b.strings.size(), kUnused);
  s.functions.assign(b.functions.size(), kUnused);
  s.mappings.assign(b.mappings.size(), kUnused);
  s.locations.assign(b.locations.size(), kUnused);
  // The batch was validated: plain pointers, as every bounds check counts here.
  uint32_t* const strings = s.strings.data();
  uint32_t* const functions = s.functions.data();
  uint32_t* const locations = s.locations.data();
  for (const uint32_t frame : b.samples.frames) locations[frame] = kUsed;
  const uint32_t* const line_begin = b.locations.line_begin.data();
  const uint32_t* const line_function = b.lines.function.data();
  for (size_t l = 0; l < s.locations.size(); ++l) {
    if (locations[l] == kUnused) continue;
    const uint32_t mapping = b.locations.mapping.data()[l];
    if (mapping != ProfileBatch::kNone) s.mappings[mapping] = kUsed;
    for (uint32_t line = line_begin[l]; line < line_begin[l + 1]; ++line)
      functions[line_function[line]] = kUsed;
  }
  const uint32_t* const names[] = {b.functions.name.data(), b.functions.system_name.data(),
                                   b.functions.file.data()};
  for (size_t f = 0; f < s.functions.size(); ++f) {
    if (functions[f] == kUnused) continue;
    for (const uint32_t* const column : names) strings[column[f]] = kUsed;
  }
  for (size_t m = 0; m < s.mappings.size(); ++m) {
    if (s.mappings[m] == kUnused) continue;
    for (const uint32_t string : {b.mappings.file[m], b.mappings.build_id[m]})
      strings[string] = kUsed;
  }
  for (const ProfileBatch::SampleLabel& label : b.samples.labels) {
    for (const uint32_t string : {label.key, label.str, label.num_unit}) strings[string] = kUsed;
  }
}

void BatchMapper::map_strings() {
  const std::string_view* const strings = batch_.strings.data();
  // The bytes of a large profile have left the fast caches since they were decoded.
  constexpr uint32_t kAhead = 8;
  const auto last = static_cast<uint32_t>(batch_.strings.size() - 1);
  resolve(
      index_.strings, scratch_.strings,
      [&](uint32_t i) {
        __builtin_prefetch(strings[std::min(i + kAhead, last)].data());
        return strings[i];
      },
      [&](uint32_t id) { columns_.prefetch_string(id); },
      [&](uint32_t id) { columns_.prefetch_string_bytes(id); });
}

void BatchMapper::map_functions() {
  const ProfileBatch::Functions& f = batch_.functions;
  const uint32_t* const name = f.name.data();
  const uint32_t* const system_name = f.system_name.data();
  const uint32_t* const file = f.file.data();
  const int64_t* const start_line = f.start_line.data();
  const uint32_t* const strings = scratch_.strings.data();
  resolve(
      index_.functions, scratch_.functions,
      [&](uint32_t i) {
        return Function{strings[name[i]], strings[system_name[i]], strings[file[i]], start_line[i]};
      },
      [&](uint32_t id) { columns_.prefetch_function(id); }, kNothingToWarm);
}

void BatchMapper::map_mappings() {
  const ProfileBatch::Mappings& m = batch_.mappings;
  for (size_t i = 0; i < m.size(); ++i) {
    if (scratch_.mappings[i] == kUnused) continue;
    const Mapping mapping{m.start[i],
                          m.limit[i],
                          m.offset[i],
                          scratch_.strings[m.file[i]],
                          scratch_.strings[m.build_id[i]],
                          m.flags[i]};
    const uint64_t hash = index_.hash_of(mapping);
    uint32_t id = index_.find(hash, mapping);
    if (id == kNone) index_.mappings.insert(hash, id = columns_.add_mapping(mapping));
    scratch_.mappings[i] = id;
  }
}

void BatchMapper::map_locations() {
  const ProfileBatch::Locations& l = batch_.locations;
  scratch_.lines.resize(batch_.lines.function.size());
  Line* const lines = scratch_.lines.data();
  for (size_t i = 0; i < scratch_.lines.size(); ++i) {
    lines[i] = {scratch_.functions.data()[batch_.lines.function.data()[i]],
                batch_.lines.line.data()[i], batch_.lines.column.data()[i]};
  }
  const uint32_t* const mapping = l.mapping.data();
  const uint64_t* const address = l.address.data();
  const uint8_t* const folded = l.folded.data();
  const uint32_t* const line_begin = l.line_begin.data();
  const uint32_t* const mappings = scratch_.mappings.data();
  resolve(
      index_.locations, scratch_.locations,
      [&](uint32_t i) {
        return Location{mapping[i] == ProfileBatch::kNone ? 0 : mappings[mapping[i]] + 1,
                        address[i],
                        folded[i] != 0,
                        {lines + line_begin[i], lines + line_begin[i + 1]}};
      },
      [&](uint32_t id) { columns_.prefetch_location(id); },
      [&](uint32_t id) { columns_.prefetch_location_lines(id); });
}

uint32_t BatchMapper::label_set_of_labels(std::span<const ProfileBatch::SampleLabel> labels) {
  scratch_.labels.clear();
  for (const ProfileBatch::SampleLabel& l : labels) {
    scratch_.labels.push_back(
        {scratch_.strings[l.key], scratch_.strings[l.str], l.num, scratch_.strings[l.num_unit]});
  }
  std::sort(scratch_.labels.begin(), scratch_.labels.end());
  const uint64_t hash = index_.hash_of(std::span<const LabelEntry>(scratch_.labels));
  uint32_t id = index_.find(hash, std::span<const LabelEntry>(scratch_.labels));
  if (id == kNone) index_.label_sets.insert(hash, id = columns_.add_label_set(scratch_.labels));
  return id;
}

uint32_t BatchMapper::label_set_of(size_t sample) {
  const auto labels = batch_.labels_of(sample);
  if (labels.empty()) return 0;
  if (labels.size() > 1) return label_set_of_labels(labels);
  const ProfileBatch::SampleLabel& l = labels.front();
  // The upper bits of a product with 2^64 / golden ratio (Knuth, TAOCP vol. 3, 6.4).
  const uint64_t mixed = (static_cast<uint64_t>(l.num) ^ l.str) * 0x9e3779b97f4a7c15U;
  KnownLabel& known = known_labels_[mixed >> (64 - kKnownLabelBits)];
  const bool same = known.set != 0 && known.label.key == l.key && known.label.str == l.str &&
                    known.label.num == l.num && known.label.num_unit == l.num_unit;
  if (!same) known = {l, label_set_of_labels(labels)};
  return known.set;
}

void BatchMapper::map_label_sets() {
  scratch_.label_sets.clear();
  if (batch_.samples.labels.empty()) return;
  scratch_.label_sets.resize(batch_.samples.size());
  for (size_t s = 0; s < scratch_.label_sets.size(); ++s) scratch_.label_sets[s] = label_set_of(s);
}

std::span<const uint32_t> BatchMapper::stack_and_labels(size_t sample) {
  const auto frames = batch_.stack(sample);
  if (scratch_.stack.size() < frames.size() + 1) scratch_.stack.resize(frames.size() + 1);
  uint32_t* const out = scratch_.stack.data();
  const uint32_t* const in = frames.data();
  const uint32_t* const ids = scratch_.locations.data();
  for (size_t i = 0; i < frames.size(); ++i) out[i] = ids[in[i]];
  out[frames.size()] = labels_of(sample);
  return {out, frames.size() + 1};
}

void BatchMapper::map_samples(std::vector<uint32_t>& keys) {
  keys.resize(batch_.samples.size());
  const std::span<uint32_t> all(keys);
  for (size_t begin = 0; begin < all.size(); begin += kBlock) {
    map_block(begin, all.subspan(begin, std::min(kBlock, all.size() - begin)));
  }
}

void BatchMapper::map_block(size_t begin, std::span<uint32_t> keys) {
  std::array<Id128, kBlock> hashes;
  for (size_t i = 0; i < keys.size(); ++i) {
    hashes[i] = index_.hash_of_key(stack_and_labels(begin + i));
    index_.keys.prefetch(SymbolIndex::table_hash(hashes[i]));
  }
  for (size_t i = 0; i < keys.size(); ++i) {
    keys[i] = index_.keys.candidate(SymbolIndex::table_hash(hashes[i]));
    if (keys[i] != kNone) index_.prefetch_key_hash(keys[i]);
  }
  scratch_.missed.clear();
  for (size_t i = 0; i < keys.size(); ++i) {
    if (keys[i] != kNone && !index_.key_equals(keys[i], hashes[i]))
      keys[i] = index_.find_key(hashes[i]);
    if (keys[i] == kNone) scratch_.missed.push_back(static_cast<uint32_t>(i));
  }
  const std::span<const uint32_t> missed(scratch_.missed);
  for (size_t at = 0; at < missed.size(); at += kDescents) {
    add_keys(begin, missed.subspan(at, std::min(kDescents, missed.size() - at)), hashes, keys);
  }
}

void BatchMapper::add_keys(size_t begin, std::span<const uint32_t> missed,
                           std::span<const Id128> hashes, std::span<uint32_t> keys) {
  std::array<Descent, kDescents> descents;
  for (size_t i = 0; i < missed.size(); ++i) {
    const size_t sample = begin + missed[i];
    descents[i] = {.sample = sample, .left = batch_.stack(sample).size()};
  }
  descend_known({descents.data(), missed.size()});
  for (size_t i = 0; i < missed.size(); ++i) {
    const Id128& hash = hashes[missed[i]];
    uint32_t key =
        index_.find_key(hash);  // An earlier sample of the block may have had the same stack.
    if (key == kNone)
      index_.insert_key(
          hash, key = columns_.add_key(node_below(descents[i]), labels_of(descents[i].sample)));
    keys[missed[i]] = key;
  }
}

void BatchMapper::descend_known(std::span<Descent> group) const {
  std::array<Descent*, kDescents> moving;
  size_t n = 0;
  for (Descent& d : group) moving[n++] = &d;
  while (n > 0) {
    size_t left = 0;
    for (size_t i = 0; i < n; ++i) {
      Descent& d = *moving[i];
      if (d.left == 0) continue;
      d.location = next_location(d);
      d.hash = index_.hash_of_node(d.node, d.location);
      index_.nodes.prefetch(d.hash);
      moving[left++] = &d;
    }
    n = std::exchange(left, 0);
    for (size_t i = 0; i < n; ++i) {
      Descent& d = *moving[i];
      d.candidate = index_.nodes.candidate(d.hash);
      if (d.candidate == kNone) continue;
      columns_.prefetch_node(d.candidate);
      moving[left++] = &d;
    }
    n = std::exchange(left, 0);
    for (size_t i = 0; i < n; ++i) {
      Descent& d = *moving[i];
      const uint32_t child = index_.is_child(d.candidate, d.node, d.location)
                                 ? d.candidate
                                 : index_.find_node(d.hash, d.node, d.location);
      if (child == kNone) continue;
      d.node = child;
      --d.left;
      moving[left++] = &d;
    }
    n = left;
  }
}

uint32_t BatchMapper::node_below(Descent d) {
  // Other new stacks of the same group may have grown the tree since `d` stopped.
  for (; d.left > 0; --d.left) {
    const uint32_t location = next_location(d);
    const uint32_t child =
        index_.find_node(index_.hash_of_node(d.node, location), d.node, location);
    if (child == kNone) break;
    d.node = child;
  }
  while (d.left > 0) add_chain(d);
  return d.node;
}

// Below the first new node all is new, and its numbers are known before it is there: a part of the
// stack's slots come into the cache together.
void BatchMapper::add_chain(Descent& d) {
  std::array<uint64_t, kChain> hashes;
  const size_t n = std::min(kChain, d.left);
  index_.nodes.reserve(n);
  Descent ahead = d;
  for (size_t i = 0; i < n; ++i, --ahead.left) {
    hashes[i] = index_.hash_of_node(ahead.node, next_location(ahead));
    index_.nodes.prefetch(hashes[i]);
    ahead.node = columns_.next_node() + static_cast<uint32_t>(i);
  }
  for (size_t i = 0; i < n; ++i, --d.left) {
    d.node = columns_.add_node(d.node, next_location(d));
    index_.nodes.insert(hashes[i], d.node);
  }
}

}  // namespace hearth::symbols
