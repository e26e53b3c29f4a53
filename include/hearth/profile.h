#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "hearth/result.h"

namespace hearth {

/// One decoded profile as parallel columns (struct of arrays): what every format decodes to and what the store takes.
///
/// Shape:  indices are dense and zero-based into the tables of this batch. `x_begin` columns have one entry more than there are
///         items: item i owns [x_begin[i], x_begin[i + 1]).
/// Views:  `strings` point into the bytes that were decoded or into `owned`; the batch must not outlive those bytes.
/// Reuse:  clear() keeps capacity, so that a worker decodes profile after profile without allocating.
/// Source: pprof's profile.proto (github.com/google/pprof/proto).
struct ProfileBatch {
  static constexpr uint32_t kNone = UINT32_MAX;  ///< No mapping, no such thing.
  /// Sample types of a profile; a segment cannot hold more (docs/segment_format.md).
  static constexpr size_t kTypesMax = 64;

  struct ValueType {
    uint32_t type = 0;  ///< Index into strings.
    uint32_t unit = 0;
  };
  struct Functions {
    std::vector<uint32_t> name, system_name, file;  ///< Indices into strings.
    std::vector<int64_t> start_line;
    [[nodiscard]] size_t size() const { return name.size(); }
  };
  struct Mappings {
    std::vector<uint64_t> start, limit, offset;
    std::vector<uint32_t> file, build_id;  ///< Indices into strings.
    std::vector<uint8_t> flags;            ///< MappingFlags, or-ed.
    [[nodiscard]] size_t size() const { return start.size(); }
  };
  enum MappingFlags : uint8_t { kHasFunctions = 1, kHasFilenames = 2, kHasLineNumbers = 4, kHasInlineFrames = 8 };
  struct Locations {
    std::vector<uint32_t> mapping;  ///< Index into mappings or kNone.
    std::vector<uint64_t> address;
    std::vector<uint8_t> folded;
    std::vector<uint32_t> line_begin;  ///< size() + 1 entries into lines.
    [[nodiscard]] size_t size() const { return mapping.size(); }
  };
  /// Lines of a location: innermost inlined function first, as pprof.
  struct Lines {
    std::vector<uint32_t> function;
    std::vector<int64_t> line, column;
  };
  /// A label of a sample: `str` (index into strings) when it is not 0, else `num` with `num_unit`.
  struct SampleLabel {
    uint32_t key = 0;
    uint32_t str = 0;
    int64_t num = 0;
    uint32_t num_unit = 0;
  };
  /// The span, trace and time that a sample belongs to, as far as the client says; 0: not said. An
  /// id is the number of its big-endian bytes.
  struct SideData {
    uint32_t sample = 0;
    uint64_t span_id = 0;
    uint64_t trace_id_hi = 0, trace_id_lo = 0;
    int64_t time_ns = 0;  ///< UTC.
    bool operator==(const SideData&) const = default;
  };
  struct Samples {
    std::vector<uint32_t> stack_begin;  ///< size + 1 entries into frames.
    std::vector<uint32_t> frames;       ///< Indices into locations, leaf first.
    std::vector<int64_t> values;        ///< Sample-major: sample s, type t at [s * types + t].
    std::vector<uint32_t> label_begin;  ///< size + 1 entries into labels.
    std::vector<SampleLabel> labels;
    std::vector<SideData>
        side;  ///< Strictly ascending by sample; samples without any are not listed.
    [[nodiscard]] size_t size() const { return stack_begin.empty() ? 0 : stack_begin.size() - 1; }
  };

  std::vector<std::string_view> strings;  ///< strings[0] is "".
  Functions functions;
  Mappings mappings;
  Locations locations;
  Lines lines;
  Samples samples;
  std::vector<ValueType> sample_types;
  ValueType period_type;
  int64_t period = 0;
  int64_t time_ns = 0;      ///< UTC, start; 0 = unknown.
  int64_t duration_ns = 0;  ///< 0 = snapshot or unknown.
  std::vector<uint32_t> comments;
  uint32_t default_sample_type = 0;
  uint32_t drop_frames = 0;
  uint32_t keep_frames = 0;
  uint32_t doc_url = 0;
  /// What a decoder or the write pipeline repaired or dropped, counted by kind.
  struct Repairs {
    uint64_t samples_negative = 0;       ///< Dropped: some value negative.
    uint64_t samples_zero = 0;           ///< Dropped: all values zero.
    uint64_t stacks_truncated = 0;       ///< Root side replaced by a [truncated] frame.
    uint64_t strings_truncated = 0;      ///< Over 65,535 bytes; the tail was kept.
    uint64_t numeric_labels_dropped = 0;
    uint64_t sample_ids_dropped = 0;  ///< Malformed span, trace and profile ids of samples.
    uint64_t side_data_dropped = 0;   ///< Of samples beyond the limit of a profile.
    uint64_t frames_dropped = 0;  ///< Referred to a location, function or mapping that the profile lacks.
  } repairs;
  /// Bytes for strings that are not in the input (text formats, rewritten names). Elements never move.
  std::vector<std::vector<char>> owned;

  [[nodiscard]] size_t types() const { return sample_types.size(); }
  [[nodiscard]] std::span<const uint32_t> stack(size_t sample) const {
    return std::span(samples.frames).subspan(samples.stack_begin[sample],
                                             samples.stack_begin[sample + 1] - samples.stack_begin[sample]);
  }
  [[nodiscard]] std::span<const SampleLabel> labels_of(size_t sample) const {
    return std::span(samples.labels)
        .subspan(samples.label_begin[sample], samples.label_begin[sample + 1] - samples.label_begin[sample]);
  }
  [[nodiscard]] int64_t value(size_t sample, size_t type) const { return samples.values[sample * types() + type]; }
  /// Adds a string that is kept in `owned`; returns its index. Does not look for an equal one.
  uint32_t add_string(std::string_view s);
  /// Adds a location that is one line in a new function with the string `name` and nothing else;
  /// returns its index. The tables were begun: line_begin holds its first 0.
  uint32_t add_named_location(uint32_t name, uint32_t mapping);
  /// Empties everything, keeps capacity.
  void clear();
  /// Approximate bytes held, for the memory accountant.
  [[nodiscard]] size_t memory_bytes() const;
  /// The one gate: every index in range, every `begin` column ascending and complete, string 0 empty. Decoders of other
  /// formats than pprof call it; past it nothing is checked again.
  [[nodiscard]] Status validate() const;
};

}  // namespace hearth
