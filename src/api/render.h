#pragma once

#include <vector>

#include "api/app.h"

namespace hearth::api {

/// GET /pyroscope/render, /pyroscope/render-diff and /pyroscope/label-values (pyroscope-api.md 11):
/// plain HTTP for tools and older integrations.
void add_render_routes(App& app, std::vector<net::Route>& routes);

}  // namespace hearth::api
