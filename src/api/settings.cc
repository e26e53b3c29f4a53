#include "settings.pb.h"

#include <algorithm>
#include <mutex>

#include "api/connect.h"
#include "api/services.h"

namespace hearth::api {
namespace {

using namespace settings::v1;

// All settings of a tenant are one record: there are few, they are read together, and one record
// changes atomically.
constexpr std::string_view kKind = "settings";
constexpr std::string_view kName = "all";
constexpr size_t kSettingsMax = 1000;
constexpr size_t kBytesMax = size_t{1} << 20U;

std::mutex& write_mutex() {
  static std::mutex mutex;
  return mutex;
}

Result<GetSettingsResponse> load(const Call& call) {
  GetSettingsResponse all;
  HEARTH_ASSIGN_OR_RETURN(const auto bytes, call.app->store.meta_get(kKind, call.tenant(), kName));
  if (bytes && !all.ParseFromString(*bytes))
    return fail(ErrorCode::internal, "settings record does not parse");
  return all;
}

Status save(const Call& call, const GetSettingsResponse& all) {
  const std::string bytes = all.SerializeAsString();
  if (all.settings_size() > static_cast<int>(kSettingsMax) || bytes.size() > kBytesMax) {
    return fail(ErrorCode::resource_exhausted,
                "settings: at most 1000 settings and 1 MiB per tenant");
  }
  return call.app->store.meta_put(kKind, call.tenant(), kName, bytes);
}

Setting* find(GetSettingsResponse& all, const std::string& name) {
  auto& list = *all.mutable_settings();
  const auto it = std::ranges::find(list, name, &Setting::name);
  return it == list.end() ? nullptr : &*it;
}

Result<GetSettingsResponse> get(const Call& call, const GetSettingsRequest&) {
  return load(call);
}

Result<SetSettingsResponse> set(const Call& call, const SetSettingsRequest& request) {
  if (!request.has_setting())
    return fail(ErrorCode::invalid_argument, "no setting values provided");
  Setting setting = request.setting();
  if (setting.modifiedat() <= 0) setting.set_modifiedat(call.app->now_ms());
  const std::lock_guard lock(write_mutex());
  HEARTH_ASSIGN_OR_RETURN(GetSettingsResponse all, load(call));
  Setting* stored = find(all, setting.name());
  if (stored != nullptr && stored->modifiedat() > setting.modifiedat()) {
    return fail(ErrorCode::conflict,
                "failed to update " + setting.name() + ": newer update already exists");
  }
  if (stored == nullptr) stored = all.add_settings();
  *stored = setting;
  std::ranges::sort(*all.mutable_settings(), {}, &Setting::name);
  HEARTH_RETURN_IF_ERROR(save(call, all));
  SetSettingsResponse response;
  *response.mutable_setting() = std::move(setting);
  return response;
}

Result<DeleteSettingsResponse> remove(const Call& call, const DeleteSettingsRequest& request) {
  if (request.name().empty()) return fail(ErrorCode::invalid_argument, "no setting name provided");
  const std::lock_guard lock(write_mutex());
  HEARTH_ASSIGN_OR_RETURN(GetSettingsResponse all, load(call));
  auto& list = *all.mutable_settings();
  const auto it = std::ranges::find(list, request.name(), &Setting::name);
  if (it == list.end()) return DeleteSettingsResponse();
  if (it->modifiedat() > call.app->now_ms()) {
    return fail(ErrorCode::conflict,
                "failed to delete " + request.name() + ": newer update already exists");
  }
  list.erase(it);
  HEARTH_RETURN_IF_ERROR(save(call, all));
  return DeleteSettingsResponse();
}

}  // namespace

void add_settings_routes(App& app, std::vector<net::Route>& routes) {
  const auto add = [&]<class Request, class Response>(
                       std::string_view method,
                       Result<Response> (*handler)(const Call&, const Request&)) {
    routes.push_back(
        unary_route<Request, Response>(app, "/settings.v1.SettingsService/" + std::string(method),
                                       TenantRule::exactly_one, handler));
  };
  add("Get", get);
  add("Set", set);
  add("Delete", remove);
}

}  // namespace hearth::api
