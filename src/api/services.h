#pragma once

#include <vector>

#include "api/app.h"

namespace hearth::api {

/// settings.v1.SettingsService: small values per tenant, kept in the store's meta records.
void add_settings_routes(App& app, std::vector<net::Route>& routes);
/// Version, feature flags, and services that only say they are not there.
void add_info_routes(App& app, std::vector<net::Route>& routes);

}  // namespace hearth::api
