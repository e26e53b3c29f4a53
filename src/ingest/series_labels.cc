#include "ingest/series_labels.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/hash.h"
#include "ingest/validation.h"

namespace hearth::ingest {
namespace {

constexpr std::string_view kOrder = "__order__";
constexpr std::string_view kNameReplaced = "__name_replaced__";
constexpr std::string_view kUnknownService = "unknown_service";

Label* find(std::vector<Label>& labels, std::string_view name) {
  const auto found =
      std::find_if(labels.begin(), labels.end(), [&](const Label& l) { return l.name == name; });
  return found == labels.end() ? nullptr : &*found;
}

void set(std::vector<Label>& labels, std::string_view name, std::string_view value) {
  if (Label* label = find(labels, name)) {
    label->value = value;
  } else {
    labels.push_back({std::string(name), std::string(value)});
  }
}

// Prometheus-style rules that are always on. They also set __delta__=false, which is a control
// label and would go again.
void apply_built_in_rules(std::vector<Label>& labels) {
  constexpr std::string_view kDeltaPrefix = "godeltaprof_";
  const Label* name = find(labels, label::kName);
  if (name == nullptr) return;
  const std::string original = name->value;
  if (original.starts_with(kDeltaPrefix)) {
    set(labels, label::kName, std::string_view(original).substr(kDeltaPrefix.size()));
    set(labels, kNameReplaced, original);
  }
  const Label* type = find(labels, label::kType);
  if (original == "wall" && type != nullptr && type->value == "cpu") {
    set(labels, label::kName, "process_cpu");
    set(labels, kNameReplaced, original);
  }
}

// Not stored: control labels, and what the query derives from the sample type and the service.
bool is_stored(const Label& l) {
  constexpr std::array kNotStored = {
      label::kDelta, kOrder,       label::kServiceNamePrivate, label::kProfileType,
      label::kType,  label::kUnit, label::kPeriodType,         label::kPeriodUnit};
  return !l.value.empty() &&
         std::find(kNotStored.begin(), kNotStored.end(), l.name) == kNotStored.end();
}

void limit_sessions(std::vector<Label>& labels, size_t sessions_max) {
  Label* session = find(labels, label::kSessionId);
  if (session == nullptr) return;
  session->value = sessions_max == 0
                       ? std::string()
                       : fmt::format("{:016x}", hash64(session->value) % sessions_max);
}

}  // namespace

Result<LabelSet> series_labels(std::vector<Label> labels, const Limits& limits) {
  // Only a missing service gets the default; an empty one is refused by the checks.
  if (find(labels, label::kServiceName) == nullptr)
    labels.push_back({std::string(label::kServiceName), std::string(kUnknownService)});
  apply_built_in_rules(labels);
  limit_sessions(labels, limits.sessions_per_series_max);
  std::erase_if(labels, [](const Label& l) { return !is_stored(l); });
  std::sort(labels.begin(), labels.end());
  HEARTH_RETURN_IF_ERROR(check_labels(labels, limits));
  return LabelSet::make(std::move(labels));
}

}  // namespace hearth::ingest
