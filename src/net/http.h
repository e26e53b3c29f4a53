#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/cancel.h"
#include "base/memory_accountant.h"

/// Plain HTTP values: no word of Beast, sockets or profiling. HTTP/2 will carry the same values.
namespace hearth::net {

/// ASCII only.
bool equal_ignoring_case(std::string_view a, std::string_view b);

/// Header fields in order of arrival; look-up ignores case.
class Headers {
 public:
  void add(std::string name, std::string value) {
    fields_.emplace_back(std::move(name), std::move(value));
  }
  /// Replaces every field called `name` by one.
  void set(std::string_view name, std::string value);
  void remove(std::string_view name);
  /// First value of `name`, or "".
  [[nodiscard]] std::string_view get(std::string_view name) const;
  [[nodiscard]] std::vector<std::string_view> get_all(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const;
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& fields() const {
    return fields_;
  }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

struct Request {
  std::string method;                                      ///< "GET", "POST", …
  std::string target;                                      ///< As sent: path and query.
  std::string path;                                        ///< Percent-decoded once; no query.
  std::vector<std::pair<std::string, std::string>> query;  ///< Decoded pairs, in order.
  Headers headers;
  std::string body;  ///< As sent (Content-Encoding not undone); capacity has base::kReadSlack spare
                     ///< zeroed bytes.
  std::string peer;  ///< Remote address without port.
  uint64_t id = 0;   ///< Request id, shown in errors and logs.
  CancelToken cancel;
  MemoryCharge charge;  ///< For the body; released with the request.
  /// First value of a query parameter, or "" / present or not.
  [[nodiscard]] std::string_view param(std::string_view name) const;
  [[nodiscard]] bool has_param(std::string_view name) const;
};

struct Response {
  int status = 200;
  Headers headers;
  std::string body;
  /// Set: the answer is not to be sent yet, and its worker need not wait. The server calls it once
  /// with what sends the answer, or another in its place; that is to be called once, on any thread,
  /// perhaps at once. Not on routes of Pool::io.
  using Send = std::function<void(std::optional<Response> instead)>;
  std::function<void(Send)> after;
  /// Set by a handler whose body is already encoded or must not be compressed.
  bool no_compression = false;
};

/// Where a route's handler runs. `io`: only what answers at once from memory (/healthz, /ready,
/// static files).
enum class Pool : unsigned char { io, ingest, query };

/// One entry of a route table. `path` is exact, or a prefix when it ends in "/*".
struct Route {
  std::string
      method;  ///< Empty: every method reaches the handler (Connect paths answer 405 themselves).
  std::string path;
  Pool pool = Pool::query;
  size_t body_max_bytes = 0;  ///< Compressed body cap; 0 = the server's default.
  std::function<Response(Request&)> handler;
};

}  // namespace hearth::net
