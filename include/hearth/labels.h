#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hearth/result.h"

namespace hearth {

struct Label {
  std::string name;
  std::string value;
  auto operator<=>(const Label&) const = default;
};

/// A set of labels: sorted by name (bytewise), names unique, values not empty (an empty value is an absent label, as in
/// Prometheus). Value semantics.
class LabelSet {
 public:
  LabelSet() = default;
  /// Sorts, drops empty values. `invalid_argument` (reason duplicate_label_names) when a name occurs twice.
  [[nodiscard]] static Result<LabelSet> make(std::vector<Label> labels);

  [[nodiscard]] std::span<const Label> labels() const { return labels_; }
  [[nodiscard]] size_t size() const { return labels_.size(); }
  [[nodiscard]] bool empty() const { return labels_.empty(); }
  /// The value, or "" when the label is absent.
  [[nodiscard]] std::string_view get(std::string_view name) const;
  /// Sets, replaces or (with an empty value) removes one label.
  void set(std::string_view name, std::string_view value);
  /// Prometheus text form: {a="1", b="2"}.
  [[nodiscard]] std::string to_string() const;
  /// Canonical bytes: per label, in order, varint length + name, varint length + value. Equal sets have equal bytes.
  [[nodiscard]] std::string encode() const;
  [[nodiscard]] static Result<LabelSet> decode(std::string_view bytes);

  auto operator<=>(const LabelSet&) const = default;

 private:
  std::vector<Label> labels_;
};

/// Names with a meaning of their own: Pyroscope's, as its clients send and select them.
namespace label {
inline constexpr std::string_view kName = "__name__";
inline constexpr std::string_view kProfileType = "__profile_type__";
inline constexpr std::string_view kType = "__type__";
inline constexpr std::string_view kUnit = "__unit__";
inline constexpr std::string_view kPeriodType = "__period_type__";
inline constexpr std::string_view kPeriodUnit = "__period_unit__";
inline constexpr std::string_view kServiceName = "service_name";
inline constexpr std::string_view kServiceNamePrivate = "__service_name__";
inline constexpr std::string_view kSpy = "pyroscope_spy";
inline constexpr std::string_view kDelta = "__delta__";
inline constexpr std::string_view kSessionId = "__session_id__";
inline constexpr std::string_view kProfileId = "profile_id";
inline constexpr std::string_view kSpanId = "span_id";
inline constexpr std::string_view kTraceId = "trace_id";
}  // namespace label

}  // namespace hearth
