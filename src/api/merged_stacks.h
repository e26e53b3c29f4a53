#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "hearth/profile.h"

/// What the reshaping of merged profiles shares. Such a batch has one sample type and no labels.
namespace hearth::api {

/// Locations, leaf first → value.
using MergedStacks = std::map<std::vector<uint32_t>, int64_t>;

/// Replaces all samples.
void replace_samples(ProfileBatch& batch, const MergedStacks& stacks);

}  // namespace hearth::api
