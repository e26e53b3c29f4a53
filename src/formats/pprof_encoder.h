#pragma once

#include <string>

#include "formats/stack_tree.h"
#include "hearth/profile.h"

namespace hearth::formats {

/// Writes a valid batch as pprof (profile.proto): dense ids from 1, lists packed, zero fields left
/// out, a string table of what is used in order of first use. Equal batches give equal bytes.
/// Uncompressed, as conventional readers accept.
std::string encode_pprof(const ProfileBatch& batch);

/// The same for a batch without samples, whose stacks are a tree. Stacks without frames are left
/// out. The batch has one sample type.
std::string encode_pprof(const ProfileBatch& batch, const StackTree& stacks);

/// The same, gzipped at `level` 1…12: what files and answers carry.
std::string encode_pprof_gzip(const ProfileBatch& batch, int level = 1);

}  // namespace hearth::formats
