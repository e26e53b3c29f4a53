#pragma once

#include <string>

#include "hearth/profile.h"

namespace hearth::formats {

/// Folded text of one sample type: a line `root;…;leaf VALUE` per distinct stack, sorted; equal
/// stacks are summed (wrapping), zero sums left out. Inlined functions are frames of their own; a
/// location without a function shows as its address. ';' and line ends in names become ':' and ' '.
/// `type` < batch.types(); the batch is valid.
std::string write_folded(const ProfileBatch& batch, size_t type);

}  // namespace hearth::formats
