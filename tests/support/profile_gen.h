#pragma once

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "hearth/profile.h"

namespace hearth::test {

/// What the generated program and its profiles look like. The defaults are those of a Go server's
/// 10 s CPU profile (measured on Prometheus): 480 samples of 31 frames, some 880 locations, 450
/// functions with names of 39 bytes.
struct ProfileShape {
  size_t samples = 480;
  size_t mean_depth = 31;
  size_t functions = 450;
  size_t mappings = 3;
  std::vector<std::pair<std::string, std::string>> types = {{"samples", "count"},
                                                            {"cpu", "nanoseconds"}};
  std::pair<std::string, std::string> period_type = {"cpu", "nanoseconds"};
  int64_t period = 10'000'000;
  /// Chance in percent that a sample carries string labels (and, as often, a numeric one).
  uint64_t labelled_percent = 0;
  /// Chance in percent that a value is negative or zero: what the write pipeline drops.
  uint64_t odd_value_percent = 0;
  /// Chance in percent that a sample has side data: one of two spans, of two traces, or a time.
  uint64_t side_percent = 0;
};

/// SplitMix64: the same seed gives the same numbers on every machine.
class Dice {
 public:
  explicit Dice(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }
  /// Uniform in [0, n); n > 0.
  uint64_t below(uint64_t n) { return next() % n; }
  bool percent(uint64_t p) { return below(100) < p; }
  /// In [0, n), small numbers much more often: what makes some call sites hot.
  size_t skewed(size_t n) {
    const double u = static_cast<double>(next() >> 11U) * 0x1p-53;
    return std::min(n - 1, static_cast<size_t>(u * u * u * static_cast<double>(n)));
  }

 private:
  uint64_t state_;
};

/// Seeded generator of plausible profiles of one program: stacks are walks over its call graph, so
/// that profiles of one generator share symbols and stacks as those of one service do. Locations
/// have one to three lines (inlining), most lie in the first mapping, some have an address and no
/// line. A batch holds only the symbols it uses, ids in order of first use.
class ProfileGen {
 public:
  using Stack = std::vector<uint32_t>;  ///< Call sites of the program, leaf first.
  struct Sample {
    Stack stack;
    std::vector<int64_t> values;
    bool labelled = false;
  };

  explicit ProfileGen(uint64_t seed, ProfileShape shape = {})
      : dice_(seed), shape_(std::move(shape)) {
    make_program();
  }

  [[nodiscard]] const ProfileShape& shape() const { return shape_; }
  Dice& dice() { return dice_; }

  /// The next profile: `samples` distinct stacks (fewer when the program has no more), drawn from
  /// the call graph.
  ProfileBatch next() {
    std::set<Stack> seen;
    std::vector<Sample> samples;
    for (size_t tries = 0; samples.size() < shape_.samples && tries < 4 * shape_.samples; ++tries) {
      Stack stack = draw();
      if (seen.insert(stack).second) samples.push_back(weigh(std::move(stack)));
    }
    return batch(samples);
  }
  /// A random walk from a root of the program.
  Stack draw() {
    // Depths spread around the mean; a fresh walk of the whole depth is drawn each time.
    const size_t depth = 1 + dice_.below(shape_.mean_depth) + dice_.below(shape_.mean_depth);
    Stack stack{static_cast<uint32_t>(dice_.skewed(kRoots))};
    walk(stack, depth - 1);
    std::reverse(stack.begin(), stack.end());
    return stack;
  }
  /// A new stack near a known one: cut up to three frames above its leaf and continued by one to
  /// three (the overlap of real streams).
  Stack vary(Stack stack) {
    std::reverse(stack.begin(), stack.end());
    stack.resize(
        std::max<size_t>(1, stack.size() - std::min<size_t>(stack.size(), dice_.below(4))));
    walk(stack, 1 + dice_.below(3));
    std::reverse(stack.begin(), stack.end());
    return stack;
  }
  /// A sample of `stack` with values of the shape: the first counts, the others are multiples of
  /// it.
  Sample weigh(Stack stack) {
    Sample sample{std::move(stack), {}, dice_.percent(shape_.labelled_percent)};
    const auto count = static_cast<int64_t>(1 + dice_.skewed(40));
    for (size_t t = 0; t < shape_.types.size(); ++t)
      sample.values.push_back(t == 0 ? count : count * shape_.period);
    if (dice_.percent(shape_.odd_value_percent)) {
      const int64_t sign = dice_.percent(50) ? 0 : -1;
      for (int64_t& v : sample.values) v *= sign;
    }
    return sample;
  }
  /// A valid batch of these samples. Each profile is ten seconds after the one before.
  ProfileBatch batch(const std::vector<Sample>& samples) {
    Writer w(*this);
    for (const auto& [type, unit] : shape_.types)
      w.out.sample_types.push_back({w.text(type), w.text(unit)});
    w.out.period_type = {w.text(shape_.period_type.first), w.text(shape_.period_type.second)};
    w.out.period = shape_.period;
    w.out.time_ns = 1'700'000'000'000'000'000 + static_cast<int64_t>(profiles_++) * 10'000'000'000;
    w.out.duration_ns = 10'000'000'000;
    w.out.samples.stack_begin.push_back(0);
    w.out.samples.label_begin.push_back(0);
    w.out.locations.line_begin.push_back(0);
    for (const Sample& sample : samples) w.add(sample);
    return std::move(w.out);
  }

 private:
  static constexpr size_t kRoots = 6;

  struct Function {
    std::string name, file;
    int64_t start_line = 0;
    std::vector<uint32_t> sites;  // Call sites inside this function.
  };
  struct Site {
    uint32_t mapping = 0;
    uint64_t address = 0;
    std::vector<std::pair<uint32_t, int64_t>>
        lines;  // (function, line), innermost first; empty: not symbolised.
    std::vector<uint32_t> callees;
  };

  void make_program() {
    static constexpr const char* kPackages[] = {"runtime",
                                                "net/http",
                                                "encoding/json",
                                                "github.com/acme/shop/internal/cart",
                                                "github.com/acme/shop/internal/storage/index",
                                                "java.util.concurrent"};
    static constexpr const char* kNouns[] = {"(*Store)", "(*memSeries)", "Handler",
                                             "(*blockQuerier)", "(*Decoder)"};
    static constexpr const char* kVerbs[] = {"Append",         "serve",    "decodeValue",
                                             "lookupPostings", "mallocgc", "Iterate"};
    for (size_t f = 0; f < shape_.functions; ++f) {
      const std::string package = kPackages[dice_.skewed(std::size(kPackages))];
      const std::string name = package + "." + kNouns[dice_.below(std::size(kNouns))] + "." +
                               kVerbs[dice_.below(std::size(kVerbs))] + std::to_string(f);
      functions_.push_back({name,
                            "/src/" + package + "/file" + std::to_string(dice_.below(9)) + ".go",
                            static_cast<int64_t>(1 + dice_.below(900)),
                            {}});
      const size_t sites = 1 + dice_.below(3) + (f < kRoots ? 3 : 0);
      for (size_t s = 0; s < sites; ++s) add_site(static_cast<uint32_t>(f));
    }
    for (Site& site : sites_) {
      const size_t callees = 1 + dice_.skewed(8);
      for (size_t c = 0; c < callees; ++c)
        site.callees.push_back(static_cast<uint32_t>(dice_.below(functions_.size())));
    }
  }
  void add_site(uint32_t function) {
    Site site;
    site.mapping = static_cast<uint32_t>(dice_.skewed(shape_.mappings));
    site.address = 0x400000 + 16 * (sites_.size() + 1) + dice_.below(16);
    if (!dice_.percent(3)) {
      const size_t inlined = dice_.percent(15) ? 1 + dice_.below(2) : 0;
      for (size_t i = 0; i < inlined; ++i) {
        site.lines.emplace_back(static_cast<uint32_t>(dice_.below(shape_.functions)),
                                1 + dice_.below(900));
      }
      site.lines.emplace_back(
          function, functions_[function].start_line + static_cast<int64_t>(dice_.below(80)));
    }
    functions_[function].sites.push_back(static_cast<uint32_t>(sites_.size()));
    sites_.push_back(std::move(site));
  }
  // Appends `steps` call sites, each in a function that the one before calls.
  void walk(Stack& root_first, size_t steps) {
    for (size_t i = 0; i < steps; ++i) {
      const Site& site = sites_[root_first.back()];
      const Function& callee = functions_[site.callees[dice_.skewed(site.callees.size())]];
      root_first.push_back(callee.sites[dice_.skewed(callee.sites.size())]);
    }
  }

  // Renumbers what the samples use into the tables of one batch.
  struct Writer {
    explicit Writer(ProfileGen& g) : gen(g) { text(""); }
    uint32_t text(const std::string& s) {
      const auto [it, added] = strings.try_emplace(s, static_cast<uint32_t>(out.strings.size()));
      if (added) out.add_string(s);
      return it->second;
    }
    uint32_t mapping(uint32_t m) {
      const auto [it, added] = mappings.try_emplace(m, static_cast<uint32_t>(out.mappings.size()));
      if (added) {
        out.mappings.start.push_back(0x400000 + m * 0x1000000);
        out.mappings.limit.push_back(0x400000 + (m + 1) * 0x1000000);
        out.mappings.offset.push_back(0);
        out.mappings.file.push_back(
            text(m == 0 ? "/usr/bin/shop" : "/usr/lib/lib" + std::to_string(m) + ".so"));
        out.mappings.build_id.push_back(text("b1d" + std::to_string(m)));
        out.mappings.flags.push_back(ProfileBatch::kHasFunctions | ProfileBatch::kHasLineNumbers);
      }
      return it->second;
    }
    uint32_t function(uint32_t f) {
      const auto [it, added] =
          functions.try_emplace(f, static_cast<uint32_t>(out.functions.size()));
      if (added) {
        const Function& from = gen.functions_[f];
        out.functions.name.push_back(text(from.name));
        out.functions.system_name.push_back(text(from.name));
        out.functions.file.push_back(text(from.file));
        out.functions.start_line.push_back(from.start_line);
      }
      return it->second;
    }
    uint32_t location(uint32_t s) {
      const auto [it, added] =
          locations.try_emplace(s, static_cast<uint32_t>(out.locations.size()));
      if (added) {
        const Site& site = gen.sites_[s];
        out.locations.mapping.push_back(mapping(site.mapping));
        out.locations.address.push_back(site.address);
        out.locations.folded.push_back(0);
        for (const auto& [f, line] : site.lines) {
          out.lines.function.push_back(function(f));
          out.lines.line.push_back(line);
          out.lines.column.push_back(0);
        }
        out.locations.line_begin.push_back(static_cast<uint32_t>(out.lines.function.size()));
      }
      return it->second;
    }
    void add(const Sample& sample) {
      if (gen.shape_.side_percent != 0) add_side();
      for (const uint32_t site : sample.stack) out.samples.frames.push_back(location(site));
      out.samples.stack_begin.push_back(static_cast<uint32_t>(out.samples.frames.size()));
      out.samples.values.insert(out.samples.values.end(), sample.values.begin(),
                                sample.values.end());
      if (sample.labelled) {
        out.samples.labels.push_back(
            {text("endpoint"), text("/api/v" + std::to_string(gen.dice_.below(5))), 0, 0});
        if (gen.dice_.percent(50)) {
          out.samples.labels.push_back(
              {text("bytes"), 0, static_cast<int64_t>(16 << gen.dice_.below(12)), text("bytes")});
        }
      }
      out.samples.label_begin.push_back(static_cast<uint32_t>(out.samples.labels.size()));
    }

    // Of the sample that comes next.
    void add_side() {
      Dice& dice = gen.dice_;
      if (!dice.percent(gen.shape_.side_percent)) return;
      ProfileBatch::SideData side;
      side.sample = static_cast<uint32_t>(out.samples.size());
      side.span_id = dice.below(3);
      side.trace_id_lo = dice.below(3);
      side.time_ns = dice.percent(50) ? out.time_ns + static_cast<int64_t>(dice.below(1000)) : 0;
      out.samples.side.push_back(side);
    }

    ProfileGen& gen;
    ProfileBatch out;
    std::unordered_map<std::string, uint32_t> strings;
    std::unordered_map<uint32_t, uint32_t> mappings, functions, locations;
  };

  Dice dice_;
  ProfileShape shape_;
  uint64_t profiles_ = 0;
  std::vector<Function> functions_;
  std::vector<Site> sites_;
};

}  // namespace hearth::test
