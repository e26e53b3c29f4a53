#pragma once

#include <vector>

#include "api/app.h"

namespace hearth::api {

/// POST /ingest and /pyroscope/ingest: what older agents and scripts send (pyroscope-api.md 3).
void add_ingest_routes(App& app, std::vector<net::Route>& routes);

}  // namespace hearth::api
