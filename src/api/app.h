#pragma once

#include "api/route_stats.h"
#include "api/routes.h"
#include "api/write_log.h"
#include "base/memory_accountant.h"
#include "ingest/pipeline.h"
#include "query/engine.h"
#include "storage/store.h"

namespace hearth::api {

/// What every handler borrows, and the little state that handlers share. Tests put doubles behind
/// it; make_routes() fills it from the Database.
struct App {
  Context& context;
  storage::Store& store;
  ingest::Pipeline& pipeline;
  query::Engine& engine;
  MemoryAccountant& memory;
  WriteLog writes = {};
  RouteStatsTable route_stats = {};

  [[nodiscard]] const Clock& clock() const { return *context.clock; }
  [[nodiscard]] int64_t now_ms() const { return context.clock->wall_ns() / 1'000'000; }
};

}  // namespace hearth::api
