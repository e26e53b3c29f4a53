#include "cli/query_text.h"

#include <fmt/format.h>

#include "hearth/profile_type.h"

namespace hearth::cli {

Result<QueryText> parse_query_text(std::string_view text) {
  const size_t brace = std::min(text.find('{'), text.size());
  QueryText query{std::string(text.substr(0, brace)), std::string(text.substr(brace))};
  while (!query.profile_type.empty() && query.profile_type.back() == ' ')
    query.profile_type.pop_back();
  if (query.selector.empty()) query.selector = "{}";
  if (const auto type = ProfileType::parse(query.profile_type); !type) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("query \"{}\": {}; want TYPE{{SELECTOR}} with a type such as "
                            "process_cpu:cpu:nanoseconds:cpu:nanoseconds",
                            text, type.error().message));
  }
  return query;
}

}  // namespace hearth::cli
