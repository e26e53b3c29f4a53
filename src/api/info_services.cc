#include "api/connect.h"
#include "api/services.h"
#include "capabilities.pb.h"
#include "version_api.pb.h"

namespace hearth::api {
namespace {

using namespace capabilities::v1;
using namespace version::v1;

constexpr uint64_t kQuerierApi = 1;  // Grafana switches features by it.

Result<VersionResponse> api_version(const Call&, const VersionRequest&) {
  VersionResponse response;
  response.set_querierapi(kQuerierApi);
  return response;
}

void add_flag(GetFeatureFlagsResponse& flags, const char* name, bool enabled,
              const char* description) {
  auto* flag = flags.add_feature_flags();
  flag->set_name(name);
  flag->set_enabled(enabled);
  flag->set_description(description);
}

// Sorted by name, as Profiles Drilldown reads them.
Result<GetFeatureFlagsResponse> feature_flags(const Call&, const GetFeatureFlagsRequest&) {
  GetFeatureFlagsResponse flags;
  add_flag(flags, "pyroscopeRuler", false, "Recording rules: metrics computed from profiles.");
  add_flag(flags, "pyroscopeRulerFunctions", false, "Recording rules for single functions.");
  add_flag(flags, "utf8LabelNames", false,
           "Label names beyond [a-zA-Z_][a-zA-Z0-9_]* without being asked for.");
  add_flag(flags, "v2StorageLayer", true, "Profiles are stored in segments on object storage.");
  flags.mutable_feature_flags()->rbegin()->set_documentation_url(
      "https://grafana.com/docs/pyroscope/latest/");
  return flags;
}

// Profiles Drilldown hides a feature whose first call is answered so.
net::Route unimplemented(const App& app, std::string path, const char* message) {
  return connect_route(app, {.path = std::move(path),
                             .pool = net::Pool::query,
                             .tenants = TenantRule::none,
                             .acknowledges = false,
                             .serve = [message](const Call&) -> Result<std::string> {
                               return fail(ErrorCode::unimplemented, message);
                             }});
}

}  // namespace

void add_info_routes(App& app, std::vector<net::Route>& routes) {
  routes.push_back(unary_route<VersionRequest, VersionResponse>(app, "/version.v1.Version/Version",
                                                                TenantRule::none, api_version));
  routes.push_back(unary_route<GetFeatureFlagsRequest, GetFeatureFlagsResponse>(
      app, "/capabilities.v1.FeatureFlagsService/GetFeatureFlags", TenantRule::none,
      feature_flags));
  for (const char* method :
       {"GithubApp", "GithubLogin", "GithubRefresh", "GetFile", "GetCommit", "GetCommits"}) {
    routes.push_back(unimplemented(app, std::string("/vcs.v1.VCSService/") + method,
                                   "source code of repositories is not served by this version"));
  }
}

}  // namespace hearth::api
