#include "server/web_files.h"

namespace hearth::server {

std::span<const WebFile> web_files() { return {}; }

}  // namespace hearth::server
