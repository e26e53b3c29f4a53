#include "api/merged_stacks.h"

namespace hearth::api {

void replace_samples(ProfileBatch& batch, const MergedStacks& stacks) {
  ProfileBatch::Samples samples;
  samples.stack_begin.push_back(0);
  samples.label_begin.assign(stacks.size() + 1, 0);
  for (const auto& [stack, value] : stacks) {
    samples.frames.insert(samples.frames.end(), stack.begin(), stack.end());
    samples.stack_begin.push_back(static_cast<uint32_t>(samples.frames.size()));
    samples.values.push_back(value);
  }
  batch.samples = std::move(samples);
}

uint32_t add_location(ProfileBatch& batch, std::string_view function, uint32_t mapping) {
  const uint32_t name = batch.add_string(function);
  batch.functions.name.push_back(name);
  batch.functions.system_name.push_back(name);
  batch.functions.file.push_back(0);
  batch.functions.start_line.push_back(0);
  batch.lines.function.push_back(static_cast<uint32_t>(batch.functions.size() - 1));
  batch.lines.line.push_back(0);
  batch.lines.column.push_back(0);
  batch.locations.mapping.push_back(mapping);
  batch.locations.address.push_back(0);
  batch.locations.folded.push_back(0);
  batch.locations.line_begin.push_back(static_cast<uint32_t>(batch.lines.function.size()));
  return static_cast<uint32_t>(batch.locations.size() - 1);
}

}  // namespace hearth::api
