#pragma once

#include <memory>
#include <string>

#include "base/file_system.h"
#include "base/result.h"
#include "hearth/object_store.h"

namespace hearth::objstore {

/// The default bucket: a directory (reliability.md 4.6). Creates `root`, removes temporaries of an earlier life, and probes that
/// create-if-absent holds there (link(2)); `files` outlives the store.
[[nodiscard]] Result<std::shared_ptr<ObjectStore>> open_local_store(FileSystem& files, const std::string& root);

}  // namespace hearth::objstore
