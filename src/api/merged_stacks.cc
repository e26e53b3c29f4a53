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

}  // namespace hearth::api
