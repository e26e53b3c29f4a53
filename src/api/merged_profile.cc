#include "api/merged_profile.h"

namespace hearth::api {

void finish_merged_profile(ProfileBatch& batch, const ProfileType& type, int64_t end_ns) {
  if (batch.types() == 0) return;
  batch.sample_types[0] = {batch.add_string(type.sample.type), batch.add_string(type.sample.unit)};
  batch.default_sample_type = batch.sample_types[0].type;
  batch.period_type = {batch.add_string(type.period.type), batch.add_string(type.period.unit)};
  batch.period = type.name == "process_cpu" ? 1'000'000'000 : type.name == "memory" ? 524'288 : 1;
  batch.time_ns = end_ns;
  batch.duration_ns = 0;
}

}  // namespace hearth::api
