#include "net/exchange.h"

#include <fmt/format.h>

#include <boost/beast/http/impl/error.hpp>
#include <exception>
#include <iterator>

#include "base/log.h"
#include "net/answer.h"
#include "net/connection.h"
#include "net/target.h"

namespace hearth::net {
namespace {

namespace http = boost::beast::http;

std::string text(boost::beast::string_view view) {
  return {view.data(), view.size()};
}

size_t field_count(const http::fields& fields) {
  return static_cast<size_t>(std::distance(fields.begin(), fields.end()));
}

Response plain_error(int status, const std::string& message) {
  Response response;
  response.status = status;
  response.headers.add("Content-Type", "text/plain; charset=utf-8");
  response.headers.add("X-Content-Type-Options", "nosniff");
  response.body = message + "\n";
  return response;
}

}  // namespace

void Exchange::RefuseExtensions::operator()(uint64_t /*size*/, boost::beast::string_view extensions,
                                            boost::beast::error_code& error) const {
  if (!extensions.empty()) error = http::error::bad_chunk_extension;
}

Exchange::Exchange(ServerState& server, std::string peer) : server_(server) {
  request.peer = std::move(peer);
  // SplitMix64's constant spreads the counter, so that ids do not look like a count of requests.
  request.id = (server.next_id.fetch_add(1) + 1) * 0x9e3779b97f4a7c15ULL;
  parser.eager(false);
  parser.header_limit(static_cast<uint32_t>(server.options.header_max_bytes + 1));
  // BodyBuffer enforces the route's cap, which is not known before the head is parsed.
  parser.body_limit(boost::none);
  parser.on_chunk_header(refuse_extensions_);
}

void Exchange::open(std::string_view head, const HeadVerdict& verdict, bool spare) {
  ++server_.requests;
  if (verdict.status != 0) {
    refuse_and_close(verdict.status, verdict.message);
    return;
  }
  if (!parse(head)) return;
  admit(spare);
  if (!answered) check_body_size();
  if (!answered) check_expectation();
  // A body that nobody will read ends the connection, because the next head stands behind it.
  if (answered && !parser.is_done()) close = unread = true;
}

bool Exchange::parse(std::string_view head) {
  boost::beast::error_code error;
  parser.put(boost::asio::buffer(head.data(), head.size()), error);
  if (error || !parser.is_header_done()) {
    refuse_and_close(400, "request head: " + error.message());
    return false;
  }
  const auto& message = parser.get();
  request.method = text(message.method_string());
  request.target = text(message.target());
  for (const auto& field : message) {
    request.headers.add(text(field.name_string()), text(field.value()));
  }
  head_fields_ = field_count(message);
  close = !parser.keep_alive() || message.version() < 11;
  auto target = parse_target(request.target);
  if (!target) {
    refuse_and_close(400, target.error().message);
    return false;
  }
  request.path = std::move(target->path);
  request.query = std::move(target->query);
  return true;
}

void Exchange::admit(bool spare) {
  if (server_.options.gate) {
    if (auto refusal = server_.options.gate(request)) {
      response = std::move(*refusal);
      answered = true;
      return;
    }
  }
  find_route();
  if (!spare || answered) return;
  close = true;
  if (route->pool != Pool::io) {
    refuse(503, fmt::format("all {} connections are in use", server_.options.connections_max));
  }
}

void Exchange::find_route() {
  const Router::Match match = server_.router.find(request.method, request.path);
  route = match.route;
  if (route != nullptr) return;
  if (match.allow.empty()) {
    refuse(404, fmt::format("{} {}: no such route", request.method, request.path));
    return;
  }
  refuse(405, fmt::format("{} is not allowed on {}; allowed: {}", request.method, request.path,
                          match.allow));
  response.headers.set("Allow", match.allow);
}

void Exchange::check_body_size() {
  const size_t max =
      route->body_max_bytes != 0 ? route->body_max_bytes : server_.options.body_max_bytes;
  std::optional<size_t> expected;
  if (const auto length = parser.content_length()) {
    if (*length > max) {
      refuse(413, fmt::format("request body of {} bytes; the limit is {}", *length, max));
      return;
    }
    expected = static_cast<size_t>(*length);
  }
  parser.get().body().limit(max, expected, server_.options.memory);
}

void Exchange::check_expectation() {
  const std::string_view expectation = request.headers.get("Expect");
  if (expectation.empty()) return;
  if (!equal_ignoring_case(expectation, "100-continue")) {
    refuse(417, "Expect: want 100-continue");
    return;
  }
  expects_continue = parser.get().version() >= 11;
}

bool Exchange::finish_body(const boost::beast::error_code& error) {
  BodyBuffer& body = parser.get().body();
  if (body.outcome() == BodyBuffer::Outcome::too_large) {
    refuse_and_close(413, "request body is larger than the limit of this path");
    return true;
  }
  if (body.outcome() == BodyBuffer::Outcome::no_memory) {
    refuse_and_close(503, "no memory for the request body: the server's limit is reached");
    return true;
  }
  if (error) {
    const auto& of_http = http::make_error_code(http::error::bad_chunk).category();
    if (error.category() != of_http || error == http::error::partial_message ||
        error == http::error::end_of_stream) {
      return false;
    }
    refuse_and_close(400, "request body: " + error.message());
    return true;
  }
  if (field_count(parser.get()) != head_fields_) {
    refuse_and_close(400, "request body: trailer fields are not accepted");
    return true;
  }
  request.body = body.take_data();
  request.charge = body.take_charge();
  return true;
}

void Exchange::run_handler(std::function<void()> finished) noexcept {
  handle();
  if (!response.after) return finished();
  const auto after = std::move(response.after);
  // From here on this exchange may be over at any moment.
  after([this, finished = std::move(finished)](std::optional<Response> instead) {
    if (instead) response = std::move(*instead);
    finished();
  });
}

void Exchange::handle() {
  try {
    if (const Status wanted = request.cancel.check(); !wanted) {
      refuse(wanted.error().code == ErrorCode::deadline_exceeded ? 504 : 499,
             wanted.error().message);
    } else {
      response = route->handler(request);
    }
    compress_answer(request, server_.options.compress_min_bytes, response);
  } catch (const std::exception& e) {
    log::error(
        "handler failed",
        {{"path", request.path}, {"request", request_id_text(request.id)}, {"error", e.what()}});
    refuse(500, fmt::format("internal error; request id {}", request_id_text(request.id)));
  }
  answered = true;
  // Large bodies go here, on the pool, not on the io thread and not after a slow write.
  request.body = {};
  request.charge = {};
}

void Exchange::refuse(int status, const std::string& message) {
  ++server_.refused_total;
  const auto& render = server_.options.render_error;
  response = render ? render(request, status, message) : plain_error(status, message);
  if ((status == 503 || status == 429) && !response.headers.has("Retry-After")) {
    // One to three seconds, spread so that refused clients do not come back together.
    response.headers.add("Retry-After", std::to_string(1 + (request.id >> 60U) % 3));
  }
  answered = true;
}

void Exchange::refuse_and_close(int status, const std::string& message) {
  refuse(status, message);
  close = unread = true;
}

}  // namespace hearth::net
