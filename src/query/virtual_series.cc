#include "query/virtual_series.h"

#include <algorithm>
#include <array>

namespace hearth::query {
namespace {

constexpr std::array kDerived = {label::kProfileType, label::kType,
                                 label::kUnit,        label::kPeriodType,
                                 label::kPeriodUnit,  label::kServiceNamePrivate};

}  // namespace

bool is_derived_label(std::string_view name) {
  return std::find(kDerived.begin(), kDerived.end(), name) != kDerived.end();
}

VirtualSeries::VirtualSeries(const LabelSet& stored, const SampleType& sample,
                             const SampleType& period)
    : stored_(&stored),
      type_{std::string(stored.get(label::kName)), sample, period},
      id_(type_.id()) {}

std::string_view VirtualSeries::get(std::string_view name) const {
  if (name == label::kProfileType) return id_;
  if (name == label::kType) return type_.sample.type;
  if (name == label::kUnit) return type_.sample.unit;
  if (name == label::kPeriodType) return type_.period.type;
  if (name == label::kPeriodUnit) return type_.period.unit;
  if (name == label::kServiceNamePrivate) return stored_->get(label::kServiceName);
  return stored_->get(name);
}

bool VirtualSeries::matches(const Selector& selector) const {
  return std::all_of(selector.matchers().begin(), selector.matchers().end(),
                     [this](const Matcher& m) { return m.matches(get(m.name())); });
}

LabelSet VirtualSeries::labels() const {
  LabelSet all = *stored_;
  for (const std::string_view name : kDerived) all.set(name, get(name));
  return all;
}

}  // namespace hearth::query
