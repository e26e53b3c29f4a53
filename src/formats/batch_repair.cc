#include "formats/batch_repair.h"

#include <algorithm>

#include "model/side_filter.h"

namespace hearth::formats {
namespace {

void drop_lines_without_function(ProfileBatch& batch) {
  ProfileBatch::Lines& lines = batch.lines;
  std::vector<uint32_t>& begin = batch.locations.line_begin;
  size_t kept = 0;
  size_t next = 0;
  for (size_t location = 0; location < batch.locations.size(); ++location) {
    const size_t end = begin[location + 1];
    for (; next < end; ++next) {
      if (lines.function[next] == ProfileBatch::kNone) continue;
      lines.function[kept] = lines.function[next];
      lines.line[kept] = lines.line[next];
      lines.column[kept] = lines.column[next];
      ++kept;
    }
    begin[location + 1] = static_cast<uint32_t>(kept);
  }
  lines.function.resize(kept);
  lines.line.resize(kept);
  lines.column.resize(kept);
}

}  // namespace

void drop_unusable_frames(ProfileBatch& batch, const std::vector<uint8_t>& unusable) {
  ProfileBatch::Samples& s = batch.samples;
  const size_t types = batch.types();
  const auto usable = [&](uint32_t frame) {
    return frame < batch.locations.size() && (unusable.empty() || unusable[frame] == 0);
  };
  SideFilter side(s);
  size_t frames = 0;
  size_t labels = 0;
  size_t kept = 0;
  for (size_t i = 0, first = 0, first_label = 0; i < s.size(); ++i) {
    const size_t end = s.stack_begin[i + 1];
    const size_t label_end = s.label_begin[i + 1];
    const size_t frames_before = frames;
    for (size_t f = first; f < end; ++f) {
      if (usable(s.frames[f])) s.frames[frames++] = s.frames[f];
    }
    batch.repairs.frames_dropped += (end - first) - (frames - frames_before);
    if (frames > frames_before || end == first) {
      std::copy_n(s.values.begin() + static_cast<ptrdiff_t>(i * types), types,
                  s.values.begin() + static_cast<ptrdiff_t>(kept * types));
      for (size_t l = first_label; l < label_end; ++l) s.labels[labels++] = s.labels[l];
      side.keep(i, kept);
      ++kept;
      s.stack_begin[kept] = static_cast<uint32_t>(frames);
      s.label_begin[kept] = static_cast<uint32_t>(labels);
    }
    first = end;
    first_label = label_end;
  }
  side.finish();
  s.frames.resize(frames);
  s.labels.resize(labels);
  s.values.resize(kept * types);
  s.stack_begin.resize(kept + 1);
  s.label_begin.resize(kept + 1);
  drop_lines_without_function(batch);
}

void cut_deep_stacks(ProfileBatch& batch, size_t depth_max) {
  ProfileBatch::Samples& s = batch.samples;
  uint32_t truncated = ProfileBatch::kNone;
  size_t frames = 0;
  for (size_t i = 0, first = 0; i < s.size(); ++i) {
    const size_t end = s.stack_begin[i + 1];
    const bool cut = depth_max != 0 && end - first > depth_max;
    const size_t keep = cut ? depth_max - 1 : end - first;
    std::copy_n(s.frames.begin() + static_cast<ptrdiff_t>(first), keep,
                s.frames.begin() + static_cast<ptrdiff_t>(frames));
    frames += keep;
    if (cut) {
      if (truncated == ProfileBatch::kNone)
        truncated = batch.add_named_location(batch.add_string("[truncated]"), ProfileBatch::kNone);
      s.frames[frames++] = truncated;
      ++batch.repairs.stacks_truncated;
    }
    s.stack_begin[i + 1] = static_cast<uint32_t>(frames);
    first = end;
  }
  s.frames.resize(frames);
}

}  // namespace hearth::formats
