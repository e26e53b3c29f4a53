#include <algorithm>
#include <utility>

#include "base/cancel.h"
#include "base/log.h"
#include "base/saturate.h"
#include "base/utf8.h"
#include "base/worker_pool.h"
#include "db/database.h"
#include "formats/batch_repair.h"
#include "formats/decode.h"
#include "hearth/database.h"
#include "ingest/metric_name.h"

namespace hearth {
namespace {

formats::DecodeOptions decode_options(const ingest::Limits& limits) {
  formats::DecodeOptions out;
  out.limits.samples_max = limits.samples_max;
  out.limits.sample_labels_max = limits.sample_labels_max;
  out.limits.stack_depth_max = limits.stack_depth_max;
  out.limits.string_max_bytes = limits.symbol_max_bytes;
  out.limits.profile_max_bytes = limits.profile_max_bytes;
  return out;
}

Status refuse(std::string message) {
  return fail(ErrorCode::invalid_argument, "profile: " + std::move(message), "malformed_profile");
}

/// What decoders see to, for a batch that none of them made.
Status check_batch(ProfileBatch& batch, const ingest::Limits& limits) {
  HEARTH_RETURN_IF_ERROR(batch.validate());
  if (batch.types() > ProfileBatch::kTypesMax)
    return refuse(std::to_string(batch.types()) + " sample types; at most " +
                  std::to_string(ProfileBatch::kTypesMax));
  if (limits.samples_max != 0 && batch.samples.size() > limits.samples_max)
    return refuse(std::to_string(batch.samples.size()) + " samples; at most " +
                  std::to_string(limits.samples_max));
  for (size_t i = 0; i < batch.strings.size(); ++i) {
    if (batch.strings[i].size() > limits.symbol_max_bytes || !is_utf8(batch.strings[i]))
      return refuse("string " + std::to_string(i) + " is no UTF-8 of at most " +
                    std::to_string(limits.symbol_max_bytes) + " bytes");
  }
  formats::cut_deep_stacks(batch, limits.stack_depth_max);
  return {};
}

/// The caller's labels with a `__name__` among them.
std::vector<Label> named_labels(const ProfileBatch& batch, const WriteOptions& options) {
  std::vector<Label> labels = options.labels;
  const auto named = std::ranges::find(labels, label::kName, &Label::name);
  if (!options.name.empty() && named != labels.end()) {
    named->value = options.name;
  } else if (named == labels.end()) {
    labels.push_back({std::string(label::kName),
                      options.name.empty() ? ingest::metric_name(batch) : options.name});
  }
  return labels;
}

Result<query::ProfileQuery> profile_query(const Query& query) {
  query::ProfileQuery out;
  out.tenant = query.tenant;
  out.type = query.type;
  HEARTH_ASSIGN_OR_RETURN(out.selector, Selector::parse(query.selector));
  out.range = {query.range.start_ns, query.range.end_ns};
  out.call_site = query.call_site;
  return out;
}

CancelToken cancel_after(const Clock& clock, int64_t timeout_ns) {
  return timeout_ns <= 0 ? CancelToken()
                         : CancelToken(clock, add_saturating(clock.boot_ns(), timeout_ns));
}

Coverage coverage(query::Cost cost) {
  return {cost.profiles, std::move(cost.partial)};
}

FlameGraph flame_graph_of(query::FunctionTree tree, query::Cost cost) {
  return {.parent = std::move(tree.parent),
          .depth = std::move(tree.depth),
          .name = std::move(tree.name),
          .self = std::move(tree.self),
          .total = std::move(tree.total),
          .names = std::move(tree.names),
          .coverage = coverage(std::move(cost))};
}

Status check_options(const EmbeddedDatabase::Options& options) {
  if (options.seal_interval_ns <= 0) {
    return fail(ErrorCode::invalid_argument, "open database: seal_interval_ns: got " +
                                                 std::to_string(options.seal_interval_ns) +
                                                 "; want more than 0");
  }
  if (!log::set_level(options.log_level)) {
    return fail(ErrorCode::invalid_argument, "open database: log_level: got \"" +
                                                 options.log_level +
                                                 "\"; want debug, info, warn or error");
  }
  return {};
}

Database::Options database_options(EmbeddedDatabase::Options options) {
  Database::Options out;
  out.data_dir = std::move(options.data_dir);
  out.bucket = std::move(options.bucket);
  out.memory_limit_bytes = options.memory_limit_bytes;
  out.seal_interval_ns = options.seal_interval_ns;
  out.retention.bytes_max = options.retention_bytes;
  out.retention.age_ns = options.retention_age_ns;
  out.maintenance_thread = options.maintenance;
  return out;
}

}  // namespace

struct EmbeddedDatabase::Impl {
  std::unique_ptr<WorkerPool> helpers;  // Outlives the engine, which submits to it.
  std::unique_ptr<Database> db;

  /// Prepares and commits a valid batch; `raw` are the bytes it came from, or empty.
  Result<WriteOutcome> write(ProfileBatch& batch, std::string_view raw,
                             const WriteOptions& options);
  Result<query::Engine::TreeResult> merge(const Query& query);
};

Result<WriteOutcome> EmbeddedDatabase::Impl::write(ProfileBatch& batch, std::string_view raw,
                                                   const WriteOptions& options) {
  if (options.time_ns != 0) batch.time_ns = options.time_ns;
  ingest::Incoming incoming;
  incoming.labels = named_labels(batch, options);
  incoming.batch = &batch;
  incoming.raw = raw;
  incoming.has_time = batch.time_ns > 0;
  incoming.idempotency_key = options.idempotency_key;
  ingest::Pipeline& pipeline = db->pipeline();
  HEARTH_ASSIGN_OR_RETURN(const auto prepared, pipeline.prepare(options.tenant, incoming));
  HEARTH_ASSIGN_OR_RETURN(const auto outcome, pipeline.commit(options.tenant, {&prepared, 1}));
  return WriteOutcome{outcome.stored, outcome.duplicates};
}

Result<query::Engine::TreeResult> EmbeddedDatabase::Impl::merge(const Query& query) {
  HEARTH_ASSIGN_OR_RETURN(const auto wanted, profile_query(query));
  return db->engine().merge_tree(wanted, cancel_after(db->clock(), query.timeout_ns));
}

EmbeddedDatabase::EmbeddedDatabase() : impl_(std::make_unique<Impl>()) {}
EmbeddedDatabase::~EmbeddedDatabase() = default;

Result<std::unique_ptr<EmbeddedDatabase>> EmbeddedDatabase::open(Options options) {
  HEARTH_RETURN_IF_ERROR(check_options(options));
  auto out = std::unique_ptr<EmbeddedDatabase>(new EmbeddedDatabase());
  const size_t threads = options.query_threads;
  HEARTH_ASSIGN_OR_RETURN(out->impl_->db, Database::open(database_options(std::move(options))));
  if (threads > 0) {
    out->impl_->helpers =
        std::make_unique<WorkerPool>(WorkerPool::Options{.name = "query", .threads = threads});
    out->impl_->db->engine().use_helpers(*out->impl_->helpers, threads);
  }
  return out;
}

Result<WriteOutcome> EmbeddedDatabase::write(std::string_view bytes, const WriteOptions& options) {
  const ingest::Limits limits = impl_->db->pipeline().limits(options.tenant);
  formats::Decoder decoder;
  HEARTH_RETURN_IF_ERROR(decoder.decode(bytes, decode_options(limits)));
  HEARTH_ASSIGN_OR_RETURN(
      const auto charge,
      impl_->db->memory().charge(decoder.raw().size() + decoder.batch().memory_bytes(),
                                 "decode a profile"));
  return impl_->write(decoder.batch(), decoder.raw(), options);
}

Result<WriteOutcome> EmbeddedDatabase::write(ProfileBatch& batch, const WriteOptions& options) {
  HEARTH_RETURN_IF_ERROR(check_batch(batch, impl_->db->pipeline().limits(options.tenant)));
  return impl_->write(batch, {}, options);
}

Result<uint64_t> EmbeddedDatabase::seal() {
  return impl_->db->store().seal();
}

Result<std::vector<ProfileType>> EmbeddedDatabase::profile_types(const Tenant& tenant,
                                                                 TimeRange range) {
  return impl_->db->engine().profile_types(tenant, {range.start_ns, range.end_ns}, CancelToken());
}

Result<FlameGraph> EmbeddedDatabase::flame_graph(const Query& query, int64_t max_nodes) {
  HEARTH_ASSIGN_OR_RETURN(auto merged, impl_->merge(query));
  const int64_t threshold = merged.tree.threshold(max_nodes);
  return flame_graph_of(threshold <= 0 ? std::move(merged.tree) : merged.tree.cut(threshold),
                        std::move(merged.cost));
}

Result<FunctionTable> EmbeddedDatabase::function_table(const Query& query) {
  HEARTH_ASSIGN_OR_RETURN(auto merged, impl_->merge(query));
  FunctionTable table;
  for (const query::FunctionRow& row : query::function_table(merged.tree)) {
    table.functions.push_back({merged.tree.names[row.name], row.self, row.total});
  }
  table.total = merged.tree.total[0];
  table.coverage = coverage(std::move(merged.cost));
  return table;
}

Result<SeriesAnswer> EmbeddedDatabase::series(const SeriesQuery& query) {
  query::SeriesQuery wanted;
  HEARTH_ASSIGN_OR_RETURN(wanted.profile, profile_query(query.query));
  wanted.step_ms = query.step_ms;
  wanted.group_by = query.group_by;
  HEARTH_ASSIGN_OR_RETURN(auto found,
                          impl_->db->engine().select_series(
                              wanted, cancel_after(impl_->db->clock(), query.query.timeout_ns)));
  SeriesAnswer answer;
  for (query::TimeSeries& series : found.series) {
    Series& out = answer.series.emplace_back(Series{std::move(series.labels), {}});
    for (const query::Point& point : series.points)
      out.points.push_back({point.time_ms, point.value});
  }
  answer.coverage = coverage(std::move(found.cost));
  return answer;
}

}  // namespace hearth
