#include "cli/frame_names.h"

#include <fmt/format.h>

#include <unordered_map>

namespace hearth::cli {

FrameNames::FrameNames(const ProfileBatch& batch) : batch_(batch) {
  std::unordered_map<std::string, uint32_t> ids;
  const auto intern = [&](std::string name) {
    const auto [it, fresh] = ids.try_emplace(std::move(name), static_cast<uint32_t>(names_.size()));
    if (fresh) names_.push_back(it->first);
    return it->second;
  };
  const auto& locations = batch.locations;
  by_location_.resize(locations.size());
  for (size_t i = 0; i < locations.size(); ++i) {
    for (uint32_t line = locations.line_begin[i]; line < locations.line_begin[i + 1]; ++line) {
      const uint32_t function = batch.lines.function[line];
      by_location_[i].push_back(intern(std::string(batch.strings[batch.functions.name[function]])));
    }
    if (by_location_[i].empty()) {
      by_location_[i].push_back(intern(fmt::format("0x{:x}", locations.address[i])));
    }
  }
}

std::vector<uint32_t> FrameNames::of_sample(size_t sample) const {
  std::vector<uint32_t> out;
  for (const uint32_t location : batch_.stack(sample)) {
    const auto& names = by_location_[location];
    out.insert(out.end(), names.begin(), names.end());
  }
  return out;
}

}  // namespace hearth::cli
