#include "ingest/normalise.h"

#include <algorithm>
#include <vector>

namespace hearth::ingest {
namespace {

enum class Use : uint8_t { kept, negative, zero };

Use use_of(std::span<const int64_t> values) {
  if (std::any_of(values.begin(), values.end(), [](int64_t v) { return v < 0; }))
    return Use::negative;
  return std::all_of(values.begin(), values.end(), [](int64_t v) { return v == 0; }) ? Use::zero
                                                                                     : Use::kept;
}

// The usual case, in one pass: or-ed together, the values of a sample are negative when one of them
// is, and zero when all are.
bool all_usable(const ProfileBatch& batch) {
  const size_t types = batch.types();
  const int64_t* value = batch.samples.values.data();
  bool usable = true;
  for (size_t s = 0; s < batch.samples.size(); ++s) {
    int64_t any = 0;
    for (size_t t = 0; t < types; ++t) any |= *value++;
    usable = usable && any > 0;
  }
  return usable;
}

// Moves [begin, end) of a column down to `to`; returns where the next range goes.
template <class T>
size_t move_down(std::vector<T>& column, size_t begin, size_t end, size_t to) {
  const auto at = [&column](size_t i) { return column.begin() + static_cast<ptrdiff_t>(i); };
  if (begin != to) std::copy(at(begin), at(end), at(to));
  return to + (end - begin);
}

// Keeps the samples for which `keep(s)`, in place: what is read lies at or behind what is written.
template <class Keep>
void filter_samples(ProfileBatch& batch, Keep keep) {
  ProfileBatch::Samples& s = batch.samples;
  const size_t types = batch.types();
  size_t kept = 0, frames = 0, labels = 0;
  for (size_t i = 0, frame = 0, label = 0; i < s.size(); ++i) {
    const size_t frame_end = s.stack_begin[i + 1];
    const size_t label_end = s.label_begin[i + 1];
    if (keep(i)) {
      frames = move_down(s.frames, frame, frame_end, frames);
      labels = move_down(s.labels, label, label_end, labels);
      move_down(s.values, i * types, (i + 1) * types, kept * types);
      ++kept;
      s.stack_begin[kept] = static_cast<uint32_t>(frames);
      s.label_begin[kept] = static_cast<uint32_t>(labels);
    }
    frame = frame_end;
    label = label_end;
  }
  s.stack_begin.resize(kept + 1);
  s.label_begin.resize(kept + 1);
  s.frames.resize(frames);
  s.labels.resize(labels);
  s.values.resize(kept * types);
}

}  // namespace

void drop_unusable_samples(ProfileBatch& batch) {
  const size_t types = batch.types();
  uint64_t negative = 0, zero = 0;
  const auto use = [&](size_t s) {
    return use_of(std::span(batch.samples.values).subspan(s * types, types));
  };
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
