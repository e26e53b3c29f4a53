#include "symbols/batch_mapper.h"

#include <algorithm>
#include <array>

namespace hearth::symbols {
namespace {

constexpr uint32_t kNone = IdTable::kNone;

// Three passes over blocks of `todo`, see BatchMapper. `hash_of(i)` → hash; `warm(id)` prefetches
// the content of a candidate, `warm_deep(id)` what that content points to; `resolve(i, hash)` does
// the work.
template <size_t kBlock, class Hash, class Warm, class WarmDeep, class Resolve>
void resolve_in_blocks(std::span<const uint32_t> todo, const IdTable& table, Hash hash_of,
                       Warm warm, WarmDeep warm_deep, Resolve resolve) {
  std::array<uint64_t, kBlock> hashes;
  std::array<uint32_t, kBlock> candidates;
  for (size_t begin = 0; begin < todo.size(); begin += kBlock) {
    const auto block = todo.subspan(begin, std::min(kBlock, todo.size() - begin));
    for (size_t i = 0; i < block.size(); ++i) {
      hashes[i] = hash_of(block[i]);
      table.prefetch(hashes[i]);
    }
    for (size_t i = 0; i < block.size(); ++i) {
      candidates[i] = table.candidate(hashes[i]);
      if (candidates[i] != kNone) warm(candidates[i]);
    }
    for (size_t i = 0; i < block.size(); ++i) {
      if (candidates[i] != kNone) warm_deep(candidates[i]);
    }
    for (size_t i = 0; i < block.size(); ++i) resolve(block[i], hashes[i]);
  }
}

constexpr auto kNothingToWarm = [](uint32_t) {};

void list_used(std::span<const uint32_t> ids, uint32_t used, std::vector<uint32_t>& todo) {
  todo.clear();
  for (uint32_t i = 0; i < ids.size(); ++i) {
    if (ids[i] == used) todo.push_back(i);
  }
}

}  // namespace

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
  for (const uint32_t frame : b.samples.frames) s.locations[frame] = kUsed;
  for (size_t l = 0; l < s.locations.size(); ++l) {
    if (s.locations[l] == kUnused) continue;
    if (b.locations.mapping[l] != ProfileBatch::kNone) s.mappings[b.locations.mapping[l]] = kUsed;
    for (uint32_t line = b.locations.line_begin[l]; line < b.locations.line_begin[l + 1]; ++line) {
      s.functions[b.lines.function[line]] = kUsed;
    }
  }
  for (size_t f = 0; f < s.functions.size(); ++f) {
    if (s.functions[f] == kUnused) continue;
    for (const uint32_t string :
         {b.functions.name[f], b.functions.system_name[f], b.functions.file[f]}) {
      s.strings[string] = kUsed;
    }
  }
  for (size_t m = 0; m < s.mappings.size(); ++m) {
    if (s.mappings[m] == kUnused) continue;
    for (const uint32_t string : {b.mappings.file[m], b.mappings.build_id[m]})
      s.strings[string] = kUsed;
  }
  for (const ProfileBatch::SampleLabel& label : b.samples.labels) {
    for (const uint32_t string : {label.key, label.str, label.num_unit}) s.strings[string] = kUsed;
  }
}

void BatchMapper::map_strings() {
  // The bytes of a large profile have left the fast caches since they were decoded.
  constexpr uint32_t kAhead = 8;
  const auto last = static_cast<uint32_t>(batch_.strings.size() - 1);
  list_used(scratch_.strings, kUsed, scratch_.todo);
  resolve_in_blocks<kBlock>(
      scratch_.todo, index_.strings,
      [&](uint32_t i) {
        __builtin_prefetch(batch_.strings[std::min(i + kAhead, last)].data());
        return index_.hash_of(batch_.strings[i]);
      },
      [&](uint32_t id) { columns_.prefetch_string(id); },
      [&](uint32_t id) { columns_.prefetch_string_bytes(id); },
      [&](uint32_t i, uint64_t hash) {
        const std::string_view s = batch_.strings[i];
        uint32_t id = s.empty() ? 0 : index_.find(hash, s);
        if (id == kNone) index_.strings.insert(hash, id = columns_.add_string(s));
        scratch_.strings[i] = id;
      });
}

Function BatchMapper::function_at(uint32_t i) const {
  const ProfileBatch::Functions& f = batch_.functions;
  return {scratch_.strings[f.name[i]], scratch_.strings[f.system_name[i]],
          scratch_.strings[f.file[i]], f.start_line[i]};
}

void BatchMapper::map_functions() {
  list_used(scratch_.functions, kUsed, scratch_.todo);
  resolve_in_blocks<kBlock>(
      scratch_.todo, index_.functions, [&](uint32_t i) { return index_.hash_of(function_at(i)); },
      [&](uint32_t id) { columns_.prefetch_function(id); }, kNothingToWarm,
      [&](uint32_t i, uint64_t hash) {
        const Function f = function_at(i);
        uint32_t id = index_.find(hash, f);
        if (id == kNone) index_.functions.insert(hash, id = columns_.add_function(f));
        scratch_.functions[i] = id;
      });
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

Location BatchMapper::location_at(uint32_t i) {
  const ProfileBatch::Locations& l = batch_.locations;
  const uint32_t begin = l.line_begin[i];
  const uint32_t end = l.line_begin[i + 1];
  if (scratch_.lines.size() < end - begin) scratch_.lines.resize(end - begin);
  for (uint32_t at = begin; at < end; ++at) {
    scratch_.lines[at - begin] = {scratch_.functions[batch_.lines.function[at]],
                                  batch_.lines.line[at], batch_.lines.column[at]};
  }
  const uint32_t mapping =
      l.mapping[i] == ProfileBatch::kNone ? 0 : scratch_.mappings[l.mapping[i]] + 1;
  return {mapping, l.address[i], l.folded[i] != 0, {scratch_.lines.data(), end - begin}};
}

void BatchMapper::map_locations() {
  list_used(scratch_.locations, kUsed, scratch_.todo);
  resolve_in_blocks<kBlock>(
      scratch_.todo, index_.locations, [&](uint32_t i) { return index_.hash_of(location_at(i)); },
      [&](uint32_t id) { columns_.prefetch_location(id); },
      [&](uint32_t id) { columns_.prefetch_location_lines(id); },
      [&](uint32_t i, uint64_t hash) {
        const Location l = location_at(i);
        uint32_t id = index_.find(hash, l);
        if (id == kNone) index_.locations.insert(hash, id = columns_.add_location(l));
        scratch_.locations[i] = id;
      });
}

uint32_t BatchMapper::label_set_of(size_t sample) {
  const auto labels = batch_.labels_of(sample);
  if (labels.empty()) return 0;
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

void BatchMapper::map_label_sets() {
  scratch_.label_sets.clear();
  if (batch_.samples.labels.empty()) return;
  scratch_.label_sets.resize(batch_.samples.size());
  for (size_t s = 0; s < scratch_.label_sets.size(); ++s) scratch_.label_sets[s] = label_set_of(s);
}

std::span<const uint32_t> BatchMapper::stack_and_labels(size_t sample) {
  const auto frames = batch_.stack(sample);
  if (scratch_.stack.size() < frames.size() + 1) scratch_.stack.resize(frames.size() + 1);
  uint32_t* out = scratch_.stack.data();
  const uint32_t* ids = scratch_.locations.data();
  for (size_t i = 0; i < frames.size(); ++i) out[i] = ids[frames[i]];
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
    const uint32_t candidate = index_.keys.candidate(SymbolIndex::table_hash(hashes[i]));
    if (candidate != kNone) index_.prefetch_key_hash(candidate);
  }
  scratch_.missed.clear();
  for (size_t i = 0; i < keys.size(); ++i) {
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
  for (bool any = true; any;) {
    any = false;
    for (Descent& d : group) {
      d.stopped = d.stopped || d.left == 0;
      if (d.stopped) continue;
      d.hash = index_.hash_of_node(d.node, next_location(d));
      index_.nodes.prefetch(d.hash);
    }
    for (const Descent& d : group) {
      if (d.stopped) continue;
      const uint32_t candidate = index_.nodes.candidate(d.hash);
      if (candidate != kNone) columns_.prefetch_node(candidate);
    }
    for (Descent& d : group) {
      if (d.stopped) continue;
      const uint32_t child = index_.find_node(d.hash, d.node, next_location(d));
      d.stopped = child == kNone;
      if (d.stopped) continue;
      d.node = child;
      --d.left;
      any = true;
    }
  }
}

uint32_t BatchMapper::node_below(Descent d) {
  // Other new stacks of the same group may have grown the tree since `d` stopped; below the first
  // new node all is new.
  bool grown = false;
  for (; d.left > 0; --d.left) {
    const uint32_t location = next_location(d);
    const uint64_t hash = index_.hash_of_node(d.node, location);
    uint32_t child = grown ? kNone : index_.find_node(hash, d.node, location);
    if (child == kNone) {
      index_.nodes.insert(hash, child = columns_.add_node(d.node, location));
      grown = true;
    }
    d.node = child;
  }
  return d.node;
}

}  // namespace hearth::symbols
