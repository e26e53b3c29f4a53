#pragma once

#include "api/routes.h"
#include "ingest/pipeline.h"
#include "query/engine.h"
#include "storage/store.h"

namespace hearth::api {

/// What every handler borrows. Tests put doubles behind it; make_routes() fills it from the
/// Database.
struct App {
  Context& context;
  storage::Store& store;
  ingest::Pipeline& pipeline;
  query::Engine& engine;

  [[nodiscard]] const Clock& clock() const { return *context.clock; }
};

}  // namespace hearth::api
