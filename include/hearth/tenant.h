#pragma once

#include <string>
#include <string_view>

#include "hearth/result.h"

namespace hearth {

/// A validated tenant id: 1…150 bytes of A-Za-z0-9!-_.*'(), not "." or "..": safe in keys and
/// paths. Every storage call takes one; a raw string is never a tenant. Without tenancy everything
/// belongs to "anonymous".
class Tenant {
 public:
  [[nodiscard]] static Result<Tenant> parse(std::string_view id);
  static const Tenant& anonymous();
  [[nodiscard]] const std::string& id() const { return id_; }
  auto operator<=>(const Tenant&) const = default;

 private:
  explicit Tenant(std::string id) : id_(std::move(id)) {}
  std::string id_;
};

}  // namespace hearth
