#include <charconv>

#include "api/answers.h"
#include "api/media_type.h"
#include "api/routes.h"

namespace hearth::api {
namespace {

std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

bool is_loopback_v4(std::string_view host) {
  int parts = 0;
  for (std::string_view rest = host; parts < 4; ++parts) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
    if (error != std::errc() || value > 255 || (parts == 0 && value != 127)) return false;
    rest.remove_prefix(static_cast<size_t>(end - rest.data()));
    if (parts == 3) return rest.empty();
    if (!rest.starts_with('.')) return false;
    rest.remove_prefix(1);
  }
  return false;
}

// DNS rebinding: a foreign name that resolves to 127.0.0.1 must not reach a server that trusts its
// callers.
bool is_local_name(std::string_view host) {
  const std::string_view name = without_port(host);
  return host.empty() || name == "localhost" || name.ends_with(".localhost") || name == "[::1]" ||
         is_loopback_v4(name);
}

bool is_safe_method(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS";
}

// A browser tells where a request comes from; agents and tools send neither field. A page of
// another site must not change what is stored here through its visitor's browser.
bool is_foreign_page(const net::Request& request) {
  if (request.headers.get("Sec-Fetch-Site") == "cross-site") return true;
  if (!request.headers.has("Origin")) return false;
  const std::string_view origin = request.headers.get("Origin");
  const size_t scheme_end = origin.find("://");
  return scheme_end == std::string_view::npos ||
         origin.substr(scheme_end + 3) != request.headers.get("Host");
}

std::unique_ptr<net::Response> refuse(net::Response response) {
  return std::make_unique<net::Response>(std::move(response));
}

}  // namespace

std::unique_ptr<net::Response> gate(const Context& context, const net::Request& request) {
  if (const auto accept = parse_accept(request.headers.get_all("Accept")); !accept) {
    return refuse(text_response(400, "Invalid header format: " + accept.error().message + "\n"));
  }
  if (context.loopback_only && !is_local_name(request.headers.get("Host"))) {
    return refuse(plain_error(421, "request for host \"" +
                                       std::string(request.headers.get("Host")) +
                                       "\": this server is bound to loopback and answers to "
                                       "localhost and loopback addresses only; "
                                       "bind it to another address to use other names"));
  }
  if (!is_safe_method(request.method) && is_foreign_page(request)) {
    return refuse(
        plain_error(403, "a page of another origin may not send requests that change something"));
  }
  return nullptr;
}

}  // namespace hearth::api
