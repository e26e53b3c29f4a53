#include "api/page_params.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "api/query_params.h"
#include "api/tenancy.h"

namespace hearth::api {
namespace {

// The selector's own messages name the byte: "parse selector at byte 7: …". One brace stands before
// the filter.
std::optional<size_t> column_of(std::string_view message) {
  constexpr std::string_view kMark = "at byte ";
  const size_t at = message.find(kMark);
  if (at == std::string_view::npos) return std::nullopt;
  size_t column = 0;
  const char* begin = message.data() + at + kMark.size();
  if (std::from_chars(begin, message.data() + message.size(), column).ec != std::errc() ||
      column == 0)
    return std::nullopt;
  return column - 1;
}

std::string scalar_text(const nlohmann::json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace

Status PageParams::read() {
  HEARTH_ASSIGN_OR_RETURN(tenant_,
                          request_tenant(app_.context, request_.headers, TenantRule::any_number));
  values_ = std::move(request_.query);
  if (request_.method == "POST" && !request_.body.empty()) HEARTH_RETURN_IF_ERROR(read_body());
  std::erase_if(values_, [](const auto& value) { return value.second.empty(); });
  return {};
}

Status PageParams::read_body() {
  const auto root = nlohmann::json::parse(request_.body, nullptr, false);
  if (!root.is_object()) return fail(ErrorCode::invalid_argument, "read body: want a JSON object");
  for (const auto& [name, value] : root.items()) {
    if (value.is_array()) {
      for (const auto& item : value) values_.emplace_back(name, scalar_text(item));
    } else if (!value.is_null()) {
      values_.emplace_back(name, scalar_text(value));
    }
  }
  return {};
}

std::string PageParams::text(std::string_view name) const {
  const auto it = std::ranges::find(values_, name, &std::pair<std::string, std::string>::first);
  return it == values_.end() ? std::string() : it->second;
}

std::vector<std::string> PageParams::list(std::string_view name) const {
  std::vector<std::string> out;
  for (const auto& [key, value] : values_) {
    if (key == name) out.push_back(value);
  }
  return out;
}

Result<std::optional<int64_t>> PageParams::optional_integer(std::string_view name, int64_t min,
                                                            int64_t max) {
  const std::string value = text(name);
  if (value.empty()) return std::nullopt;
  int64_t v = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), v);
  if (error != std::errc() || end != value.data() + value.size()) {
    return bad(name, fmt::format("read {}: got \"{}\"; want an integer", name, value));
  }
  if (v < min || v > max)
    return bad(name, fmt::format("read {}: got {}; want {} to {}", name, v, min, max));
  return v;
}

Result<int64_t> PageParams::integer(std::string_view name, int64_t fallback, int64_t min,
                                    int64_t max) {
  HEARTH_ASSIGN_OR_RETURN(const auto v, optional_integer(name, min, max));
  return v.value_or(fallback);
}

Result<query::TimeRange> PageParams::range() {
  HEARTH_ASSIGN_OR_RETURN(const auto from, optional_integer("from", INT64_MIN, INT64_MAX));
  if (!from) return bad("from", "read from: missing; want milliseconds since 1970");
  HEARTH_ASSIGN_OR_RETURN(const auto to, optional_integer("to", INT64_MIN, INT64_MAX));
  if (!to) return bad("to", "read to: missing; want milliseconds since 1970");
  if (*from > *to) return bad("from", "read from: the range starts after its end");
  return query::TimeRange{ms_to_ns(*from), ms_to_ns(*to)};
}

Result<Selector> PageParams::selector() {
  auto parsed = Selector::parse("{" + text("f") + "}");
  if (!parsed)
    return bad("f", "read filter: " + parsed.error().message, column_of(parsed.error().message));
  if (const std::string service = text("s"); !service.empty()) {
    HEARTH_ASSIGN_OR_RETURN(Matcher matcher, Matcher::make(std::string(label::kServiceName),
                                                           Matcher::Op::equal, service));
    parsed->add(std::move(matcher));
  }
  return parsed;
}

Result<std::optional<ProfileType>> PageParams::type() {
  const std::string id = text("t");
  if (id.empty()) return std::nullopt;
  auto type = ProfileType::parse(id);
  if (!type) return bad("t", type.error().message);
  return *type;
}

Result<query::ProfileQuery> PageParams::profiles() {
  query::ProfileQuery query;
  query.tenant = tenant_;
  HEARTH_ASSIGN_OR_RETURN(query.range, range());
  HEARTH_ASSIGN_OR_RETURN(query.selector, selector());
  HEARTH_ASSIGN_OR_RETURN(const auto chosen, type());
  if (!chosen) return bad("t", "read t: missing; want a profile type");
  query.type = *chosen;
  return query;
}

tl::unexpected<Error> PageParams::bad(std::string_view field, std::string message,
                                      std::optional<size_t> column, ErrorCode code) {
  bad_field_ = field;
  bad_column_ = column;
  return fail(code, std::move(message));
}

}  // namespace hearth::api
