#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "hearth/labels.h"

namespace hearth {

/// One matcher of a selector. A missing label reads as the empty string. Regular expressions are
/// RE2, fully anchored, `.` also matches a line feed (as in Prometheus), at most 4 KiB of pattern
/// and 1 MiB of compiled program (docs/queries.md).
class Matcher {
 public:
  enum class Op : unsigned char { equal, not_equal, regex, not_regex };
  static constexpr size_t kMaxPatternBytes = 4096;

  /// `invalid_argument` for an empty name and for a pattern that is too long or that RE2 refuses.
  [[nodiscard]] static Result<Matcher> make(std::string name, Op op, std::string value);
  [[nodiscard]] bool matches(std::string_view value) const;
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& value() const { return value_; }
  [[nodiscard]] Op op() const { return op_; }

 private:
  std::string name_;
  std::string value_;
  Op op_ = Op::equal;
  std::shared_ptr<const void> regex_;  ///< re2::RE2; shared because selectors are copied.
};

/// Prometheus selector: `metric{name op "value", "quoted name"="x"}`; all
/// matchers must hold.
class Selector {
 public:
  static constexpr size_t kMaxBytes = 64 * 1024;
  static constexpr size_t kMaxMatchers = 16;

  /// Matches everything.
  Selector() = default;
  /// The empty text is an error, `{}` is not. Errors name the byte offset, from 0.
  [[nodiscard]] static Result<Selector> parse(std::string_view text);
  void add(Matcher matcher) { matchers_.push_back(std::move(matcher)); }
  [[nodiscard]] const std::vector<Matcher>& matchers() const { return matchers_; }
  [[nodiscard]] bool matches(const LabelSet& labels) const;
  /// The value that an equality matcher demands for `name`, when there is one.
  [[nodiscard]] std::optional<std::string> exact(std::string_view name) const;

 private:
  std::vector<Matcher> matchers_;
};

}  // namespace hearth
