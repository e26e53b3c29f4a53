#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "formats/batch_repair.h"
#include "formats/decode_limits.h"
#include "formats/id_index.h"
#include "formats/wire.h"
#include "hearth/profile.h"

/// Inside of the pprof decoder: pprof_reader.cc is the pass over the bytes, pprof_resolve.cc what
/// follows it.
namespace hearth::formats::pprof {

using wire::kBytes;
using wire::kVarint;
using wire::tag;

enum ProfileField : uint32_t {
  kSampleType = 1,
  kSample,
  kMapping,
  kLocation,
  kFunction,
  kString,
  kDropFrames,
  kKeepFrames,
  kTime,
  kDuration,
  kPeriodType,
  kPeriod,
  kComment,
  kDefaultSampleType,
  kDocUrl
};

/// A vector written through a cursor: room is made once per message, and what a former profile left
/// behind is overwritten, never cleared.
template <class T>
class Column {
 public:
  explicit Column(std::vector<T>& values)
      : values_(values), next_(values.data()), limit_(next_ + values.size()) {}
  /// Where to write; at least `n` more values fit.
  T* room(size_t n) {
    if (static_cast<size_t>(limit_ - next_) < n) [[unlikely]]
      grow(n);
    return next_;
  }
  void set_end(T* end) { next_ = end; }
  void push(T value) { *room(1) = value, ++next_; }
  [[nodiscard]] size_t size() const { return static_cast<size_t>(next_ - values_.data()); }
  const T& operator[](size_t i) const { return values_[i]; }
  void finish() { values_.resize(size()); }

 private:
  // resize() writes zeros, so the size follows in steps: a profile a little larger than the one
  // before must not pay for twice its size.
  [[gnu::noinline]] void grow(size_t n) {
    constexpr size_t kStep = 512;
    const size_t used = size();
    const size_t wanted = used + n + kStep;
    if (values_.capacity() < wanted) values_.reserve(2 * wanted);
    values_.resize(wanted);
    next_ = values_.data() + used;
    limit_ = values_.data() + wanted;
  }

  std::vector<T>& values_;
  T* next_;
  T* limit_;
};

/// Ids as they stand in the input, until the tables they refer to are complete. Kept between
/// profiles.
struct Ids {
  std::vector<uint64_t> mappings, locations, functions;  ///< Of the tables' own entries.
  std::vector<uint64_t> location_mappings,
      line_functions;                 ///< References, parallel to locations and lines.
  std::vector<uint64_t> wide_frames;  ///< Filled only when some reference has more than 32 bits.
  IdIndex index;

  [[nodiscard]] size_t capacity() const {
    return mappings.capacity() + locations.capacity() + functions.capacity() +
           location_mappings.capacity() + line_functions.capacity() + wide_frames.capacity();
  }
};

/// One pass over the bytes fills the columns; then ids are resolved and indices checked.
class PprofReader {
 public:
  PprofReader(std::string_view raw, const DecodeLimits& limits, ProfileBatch& out, Ids& ids)
      : raw_(raw), limits_(limits), out_(out), ids_(ids) {}

  Status read() {
    if (!read_profile()) return std::move(error_);
    finish_columns();
    if (!check_samples() || !check_strings() || !check_sample_types() || !resolve_ids())
      return std::move(error_);
    cut_deep_stacks();
    return {};
  }

 private:
  bool read_profile();
  const char* read_table_entry(const char* p, const char* end);
  const char* read_strings(const char* p, const char* end);
  bool check_plain_strings(const char* begin, const char* end, size_t first);
  const char* read_profile_field(uint32_t field_tag, const char* p, const char* end);
  /// Where the next frame and the next value of a sample go.
  struct SampleCursor {
    uint32_t* frame;
    int64_t* value;
  };
  bool read_sample(const char* p, const char* end);
  const char* read_plain_sample(const char* p, const char* end, SampleCursor& out);
  [[gnu::cold]] bool read_any_sample(const char* p, const char* end, SampleCursor& out);
  bool read_label(const char* p, const char* end);
  bool read_mapping(const char* p, const char* end);
  bool read_location(const char* p, const char* end);
  [[gnu::cold, gnu::noinline]] bool read_rest_of_location(const char* p, const char* end,
                                                          std::span<uint64_t, 5> numbers);
  bool read_line(const char* p, const char* end);
  bool read_function(const char* p, const char* end);
  bool read_value_type(const char* p, const char* end, bool of_period,
                       ProfileBatch::ValueType& out);
  bool read_string(const char* p, size_t length);
  const char* read_comments(uint32_t field_tag, const char* p, const char* end);
  const char* read_time(const char* p);

  void finish_columns();
  bool check_samples();
  bool check_strings();
  bool check_sample_types();
  [[gnu::cold]] bool refuse_string_index();
  bool resolve_ids();
  bool resolve_mappings(std::vector<uint8_t>& unusable);
  bool resolve_functions(std::vector<uint8_t>& unusable);
  bool repair_function_ids();
  bool resolve_frames(bool& missing);
  bool collect_wide_frames();
  void cut_deep_stacks() {
    if (deepest_ > limits_.stack_depth_max && limits_.stack_depth_max != 0)
      formats::cut_deep_stacks(out_, limits_.stack_depth_max);
  }

  // --- fields and errors

  /// Calls handle(tag, position) for each field of [p, end); it returns the position after the
  /// value, or nullptr.
  template <class Handle>
  bool each_field(const char* p, const char* end, const char* message, Handle handle) {
    while (p < end) {
      const char* const start = p;
      uint32_t field_tag = 0;
      p = wire::read_varint32(p, field_tag);
      if (p == nullptr || field_tag < 8) return malformed(start, message, "bad tag");
      p = handle(field_tag, p);
      if (p == nullptr) return malformed(start, message, "malformed field", field_tag);
    }
    if (p == end) [[likely]]
      return true;
    return malformed(end, message, "a field runs past the end");
  }
  /// Takes the varint field with this one-byte tag if it comes next. Writers send the fields of a
  /// message in one order, so that asking for them in turn costs no dispatch.
  template <uint32_t kTag>
  static const char* take(const char* p, const char* end, uint64_t& v) {
    static_assert(kTag < 0x80);
    if (p >= end || static_cast<unsigned char>(*p) != kTag) return p;
    const char* const next = wire::read_varint(p + 1, v);
    return next == nullptr ? p : next;
  }
  /// What take() left over of a message whose fields 1, 2, … are the varints `numbers`: fields in
  /// another order, unknown ones, malformed ones.
  [[gnu::cold, gnu::noinline]] bool read_rest(const char* p, const char* end, const char* message,
                                              std::span<uint64_t> numbers);
  /// A field that the message's handler does not know: skipped when its number is new, refused when
  /// its wire type is wrong.
  const char* unknown(uint32_t field_tag, const char* p, const char* end, uint32_t known_fields) {
    if (field_tag >> 3U > known_fields) return wire::skip_value(p, end, field_tag);
    malformed(p, "a known field", "wrong wire type", field_tag);
    return nullptr;
  }
  /// An index into string_table that must be good. Range is checked when the table is complete.
  uint32_t string_index(uint64_t v) {
    string_bits_ |= v;
    return static_cast<uint32_t>(v);
  }
  /// One that reads as "" when it is out of range; negative is an error all the same.
  bool optional_string_index(uint64_t v, const char* at, uint32_t& out) {
    if (static_cast<int64_t>(v) < 0) [[unlikely]]
      return malformed(at, "a string index", "negative");
    out = static_cast<uint32_t>(std::min<uint64_t>(v, UINT32_MAX));
    return true;
  }
  const char* optional_string_index(const char* p, uint32_t& out) {
    uint64_t v = 0;
    p = wire::read_varint(p, v);
    return p != nullptr && optional_string_index(v, p, out) ? p : nullptr;
  }
  template <class Int>
  static const char* number(const char* p, Int& out) {
    uint64_t v = 0;
    p = wire::read_varint(p, v);
    out = static_cast<Int>(v);
    return p;
  }

  /// The first error wins: it is the innermost.
  [[gnu::cold]] bool malformed(const char* at, const char* message, const char* why,
                               uint32_t field_tag = 0);
  [[gnu::cold]] bool refuse(std::string message, const char* reason = "malformed_profile");
  /// Byte offset of the value of the n-th top-level field `field`; for messages only.
  [[gnu::cold]] size_t offset_of(uint32_t field, size_t n) const;
  [[gnu::cold]] size_t count_of(uint32_t field) const;

  std::string_view raw_;
  const DecodeLimits& limits_;
  ProfileBatch& out_;
  Ids& ids_;
  Status error_ = {};

  Column<uint64_t> mapping_ids_{ids_.mappings}, location_ids_{ids_.locations},
      function_ids_{ids_.functions}, location_mapping_ids_{ids_.location_mappings},
      line_function_ids_{ids_.line_functions};
  Column<std::string_view> strings_{out_.strings};
  Column<uint32_t> function_name_{out_.functions.name},
      function_system_{out_.functions.system_name}, function_file_{out_.functions.file};
  Column<int64_t> function_start_{out_.functions.start_line};
  Column<uint32_t> line_begin_{out_.locations.line_begin};
  Column<uint64_t> location_address_{out_.locations.address};
  Column<uint8_t> location_folded_{out_.locations.folded};
  Column<int64_t> line_line_{out_.lines.line}, line_column_{out_.lines.column};
  Column<uint32_t> frames_{out_.samples.frames}, stack_begin_{out_.samples.stack_begin},
      label_begin_{out_.samples.label_begin};
  Column<int64_t> values_{out_.samples.values};
  Column<ProfileBatch::SampleLabel> labels_{out_.samples.labels};

  uint64_t string_bits_ =
      0;  ///< All required string indices or-ed: negative and huge ones show in the upper half.
  uint64_t wide_bits_ = 0;  ///< Upper halves of all location references.
  uint64_t count_differs_ =
      0;                    ///< Not 0: some sample has another number of values than the first one.
  size_t value_count_ = 0;  ///< Of the first sample.
  size_t deepest_ = 0;
  size_t zero_functions_ =
      0;  ///< Functions and references to functions with id 0 (only with dotnet_repairs).
};

}  // namespace hearth::formats::pprof
