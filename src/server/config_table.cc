#include <fmt/format.h>
#include <cstdlib>

#include <limits>

#include "server/config.h"
#include "server/units.h"

namespace hearth::server {
namespace {

// Each maker takes a function that finds the field, so that reading and writing it cannot differ.
template <class T>
using Field = T& (*)(Config&);

template <class T>
const T& read(Field<T> field, const Config& config) {
  return field(const_cast<Config&>(config));  // NOLINT: the result is const again.
}

Setting text(std::string name, std::string value, Field<std::string> field, std::string help) {
  return {std::move(name),
          "",
          std::move(value),
          std::move(help),
          [field](Config& config, const std::string& raw) -> Status {
            field(config) = raw;
            return {};
          },
          [field](const Config& config) { return read(field, config); }};
}

Setting one_of(std::string name, std::vector<std::string> choices, Field<std::string> field,
               std::string help) {
  std::string value;
  for (const std::string& choice : choices) value += (value.empty() ? "" : "|") + choice;
  Setting setting = text(std::move(name), value, field, std::move(help));
  setting.set = [field, choices, value](Config& config, const std::string& raw) -> Status {
    for (const std::string& choice : choices) {
      if (raw != choice) continue;
      field(config) = raw;
      return {};
    }
    return fail(ErrorCode::invalid_argument, fmt::format("got \"{}\"; want {}", raw, value));
  };
  return setting;
}

template <class T>
Setting bytes(std::string name, Field<T> field, std::string help) {
  return {std::move(name),
          "",
          "SIZE",
          std::move(help),
          [field](Config& config, const std::string& raw) -> Status {
            HEARTH_ASSIGN_OR_RETURN(const uint64_t value, parse_bytes(raw));
            field(config) = static_cast<T>(value);
            return {};
          },
          [field](const Config& config) { return format_bytes(read(field, config)); }};
}

template <class T>
Setting count(std::string name, Field<T> field, std::string help) {
  return {std::move(name),
          "",
          "NUMBER",
          std::move(help),
          [field](Config& config, const std::string& raw) -> Status {
            constexpr auto kMax = static_cast<uint64_t>(std::numeric_limits<int32_t>::max());
            HEARTH_ASSIGN_OR_RETURN(const uint64_t value, parse_count(raw, kMax));
            field(config) = static_cast<T>(value);
            return {};
          },
          [field](const Config& config) { return std::to_string(read(field, config)); }};
}

// `unit_ns` is what one step of the field means.
Setting duration(std::string name, int64_t unit_ns, Field<int64_t> field, std::string help) {
  return {std::move(name),
          "",
          "DURATION",
          std::move(help),
          [field, unit_ns](Config& config, const std::string& raw) -> Status {
            HEARTH_ASSIGN_OR_RETURN(const int64_t value, parse_duration_ns(raw));
            field(config) = value / unit_ns;
            return {};
          },
          [field, unit_ns](const Config& config) {
            return format_duration_ns(read(field, config) * unit_ns);
          }};
}
constexpr int64_t kNs = 1;
constexpr int64_t kMs = 1'000'000;

Setting toggle(std::string name, std::string alias, Field<bool> field, std::string help) {
  return {std::move(name),
          std::move(alias),
          "BOOL",
          std::move(help),
          [field](Config& config, const std::string& raw) -> Status {
            HEARTH_ASSIGN_OR_RETURN(field(config), parse_bool(raw));
            return {};
          },
          [field](const Config& config) { return read(field, config) ? "true" : "false"; }};
}

// Upstream's defaults for those who move from there and rely on its refusals.
void apply_pyroscope_preset(ingest::Limits& limits) {
  limits.request_max_bytes = 256U << 20U;
  limits.profile_max_bytes = 4U << 20U;
  limits.samples_max = 16'000;
  limits.stack_depth_max = 1000;
  limits.active_series_max = 5000;
  limits.reject_older_than_ns = 3600'000'000'000;
  limits.reject_newer_than_ns = 600'000'000'000;
  limits.query_length_max_ns = 24 * 3600'000'000'000;
  limits.query_lookback_max_ns = 7 * 24 * 3600'000'000'000;
}

Setting preset() {
  Setting setting = one_of(
      "limits.preset", {"hearth", "pyroscope"},
      [](Config& c) -> std::string& { return c.limits_preset; },
      "Starting point of all limits below: hearth's own, which only protect the machine, or the "
      "defaults of Pyroscope 2.");
  setting.set = [check = setting.set](Config& config, const std::string& raw) -> Status {
    HEARTH_RETURN_IF_ERROR(check(config, raw));
    config.database.limits = {};
    if (raw == "pyroscope") apply_pyroscope_preset(config.database.limits);
    return {};
  };
  return setting;
}

Setting listen() {
  Setting setting = text(
      "listen", "HOST:PORT", [](Config& c) -> std::string& { return c.listen; },
      "Address to answer on; port 0 picks a free one. On another address than loopback the admin "
      "routes answer 403.");
  setting.set = [](Config& config, const std::string& raw) -> Status {
    HEARTH_ASSIGN_OR_RETURN(const auto address, parse_listen(raw));
    static_cast<void>(address);
    config.listen = raw;
    return {};
  };
  return setting;
}

Setting retention_rules() {
  Setting setting = text(
      "retention.rules", "RULES", [](Config& c) -> std::string& { return c.retention_rules; },
      "TENANT[/SERVICE]=DURATION, several with commas: how long these are kept instead; `*` is any "
      "tenant, 0 for ever. `acme=7d, */batch=1d`");
  setting.set = [](Config& config, const std::string& raw) -> Status {
    HEARTH_ASSIGN_OR_RETURN(config.database.retention.rules,
                            storage::parse_retention_rules(raw, parse_duration_ns));
    config.retention_rules = raw;
    return {};
  };
  return setting;
}

// Keeps the table short: a function that names one member of Config.
#define HEARTH_FIELD(type, member) +[](Config& c) -> type& { return c.member; }

// Zero would refuse every request; there is no server without these limits.
Setting never_zero(Setting setting) {
  setting.set = [set = std::move(setting.set)](Config& config, const std::string& raw) -> Status {
    if (!raw.empty() && std::strtod(raw.c_str(), nullptr) == 0) {
      return fail(ErrorCode::invalid_argument, fmt::format("got \"{}\"; want more than 0", raw));
    }
    return set(config, raw);
  };
  return setting;
}

Setting bucket() {
  Setting setting =
      text("bucket", "DIR|s3://BUCKET/PREFIX", HEARTH_FIELD(std::string, database.bucket),
           "Where sealed profiles are kept: a directory, or a bucket of an S3-compatible service. "
           "Empty: "
           "`bucket` in the folder of `--data`.");
  setting.set = [set = setting.set](Config& config, const std::string& raw) -> Status {
    objstore::S3Options ignored;
    if (objstore::is_s3_location(raw)) {
      HEARTH_RETURN_IF_ERROR(objstore::parse_s3_location(raw, ignored));
    }
    return set(config, raw);
  };
  return setting;
}

Setting s3_endpoint() {
  Setting setting = text(
      "s3.endpoint", "URL", HEARTH_FIELD(std::string, database.s3.endpoint),
      "Address of the service, such as https://minio.example:9000. Empty: AWS in `--s3.region`.");
  setting.set = [set = setting.set](Config& config, const std::string& raw) -> Status {
    HEARTH_RETURN_IF_ERROR(set(config, raw));
    const auto address = objstore::s3_address(config.database.s3, {});
    return address ? Status() : Status(tl::unexpected(address.error()));
  };
  return setting;
}

std::vector<Setting> bucket_settings() {
  return {
      bucket(),
      s3_endpoint(),
      text("s3.region", "NAME", HEARTH_FIELD(std::string, database.s3.region),
           "Region that requests are signed for. Empty: AWS_REGION, AWS_DEFAULT_REGION, else "
           "us-east-1."),
      one_of("s3.path-style", {"auto", "true", "false"},
             HEARTH_FIELD(std::string, database.s3.path_style),
             "Bucket in the path of a URL rather than in its host. auto: with `--s3.endpoint`."),
      text("s3.ca-file", "FILE", HEARTH_FIELD(std::string, database.s3.ca_file),
           "Certificates (PEM) that an https endpoint is checked against, instead of the "
           "system's."),
      text("s3.credentials-file", "FILE", HEARTH_FIELD(std::string, database.s3.credentials.file),
           "Keys in the form of ~/.aws/credentials; read again when they are refused. Empty: the "
           "AWS_ variables, the shared file, a container's or an instance's role."),
      text("s3.profile", "NAME", HEARTH_FIELD(std::string, database.s3.credentials.profile),
           "Section of that file. Empty: AWS_PROFILE, else default."),
      never_zero(duration("s3.timeout", kNs, HEARTH_FIELD(int64_t, database.s3.timeout_ns),
                          "For one try of a request, plus a second for each MiB that it moves.")),
      never_zero(count("s3.connections-max", HEARTH_FIELD(size_t, database.s3.connections_max),
                       "Requests to the bucket at a time.")),
      bytes("cache.blocks", HEARTH_FIELD(uint64_t, database.cache_bytes),
            "Disk for what was read of a bucket at S3, in `blocks` in the folder of `--data`; the "
            "oldest goes. 0: nothing is kept on disk."),
  };
}

Setting role() {
  Setting setting = one_of(
      "role", {kRoleNames.begin(), kRoleNames.end()}, HEARTH_FIELD(std::string, role),
      "What this process does: everything; or, as one of several on a bucket, takes profiles, "
      "answers queries, or merges and deletes. query and compact use no `--data`.");
  setting.set = [set = setting.set](Config& config, const std::string& raw) -> Status {
    HEARTH_RETURN_IF_ERROR(set(config, raw));
    for (size_t i = 0; i < kRoleNames.size(); ++i) {
      if (raw == kRoleNames[i]) config.database.role = static_cast<Role>(i);
    }
    return {};
  };
  return setting;
}

Setting ack() {
  Setting setting = one_of(
      "ack", {"disk", "object"}, HEARTH_FIELD(std::string, ack),
      "When a write is answered: once it is on this machine's disk, or once its segment is in "
      "the bucket.");
  setting.set = [set = setting.set](Config& config, const std::string& raw) -> Status {
    HEARTH_RETURN_IF_ERROR(set(config, raw));
    config.database.ack_object = raw == "object";
    return {};
  };
  return setting;
}

std::vector<Setting> storage_settings() {
  return {
      role(),
      never_zero(duration("bucket.poll-interval", kNs,
                          HEARTH_FIELD(int64_t, database.poll_interval_ns),
                          "With another role than all, how often to look in the bucket for what "
                          "other processes sealed and merged.")),
      text("data", "DIR", HEARTH_FIELD(std::string, database.data_dir),
           "Folder of everything that is stored on this machine; created if missing."),
      bytes(
          "memory.limit", HEARTH_FIELD(size_t, database.memory_limit_bytes),
          "Budget of bodies, dictionaries, unsealed rows, caches and queries; above 85 % of it new "
          "work is refused with 503. 0: half of what the machine or cgroup has."),
      bytes("memory.dictionary", HEARTH_FIELD(uint64_t, database.dictionary_max_bytes),
            "Symbol tables of the services that send. Above three quarters of it those of the "
            "services that sent least lately are sealed and begun anew; at the limit profiles are "
            "refused with 503 until that is done. 0: half of memory.limit."),
      bytes("cache.symbols", HEARTH_FIELD(size_t, database.symbol_cache_bytes),
            "Memory for decoded symbols and rollups of segments that queries used last. 0: an "
            "eighth of memory.limit, at most 256MiB."),
      duration("seal.interval", kNs, HEARTH_FIELD(int64_t, database.seal_interval_ns),
               "How long accepted profiles stay in the head before they become a segment. 0: 10m "
               "where the bucket is in the folder of --data and the role is all, else 1m."),
      bytes("seal.bytes", HEARTH_FIELD(uint64_t, database.seal_bytes),
            "Unsealed bytes that start a seal before the interval is over. 0: a 64th of "
            "memory.limit, 32MiB to 128MiB."),
      bytes("spool.bytes", HEARTH_FIELD(uint64_t, database.spool_bytes),
            "Accepted profiles that may wait on this machine while the bucket does not take "
            "segments; then writes get 503. They also take memory. 0: four times seal.bytes, at "
            "least 256MiB."),
      ack(),
      never_zero(
          duration("ack.interval", kNs, HEARTH_FIELD(int64_t, database.ack_interval_ns),
                   "With `--ack object`, between two seals; the requests of the time between "
                   "share a segment.")),
      bytes("retention.bytes", HEARTH_FIELD(uint64_t, database.retention.bytes_max),
            "Over this size of all segments the oldest are deleted. 0: the smaller of 50 GiB and a "
            "quarter of the file system for a directory, no limit at S3."),
      duration("retention.age", kNs, HEARTH_FIELD(int64_t, database.retention.age_ns),
               "Hours and days that ended longer ago are deleted, and older profiles refused. 0: "
               "kept for ever."),
      retention_rules(),
      toggle("retention.side-data-in-days", "", HEARTH_FIELD(bool, database.side_data_in_days),
             "Whether day segments keep the spans, traces and times of samples; fresh and hour "
             "segments always do."),
  };
}

std::vector<Setting> limit_settings() {
  return {
      preset(),
      bytes("limits.request-max-bytes", HEARTH_FIELD(size_t, database.limits.request_max_bytes),
            "All profiles of a request, inflated. Over it: 413, on push 400."),
      bytes("limits.profile-max-bytes", HEARTH_FIELD(size_t, database.limits.profile_max_bytes),
            "One profile, inflated."),
      count("limits.samples-max", HEARTH_FIELD(size_t, database.limits.samples_max),
            "Samples of one profile."),
      count("limits.sample-labels-max", HEARTH_FIELD(size_t, database.limits.sample_labels_max),
            "Labels of one sample."),
      count("limits.stack-depth-max", HEARTH_FIELD(size_t, database.limits.stack_depth_max),
            "Frames of a stack; deeper stacks keep the leaf side under a [truncated] frame."),
      count(
          "limits.side-data-max", HEARTH_FIELD(size_t, database.limits.side_data_max),
          "Samples of a profile whose span, trace and time are kept; the rest is stored without."),
      bytes("limits.symbol-max-bytes", HEARTH_FIELD(size_t, database.limits.symbol_max_bytes),
            "Bytes of a function or file name; longer ones keep their end."),
      bytes("limits.label-name-max-bytes",
            HEARTH_FIELD(size_t, database.limits.label_name_max_bytes), "Bytes of a label name."),
      bytes("limits.label-value-max-bytes",
            HEARTH_FIELD(size_t, database.limits.label_value_max_bytes), "Bytes of a label value."),
      count("limits.label-names-max", HEARTH_FIELD(size_t, database.limits.label_names_max),
            "Labels of a series."),
      count("limits.active-series-max", HEARTH_FIELD(size_t, database.limits.active_series_max),
            "Series of a tenant that are being written. Over it: 429."),
      count("limits.sessions-per-series-max",
            HEARTH_FIELD(size_t, database.limits.sessions_per_series_max),
            "Values of the session label that are kept apart. 0: the label is removed."),
      duration("limits.reject-older-than", kNs,
               HEARTH_FIELD(int64_t, database.limits.reject_older_than_ns),
               "Profiles older than this are refused. 0: any time stamp is accepted."),
      duration("limits.reject-newer-than", kNs,
               HEARTH_FIELD(int64_t, database.limits.reject_newer_than_ns),
               "Profiles this far in the future are refused. 0: any time stamp is accepted."),
      count("limits.flame-nodes-default",
            HEARTH_FIELD(int64_t, database.limits.flame_nodes_default),
            "Nodes of a flame graph on Pyroscope's routes when the request names no number."),
      count("limits.flame-nodes-max", HEARTH_FIELD(int64_t, database.limits.flame_nodes_max),
            "Nodes of a flame graph that a request may ask for."),
      duration("limits.query-length-max", kNs,
               HEARTH_FIELD(int64_t, database.limits.query_length_max_ns),
               "Longest time range of a query. 0: any."),
      duration("limits.query-lookback-max", kNs,
               HEARTH_FIELD(int64_t, database.limits.query_lookback_max_ns),
               "How far back queries may look. 0: any."),
  };
}

std::vector<Setting> http_settings() {
  std::vector<Setting> settings = {
      duration("http.header-timeout", kMs, HEARTH_FIELD(int64_t, http.header_timeout_ms),
               "From the first byte of a request to the end of its head."),
      duration("http.body-timeout", kMs, HEARTH_FIELD(int64_t, http.body_timeout_ms),
               "For a whole body; after 10 s it must also have come at 1 KiB/s."),
      duration("http.idle-timeout", kMs, HEARTH_FIELD(int64_t, http.idle_timeout_ms),
               "Between two requests of a connection."),
      duration("http.request-timeout", kMs, HEARTH_FIELD(int64_t, http.request_timeout_ms),
               "For a handler, such as a query."),
      bytes("http.header-max-bytes", HEARTH_FIELD(size_t, http.header_max_bytes),
            "Request head. Over it: 431."),
      bytes("http.target-max-bytes", HEARTH_FIELD(size_t, http.target_max_bytes),
            "Path and query of a request. Over it: 414."),
      bytes("http.body-max-bytes", HEARTH_FIELD(size_t, http.body_max_bytes),
            "Body as sent, where a path has no cap of its own. Over it: 413."),
      count("http.connections-max", HEARTH_FIELD(size_t, http.connections_max),
            "Open connections; 16 more answer only /healthz, /ready and /metrics."),
      count("http.connections-per-address-max",
            HEARTH_FIELD(size_t, http.connections_per_address_max),
            "Open connections of one public address; private ones are not counted."),
      count("http.requests-per-connection-max",
            HEARTH_FIELD(size_t, http.requests_per_connection_max),
            "After so many requests a connection is closed."),
      bytes("http.compress-min-bytes", HEARTH_FIELD(size_t, http.compress_min_bytes),
            "Answers from this size on are compressed when the client offers gzip."),
      count("threads.io", HEARTH_FIELD(int, http.io_threads), "Threads that move bytes."),
      count(
          "threads.ingest", HEARTH_FIELD(size_t, ingest_threads),
          "Threads that decode; none waits for the disk. 0: two per core, 64 with `--ack object`, "
          "where each waits for the bucket."),
      count("threads.query", HEARTH_FIELD(size_t, query_threads),
            "Threads that answer queries, at lower priority. 0: one per core."),
  };
  for (Setting& setting : settings) {
    const bool limit =
        setting.name.starts_with("http.") && setting.name != "http.compress-min-bytes";
    if (limit) setting = never_zero(std::move(setting));
  }
  return settings;
}

std::vector<Setting> process_settings() {
  return {
      toggle("auth.multitenancy-enabled", "multitenancy-enabled", HEARTH_FIELD(bool, tenancy),
             "Every request must name its tenant in X-Scope-OrgID. Otherwise all data belongs to "
             "the tenant \"anonymous\"."),
      one_of("log.level", {"debug", "info", "warn", "error"}, HEARTH_FIELD(std::string, log_level),
             "Least important lines that are written, to standard error."),
      one_of("log.format", {"logfmt", "json"}, HEARTH_FIELD(std::string, log_format),
             "Form of the log lines."),
      duration("shutdown-delay", kNs, HEARTH_FIELD(int64_t, shutdown_delay_ns),
               "After SIGTERM, how long to go on answering while /ready says no; 2s suits a load "
               "balancer."),
      duration("shutdown-timeout", kNs, HEARTH_FIELD(int64_t, drain_timeout_ns),
               "How long running requests may take to finish after SIGTERM."),
      text("ui-dir", "DIR", HEARTH_FIELD(std::string, ui_dir),
           "For work on the page: serve its files from this folder instead of the embedded ones."),
  };
}

#undef HEARTH_FIELD

std::vector<Setting> build_table() {
  std::vector<Setting> table{listen()};
  for (auto make :
       {storage_settings, bucket_settings, limit_settings, http_settings, process_settings}) {
    for (Setting& setting : make()) table.push_back(std::move(setting));
  }
  return table;
}

}  // namespace

std::span<const Setting> settings() {
  static const std::vector<Setting> table = build_table();
  return table;
}

}  // namespace hearth::server
