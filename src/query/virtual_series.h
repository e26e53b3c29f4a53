#pragma once

#include <string>
#include <string_view>

#include "hearth/labels.h"
#include "hearth/profile_type.h"
#include "model/selector.h"

namespace hearth::query {

/// What clients see as a series: a stored label set together with one sample
/// type of its family, and the labels that follow from both. The derived ones are never stored.
class VirtualSeries {
 public:
  /// Borrows `stored`, which must outlive this.
  VirtualSeries(const LabelSet& stored, const SampleType& sample, const SampleType& period);

  /// The value of a stored or derived label, "" when absent.
  [[nodiscard]] std::string_view get(std::string_view name) const;
  [[nodiscard]] bool matches(const Selector& selector) const;
  [[nodiscard]] const ProfileType& type() const { return type_; }
  [[nodiscard]] const LabelSet& stored() const { return *stored_; }
  /// Stored and derived labels.
  [[nodiscard]] LabelSet labels() const;

 private:
  const LabelSet* stored_;
  ProfileType type_;
  std::string id_;
};

/// True for the labels that a virtual series derives.
bool is_derived_label(std::string_view name);

}  // namespace hearth::query
