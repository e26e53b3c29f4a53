#pragma once

#include <vector>

#include "api/app.h"

namespace hearth::api {

/// All routes over an App, which outlives them.
std::vector<net::Route> app_routes(App& app);

}  // namespace hearth::api
