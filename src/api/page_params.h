#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/app.h"
#include "base/result.h"
#include "query/engine.h"

namespace hearth::api {

/// Parameters of one call of the page's API (docs/ui_api.md 1): the query string, or the members of
/// a JSON body. An empty parameter reads as absent. What is wrong is remembered with its field, for
/// the error body.
class PageParams {
 public:
  PageParams(const App& app, net::Request& request) : app_(app), request_(request) {}
  /// Takes the parameters over; resolves the tenant.
  [[nodiscard]] Status read();

  [[nodiscard]] const Tenant& tenant() const { return tenant_; }
  [[nodiscard]] const CancelToken& cancel() const { return request_.cancel; }
  [[nodiscard]] std::string text(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> list(std::string_view name) const;
  /// `fallback` when absent; outside [min, max] is an error of the field.
  [[nodiscard]] Result<int64_t> integer(std::string_view name, int64_t fallback, int64_t min,
                                        int64_t max);
  [[nodiscard]] Result<std::optional<int64_t>> optional_integer(std::string_view name, int64_t min,
                                                                int64_t max);

  /// `from` and `to`, milliseconds, both required and in order.
  [[nodiscard]] Result<query::TimeRange> range();
  /// `s` and `f`.
  [[nodiscard]] Result<Selector> selector();
  [[nodiscard]] Result<std::optional<ProfileType>> type();
  /// The whole query; `t` is required.
  [[nodiscard]] Result<query::ProfileQuery> profiles();

  /// An error that one parameter is to blame for.
  tl::unexpected<Error> bad(std::string_view field, std::string message,
                            std::optional<size_t> column = {},
                            ErrorCode code = ErrorCode::invalid_argument);
  [[nodiscard]] const std::string& bad_field() const { return bad_field_; }
  [[nodiscard]] std::optional<size_t> bad_column() const { return bad_column_; }

 private:
  [[nodiscard]] Status read_body();

  const App& app_;
  net::Request& request_;
  Tenant tenant_ = Tenant::anonymous();
  std::vector<std::pair<std::string, std::string>> values_;
  std::string bad_field_;
  std::optional<size_t> bad_column_;
};

}  // namespace hearth::api
