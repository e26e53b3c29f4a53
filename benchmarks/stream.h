#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "harness.h"

namespace hearth::bench {

/// Profiles of one service in the order of time, as its agent sends them.
struct Stream {
  std::string name;
  std::vector<std::string> gzip;
  std::vector<std::string> raw;  ///< Inflated; kReadSlack readable bytes behind each.
  size_t samples = 0;
  [[nodiscard]] size_t size() const { return raw.size(); }
  [[nodiscard]] double gzip_bytes() const;
  [[nodiscard]] double raw_bytes() const;
};

enum class StreamKind : unsigned char {
  cpu,   ///< 480 samples of 31 frames, two values: a Go server's CPU profiles.
  heap,  ///< 4,500 samples of 25 frames, four values and a size label: its heap profiles.
};

/// A generated stream of `profiles`: each profile keeps each sample's stack with p =
/// 0.5, else redraws it from the pool of all that came before; then stacks seen once give way to
/// new ones until distinct stacks follow K·n^0.69 (heap: 0.2). The same seed gives the same bytes.
Stream generated_stream(StreamKind kind, size_t profiles, uint64_t seed = 1);

/// The streams to measure: with --corpus, one per folder and kind of its files (name up to the last
/// '-'), at most `profiles` each; without, the generated ones.
std::vector<Stream> streams(const Context& context, size_t profiles);

}  // namespace hearth::bench
