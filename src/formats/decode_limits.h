#pragma once

#include <cstddef>

namespace hearth::formats {

/// What a decoder may accept and how it may repair. 0 switches a limit off.
/// Pyroscope has the same limits; the defaults here only protect the machine (docs/flags.md).
struct DecodeLimits {
  size_t samples_max = 1'000'000;  ///< Samples of one profile; more is an error (samples_limit).
  size_t sample_labels_max =
      100;  ///< Labels of one sample; more is an error (sample_labels_limit).
  size_t stack_depth_max =
      16'384;  ///< Frames kept of a deeper stack, the `[truncated]` root included.
  size_t string_max_bytes = 65'535;     ///< A longer string keeps its tail.
  size_t profile_max_bytes = 16 << 20;  ///< One profile after decompression; used by decode() only.

  /// Profiles of .NET agents: when every function id is 0 and there are as
  /// many functions as locations, function i belongs to location i; and '-' in the names of sample
  /// types becomes '_'. Without it both are errors.
  bool dotnet_repairs = false;
};

}  // namespace hearth::formats
