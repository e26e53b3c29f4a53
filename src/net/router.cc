#include "net/router.h"

#include <set>

namespace hearth::net {
namespace {

bool accepts(const Route& route, std::string_view method) {
  return route.method.empty() || route.method == method ||
         (method == "HEAD" && route.method == "GET");
}

template <class Routes>
std::string allowed_methods(const Routes& routes) {
  std::set<std::string> methods;
  for (const Route* route : routes) {
    methods.insert(route->method);
    if (route->method == "GET") methods.insert("HEAD");
  }
  std::string out;
  for (const std::string& method : methods) out += (out.empty() ? "" : ", ") + method;
  return out;
}

}  // namespace

Router::Router(std::vector<Route> routes) : routes_(std::move(routes)) {
  for (const Route& route : routes_) {
    if (route.path.ends_with("/*")) {
      prefixes_[route.path.substr(0, route.path.size() - 1)].push_back(&route);
    } else {
      exact_[route.path].push_back(&route);
    }
  }
}

const Router::Candidates* Router::candidates(std::string_view path) const {
  if (const auto it = exact_.find(path); it != exact_.end()) return &it->second;
  for (size_t slash = path.rfind('/'); slash != std::string_view::npos;
       slash = slash == 0 ? std::string_view::npos : path.rfind('/', slash - 1)) {
    const auto it = prefixes_.find(path.substr(0, slash + 1));
    if (it != prefixes_.end()) return &it->second;
  }
  return nullptr;
}

Router::Match Router::find(std::string_view method, std::string_view path) const {
  const Candidates* found = candidates(path);
  if (found == nullptr) return {};
  for (const Route* route : *found) {
    if (accepts(*route, method)) return {route, {}};
  }
  if (found->front()->path == "/*") return {};
  return {nullptr, allowed_methods(*found)};
}

}  // namespace hearth::net
