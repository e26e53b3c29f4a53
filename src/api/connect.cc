#include "api/connect.h"

#include <fmt/format.h>

#include <charconv>

#include "api/answers.h"
#include "api/media_type.h"
#include "base/gzip_codec.h"

namespace hearth::api {
namespace {

constexpr size_t kBufferKeepMax = size_t{8}
                                  << 20U;  // A worker does not hold on to a larger inflate buffer.

std::optional<Codec> codec_of(std::string_view content_type) {
  const auto media = parse_media_type(content_type);
  if (!media) return std::nullopt;
  const std::string_view charset = media->param("charset");
  if (media->type == "application/json" &&
      (charset.empty() || charset == "utf-8" || charset == "UTF-8"))
    return Codec::json;
  if (media->type == "application/proto") return Codec::proto;
  return std::nullopt;
}

net::Response unsupported_media_type() {
  net::Response response;
  response.status = 415;
  response.headers.add("Accept-Post",
                       "application/json, application/json; charset=utf-8, application/proto");
  return response;
}

Status check_protocol_version(const net::Headers& headers) {
  const std::string_view version = headers.get("Connect-Protocol-Version");
  if (version.empty() || version == "1") return {};
  return fail(ErrorCode::invalid_argument,
              fmt::format("connect-protocol-version must be \"1\": got \"{}\"", version));
}

// At most ten digits, as the protocol says; a time-out only ever shortens the server's own
// deadline.
Result<CancelToken> deadline_of(const Clock& clock, const net::Request& request) {
  const std::string_view text = request.headers.get("Connect-Timeout-Ms");
  if (text.empty()) return request.cancel;
  int64_t ms = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ms);
  if (error != std::errc() || end != text.data() + text.size() || text.size() > 10 || ms < 0) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("parse Connect-Timeout-Ms: got \"{}\"; want up to 10 digits", text));
  }
  constexpr int64_t kServerDeadlineMs = 30'000;
  if (ms >= kServerDeadlineMs) return request.cancel;
  return CancelToken(clock, clock.boot_ns() + ms * 1'000'000);
}

std::string& inflate_buffer() {
  thread_local std::string buffer;
  if (buffer.capacity() > kBufferKeepMax) std::string().swap(buffer);
  return buffer;
}

Result<std::string_view> decoded_body(const net::Request& request, size_t max_bytes) {
  const std::string_view encoding = request.headers.get("Content-Encoding");
  if (encoding.empty() || encoding == "identity") return std::string_view(request.body);
  if (encoding != "gzip") {
    return fail(ErrorCode::unimplemented,
                fmt::format("unknown compression \"{}\": supported encodings are gzip", encoding));
  }
  std::string& buffer = inflate_buffer();
  HEARTH_RETURN_IF_ERROR(gunzip(request.body, max_bytes, buffer));
  return std::string_view(buffer);
}

Result<Call> open_call(const App& app, const ConnectMethod& method, net::Request& request,
                       Codec codec) {
  Call call;
  call.app = &app;
  call.http = &request;
  call.codec = codec;
  HEARTH_RETURN_IF_ERROR(check_protocol_version(request.headers));
  HEARTH_ASSIGN_OR_RETURN(call.cancel, deadline_of(app.clock(), request));
  HEARTH_ASSIGN_OR_RETURN(call.tenants,
                          request_tenants(app.context, request.headers, method.tenants));
  const Tenant& payer = call.tenants.empty() ? Tenant::anonymous() : call.tenants.front();
  HEARTH_ASSIGN_OR_RETURN(call.body,
                          decoded_body(request, app.pipeline.limits(payer).request_max_bytes));
  HEARTH_ASSIGN_OR_RETURN(const Accept accept, parse_accept(request.headers.get_all("Accept")));
  call.utf8_label_names = accept.utf8_label_names;
  return call;
}

net::Response answer(const App& app, const ConnectMethod& method, const Call& call) {
  auto body = method.serve(call);
  if (!body) return connect_error(body.error());
  net::Response response;
  response.headers.add("Content-Type",
                       call.codec == Codec::json ? "application/json" : "application/proto");
  if (method.acknowledges) response.headers.add("X-Ack", app.context.ack);
  response.body = std::move(*body);
  return response;
}

net::Response serve(const App& app, const ConnectMethod& method, net::Request& request) {
  if (request.method != "POST") return method_not_allowed("POST");
  const auto codec = codec_of(request.headers.get("Content-Type"));
  if (!codec) return unsupported_media_type();
  auto call = open_call(app, method, request, *codec);
  if (!call) return connect_error(call.error());
  std::shared_ptr<Durable> durable;
  call->durable = &durable;
  net::Response response = answer(app, method, *call);
  hold(response, std::move(durable), [](const Error& error) { return connect_error(error); });
  return response;
}

}  // namespace

net::Route connect_route(const App& app, ConnectMethod method) {
  net::Route route{
      .method = "", .path = method.path, .pool = method.pool, .body_max_bytes = 0, .handler = {}};
  route.handler = [&app, method = std::move(method)](net::Request& request) {
    return serve(app, method, request);
  };
  return route;
}

}  // namespace hearth::api
