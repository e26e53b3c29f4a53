#include "net/http_client.h"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <chrono>

namespace hearth::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr uint64_t kAnswerMaxBytes = 1ULL << 30;

struct Call {
  Url url;
  http::request<http::string_body> request;
  http::response_parser<http::string_body> answer;
  std::chrono::milliseconds timeout{};
};

void build_request(Call& call, const std::string& method, const Headers& headers,
                   std::string body) {
  auto& request = call.request;
  request.version(11);
  request.method_string(method);
  request.target(call.url.target);
  const bool v6 = call.url.host.find(':') != std::string::npos;
  request.set(http::field::host,
              fmt::format("{}{}{}:{}", v6 ? "[" : "", call.url.host, v6 ? "]" : "", call.url.port));
  request.set(http::field::user_agent, "hearth");
  request.set(http::field::connection, "close");
  for (const auto& [name, value] : headers.fields()) request.set(name, value);
  request.body() = std::move(body);
  if (method != "GET" && method != "HEAD") request.content_length(request.body().size());
}

asio::awaitable<void> exchange(Call& call) {
  auto executor = co_await asio::this_coro::executor;
  asio::ip::tcp::resolver resolver(executor);
  auto found = co_await resolver.async_resolve(call.url.host, call.url.port, asio::use_awaitable);
  beast::tcp_stream stream(executor);
  stream.expires_after(call.timeout);
  co_await stream.async_connect(found, asio::use_awaitable);
  co_await http::async_write(stream, call.request, asio::use_awaitable);
  beast::flat_buffer buffer;
  co_await http::async_read(stream, buffer, call.answer, asio::use_awaitable);
}

// Runs the coroutine on this thread and hands back what it threw.
std::exception_ptr run(Call& call) {
  asio::io_context io;
  std::exception_ptr failure;
  asio::co_spawn(io, exchange(call),
                 [&failure](const std::exception_ptr& thrown) { failure = thrown; });
  io.run();
  return failure;
}

Error describe(const beast::error_code& code, const std::string& method, const std::string& url) {
  Error error{ErrorCode::unavailable, fmt::format("{} {}: {}", method, url, code.message())};
  if (code == beast::error::timeout) error.code = ErrorCode::deadline_exceeded;
  if (code == http::error::body_limit) error.code = ErrorCode::too_large;
  return error;
}

}  // namespace

Result<Url> Url::parse(std::string_view text) {
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorCode::invalid_argument, fmt::format("URL \"{}\": {}", text, why));
  };
  constexpr std::string_view kScheme = "http://";
  if (!text.starts_with(kScheme)) return refuse("want http://host[:port][/path]");
  const std::string_view rest = text.substr(kScheme.size());
  const size_t slash = rest.find_first_of("/?");
  std::string_view authority = rest.substr(0, slash);
  Url url;
  if (slash != std::string_view::npos) url.target = rest.substr(slash);
  if (url.target.front() == '?') url.target.insert(0, "/");
  if (authority.find('@') != std::string_view::npos) return refuse("user names are not supported");
  const size_t bracket = authority.rfind(']');
  const size_t colon = authority.rfind(':');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    url.port = authority.substr(colon + 1);
    authority = authority.substr(0, colon);
  }
  if (authority.starts_with('[') && authority.ends_with(']')) {
    authority = authority.substr(1, authority.size() - 2);
  }
  if (authority.empty() || url.port.empty() ||
      url.port.find_first_not_of("0123456789") != std::string::npos) {
    return refuse("want http://host[:port][/path]");
  }
  url.host = authority;
  return url;
}

Result<ClientResponse> fetch(const std::string& url, const std::string& method,
                             const Headers& headers, std::string body, int64_t timeout_ms) {
  Call call;
  HEARTH_ASSIGN_OR_RETURN(call.url, Url::parse(url));
  call.timeout = std::chrono::milliseconds(timeout_ms);
  call.answer.body_limit(kAnswerMaxBytes);
  call.answer.skip(method == "HEAD");
  build_request(call, method, headers, std::move(body));
  if (const std::exception_ptr failure = run(call)) {
    try {
      std::rethrow_exception(failure);
    } catch (const boost::system::system_error& e) {
      return tl::unexpected<Error>(describe(e.code(), method, url));
    }
  }
  ClientResponse response;
  auto& answer = call.answer.get();
  response.status = static_cast<int>(answer.result_int());
  for (const auto& field : answer) {
    response.headers.add(std::string(field.name_string()), std::string(field.value()));
  }
  response.body = std::move(answer.body());
  return response;
}

}  // namespace hearth::net
