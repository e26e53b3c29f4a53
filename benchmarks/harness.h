#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

/// The frame of hearth_bench (docs/benchmarks.md): benchmarks register themselves, measure variants
/// of one piece of work side by side, and print one JSON line per measurement. Results are compared
/// as ratios within one run: every comparison also measures a calibration loop, and its variants
/// run interleaved.
namespace hearth::bench {

struct Options {
  std::vector<std::string>
      prefixes;  ///< Benchmarks to run: those whose name starts with one of them; none given: all.
  std::string corpus;             ///< Directory of real pprof files; empty: generated data only.
  size_t runs = 9;                ///< Measured runs of every variant.
  double load_seconds = 60;       ///< How long a paced load lasts.
  size_t services = 10'000;       ///< That send it, in benchmarks of memory.
  size_t pods = 100;              ///< Of the day that query/pods-24h is about.
  double min_run_seconds = 0.02;  ///< Work is repeated within a run until it takes this long.
};

/// One way to do the work. `run` does all of it once.
struct Variant {
  std::string name;
  std::function<void()> run;
};

/// A number derived from the time that one `run` took.
struct Metric {
  std::string unit;
  double amount = 1;       ///< Work of one run, in the unit's terms: megabytes, samples, profiles …
  bool per_second = true;  ///< amount / seconds; else seconds / amount, times `scale`.
  double scale = 1;

  /// The number for a run of this many seconds.
  [[nodiscard]] double value(double seconds) const {
    return per_second ? amount / seconds : seconds / amount * scale;
  }
  /// `amount` things per second: rate("MB/s", bytes / 1e6).
  static Metric rate(std::string unit, double amount) { return {std::move(unit), amount, true, 1}; }
  /// Time of one of `amount` things: cost("ns/sample", samples, 1e9).
  static Metric cost(std::string unit, double amount, double scale) {
    return {std::move(unit), amount, false, scale};
  }
};

using Params = std::vector<std::pair<std::string, std::string>>;

class Context {
 public:
  explicit Context(Options options);
  [[nodiscard]] const Options& options() const { return options_; }

  /// Measures the variants interleaved (A B C, A B C, …), after one run of each to warm up. The
  /// first is ours; the others are what it is compared with. Prints a line per variant and metric,
  /// each with its ratio to the first variant of the same round.
  void compare(const std::string& name, const Params& params, const std::vector<Variant>& variants,
               const std::vector<Metric>& metrics);
  /// Prints a measurement that was made otherwise: sizes, counts, latencies. `values` has one or
  /// more entries.
  void report(const std::string& name, const Params& params, const std::string& unit,
              std::vector<double> values);

 private:
  /// MB/s of the calibration loop now, of CPU time.
  double calibration_rate();

  Options options_;
  std::string machine_;      // JSON object.
  std::string calibration_;  // A gzip body; inflating it is the calibration loop.
  std::string inflated_;
};

/// Registers a benchmark at start-up: `const bench::Registration kParse("parse", run_parse);`
struct Registration {
  Registration(std::string name, std::function<void(Context&)> run);
};

/// The compiler must assume that `value` is used.
template <class T>
void keep(const T& value) {
  asm volatile("" : : "g"(&value) : "memory");
}

/// Parses flags, runs what was asked for. The exit status.
int main(int argc, char** argv);

}  // namespace hearth::bench
