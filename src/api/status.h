#pragma once

#include <vector>

#include "api/app.h"

namespace hearth::api {

/// /ready, /healthz, /api/v1/status and its children, and POST /api/v1/admin/seal.
void add_status_routes(App& app, std::vector<net::Route>& routes);

/// Why the server cannot take work now, or nullopt.
std::optional<std::string> not_ready_reason(const App& app);

/// Why an admin call is not answered, or nullopt.
std::optional<net::Response> admin_refused(const App& app, const net::Request& request);

/// True when a browser sent the request (it says where from): a call that changes something then
/// also needs `X-Hearth-UI: 1`, which a form of another site cannot send.
bool lacks_page_header(const net::Request& request);

}  // namespace hearth::api
