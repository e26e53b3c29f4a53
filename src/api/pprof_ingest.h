#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "hearth/profile.h"

/// What /ingest does to a pprof profile beyond decoding it (docs/http_api.md 2).
namespace hearth::api {

/// `sample_type_config`: display names by sample type. Without one the built-in names apply; a sent
/// one replaces them all.
class SampleTypeConfig {
 public:
  /// `invalid_argument` for text that is no JSON object of objects.
  [[nodiscard]] static Result<SampleTypeConfig> parse(std::string_view json);
  /// The display name of `sample_type`, itself when none is set.
  [[nodiscard]] std::string display_name(std::string_view sample_type) const;
  /// True when the client sent one with this key.
  [[nodiscard]] bool has(std::string_view sample_type) const;

 private:
  bool sent_ = false;
  std::vector<std::pair<std::string, std::string>> names_;
};

/// `__name__` of a profile, by the (display) names of its sample types.
std::string metric_name(const ProfileBatch& batch, const SampleTypeConfig& config);

/// Agents of scripting languages: the function becomes `<file> <name>`, so that equal names of
/// different files stay apart. For pyspy not when the file name is absolute.
/// `invalid_argument` when the new names would take more than 32 MiB.
[[nodiscard]] Status name_functions_by_file(ProfileBatch& batch, std::string_view spy);

}  // namespace hearth::api
