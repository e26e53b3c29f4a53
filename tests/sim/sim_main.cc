// The store of this project in simulated worlds: real head, seals, compaction, snapshots, garbage
// collection, retention, recovery and queries, on a database and a bucket in memory that lose what
// was not synced, refuse, forget answers and list late, with clocks that jump, several processes
// that run into each other at every call on the bucket, and power cuts anywhere. One number
// decides everything that happens.
//
//   sim [--seeds N] [--first N] [--steps N]    seeds first, first + 1, …
//   sim --seed N                               replays one and prints what happens
//
// Invariants: every acknowledged profile is there exactly once as it was sent, in the process that
// took it and, once sealed, for a reader that starts from nothing but the bucket; no other profile
// is; what a restart did not bring back never comes back; whatever the newest snapshot or a reader
// of late refers to exists and verifies; no number of a writer is missing; starts, seals and
// appends never fail without a fault; queries give the sums of the model; no memory stays charged;
// the same seed does the same.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "base/log.h"
#include "sim/simulation.h"

namespace {

struct Arguments {
  uint64_t first = 1, seeds = 500;
  int steps = 60;
  bool print = false;
};

bool parse(int argc, char** argv, Arguments& out) {
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    if (i + 1 == argc) return false;
    const uint64_t value = std::strtoull(argv[i + 1], nullptr, 10);
    if (name == "--seed") {
      out.first = value;
      out.seeds = 1;
      out.print = true;
    } else if (name == "--first") {
      out.first = value;
    } else if (name == "--seeds") {
      out.seeds = value;
    } else if (name == "--steps") {
      out.steps = static_cast<int>(value);
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!parse(argc, argv, arguments)) {
    std::fprintf(stderr, "usage: sim [--seeds N] [--first N] [--steps N] | --seed N [--steps N]\n");
    return 2;
  }
  if (!arguments.print) hearth::log::set_sink([](hearth::log::Level, std::string_view) {});
  constexpr uint64_t kTwiceEvery = 50;
  uint64_t failed = 0;
  size_t profiles = 0;
  uint64_t snapshots = 0;
  for (uint64_t seed = arguments.first; seed < arguments.first + arguments.seeds; ++seed) {
    auto outcome = hearth::sim::Simulation(seed, arguments.print).run(arguments.steps);
    if (!outcome.failure && seed % kTwiceEvery == 0 &&
        hearth::sim::Simulation(seed, false).run(arguments.steps).hash != outcome.hash) {
      outcome.failure = "a second run of the same seed went another way";
    }
    profiles += outcome.profiles;
    snapshots += outcome.snapshots;
    if (!outcome.failure) continue;
    ++failed;
    std::printf("seed %llu: %s\n  replay: %s --seed %llu --steps %d\n",
                static_cast<unsigned long long>(seed), outcome.failure->c_str(), argv[0],
                static_cast<unsigned long long>(seed), arguments.steps);
    std::fflush(stdout);
  }
  std::printf("%llu seeds, %zu profiles, %llu snapshots, %llu failed\n",
              static_cast<unsigned long long>(arguments.seeds), profiles,
              static_cast<unsigned long long>(snapshots), static_cast<unsigned long long>(failed));
  return failed == 0 ? 0 : 1;
}
