#include "api/pprof_ingest.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ingest/metric_name.h"

namespace hearth::api {

Result<SampleTypeConfig> SampleTypeConfig::parse(std::string_view json) {
  const auto root = nlohmann::json::parse(json, nullptr, false);
  if (!root.is_object())
    return fail(ErrorCode::invalid_argument, "sample_type_config: want a JSON object",
                "malformed_profile");
  SampleTypeConfig config;
  config.sent_ = true;
  for (const auto& [type, settings] : root.items()) {
    if (!settings.is_object()) {
      return fail(ErrorCode::invalid_argument,
                  "sample_type_config: want an object for \"" + type + "\"", "malformed_profile");
    }
    const auto name = settings.find("display-name");
    const bool named = name != settings.end() && name->is_string();
    config.names_.emplace_back(type, named ? name->get<std::string>() : std::string());
  }
  return config;
}

std::string SampleTypeConfig::display_name(std::string_view sample_type) const {
  if (sent_) {
    const auto it =
        std::ranges::find(names_, sample_type, &std::pair<std::string, std::string>::first);
    return it == names_.end() || it->second.empty() ? std::string(sample_type) : it->second;
  }
  return ingest::built_in_display_name(sample_type);
}

bool SampleTypeConfig::has(std::string_view sample_type) const {
  return std::ranges::find(names_, sample_type, &std::pair<std::string, std::string>::first) !=
         names_.end();
}

std::string metric_name(const ProfileBatch& batch, const SampleTypeConfig& config) {
  return ingest::metric_name(batch,
                             [&](std::string_view type) { return config.display_name(type); });
}

Status name_functions_by_file(ProfileBatch& batch, std::string_view spy) {
  if (spy != "pyspy" && spy != "rbspy" && spy != "scripting") return {};
  // One long file name behind a million functions would make far more bytes than were sent.
  constexpr size_t kMadeMax = size_t{32} << 20U;
  size_t made = 0;
  for (size_t i = 0; i < batch.functions.size(); ++i) {
    const std::string_view file = batch.strings[batch.functions.file[i]];
    if (spy == "pyspy" && file.starts_with('/')) continue;
    const std::string name =
        std::string(file) + " " + std::string(batch.strings[batch.functions.name[i]]);
    made += name.size();
    if (made > kMadeMax) {
      return fail(ErrorCode::invalid_argument,
                  "profile: file and function names together exceed 32 MiB", "malformed_profile");
    }
    batch.functions.name[i] = batch.add_string(name);
  }
  return {};
}

}  // namespace hearth::api
