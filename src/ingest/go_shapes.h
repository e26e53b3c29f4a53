#pragma once

#include <span>
#include <string>
#include <string_view>

#include "hearth/labels.h"
#include "hearth/profile.h"

namespace hearth::ingest {

/// True when the profile comes from a Go program: by its `pyroscope_spy` label, else by the first
/// string that looks like a source file or package of a known language.
[[nodiscard]] bool is_go_profile(const ProfileBatch& batch, std::span<const Label> labels);

/// `name` without its generic shape parameters: bracket groups that begin with `[go.shape.`. A
/// group that is not closed stays.
[[nodiscard]] std::string without_go_shapes(std::string_view name);

/// Removes shape parameters from the function names of a Go profile, so that all instances of a
/// generic function are one function. Costs a search for '[' when there are none.
void strip_go_shapes(ProfileBatch& batch, std::span<const Label> labels);

}  // namespace hearth::ingest
