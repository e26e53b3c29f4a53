#pragma once

#include <vector>

#include "api/app.h"

namespace hearth::api {

/// POST /api/v1/admin/delete and …/delete/withdraw, GET /api/v1/admin/deletions
/// (docs/http_api.md 5).
void add_deletion_routes(App& app, std::vector<net::Route>& routes);

}  // namespace hearth::api
