#pragma once

#include <vector>

#include "api/app.h"

namespace hearth::api {

/// settings.v1.SettingsService: small values per tenant, kept in the store's meta records
/// (pyroscope-api.md 12.2).
void add_settings_routes(App& app, std::vector<net::Route>& routes);
/// Version, feature flags, and services that only say they are not there (12.4–12.6).
void add_info_routes(App& app, std::vector<net::Route>& routes);

}  // namespace hearth::api
