#include "api/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <limits>
#include <sstream>

#include "hearth/version.h"

// The one file that sees prometheus-cpp: counters are plain numbers elsewhere.
namespace hearth::api {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<std::pair<std::string, std::string>>;

ClientMetric with_labels(const Labels& labels) {
  ClientMetric metric;
  for (const auto& [name, value] : labels) metric.label.push_back({name, value});
  return metric;
}

class Families {
 public:
  void counter(const char* name, const char* help, uint64_t value, const Labels& labels = {}) {
    ClientMetric metric = with_labels(labels);
    metric.counter.value = static_cast<double>(value);
    family(name, help, MetricType::Counter).metric.push_back(std::move(metric));
  }
  void gauge(const char* name, const char* help, uint64_t value, const Labels& labels = {}) {
    ClientMetric metric = with_labels(labels);
    metric.gauge.value = static_cast<double>(value);
    family(name, help, MetricType::Gauge).metric.push_back(std::move(metric));
  }
  void durations(const char* name, const char* help, const RouteStats& stats) {
    ClientMetric metric = with_labels({{"route", stats.path}});
    auto& histogram = metric.histogram;
    for (size_t i = 0; i < stats.by_duration.size(); ++i) {
      histogram.sample_count += stats.by_duration[i];
      const bool open = i == RouteStats::kBucketSeconds.size();
      histogram.bucket.push_back(
          {histogram.sample_count,
           open ? std::numeric_limits<double>::infinity() : RouteStats::kBucketSeconds[i]});
    }
    histogram.sample_sum = static_cast<double>(stats.duration_ns) * 1e-9;
    family(name, help, MetricType::Histogram).metric.push_back(std::move(metric));
  }
  [[nodiscard]] std::string text() const {
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, all_);
    return out.str();
  }

 private:
  MetricFamily& family(const char* name, const char* help, MetricType type) {
    if (all_.empty() || all_.back().name != name) all_.push_back({name, help, type, {}});
    return all_.back();
  }
  std::vector<MetricFamily> all_;
};

void add_store(Families& out, const storage::StoreStats& stats) {
  out.counter("hearth_profiles_stored_total", "Profiles stored, retries left out.",
              stats.profiles_total);
  out.counter("hearth_profiles_duplicate_total", "Retries recognised and not counted again.",
              stats.duplicates_total);
  out.counter("hearth_rows_total", "Rows stored.", stats.rows_total);
  out.gauge("hearth_head_profiles", "Profiles accepted and not yet sealed.", stats.head_profiles);
  out.gauge("hearth_head_bytes", "Row bytes accepted and not yet sealed.", stats.head_bytes);
  out.gauge("hearth_dictionaries", "Dictionaries in memory.", stats.head_dictionaries);
  out.gauge("hearth_dictionary_bytes", "Memory of dictionaries.", stats.dictionary_bytes);
  out.counter("hearth_epochs_shed_total", "Dictionaries begun anew for want of memory.",
              stats.epochs_shed_total);
  out.gauge("hearth_segments", "Live segments.", stats.segments);
  out.gauge("hearth_segment_bytes", "Bytes of live segments.", stats.segment_bytes);
  out.counter("hearth_seals_total", "Seals done.", stats.seals_total);
  out.counter("hearth_seal_failures_total", "Seals that failed and will be tried again.",
              stats.seal_failures_total);
  out.gauge("hearth_seals_failing", "1 when the last seal failed.", stats.seals_fail ? 1 : 0);
  out.gauge("hearth_spool_segments", "Segments that wait for the bucket or are on their way to it.",
            stats.seals_pending);
  out.gauge("hearth_spool_limit_bytes", "Writes are refused when hearth_head_bytes reaches it.",
            stats.unsealed_max_bytes);
  out.counter("hearth_sealed_profiles_total", "Profiles sealed.", stats.sealed_profiles_total);
  out.counter("hearth_quarantined_rows_total", "Rows set aside because they could not be read.",
              stats.quarantined_rows_total);
  out.gauge("hearth_log_lost_changes", "Changes that this start found missing in the log.",
            stats.log_lost_changes);
  out.gauge("hearth_log_unreadable_bytes", "Bytes of the log that this start could not read.",
            stats.log_dropped_bytes);
  out.counter("hearth_corrupt_objects_total", "Objects whose checksum failed.",
              stats.corrupt_objects_total);
  out.gauge("hearth_bucket_compared", "1 once this start has read the bucket.",
            stats.compared ? 1 : 0);
  out.gauge("hearth_write_queue", "Writes that wait for the one that is being synced.",
            stats.writes_queued);
  out.counter("hearth_write_groups_total", "Synced write groups.", stats.kv_write_groups_total);
}

void add_remote_reading(Families& out, const storage::RemoteReading::Stats& stats) {
  const char* const kReads = "hearth_block_cache_reads_total";
  const char* const kHelp = "Reads of remote segments, by whether the cache had all they wanted.";
  out.counter(kReads, kHelp, stats.cache.hits, {{"result", "hit"}});
  out.counter(kReads, kHelp, stats.cache.misses, {{"result", "miss"}});
  out.counter("hearth_block_cache_hit_bytes_total", "Bytes that the cache gave.",
              stats.cache.hit_bytes);
  out.counter("hearth_block_cache_damaged_total",
              "Pages of the cache whose checksum failed; they are fetched again.",
              stats.cache.damaged_pages);
  out.gauge("hearth_block_cache_bytes", "Disk that the cache takes.", stats.cache.disk_bytes);
  out.counter("hearth_fetches_total", "Requests for parts of remote segments.",
              stats.fetches.requests);
  out.counter("hearth_fetched_bytes_total", "Bytes that these asked for.", stats.fetches.bytes);
  out.counter("hearth_fetches_hedged_total", "Requests made a second time because they took long.",
              stats.fetches.hedges);
}

void add_bucket(Families& out, const objstore::Bucket& bucket) {
  if (!bucket.remote()) return;
  const objstore::BucketStats stats = bucket.stats();
  const auto by_operation = [&](const char* name, const char* help, auto field) {
    for (size_t i = 0; i < objstore::kBucketOperations; ++i) {
      out.counter(name, help, stats.operations[i].*field,
                  {{"operation", objstore::kBucketOperationNames[i]}});
    }
  };
  using Operation = objstore::BucketStats::Operation;
  by_operation("hearth_bucket_requests_total", "Requests to the bucket, retries included.",
               &Operation::requests);
  by_operation("hearth_bucket_retries_total", "Requests to the bucket that were repeated.",
               &Operation::retries);
  by_operation("hearth_bucket_failures_total", "Requests to the bucket that failed.",
               &Operation::failures);
  out.counter("hearth_bucket_sent_bytes_total", "Bytes sent to the bucket.", stats.sent_bytes);
  out.counter("hearth_bucket_received_bytes_total", "Bytes received from the bucket.",
              stats.received_bytes);
  const auto found = bucket.guarantees();
  out.gauge("hearth_bucket_probed", "1 when the bucket's guarantees are known.", found ? 1 : 0);
  if (!found) return;
  constexpr const char* kName = "hearth_bucket_guarantee";
  constexpr const char* kHelp = "What the bucket was seen to guarantee.";
  out.gauge(kName, kHelp, found->create_if_absent, {{"guarantee", "create_if_absent"}});
  out.gauge(kName, kHelp, found->fresh_reads, {{"guarantee", "fresh_reads"}});
  out.gauge(kName, kHelp, found->fresh_lists, {{"guarantee", "fresh_lists"}});
  out.gauge(kName, kHelp, found->ranges, {{"guarantee", "ranges"}});
  out.gauge(kName, kHelp, found->removes, {{"guarantee", "removes"}});
}

void add_compaction(Families& out, const storage::CompactionStats& stats) {
  for (size_t i = 0; i < stats.levels.size(); ++i) {
    out.gauge("hearth_level_segments", "Live segments, by level.", stats.levels[i].segments,
              {{"level", std::to_string(i)}});
  }
  for (size_t i = 0; i < stats.levels.size(); ++i) {
    out.gauge("hearth_level_bytes", "Bytes of live segments, by level.", stats.levels[i].bytes,
              {{"level", std::to_string(i)}});
  }
  out.gauge("hearth_snapshot_number", "Number of the newest snapshot.", stats.snapshot);
  out.gauge("hearth_tombstones", "Replaced objects that wait to be deleted.", stats.tombstones);
  out.gauge("hearth_compaction_running", "1 while segments are merged.", stats.running ? 1 : 0);
  out.counter("hearth_compactions_total", "Merges committed.", stats.jobs_total);
  out.counter("hearth_compaction_failures_total", "Merges that failed.", stats.failures_total);
  out.counter("hearth_compacted_profiles_total", "Profiles written by merges, once per level.",
              stats.profiles_total);
  out.counter("hearth_compaction_duplicates_total", "Profiles dropped as repetitions by merges.",
              stats.duplicates_total);
  out.counter("hearth_compaction_read_bytes_total", "Bytes of segments merged.",
              stats.bytes_in_total);
  out.counter("hearth_compaction_written_bytes_total", "Bytes of segments made by merges.",
              stats.bytes_out_total);
  out.counter("hearth_objects_removed_total", "Objects deleted from the bucket.",
              stats.objects_removed_total);
  out.counter("hearth_expired_profiles_total", "Profiles that retention deleted.",
              stats.expired_profiles_total);
  out.counter("hearth_deleted_profiles_total", "Deleted profiles that merges left out.",
              stats.deleted_profiles_total);
  out.gauge("hearth_deletions", "Deletions that hold.", stats.deletions);
  out.counter("hearth_expired_segments_total", "Whole segments that retention deleted.",
              stats.expired_segments_total);
  out.gauge("hearth_damaged_segments", "Segments that cannot be merged because they are damaged.",
            stats.damaged_inputs);
}

void add_ingest(Families& out, const App& app) {
  const auto discarded = app.pipeline.discarded();
  for (const auto& d : discarded) {
    out.counter("hearth_discarded_profiles_total", "Profiles refused or dropped, by reason.",
                d.profiles, {{"reason", d.reason}, {"tenant", d.tenant}});
  }
  for (const auto& d : discarded) {
    out.counter("hearth_discarded_bytes_total", "Bytes of refused or dropped profiles, by reason.",
                d.bytes, {{"reason", d.reason}, {"tenant", d.tenant}});
  }
  const ProfileBatch::Repairs repairs = app.pipeline.repairs();
  constexpr const char* kName = "hearth_repairs_total";
  constexpr const char* kHelp = "What was cut or dropped inside accepted profiles, by kind.";
  out.counter(kName, kHelp, repairs.samples_negative, {{"kind", "samples_negative"}});
  out.counter(kName, kHelp, repairs.samples_zero, {{"kind", "samples_zero"}});
  out.counter(kName, kHelp, repairs.stacks_truncated, {{"kind", "stacks_truncated"}});
  out.counter(kName, kHelp, repairs.strings_truncated, {{"kind", "strings_truncated"}});
  out.counter(kName, kHelp, repairs.numeric_labels_dropped, {{"kind", "numeric_labels_dropped"}});
  out.counter(kName, kHelp, repairs.sample_ids_dropped, {{"kind", "sample_ids_dropped"}});
  out.counter(kName, kHelp, repairs.side_data_dropped, {{"kind", "side_data_dropped"}});
  out.counter(kName, kHelp, repairs.frames_dropped, {{"kind", "frames_dropped"}});
}

void add_http(Families& out, const App& app) {
  for (const RouteStats& route : app.route_stats) {
    for (size_t i = 0; i < RouteStats::kStatuses.size(); ++i) {
      if (route.by_status[i] == 0) continue;
      out.counter(
          "hearth_http_requests_total", "Requests answered, by route and status.",
          route.by_status[i],
          {{"route", route.path}, {"status_code", std::to_string(RouteStats::kStatuses[i])}});
    }
  }
  for (const RouteStats& route : app.route_stats) {
    if (route.duration_ns == 0) continue;
    out.durations("hearth_http_request_duration_seconds", "Time in the handler, by route.", route);
  }
  if (!app.context.server_stats) return;
  const net::HttpServer::Stats stats = app.context.server_stats();
  out.gauge("hearth_http_connections", "Open connections.", stats.connections_open);
  out.counter("hearth_http_connections_total", "Connections accepted.", stats.connections_total);
  out.counter("hearth_http_refused_total", "Requests the server refused before a handler ran.",
              stats.refused_total);
  out.counter("hearth_http_received_bytes_total", "Bytes received.", stats.bytes_in);
  out.counter("hearth_http_sent_bytes_total", "Bytes sent.", stats.bytes_out);
}

}  // namespace

std::string metrics_text(const App& app) {
  Families out;
  const Labels build{{"version", version()}, {"revision", revision()}};
  out.gauge("hearth_build_info", "1, with what was built.", 1, build);
  out.gauge("hearth_role", "1, with what this process does.", 1,
            {{"role", role_name(app.context.role)}});
  out.gauge("pyroscope_build_info", "1, for dashboards that look for this name.", 1, build);
  out.gauge("hearth_memory_used_bytes", "Large buffers as accounted.", app.memory.used());
  out.gauge("hearth_memory_limit_bytes", "New work is refused above 85 % of it.",
            app.memory.limit());
  add_ingest(out, app);
  const storage::StoreStats stats = app.store.stats();
  add_store(out, stats);
  add_compaction(out, stats.compaction);
  if (app.context.db != nullptr) {
    add_bucket(out, app.context.db->bucket());
    if (const auto remote = app.context.db->remote_reading()) add_remote_reading(out, *remote);
  }
  add_http(out, app);
  return out.text();
}

net::Route metrics_route(const App& app) {
  const auto handler = [&app](net::Request&) {
    net::Response response;
    response.headers.add("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    response.body = metrics_text(app);
    return response;
  };
  return {.method = "GET",
          .path = "/metrics",
          .pool = net::Pool::query,
          .body_max_bytes = 0,
          .handler = handler};
}

}  // namespace hearth::api
