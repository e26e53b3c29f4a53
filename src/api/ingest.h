#pragma once

#include <vector>

#include "api/app.h"

namespace hearth::api {

/// POST /ingest and /pyroscope/ingest: what older agents and scripts send (docs/http_api.md 2).
void add_ingest_routes(App& app, std::vector<net::Route>& routes);

}  // namespace hearth::api
