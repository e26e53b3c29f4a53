#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "hearth/profile.h"

namespace hearth::ingest {

/// Name under which a sample type is known when its sender gives no names: "cpu" for samples;
/// itself where no other is set.
std::string built_in_display_name(std::string_view sample_type);

/// `__name__` of a profile whose sender gave none, by the display names of its sample types, as
/// Pyroscope's /ingest chooses it: "wall" when one is wall time, else the first metric that is
/// known ("memory" for inuse_space), else the last display name.
std::string metric_name(const ProfileBatch& batch,
                        const std::function<std::string(std::string_view sample_type)>&
                            display_name = built_in_display_name);

}  // namespace hearth::ingest
