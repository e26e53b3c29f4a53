#pragma once

#include <vector>

#include "api/routes.h"
#include "base/result.h"
#include "hearth/tenant.h"

namespace hearth::api {

/// How many tenants a route takes (docs/http_api.md 1).
enum class TenantRule : unsigned char {
  none,         ///< The route asks for no tenant.
  any_number,   ///< Queries: `a|b` reads both.
  one_writer,   ///< Writes: exactly one, else 401.
  exactly_one,  ///< Settings, stats: exactly one, else 400.
};

/// Tenants named by X-Scope-OrgID, sorted and unique; without tenancy always `anonymous`, with
/// TenantRule::none an empty list. `unauthenticated` when the header is missing or an id is
/// invalid.
[[nodiscard]] Result<std::vector<Tenant>> request_tenants(const Context& context,
                                                          const net::Headers& headers,
                                                          TenantRule rule);

/// The only tenant of a plain HTTP request.
[[nodiscard]] Result<Tenant> request_tenant(const Context& context, const net::Headers& headers,
                                            TenantRule rule);

}  // namespace hearth::api
