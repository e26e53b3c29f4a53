#include "harness.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <map>
#include <string_view>
#include <thread>

#include "base/gzip_codec.h"
#include "support/profile_gen.h"

namespace hearth::bench {
namespace {

using Benchmarks = std::map<std::string, std::function<void(Context&)>>;

Benchmarks& registered() {
  static Benchmarks benchmarks;
  return benchmarks;
}

double seconds(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

/// Time of one repetition: on the wall, and of this thread on a CPU.
struct Time {
  double wall = 0;
  double cpu = 0;
};

Time time_of(const std::function<void()>& work, size_t times) {
  const Time start{seconds(CLOCK_MONOTONIC), seconds(CLOCK_THREAD_CPUTIME_ID)};
  for (size_t i = 0; i < times; ++i) work();
  const auto n = static_cast<double>(times);
  return {(seconds(CLOCK_MONOTONIC) - start.wall) / n,
          (seconds(CLOCK_THREAD_CPUTIME_ID) - start.cpu) / n};
}

std::string quoted(std::string_view s) {
  std::string out = "\"";
  for (const char c : s) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(static_cast<unsigned char>(c) < 0x20 ? ' ' : c);
  }
  return out + "\"";
}

std::string cpu_model() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

std::string machine_fingerprint() {
  utsname system{};
  uname(&system);
#ifdef __OPTIMIZE__
  constexpr const char* kBuild = "optimized";
#else
  constexpr const char* kBuild = "unoptimized";
#endif
  return fmt::format(R"({{"cpu":{},"cores":{},"kernel":{},"compiler":{},"build":"{}"}})",
                     quoted(cpu_model()), std::thread::hardware_concurrency(),
                     quoted(system.release), quoted(__VERSION__), kBuild);
}

// Text that deflates about as profiles do: function names with numbers between them.
std::string calibration_body() {
  test::Dice dice(1);
  std::string text;
  while (text.size() < 256 * 1024) {
    text += fmt::format("github.com/acme/shop/internal/part{}.(*Store).Append{} ", dice.below(40),
                        dice.skewed(5000));
  }
  return gzip_compress(text, 6);
}

struct Quartiles {
  double low, median, high;
};
Quartiles quartiles(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  const auto at = [&](double q) {
    return v[static_cast<size_t>(q * static_cast<double>(v.size() - 1) + 0.5)];
  };
  return {at(0.25), at(0.5), at(0.75)};
}

Quartiles quartiles(const std::vector<Time>& times, double Time::* field) {
  std::vector<double> v;
  for (const Time& t : times) v.push_back(t.*field);
  return quartiles(std::move(v));
}

std::string json_params(const Params& params) {
  std::string out = "{";
  for (const auto& [key, value] : params)
    out += (out.size() > 1 ? "," : "") + quoted(key) + ":" + quoted(value);
  return out + "}";
}

void print_usage() {
  std::puts(
      "hearth_bench [--list] [--corpus DIR] [--runs N] [--pods N] [--min-run-ms MS] "
      "[--load-seconds S] [--services N] [NAME-PREFIX ...]\n"
      "Prints one JSON line per measurement. --corpus: real pprof files beside the generated "
      "ones.");
}

}  // namespace

Context::Context(Options options)
    : options_(std::move(options)),
      machine_(machine_fingerprint()),
      calibration_(calibration_body()) {}

void Context::compare(const std::string& name, const Params& params,
                      const std::vector<Variant>& variants, const std::vector<Metric>& metrics) {
  std::vector<Variant> all = variants;
  all.push_back({"calibration", [this] { keep(gunzip(calibration_, 1 << 20, inflated_)); }});
  std::vector<size_t> repetitions;
  for (const Variant& v : all) {
    v.run();
    const double once = std::max(time_of(v.run, 1).wall, 1e-9);
    repetitions.push_back(
        std::max<size_t>(1, static_cast<size_t>(options_.min_run_seconds / once)));
  }
  std::vector<std::vector<Time>> times(all.size());
  for (size_t run = 0; run < options_.runs; ++run) {
    for (size_t v = 0; v < all.size(); ++v) times[v].push_back(time_of(all[v].run, repetitions[v]));
  }
  const double calibration =
      static_cast<double>(inflated_.size()) / 1e6 / quartiles(times.back(), &Time::wall).median;
  for (size_t v = 0; v < variants.size(); ++v) {
    std::vector<double> ratios;
    for (size_t run = 0; run < options_.runs; ++run)
      ratios.push_back(times[v][run].wall / times[0][run].wall);
    Params with_variant = params;
    with_variant.emplace_back("variant", variants[v].name);
    for (const Metric& metric : metrics) {
      const double median = metric.value(quartiles(times[v], &Time::wall).median);
      const double on_cpu = metric.value(quartiles(times[v], &Time::cpu).median);
      const Quartiles wall = quartiles(times[v], &Time::wall);
      fmt::print(
          R"({{"name":{},"params":{},"value":{:.6g},"unit":{},"median":{:.6g},"iqr":{:.3g},"on_cpu":{:.6g},"runs":{},)"
          R"("time_ratio_to_first":{:.3f},"calibration_mb_s":{:.0f},"machine":{}}})"
          "\n",
          quoted(name), json_params(with_variant), median, quoted(metric.unit), median,
          std::abs(metric.value(wall.high) - metric.value(wall.low)), on_cpu, times[v].size(),
          quartiles(ratios).median, calibration, machine_);
    }
  }
  std::fflush(stdout);
}

double Context::calibration_rate() {
  std::vector<double> rates;
  for (int i = 0; i < 5; ++i) {
    const Time t = time_of([this] { keep(gunzip(calibration_, 1 << 20, inflated_)); }, 4);
    rates.push_back(static_cast<double>(inflated_.size()) / 1e6 / t.cpu);
  }
  return quartiles(std::move(rates)).median;
}

void Context::report(const std::string& name, const Params& params, const std::string& unit,
                     std::vector<double> values) {
  const Quartiles q = quartiles(values);
  fmt::print(
      R"({{"name":{},"params":{},"value":{:.6g},"unit":{},"median":{:.6g},"iqr":{:.3g},"runs":{},)"
      R"("calibration_mb_s":{:.0f},"machine":{}}})"
      "\n",
      quoted(name), json_params(params), q.median, quoted(unit), q.median, q.high - q.low,
      values.size(), calibration_rate(), machine_);
  std::fflush(stdout);
}

Registration::Registration(std::string name, std::function<void(Context&)> run) {
  registered().emplace(std::move(name), std::move(run));
}

int main(int argc, char** argv) {
  Options options;
  bool list = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    const char* const value = i + 1 < argc ? argv[i + 1] : "";
    if (flag == "--list") {
      list = true;
    } else if (flag == "--corpus") {
      options.corpus = value, ++i;
    } else if (flag == "--runs") {
      options.runs = std::max<size_t>(1, std::strtoul(value, nullptr, 10)), ++i;
    } else if (flag == "--pods") {
      options.pods = std::strtoul(value, nullptr, 10), ++i;
    } else if (flag == "--min-run-ms") {
      options.min_run_seconds = std::strtod(value, nullptr) / 1e3, ++i;
    } else if (flag == "--services") {
      options.services = std::max<size_t>(1, std::strtoul(value, nullptr, 10)), ++i;
    } else if (flag == "--load-seconds") {
      options.load_seconds = std::strtod(value, nullptr), ++i;
    } else if (flag.starts_with("-")) {
      print_usage();
      return flag == "--help" || flag == "-h" ? 0 : 2;
    } else {
      options.prefixes.emplace_back(flag);
    }
  }
  Context context(options);
  for (const auto& [name, run] : registered()) {
    const bool wanted = options.prefixes.empty() ||
                        std::any_of(options.prefixes.begin(), options.prefixes.end(),
                                    [&n = name](const std::string& p) { return n.starts_with(p); });
    if (!wanted) continue;
    if (list) {
      std::puts(name.c_str());
    } else {
      run(context);
    }
  }
  return 0;
}

}  // namespace hearth::bench

int main(int argc, char** argv) {
  return hearth::bench::main(argc, argv);
}
