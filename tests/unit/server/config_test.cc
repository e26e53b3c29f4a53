#include "server/config.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "support/catch.h"

namespace hearth::server {
namespace {

TEST_CASE("flags win over the environment, the environment over the file, the file over defaults",
          "[server]") {
  ConfigSources sources;
  CHECK(load_config(sources)->listen == "127.0.0.1:4040");
  sources.file_text = "listen: 127.0.0.1:1\nseal.interval = 10s\ndata: \"/from file\"  # comment\n";
  sources.environment = {{"HEARTH_LISTEN", "127.0.0.1:2"}, {"HEARTH_SEAL_BYTES", "1MiB"}};
  sources.flags = {{"listen", "127.0.0.1:3"}};
  auto config = load_config(sources);
  REQUIRE(config);
  CHECK(config->listen == "127.0.0.1:3");
  CHECK(config->database.seal_interval_ns == 10'000'000'000);
  CHECK(config->database.seal_bytes == 1U << 20U);
  CHECK(config->database.data_dir == "/from file");
  sources.flags.clear();
  CHECK(load_config(sources)->listen == "127.0.0.1:2");
  sources.environment.clear();
  CHECK(load_config(sources)->listen == "127.0.0.1:1");
}

TEST_CASE("an error names the place and the nearest setting", "[server]") {
  const auto message = [](ConfigSources sources) {
    const auto config = load_config(sources);
    return config ? std::string("accepted") : config.error().message;
  };
  CHECK(message({.file_text = "# x\n\nseal.intervall: 10s\n", .file_name = "h.conf"}) ==
        "h.conf:3: unknown setting \"seal.intervall\"; did you mean seal.interval?");
  CHECK(message({.file_text = "listen\n", .file_name = "h.conf"}) ==
        "h.conf:1: got \"listen\"; want `key: value`");
  CHECK(message({.environment = {{"HEARTH_SEAL_INTERVALL", "10s"}}}) ==
        "environment: unknown setting \"HEARTH_SEAL_INTERVALL\"; did you mean "
        "HEARTH_SEAL_INTERVAL?");
  CHECK(message({.environment = {{"HEARTH_NO_INSTALL", "1"},
                                 {"HEARTH_BUILD_JOBS", "2"},
                                 {"HEARTH_WEB", "disabled"},
                                 {"HEARTH_CONFIG", "x"}}}) == "accepted");
  CHECK(message({.environment = {{"HEARTH_SEAL_INTERVAL", "soon"}}}) ==
        "HEARTH_SEAL_INTERVAL: got \"soon\"; want a duration such as 60s, 250ms, 1h30m, 7d or 0");
  CHECK(message({.flags = {{"limits.samples-max", "-1"}}}) ==
        "--limits.samples-max: got \"-1\"; want a number from 0 to 2147483647");
  CHECK(message({.flags = {{"log.level", "loud"}}}) ==
        "--log.level: got \"loud\"; want debug|info|warn|error");
}

TEST_CASE("a single limit wins over the preset, wherever the two are said", "[server]") {
  ConfigSources sources;
  sources.flags = {{"limits.samples-max", "7"}};
  sources.file_text = "limits.preset: pyroscope";
  const auto config = load_config(sources);
  REQUIRE(config);
  CHECK(config->database.limits.samples_max == 7);
  CHECK(config->database.limits.active_series_max == 5000);
  CHECK(config->database.limits.query_length_max_ns == 24 * 3600'000'000'000);
}

TEST_CASE("aliases and underscores name the same setting", "[server]") {
  for (const char* line : {"multitenancy_enabled: true", "auth.multitenancy-enabled=yes"}) {
    const auto config = load_config({.file_text = line});
    REQUIRE(config);
    CHECK(config->tenancy);
  }
}

TEST_CASE("the effective configuration reads back as itself", "[server]") {
  ConfigSources sources;
  sources.flags = {{"seal.interval", "90s"},
                   {"limits.profile-max-bytes", "3MiB"},
                   {"http.idle-timeout", "1500ms"},
                   {"limits.preset", "pyroscope"}};
  const auto config = load_config(sources);
  REQUIRE(config);
  const std::string text = config_text(*config);
  const auto again = load_config({.file_text = text});
  REQUIRE(again);
  CHECK(config_text(*again) == text);
}

TEST_CASE("listen addresses", "[server]") {
  const auto parsed = [](const char* text) { return *parse_listen(text); };
  using Address = std::pair<std::string, uint16_t>;
  CHECK(parsed("127.0.0.1:0") == Address("127.0.0.1", 0));
  CHECK(parsed("[::1]:4040") == Address("::1", 4040));
  CHECK(parsed(":80") == Address("0.0.0.0", 80));
  CHECK(parsed("4041") == Address("0.0.0.0", 4041));
  for (const char* bad : {"", "host", "host:", "host:99999", "[::1]", "a:1x"}) {
    INFO(bad);
    CHECK_FALSE(parse_listen(bad));
  }
  CHECK(is_loopback("127.0.0.53"));
  CHECK(is_loopback("::1"));
  CHECK_FALSE(is_loopback("0.0.0.0"));
}

TEST_CASE("docs/flags.md says what the table says", "[server]") {
  const char* root = std::getenv("HEARTH_SOURCE_ROOT");
  REQUIRE(root != nullptr);
  std::ifstream in(std::string(root) + "/docs/flags.md");
  std::stringstream text;
  text << in.rdbuf();
  // To repair: hearth docs flags > docs/flags.md
  CHECK(text.str() == flags_markdown());
}

}  // namespace
}  // namespace hearth::server
