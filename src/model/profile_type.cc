#include "hearth/profile_type.h"

#include <fmt/format.h>

namespace hearth {

Result<ProfileType> ProfileType::parse(std::string_view id) {
  std::vector<std::string> parts(1);
  for (const char c : id) {
    if (c == ':') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  if (parts.size() != 5 && parts.size() != 6) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("profile-type selection must be of the form <name>:<type>:<unit>:<period_type>:<period_unit>, got \"{}\"", id));
  }
  return ProfileType{parts[0], {parts[1], parts[2]}, {parts[3], parts[4]}};
}

std::string ProfileType::id() const {
  return fmt::format("{}:{}:{}:{}:{}", name, sample.type, sample.unit, period.type, period.unit);
}

}  // namespace hearth
