#include "server/web_files.h"

namespace hearth::server {

// The API-only build: no page.
std::span<const WebFile> web_files() { return {}; }

}  // namespace hearth::server
