#include "api/tenancy.h"

#include <algorithm>

namespace hearth::api {
namespace {

// Empty parts of a federated id are dropped: `a|` means `a`.
Result<std::vector<Tenant>> parse_ids(std::string_view header) {
  std::vector<Tenant> tenants;
  while (!header.empty()) {
    const std::string_view id = header.substr(0, header.find('|'));
    header.remove_prefix(std::min(id.size() + 1, header.size()));
    if (id.empty()) continue;
    auto tenant = Tenant::parse(id);
    if (!tenant) return fail(ErrorCode::unauthenticated, tenant.error().message);
    tenants.push_back(std::move(*tenant));
  }
  std::ranges::sort(tenants);
  const auto repeated = std::ranges::unique(tenants);
  tenants.erase(repeated.begin(), repeated.end());
  return tenants;
}

}  // namespace

Result<std::vector<Tenant>> request_tenants(const Context& context, const net::Headers& headers,
                                            TenantRule rule) {
  if (rule == TenantRule::none) return std::vector<Tenant>();
  if (!context.tenancy) return std::vector<Tenant>{Tenant::anonymous()};
  HEARTH_ASSIGN_OR_RETURN(std::vector<Tenant> tenants, parse_ids(headers.get("X-Scope-OrgID")));
  if (tenants.empty())
    return fail(ErrorCode::unauthenticated, "no org id: header X-Scope-OrgID is missing or empty");
  if (rule != TenantRule::any_number && tenants.size() > 1) {
    const auto code =
        rule == TenantRule::one_writer ? ErrorCode::unauthenticated : ErrorCode::invalid_argument;
    return fail(code, "multiple org IDs present: this call takes exactly one tenant");
  }
  return tenants;
}

Result<Tenant> request_tenant(const Context& context, const net::Headers& headers,
                              TenantRule rule) {
  HEARTH_ASSIGN_OR_RETURN(const std::vector<Tenant> tenants,
                          request_tenants(context, headers, rule));
  if (tenants.size() != 1)
    return fail(ErrorCode::unimplemented, "this call reads one tenant at a time");
  return tenants.front();
}

}  // namespace hearth::api
