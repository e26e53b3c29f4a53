#pragma once

#include "api/decode_slot.h"
#include "api/route_stats.h"
#include "api/routes.h"
#include "api/write_log.h"
#include "base/memory_accountant.h"
#include "base/spare_pool.h"
#include "ingest/pipeline.h"
#include "query/engine.h"
#include "storage/store.h"

namespace hearth::api {

/// More than profiles are decoded at once on most machines; each is of a few MiB at most.
constexpr size_t kDecodeSlotsKept = 8;

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
  SparePool<DecodeSlot> slots = SparePool<DecodeSlot>(kDecodeSlotsKept);

  [[nodiscard]] const Clock& clock() const { return *context.clock; }
  [[nodiscard]] int64_t now_ms() const { return context.clock->wall_ns() / 1'000'000; }
};

}  // namespace hearth::api
