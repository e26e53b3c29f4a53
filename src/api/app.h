#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <thread>

#include "api/decode_slot.h"
#include "api/route_stats.h"
#include "api/routes.h"
#include "api/write_log.h"
#include "base/concurrency_gate.h"
#include "base/memory_accountant.h"
#include "base/spare_pool.h"
#include "ingest/pipeline.h"
#include "query/engine.h"
#include "storage/store.h"

namespace hearth::api {

/// Of a few MiB at most each.
constexpr size_t kDecodeSlotsKept = 8;

/// Requests that may decode at once: memory is charged when its amount is known, so what is not
/// known yet must be little. Far more may wait for the disk.
[[nodiscard]] inline size_t decoding_max() {
  constexpr size_t kPerCore = 4;
  return kPerCore * std::max(1U, std::thread::hardware_concurrency());
}

/// What every handler borrows, and the little state that handlers share. Tests put doubles behind
/// it; make_routes() fills it from the Database.
struct App {
  Context& context;
  storage::Store& store;
  ingest::Pipeline& pipeline;
  query::Engine& engine;
  MemoryAccountant& memory;
  /// Shared with writes that are not durable yet, which may end after the server did.
  std::shared_ptr<WriteLog> writes = std::make_shared<WriteLog>();
  RouteStatsTable route_stats = {};
  SparePool<DecodeSlot> slots = SparePool<DecodeSlot>(kDecodeSlotsKept);
  ConcurrencyGate decoding = ConcurrencyGate(decoding_max());

  [[nodiscard]] const Clock& clock() const { return *context.clock; }
  [[nodiscard]] int64_t now_ms() const { return context.clock->wall_ns() / 1'000'000; }
};

}  // namespace hearth::api
