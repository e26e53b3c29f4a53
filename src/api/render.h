#pragma once

#include <vector>

#include "api/app.h"

namespace hearth::api {

/// GET /pyroscope/render, /pyroscope/render-diff and /pyroscope/label-values: plain HTTP
/// for tools and older integrations (docs/http_api.md 4).
void add_render_routes(App& app, std::vector<net::Route>& routes);

}  // namespace hearth::api
