#pragma once

#include <cstddef>
#include <cstdint>

namespace hearth::ingest {

/// Limits of one tenant (docs/flags.md). 0 switches a limit off. Defaults are hearth's: only what
/// protects the machine.
struct Limits {
  size_t request_max_bytes = 64u << 20;        ///< All profiles of a request, inflated.
  size_t profile_max_bytes = 16u << 20;        ///< One profile, inflated.
  size_t samples_max = 1'000'000;              ///< Per profile.
  size_t sample_labels_max = 100;              ///< Per sample.
  size_t side_data_max = 50'000;               ///< Samples of a profile whose span, trace or time is kept.
  size_t stack_depth_max = 16'384;             ///< Deeper: leaf side kept under a [truncated] frame, counted.
  size_t symbol_max_bytes = 65'535;            ///< Longer strings keep their tail.
  size_t label_name_max_bytes = 1024;
  size_t label_value_max_bytes = 2048;
  size_t label_names_max = 30;
  size_t active_series_max = 100'000;          ///< Per tenant: 429 series_limit.
  size_t sessions_per_series_max = 0;          ///< 0: the session label is removed.
  int64_t reject_older_than_ns = 0;            ///< 0: any time stamp is accepted.
  int64_t reject_newer_than_ns = 0;
  /// Queries.
  int64_t flame_nodes_default = 8192;
  int64_t flame_nodes_max = 1'048'576;
  int64_t query_length_max_ns = 0;
  int64_t query_lookback_max_ns = 0;
};

}  // namespace hearth::ingest
