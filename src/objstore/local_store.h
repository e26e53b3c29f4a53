#pragma once

#include <memory>
#include <string>

#include "base/file_system.h"
#include "base/result.h"
#include "hearth/object_store.h"

namespace hearth::objstore {

/// The default bucket: a directory below which a key is a relative path.
/// Creates `root`, removes temporaries that an earlier life left, and probes that create-if-absent
/// holds there; without hard links it falls back to check-and-rename, which is safe for one
/// process. A directory that cannot be written is opened all the same: reads work, puts fail.
/// `files` outlives the store. Errors: `root` cannot be listed.
[[nodiscard]] Result<std::shared_ptr<ObjectStore>> open_local_store(FileSystem& files,
                                                                    const std::string& root);

/// The same directory for reading, also while a server uses it: nothing is created, probed or
/// removed.
[[nodiscard]] std::shared_ptr<ObjectStore> view_local_store(FileSystem& files,
                                                            const std::string& root);

}  // namespace hearth::objstore
