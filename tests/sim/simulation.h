#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/bucket_check.h"
#include "sim/ledger.h"
#include "sim/node.h"
#include "sim/world.h"

namespace hearth::sim {

/// One run of a world that its seed decides: processes on one bucket that take, seal, merge, forget
/// and look at profiles, fail, die and come back, in each other's way; and, in the end, peace, in
/// which all must be well.
class Simulation {
 public:
  Simulation(uint64_t seed, bool print);

  struct Outcome {
    std::optional<std::string> failure;
    uint64_t hash = 0;  ///< The same for the same seed.
    size_t profiles = 0;
    uint64_t snapshots = 0;
  };
  Outcome run(int steps);

 private:
  void act();
  bool act_on(Node& node, uint64_t choice, bool top);
  void pass_time();
  void change_weather();
  void look_from_outside(bool rows);
  void make_peace();
  void check_deletions();
  void compare_queries(storage::Store& store);
  [[nodiscard]] Node& any_node() { return *nodes_[world_.dice.below(nodes_.size())]; }
  [[nodiscard]] std::unique_ptr<storage::Store> open_reader(ObjectStore& bucket);

  World world_;
  Ledger ledger_;
  BucketCheck check_;
  std::vector<std::unique_ptr<Node>> nodes_;
  MemoryAccountant reader_memory_{size_t{64} << 20U};
  std::unique_ptr<Random> reader_random_;
  test::FaultyFileSystem reader_files_;
};

}  // namespace hearth::sim
