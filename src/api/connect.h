#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/app.h"
#include "api/durable.h"
#include "api/message_codec.h"
#include "api/tenancy.h"
#include "base/cancel.h"
#include "base/result.h"
#include "hearth/tenant.h"

/// Connect's unary protocol over HTTP/1.1 (connectrpc.com/docs/protocol): one route per method,
/// protobuf and JSON bodies.
namespace hearth::api {

/// One request that passed every check of the protocol.
struct Call {
  const App* app = nullptr;
  net::Request* http = nullptr;
  Codec codec = Codec::proto;
  std::vector<Tenant>
      tenants;         ///< As the method's rule says; never empty unless the rule is `none`.
  CancelToken cancel;  ///< With the deadline of Connect-Timeout-Ms, when that was sent.
  bool utf8_label_names =
      false;  ///< The caller understands label names beyond [a-zA-Z_][a-zA-Z0-9_]*.
  /// Where a write puts what its answer waits for.
  std::shared_ptr<Durable>* durable = nullptr;
  std::string_view
      body;  ///< Content-Encoding undone; valid until the handler returns, kReadSlack bytes follow.

  [[nodiscard]] const Tenant& tenant() const { return tenants.front(); }
};

/// Everything but the messages: method, content type, protocol version, time-out, compression,
/// tenant; then `serve` gives the encoded answer. Its errors become Connect errors.
struct ConnectMethod {
  std::string path;
  net::Pool pool = net::Pool::query;
  TenantRule tenants = TenantRule::any_number;
  bool acknowledges = false;  ///< A write: success carries X-Ack, which says what a 200 promises.
  std::function<Result<std::string>(const Call&)> serve;
};
net::Route connect_route(const App& app, ConnectMethod method);

/// A method whose handler takes a message and gives a message.
template <class Request, class Response>
net::Route unary_route(const App& app, std::string path, TenantRule tenants,
                       std::function<Result<Response>(const Call&, const Request&)> handler) {
  const auto serve = [handler = std::move(handler)](const Call& call) -> Result<std::string> {
    Request request;
    if (auto status = decode_message(call.body, call.codec, request); !status)
      return tl::unexpected(std::move(status).error());
    auto response = handler(call, request);
    if (!response) return tl::unexpected(std::move(response).error());
    return encode_message(*response, call.codec);
  };
  return connect_route(app, {.path = std::move(path),
                             .pool = net::Pool::query,
                             .tenants = tenants,
                             .acknowledges = false,
                             .serve = serve});
}

}  // namespace hearth::api
