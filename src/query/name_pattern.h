#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hearth::query {

/// The page's one search grammar for names (docs/ui_api.md, part 4): parts separated by commas, any
/// of which may match anywhere in the name. A comma inside a part is written %2C. Blanks around a
/// part do not count; empty parts match nothing.
///
///   text    literal, ignoring ASCII case
///   /re/    RE2, case-sensitive
///   /re/i   RE2, ignoring case
class NamePattern {
 public:
  static constexpr size_t kMaxBytes = 4096;
  static constexpr size_t kMaxTerms = 64;

  /// Matches nothing.
  NamePattern() = default;
  /// `invalid_argument` for an expression that RE2 refuses or that has no end, and over the caps;
  /// names the byte offset.
  [[nodiscard]] static Result<NamePattern> parse(std::string_view text);
  [[nodiscard]] bool matches(std::string_view name) const;
  [[nodiscard]] bool empty() const { return terms_.empty(); }

 private:
  std::vector<std::shared_ptr<const void>> terms_;  ///< re2::RE2.
};

}  // namespace hearth::query
