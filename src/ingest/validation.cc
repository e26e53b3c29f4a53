#include "ingest/validation.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.h"
#include "storage/segment_format.h"

namespace hearth::ingest {
namespace {

constexpr size_t kTextMaxBytes = 4096;

tl::unexpected<Error> refuse(const char* reason, std::string message) {
  return fail(ErrorCode::invalid_argument, std::move(message), reason);
}

std::string utc(int64_t ns) {
  constexpr int64_t kSecond = 1'000'000'000;
  const int64_t fraction = (ns % kSecond + kSecond) % kSecond;
  const auto seconds = static_cast<std::time_t>((ns - fraction) / kSecond);
  return fmt::format("{:%Y-%m-%d %H:%M:%S}.{:09} UTC", fmt::gmtime(seconds), fraction);
}

std::string_view value_of(std::span<const Label> labels, std::string_view name) {
  const auto found =
      std::find_if(labels.begin(), labels.end(), [&](const Label& l) { return l.name == name; });
  return found == labels.end() ? std::string_view() : std::string_view(found->value);
}

Status check_time(const ProfileBatch& batch, std::span<const Label> labels, const Limits& limits,
                  int64_t now_ns) {
  int64_t end = 0;
  if (__builtin_add_overflow(batch.time_ns, batch.duration_ns, &end)) {
    return refuse(
        "malformed_profile",
        fmt::format("profile with labels '{}': time {} plus duration {} exceeds 64-bit nanoseconds",
                    label_text(labels), batch.time_ns, batch.duration_ns));
  }
  if (batch.time_ns <= 0) return {};  // Unknown: becomes now.
  const bool too_old =
      limits.reject_older_than_ns > 0 && batch.time_ns <= now_ns - limits.reject_older_than_ns;
  const bool too_new =
      limits.reject_newer_than_ns > 0 && batch.time_ns >= now_ns + limits.reject_newer_than_ns;
  if (!too_old && !too_new) return {};
  return refuse(
      "not_in_ingestion_window",
      fmt::format("profile with labels '{}' is outside of ingestion window (profile timestamp: {})",
                  label_text(labels), utc(batch.time_ns)));
}

// What a segment can hold: an accepted profile must never make a seal fail. The other limits of the
// format lie above what a decoder lets through.
Status check_shape(const ProfileBatch& batch, const Limits& limits) {
  const auto too_many = [](const char* what, size_t actual, size_t max) {
    return refuse("malformed_profile",
                  fmt::format("profile: {} {}; at most {} can be stored", actual, what, max));
  };
  if (batch.mappings.size() > storage::limit::kMappings)
    return too_many("mappings", batch.mappings.size(), storage::limit::kMappings);
  if (batch.samples.frames.size() > kFramesMax)
    return too_many("frames in all stacks", batch.samples.frames.size(), kFramesMax);
  for (size_t l = 0; l < batch.locations.size(); ++l) {
    const size_t lines = batch.locations.line_begin[l + 1] - batch.locations.line_begin[l];
    if (lines > storage::limit::kLocationLines)
      return too_many("lines in a location", lines, storage::limit::kLocationLines);
  }
  const auto check_type = [&](const ProfileBatch::ValueType& t) -> Status {
    const size_t bytes = std::max(batch.strings[t.type].size(), batch.strings[t.unit].size());
    if (limits.label_value_max_bytes == 0 || bytes <= limits.label_value_max_bytes) return {};
    return too_many("bytes in the name of a sample type", bytes, limits.label_value_max_bytes);
  };
  for (const ProfileBatch::ValueType& t : batch.sample_types) HEARTH_RETURN_IF_ERROR(check_type(t));
  return check_type(batch.period_type);
}

Status check_sample_labels(const ProfileBatch& batch, std::span<const Label> labels, size_t limit) {
  if (limit == 0 || batch.samples.labels.size() <= limit) return {};
  for (size_t s = 0; s < batch.samples.size(); ++s) {
    const size_t actual = batch.labels_of(s).size();
    if (actual <= limit) continue;
    return refuse("sample_labels_limit",
                  fmt::format("the profile with labels '{}' exceeds the sample labels limit "
                              "(max_profile_stacktrace_sample_labels, actual: {}, limit: {})",
                              label_text(labels), actual, limit));
  }
  return {};
}

Status check_label(const Label& label, std::span<const Label> labels, const Limits& limits) {
  if (limits.label_name_max_bytes != 0 && label.name.size() > limits.label_name_max_bytes) {
    return refuse("label_name_too_long",
                  fmt::format("profile with labels '{}' has label name too long: '{}'",
                              label_text(labels), to_valid_utf8(label.name)));
  }
  if (limits.label_value_max_bytes != 0 && label.value.size() > limits.label_value_max_bytes) {
    return refuse("label_value_too_long",
                  fmt::format("profile with labels '{}' has label value too long: '{}'",
                              label_text(labels), to_valid_utf8(label.value)));
  }
  if (label.name.empty() || !is_utf8(label.name)) {
    return refuse("invalid_labels",
                  fmt::format("invalid labels '{}' with error: invalid label name '{}'",
                              label_text(labels), to_valid_utf8(label.name)));
  }
  if (!is_utf8(label.value)) {
    return refuse("invalid_labels",
                  fmt::format("invalid labels '{}' with error: invalid label value '{}'",
                              label_text(labels), to_valid_utf8(label.value)));
  }
  return {};
}

}  // namespace

std::string label_text(std::span<const Label> labels) {
  std::string out = "{";
  for (const Label& l : labels) {
    if (out.size() > 1) out += ", ";
    // Quotes and backslashes are escaped as Prometheus does; what follows the cut is not looked at.
    out += fmt::format("{}=\"", l.name);
    for (const char c : std::string_view(l.value).substr(0, kTextMaxBytes)) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    out += '"';
    if (out.size() > kTextMaxBytes) {
      out.resize(kTextMaxBytes);
      return to_valid_utf8(out) + "…";
    }
  }
  return to_valid_utf8(out) + "}";
}

Status check_profile(const ProfileBatch& batch, size_t raw_bytes, std::span<const Label> labels,
                     const Limits& limits, int64_t now_ns) {
  if (batch.types() == 0) return refuse("malformed_profile", "empty profile");
  HEARTH_RETURN_IF_ERROR(check_time(batch, labels, limits, now_ns));
  if (limits.profile_max_bytes != 0 && raw_bytes > limits.profile_max_bytes) {
    return refuse("profile_size_limit",
                  fmt::format("the profile with labels '{}' exceeds the size limit "
                              "(max_profile_size_byte, actual: {}, limit: {})",
                              label_text(labels), raw_bytes, limits.profile_max_bytes));
  }
  if (limits.samples_max != 0 && batch.samples.size() > limits.samples_max) {
    return refuse("samples_limit",
                  fmt::format("the profile with labels '{}' exceeds the samples count limit "
                              "(max_profile_stacktrace_samples, actual: {}, limit: {})",
                              label_text(labels), batch.samples.size(), limits.samples_max));
  }
  HEARTH_RETURN_IF_ERROR(check_shape(batch, limits));
  return check_sample_labels(batch, labels, limits.sample_labels_max);
}

Status check_labels(std::span<const Label> labels, const Limits& limits) {
  if (labels.empty())
    return refuse("missing_labels", "error at least one label pair is required per profile");
  if (limits.label_names_max != 0 && labels.size() > limits.label_names_max) {
    return refuse("max_label_names_per_series",
                  fmt::format("profile series '{}' has {} label names; limit {}",
                              label_text(labels), labels.size(), limits.label_names_max));
  }
  if (const std::string_view name = value_of(labels, label::kName);
      name.empty() || !is_utf8(name)) {
    return refuse(
        "invalid_labels",
        fmt::format("invalid labels '{}' with error: invalid metric name", label_text(labels)));
  }
  if (value_of(labels, label::kServiceName).empty()) {
    return refuse("missing_labels",
                  fmt::format("invalid labels '{}' with error: service name is not provided",
                              label_text(labels)));
  }
  for (size_t i = 0; i < labels.size(); ++i) {
    HEARTH_RETURN_IF_ERROR(check_label(labels[i], labels, limits));
    if (i > 0 && labels[i].name == labels[i - 1].name) {
      return refuse("duplicate_label_names",
                    fmt::format("profile with labels '{}' has duplicate label name: '{}'",
                                label_text(labels), labels[i].name));
    }
  }
  return {};
}

}  // namespace hearth::ingest
