#include "api/answers.h"

#include <fmt/format.h>

#include "api/error_table.h"
#include "api/json_writer.h"

namespace hearth::api {
namespace {

net::Response json_error(int status, std::string_view code, std::string_view message) {
  JsonWriter json;
  json.begin_object().field("code", code).field("message", message).end_object();
  net::Response response = json_response(json.take());
  response.status = status;
  if (is_retryable(status)) response.headers.add("Retry-After", "1");
  return response;
}

net::Response no_sniff(net::Response response) {
  response.headers.add("X-Content-Type-Options", "nosniff");
  return response;
}

}  // namespace

net::Response json_response(std::string body) {
  net::Response response;
  response.headers.add("Content-Type", "application/json");
  response.body = std::move(body);
  return response;
}

net::Response text_response(int status, std::string body) {
  net::Response response;
  response.status = status;
  response.headers.add("Content-Type", "text/plain; charset=utf-8");
  response.headers.add("X-Content-Type-Options", "nosniff");
  response.body = std::move(body);
  return response;
}

net::Response connect_error(const Error& error) {
  const ErrorRow& row = error_row(error.code);
  return json_error(row.connect_status, row.connect, error.message);
}

net::Response plain_error(const Error& error) {
  const ErrorRow& row = error_row(error.code);
  return no_sniff(json_error(row.plain_status, row.connect, error.message));
}

net::Response plain_error(int status, std::string_view message) {
  return no_sniff(json_error(status, code_of_status(status), message));
}

net::Response ui_error(const net::Request& request, const Error& error, std::string_view field,
                       std::optional<size_t> column) {
  const ErrorRow& row = error_row(error.code);
  const std::string_view code = error.code == ErrorCode::too_large ? "too_large" : row.connect;
  JsonWriter json;
  json.begin_object().field("code", code).field("message", error.message);
  json.field("request", fmt::format("{:x}", request.id));
  if (!field.empty()) json.field("field", field);
  if (column) json.field("column", uint64_t{*column});
  net::Response response = no_sniff(json_response(json.end_object().take()));
  response.status = row.plain_status;
  if (is_retryable(response.status)) response.headers.add("Retry-After", "1");
  return response;
}

net::Response method_not_allowed(std::string_view allow) {
  net::Response response;
  response.status = 405;
  response.headers.add("Allow", std::string(allow));
  return response;
}

}  // namespace hearth::api
