#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "hearth/profile.h"

namespace hearth::demo {

/// One call path of an invented service: frames root first, separated by ';', and its share of the
/// service's work.
struct Path {
  std::string_view frames;
  double weight;
};

struct Service {
  std::string_view name;
  double cores;  ///< Mean CPU use of one instance.
  std::vector<Path> paths;
};

/// Three services of an invented shop, one with a recursive function (acme.walk).
const std::vector<Service>& services();

/// What changes the shape of one profile.
struct Load {
  double factor = 1;  ///< Of the service's usual work.
  bool slow_encode =
      false;  ///< The planted regression: acme.Encode and what it calls cost 1.66 times as much.
};

/// A service's stacks as a ProfileBatch whose values are filled in per profile. Stacks are the
/// paths and every prefix of them, so that inner functions have self time too.
class Program {
 public:
  explicit Program(const Service& service);

  enum class Kind : unsigned char { cpu, memory, goroutines, mutex };
  /// A profile of `kind` over `duration_ns`: values drawn around the weights with `random`. The
  /// batch's strings live as long as this Program; its time is set by the caller.
  [[nodiscard]] ProfileBatch profile(Kind kind, const Load& load, int64_t duration_ns,
                                     Random& random) const;

 private:
  void add_types(ProfileBatch& batch, Kind kind) const;
  void fill_values(ProfileBatch& batch, Kind kind, const Load& load, int64_t duration_ns,
                   Random& random) const;
  uint32_t string_index(std::string_view text);

  double cores_;
  std::vector<std::string> strings_;
  std::vector<double> weight_;   ///< Per stack.
  std::vector<bool> in_encode_;  ///< Per stack: acme.Encode is on it.
  ProfileBatch shape_;           ///< Symbols and stacks, no values.
};

/// `__name__` of a kind: process_cpu, memory, goroutines, mutex.
std::string_view metric_name(Program::Kind kind);

}  // namespace hearth::demo
