#include "ingest/normalise.h"

#include <algorithm>
#include <vector>

#include "model/side_filter.h"

namespace hearth::ingest {
namespace {

enum class Use : uint8_t { kept, negative, zero };

// Or-ed together, the values of a sample are negative when one of them is, and zero when all are.
Use use_of(const int64_t* values, size_t types) {
  int64_t any = 0;
  for (size_t t = 0; t < types; ++t) any |= values[t];
  return any > 0 ? Use::kept : any < 0 ? Use::negative : Use::zero;
}

// The usual case, in one pass.
bool all_usable(const ProfileBatch& batch) {
  const size_t types = batch.types();
  const int64_t* const values = batch.samples.values.data();
  bool usable = true;
  for (size_t s = 0; s < batch.samples.size(); ++s)
    usable &= use_of(values + s * types, types) == Use::kept;
  return usable;
}

// Moves [begin, end) of a column down to `to`.
template <class T>
void move_down(std::vector<T>& column, size_t begin, size_t end, size_t to) {
  const auto at = [&column](size_t i) { return column.begin() + static_cast<ptrdiff_t>(i); };
  if (begin != to) std::copy(at(begin), at(end), at(to));
}

// Moves the samples of [begin, end) down, behind the first `kept` ones; returns how many are then
// there.
size_t move_samples(ProfileBatch& batch, size_t begin, size_t end, size_t kept) {
  ProfileBatch::Samples& s = batch.samples;
  const size_t types = batch.types();
  const uint32_t frames = s.stack_begin[kept], labels = s.label_begin[kept];
  const uint32_t frame = s.stack_begin[begin], label = s.label_begin[begin];
  move_down(s.frames, frame, s.stack_begin[end], frames);
  move_down(s.labels, label, s.label_begin[end], labels);
  move_down(s.values, begin * types, end * types, kept * types);
  for (size_t i = begin; i < end; ++i) {
    ++kept;
    s.stack_begin[kept] = s.stack_begin[i + 1] - frame + frames;
    s.label_begin[kept] = s.label_begin[i + 1] - label + labels;
  }
  return kept;
}

// Keeps the samples for which `keep(s)`, in place and run by run: what is read lies at or behind
// what is written.
template <class Keep>
void filter_samples(ProfileBatch& batch, Keep keep) {
  ProfileBatch::Samples& s = batch.samples;
  const size_t n = s.size();
  SideFilter side(s);
  size_t kept = 0;
  for (size_t begin = 0, end = 0; begin < n; begin = end + 1) {
    end = begin;
    while (end < n && keep(end)) ++end;
    for (size_t i = begin; i < end; ++i) side.keep(i, kept + i - begin);
    kept = move_samples(batch, begin, end, kept);
  }
  side.finish();
  s.stack_begin.resize(kept + 1);
  s.label_begin.resize(kept + 1);
  s.frames.resize(s.stack_begin[kept]);
  s.labels.resize(s.label_begin[kept]);
  s.values.resize(kept * batch.types());
}

}  // namespace

void drop_unusable_samples(ProfileBatch& batch) {
  const size_t types = batch.types();
  uint64_t negative = 0, zero = 0;
  const auto use = [&](size_t s) { return use_of(batch.samples.values.data() + s * types, types); };
  if (all_usable(batch)) return;
  for (size_t s = 0; s < batch.samples.size(); ++s) {
    const Use u = use(s);
    negative += u == Use::negative ? 1 : 0;
    zero += u == Use::zero ? 1 : 0;
  }
  filter_samples(batch, [&](size_t s) { return use(s) == Use::kept; });
  batch.repairs.samples_negative += negative;
  batch.repairs.samples_zero += zero;
}

void drop_empty_frames(ProfileBatch& batch) {
  const ProfileBatch::Locations& l = batch.locations;
  const auto is_empty = [&](uint32_t location) {
    return l.address[location] == 0 && l.line_begin[location] == l.line_begin[location + 1];
  };
  bool any = false;
  for (uint32_t i = 0; i < l.size() && !any; ++i) any = is_empty(i);
  if (!any) return;
  ProfileBatch::Samples& s = batch.samples;
  size_t kept = 0;
  for (size_t i = 0, frame = 0; i < s.size(); ++i) {
    for (const size_t end = s.stack_begin[i + 1]; frame < end; ++frame) {
      if (!is_empty(s.frames[frame])) s.frames[kept++] = s.frames[frame];
    }
    s.stack_begin[i + 1] = static_cast<uint32_t>(kept);
  }
  batch.repairs.frames_dropped += s.frames.size() - kept;
  s.frames.resize(kept);
}

void clear_addresses(ProfileBatch& batch) {
  ProfileBatch::Mappings& m = batch.mappings;
  ProfileBatch::Locations& l = batch.locations;
  const auto has_functions = [&m](size_t i) {
    return (m.flags[i] & ProfileBatch::kHasFunctions) != 0;
  };
  for (size_t i = 0; i < m.size(); ++i) {
    if (has_functions(i)) m.start[i] = m.limit[i] = m.offset[i] = 0;
  }
  for (size_t i = 0; i < l.size(); ++i) {
    if (l.mapping[i] != ProfileBatch::kNone && has_functions(l.mapping[i])) l.address[i] = 0;
  }
}

}  // namespace hearth::ingest
