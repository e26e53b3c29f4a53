#include "db/demo_data.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "base/periodic_thread.h"
#include "cli/command.h"
#include "server/config.h"
#include "server/server.h"

namespace hearth::cli {
namespace {

constexpr int64_t kHourNs = 3'600'000'000'000;

struct DemoCommand {
  std::string listen = "127.0.0.1:4040";
  std::string data;
  std::string hours = "3";
};

/// A progress bar on a terminal, one line at the end elsewhere.
class Progress {
 public:
  void show(uint64_t done, uint64_t total) {
    if (!terminal_ || total == 0) return;
    const uint64_t percent = done * 100 / total;
    if (percent == percent_) return;
    percent_ = percent;
    const auto filled = static_cast<size_t>(percent * 30 / 100);
    fmt::print(stderr, "\rwriting demo data [{:<30}] {:3} %", std::string(filled, '#'), percent);
    std::fflush(stderr);
  }
  void end(std::string_view text) {
    fmt::print(stderr, "{}{}\n", terminal_ ? "\r\033[K" : "", text);
  }

 private:
  const bool terminal_ = isatty(STDERR_FILENO) == 1;
  uint64_t percent_ = 101;
};

/// Writes the past, then one step of live profiles every 15 s, until destroyed.
class Feeder {
 public:
  Feeder(Database& db, int64_t past_ns)
      : db_(db),
        past_ns_(past_ns),
        token_(db.clock(), INT64_MAX),
        thread_({.name = "demo",
                 .interval = std::chrono::nanoseconds(demo::Options().step_ns),
                 .at_once = true},
                [this] { return std::exchange(begun_, true) ? write_step() : write_past(); }) {}
  ~Feeder() { token_.cancel(); }
  Feeder(const Feeder&) = delete;
  Feeder& operator=(const Feeder&) = delete;

 private:
  bool write_past() {
    Progress progress;
    demo::Options past;
    past.end_ns = db_.clock().wall_ns();
    past.length_ns = past_ns_;
    past.progress = [&progress](uint64_t done, uint64_t total) { progress.show(done, total); };
    const auto written = demo::write(db_, Tenant::anonymous(), past, token_);
    if (!written) {
      if (written.error().code != ErrorCode::cancelled)
        progress.end("demo data: " + written.error().message);
      return false;
    }
    progress.end(fmt::format("wrote {} profiles; new ones arrive every 15 s, Ctrl-C ends the demo",
                             *written));
    return true;
  }

  bool write_step() {
    live_.length_ns = live_.step_ns;
    live_.end_ns = db_.clock().wall_ns();
    ++live_.seed;
    // A refused step is no reason to end the demo: the next one comes.
    if (!demo::write(db_, Tenant::anonymous(), live_, token_)) std::fflush(stderr);
    return true;
  }

  Database& db_;
  const int64_t past_ns_;
  CancelToken token_;
  demo::Options live_;
  bool begun_ = false;
  PeriodicThread thread_;
};

/// A directory of its own below the system's temporary one, removed with everything in it.
class TemporaryDirectory {
 public:
  TemporaryDirectory()
      : path_(std::filesystem::temp_directory_path() / fmt::format("hearth-demo-{}", getpid())) {}
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

int run_demo(const DemoCommand& options, double hours) {
  std::unique_ptr<TemporaryDirectory> temporary;
  server::ConfigSources sources;
  sources.environment = server::process_environment();
  sources.flags = {{"listen", options.listen}, {"data", options.data}};
  if (options.data.empty()) {
    temporary = std::make_unique<TemporaryDirectory>();
    sources.flags[1].second = temporary->path();
  }
  const auto config = server::load_config(sources);
  if (!config) {
    print_error(config.error().message);
    return kUsage;
  }
  std::unique_ptr<Feeder> feeder;
  return server::serve(
      *config, {.started =
                    [&](server::Server& s) {
                      feeder = std::make_unique<Feeder>(
                          s.database(), static_cast<int64_t>(hours * static_cast<double>(kHourNs)));
                    },
                .stopping = [&] { feeder.reset(); }});
}

}  // namespace

int demo_command(const Arguments& arguments) {
  DemoCommand options;
  const std::vector<server::Flag> flags = {
      text_flag("listen", "ADDRESS", options.listen,
                "Address and port (default 127.0.0.1:4040; port 0 picks a free one)."),
      text_flag("data", "DIR", options.data,
                "Keep the data in this directory (default: a temporary one, removed at the end)."),
      text_flag("hours", "N", options.hours,
                "Hours of past profiles to invent, at most 48 (default 3).")};
  const server::CommandText text{
      .usage = "hearth demo [FLAGS]",
      .description =
          "Starts a server with invented, plausible data: three services in three regions, CPU, "
          "memory,\n"
          "goroutine and mutex profiles, two versions, and one planted regression: acme.Encode in\n"
          "service checkout costs 66 % more since version 2.4.1. New profiles arrive every 15 s.\n",
      .epilog = ""};
  Arguments positional;
  int exit_code = kOk;
  if (!parse_command(text, flags, arguments, positional, exit_code)) return exit_code;
  double hours = 0;
  const auto parsed =
      std::from_chars(options.hours.data(), options.hours.data() + options.hours.size(), hours);
  if (!positional.empty() || parsed.ec != std::errc() ||
      parsed.ptr != options.hours.data() + options.hours.size() || !(hours > 0 && hours <= 48)) {
    print_error(
        positional.empty()
            ? fmt::format("--hours: got \"{}\"; want a number above 0, at most 48", options.hours)
            : fmt::format("demo takes flags only; got \"{}\"", positional[0]));
    return kUsage;
  }
  return run_demo(options, hours);
}

}  // namespace hearth::cli
