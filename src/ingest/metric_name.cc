#include "ingest/metric_name.h"

#include <algorithm>
#include <array>
#include <utility>

namespace hearth::ingest {
namespace {

using Names = std::pair<std::string_view, std::string_view>;
constexpr std::array kBuiltInNames{Names{"samples", "cpu"}, Names{"goroutine", "goroutines"},
                                   Names{"contentions", "mutex_count"},
                                   Names{"delay", "mutex_duration"}};

std::string_view type_name(const ProfileBatch& batch, size_t type) {
  return batch.strings[batch.sample_types[type].type];
}

// The metric that a display name stands for; empty when no rule knows it.
std::string_view metric_of(std::string_view name) {
  const auto contains = [name](std::string_view part) {
    return name.find(part) != std::string_view::npos;
  };
  if (contains("cpu")) return "process_cpu";
  if (contains("alloc_") || contains("inuse_") || name == "space" || name == "objects")
    return "memory";
  if (contains("mutex_")) return "mutex";
  if (contains("block_")) return "block";
  if (contains("goroutines")) return "goroutines";
  return {};
}

}  // namespace

std::string built_in_display_name(std::string_view sample_type) {
  const auto it = std::ranges::find(kBuiltInNames, sample_type, &Names::first);
  return std::string(it == kBuiltInNames.end() ? sample_type : it->second);
}

std::string metric_name(
    const ProfileBatch& batch,
    const std::function<std::string(std::string_view sample_type)>& display_name) {
  for (size_t type = 0; type < batch.types(); ++type) {
    if (type_name(batch, type) == "wall") return "wall";
  }
  std::string name;
  for (size_t type = 0; type < batch.types(); ++type) {
    name = display_name(type_name(batch, type));
    if (const std::string_view metric = metric_of(name); !metric.empty())
      return std::string(metric);
  }
  return name;
}

}  // namespace hearth::ingest
