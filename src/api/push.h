#pragma once

#include "api/connect.h"

namespace hearth::api {

/// push.v1.PusherService/Push: how SDKs and Alloy deliver pprof profiles (docs/http_api.md 2).
net::Route push_route(App& app);

}  // namespace hearth::api
