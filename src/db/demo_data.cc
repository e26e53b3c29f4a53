#include "db/demo_data.h"

#include <cmath>
#include <list>
#include <vector>

#include "db/demo_program.h"

namespace hearth::demo {
namespace {

constexpr std::string_view kRegions[] = {"eu", "us", "ap"};
constexpr double kRegionFactor[] = {1.0, 0.7, 0.4};
constexpr Program::Kind kKinds[] = {Program::Kind::cpu, Program::Kind::memory,
                                    Program::Kind::goroutines, Program::Kind::mutex};

/// A wave of an hour, shifted per region, so that the timelines have a shape.
double wave(int64_t time_ns, size_t region) {
  const double hours = static_cast<double>(time_ns / 1'000'000'000) / 3600.0;
  return 1.0 + 0.35 * std::sin(6.283185307 * hours + 1.3 * static_cast<double>(region));
}

struct Moment {
  int64_t time_ns;
  int64_t duration_ns;
  bool new_version;
};

Status add_profile(Database& db, const Tenant& tenant, const Service& service,
                   const Program& program, Program::Kind kind, size_t region, const Moment& moment,
                   Random& random, std::list<ProfileBatch>& batches,
                   std::vector<ingest::Prepared>& prepared) {
  const Load load{kRegionFactor[region] * wave(moment.time_ns, region),
                  moment.new_version && service.name == "checkout"};
  ProfileBatch& batch =
      batches.emplace_back(program.profile(kind, load, moment.duration_ns, random));
  batch.time_ns = moment.time_ns;
  ingest::Incoming incoming;
  incoming.labels = {
      {"__name__", std::string(metric_name(kind))},
      {"service_name", std::string(service.name)},
      {"region", std::string(kRegions[region])},
      {"version", moment.new_version ? "2.4.1" : "2.4.0"},
      {"pod", std::string(service.name) + "-" + std::string(kRegions[region]) + "-0"}};
  incoming.batch = &batch;
  incoming.has_time = false;  // Two generated profiles may be equal byte for byte; none is a retry.
  HEARTH_ASSIGN_OR_RETURN(auto ready, db.pipeline().prepare(tenant, incoming));
  prepared.push_back(std::move(ready));
  return {};
}

}  // namespace

Result<uint64_t> write(Database& db, const Tenant& tenant, const Options& options,
                       const CancelToken& cancel) {
  const auto random = seeded_random(options.seed);
  std::vector<Program> programs;
  for (const Service& service : services()) programs.emplace_back(service);
  const int64_t steps = options.length_ns / options.step_ns;
  const auto per_step =
      static_cast<uint64_t>(programs.size() * std::size(kRegions) * std::size(kKinds));
  uint64_t written = 0;
  for (int64_t step = 0; step < steps; ++step) {
    HEARTH_RETURN_IF_ERROR(cancel.check());
    const Moment moment{options.end_ns - (steps - 1 - step) * options.step_ns, options.step_ns,
                        step >= steps * 2 / 3};
    std::list<ProfileBatch> batches;  // A list: prepared profiles point into it.
    std::vector<ingest::Prepared> prepared;
    for (size_t s = 0; s < programs.size(); ++s) {
      for (size_t region = 0; region < std::size(kRegions); ++region) {
        for (const Program::Kind kind : kKinds) {
          HEARTH_RETURN_IF_ERROR(add_profile(db, tenant, services()[s], programs[s], kind, region,
                                             moment, *random, batches, prepared));
        }
      }
    }
    HEARTH_ASSIGN_OR_RETURN(const auto outcome, db.pipeline().commit(tenant, prepared));
    written += outcome.stored;
    if (options.progress)
      options.progress(static_cast<uint64_t>(step + 1) * per_step,
                       static_cast<uint64_t>(steps) * per_step);
  }
  return written;
}

}  // namespace hearth::demo
