#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "hearth/profile.h"

/// What the reshaping of merged profiles shares. Such a batch has one sample type and no labels.
namespace hearth::api {

/// Locations, leaf first → value.
using MergedStacks = std::map<std::vector<uint32_t>, int64_t>;

/// Replaces all samples.
void replace_samples(ProfileBatch& batch, const MergedStacks& stacks);

/// Appends a location of one line with its own function; returns its index.
uint32_t add_location(ProfileBatch& batch, std::string_view function, uint32_t mapping);

}  // namespace hearth::api
