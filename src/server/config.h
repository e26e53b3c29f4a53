#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "db/database.h"
#include "net/http_server.h"
#include "server/flag_parser.h"

namespace hearth::server {

/// Everything that `hearth serve` can be told, with its defaults. A value; const after start.
struct Config {
  std::string listen = "127.0.0.1:4040";
  Database::Options database;
  net::HttpServer::Options http;  ///< host, port and what it borrows are set by the server.
  std::string limits_preset = "hearth";
  std::string role = "all";     ///< As given; sets database.role.
  std::string ack = "disk";     ///< As given; sets database.ack_object.
  std::string retention_rules;  ///< As given; parsed into database.retention.
  bool tenancy = false;
  std::string ui_dir;
  int64_t shutdown_delay_ns = 0;
  int64_t drain_timeout_ns = 10'000'000'000;
  size_t ingest_threads = 0;  ///< 0: two per core.
  size_t query_threads = 0;   ///< 0: one per core.
  std::string log_level = "info";
  std::string log_format = "logfmt";
};

/// One line of the flag table: help text, documentation, validation and the effective configuration
/// all come from it.
struct Setting {
  std::string name;   ///< "seal.interval": flag --seal.interval, HEARTH_SEAL_INTERVAL,
                      ///< `seal.interval:` in a file.
  std::string alias;  ///< Another name in flags and files; empty: none.
  std::string value;  ///< What the value is: "DURATION", "SIZE", …
  std::string help;
  std::function<Status(Config&, const std::string&)> set;
  std::function<std::string(const Config&)> get;

  [[nodiscard]] std::string environment() const;
};

/// All settings in the order of the documentation. The order is also that of application: a preset
/// precedes what it sets.
std::span<const Setting> settings();

using Environment = std::vector<std::pair<std::string, std::string>>;
/// The HEARTH_… variables of this process.
Environment process_environment();

struct ConfigSources {
  std::string file_text =
      {};  ///< Of --config; lines of `key: value` or `key = value`, `#` comments.
  std::string file_name = {};  ///< For messages.
  Environment environment = {};
  std::vector<std::pair<std::string, std::string>> flags = {};  ///< Setting name → value, in order.
};
/// Defaults < file < environment < flags. Errors are `invalid_argument`, name the place (file and
/// line, variable or flag) and, for an unknown key, the nearest known one. An unknown variable is
/// an error only when it is near to a known one: other programs may own HEARTH_ names.
[[nodiscard]] Result<Config> load_config(const ConfigSources& sources);

/// "host:port", "[v6]:port", ":port" or "port" → host and port.
[[nodiscard]] Result<std::pair<std::string, uint16_t>> parse_listen(const std::string& text);
/// True when only this machine can reach the address.
bool is_loopback(const std::string& host);

/// The effective configuration as `name: value` lines.
std::string config_text(const Config& config);
/// docs/flags.md.
std::string flags_markdown();

}  // namespace hearth::server
