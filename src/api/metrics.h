#pragma once

#include <string>

#include "api/app.h"

namespace hearth::api {

/// All counters in Prometheus's text format. Names are hearth_*; pyroscope_build_info is there for
/// dashboards that look for it.
std::string metrics_text(const App& app);
net::Route metrics_route(const App& app);

}  // namespace hearth::api
