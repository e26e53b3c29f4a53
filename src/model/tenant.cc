#include "hearth/tenant.h"

#include <fmt/format.h>

namespace hearth {

Result<Tenant> Tenant::parse(std::string_view id) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!-_.*'()";
  constexpr size_t kMaxBytes = 150;
  if (id.empty()) return fail(ErrorCode::unauthenticated, "no org id");
  if (id.size() > kMaxBytes) return fail(ErrorCode::unauthenticated, fmt::format("tenant ID is too long: max {} characters", kMaxBytes));
  if (id == "." || id == "..") return fail(ErrorCode::unauthenticated, "tenant ID is '.' or '..'");
  if (const size_t at = id.find_first_not_of(kAlphabet); at != std::string_view::npos) {
    return fail(ErrorCode::unauthenticated, fmt::format("tenant ID contains unsupported character at offset {}", at));
  }
  return Tenant(std::string(id));
}

const Tenant& Tenant::anonymous() {
  static const Tenant tenant("anonymous");
  return tenant;
}

}  // namespace hearth
