#include "formats/pprof_decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/gzip_codec.h"
#include "base/utf8.h"
#include "formats/batch_repair.h"
#include "formats/id_index.h"
#include "formats/packed.h"
#include "formats/wire.h"

namespace hearth::formats {
namespace {

using wire::kBytes;
using wire::kVarint;
using wire::tag;

static_assert(wire::kOverrun <= kReadSlack);

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
  explicit Column(std::vector<T>& values) : values_(values) {}
  /// Where to write; at least `n` more values fit.
  T* room(size_t n) {
    if (values_.size() - size_ < n) [[unlikely]]
      values_.resize(std::max({size_ + n, 2 * values_.size(), size_t{256}}));
    return values_.data() + size_;
  }
  void set_end(const T* end) { size_ = static_cast<size_t>(end - values_.data()); }
  void push(T value) {
    *room(1) = value;
    ++size_;
  }
  [[nodiscard]] size_t size() const { return size_; }
  void finish() { values_.resize(size_); }

 private:
  std::vector<T>& values_;
  size_t size_ = 0;
};

/// Ids as they stand in the input, until the tables they refer to are complete. Kept between
/// profiles.
struct Ids {
  std::vector<uint64_t> mappings, locations, functions;  ///< Of the tables' own entries.
  std::vector<uint64_t> location_mappings,
      line_functions;                 ///< References, parallel to locations and lines.
  std::vector<uint64_t> wide_frames;  ///< Filled only when some reference has more than 32 bits.
  IdIndex index;

  void clear() {
    for (auto* v :
         {&mappings, &locations, &functions, &location_mappings, &line_functions, &wide_frames})
      v->clear();
  }
  [[nodiscard]] size_t capacity() const {
    return mappings.capacity() + locations.capacity() + functions.capacity() +
           location_mappings.capacity() + line_functions.capacity() + wide_frames.capacity();
  }
};

constexpr size_t kIdsKept = 256 * 1024;  // One huge profile must not pin its memory to the thread.

/// True when all bytes are below 0x80. Reads up to 8 bytes past the end.
bool is_ascii(std::string_view s) {
  const char* p = s.data();
  size_t left = s.size();
  uint64_t bits = 0;
  for (; left >= 8; p += 8, left -= 8) bits |= load_le<uint64_t>(p);
  if (left > 0) bits |= load_le<uint64_t>(p) << (64 - 8 * left);
  return (bits & wire::kContinuation) == 0;
}

using Words = uint32_t __attribute__((vector_size(16)));  // GCC's and clang's portable vectors.

/// Ids become positions, id − 1. `zero` and `outside` become non-zero when some id is 0, or not in
/// 1…n.
void resolve_dense(std::vector<uint32_t>& ids, uint32_t n, uint32_t& zero, uint32_t& outside) {
  uint32_t* p = ids.data();
  uint32_t* const end = p + ids.size();
  Words zeros = {};
  Words outsides = {};
  for (; end - p >= 4; p += 4) {
    Words v;
    std::memcpy(&v, p, sizeof v);
    zeros |= static_cast<Words>(v == 0);
    v -= 1;
    outsides |= static_cast<Words>(v >= n);
    std::memcpy(p, &v, sizeof v);
  }
  for (int i = 0; i < 4; ++i) {
    zero |= zeros[i];
    outside |= outsides[i];
  }
  for (; p < end; ++p) {
    zero |= *p == 0;
    outside |= --*p >= n;
  }
}

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
  const char* read_profile_field(uint32_t field_tag, const char* p, const char* end);
  bool read_sample(const char* p, const char* end);
  bool read_label(const char* p, const char* end);
  bool read_mapping(const char* p, const char* end);
  bool read_location(const char* p, const char* end);
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
  /// A field that the message's handler does not know: skipped when its number is new, refused when
  /// its wire type is wrong.
  const char* unknown(uint32_t field_tag, const char* p, const char* end, uint32_t known_fields) {
    if (field_tag >> 3U > known_fields) return wire::skip_value(p, end, field_tag);
    malformed(p, "a known field", "wrong wire type", field_tag);
    return nullptr;
  }
  /// An index into string_table that must be good. Range is checked when the table is complete.
  const char* string_index(const char* p, uint32_t& out) {
    uint64_t v = 0;
    p = wire::read_varint(p, v);
    out = static_cast<uint32_t>(v);
    string_bits_ |= v;
    return p;
  }
  /// One that reads as "" when it is out of range; negative is an error all the same.
  const char* optional_string_index(const char* p, uint32_t& out) {
    uint64_t v = 0;
    p = wire::read_varint(p, v);
    if (static_cast<int64_t>(v) < 0) {
      malformed(p, "a string index", "negative");
      return nullptr;
    }
    out = static_cast<uint32_t>(std::min<uint64_t>(v, UINT32_MAX));
    return p;
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

  Column<std::string_view> strings_{out_.strings};
  Column<uint32_t> function_name_{out_.functions.name},
      function_system_{out_.functions.system_name}, function_file_{out_.functions.file};
  Column<int64_t> function_start_{out_.functions.start_line};
  Column<uint32_t> location_mapping_{out_.locations.mapping},
      line_begin_{out_.locations.line_begin};
  Column<uint64_t> location_address_{out_.locations.address};
  Column<uint8_t> location_folded_{out_.locations.folded};
  Column<uint32_t> line_function_{out_.lines.function};
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

// --- the pass

bool PprofReader::read_profile() {
  out_.sample_types.clear();
  out_.comments.clear();
  out_.period_type = {};
  out_.period = out_.time_ns = out_.duration_ns = 0;
  out_.default_sample_type = out_.drop_frames = out_.keep_frames = out_.doc_url = 0;
  out_.repairs = {};
  ProfileBatch::Mappings& m = out_.mappings;
  m.start.clear(), m.limit.clear(), m.offset.clear(), m.file.clear(), m.build_id.clear(),
      m.flags.clear();
  ids_.clear();
  stack_begin_.push(0);
  label_begin_.push(0);
  line_begin_.push(0);
  const char* const end = raw_.data() + raw_.size();
  return each_field(raw_.data(), end, "profile", [&](uint32_t field_tag, const char* p) {
    return read_profile_field(field_tag, p, end);
  });
}

const char* PprofReader::read_profile_field(uint32_t field_tag, const char* p, const char* end) {
  switch (field_tag) {
    case tag(kTime, kVarint):
      return read_time(p);
    case tag(kDuration, kVarint):
      return number(p, out_.duration_ns);
    case tag(kPeriod, kVarint):
      return number(p, out_.period);
    case tag(kDropFrames, kVarint):
      return optional_string_index(p, out_.drop_frames);
    case tag(kKeepFrames, kVarint):
      return optional_string_index(p, out_.keep_frames);
    case tag(kDefaultSampleType, kVarint):
      return optional_string_index(p, out_.default_sample_type);
    case tag(kDocUrl, kVarint):
      return optional_string_index(p, out_.doc_url);
    case tag(kComment, kVarint):
    case tag(kComment, kBytes):
      return read_comments(field_tag, p, end);
    default:
      break;
  }
  const uint32_t field = field_tag >> 3U;
  if ((field_tag & 7U) != kBytes || field > kPeriodType) return unknown(field_tag, p, end, kDocUrl);
  size_t length = 0;
  p = wire::read_length(p, end, length);
  if (p == nullptr) return nullptr;
  bool ok = false;
  switch (field) {
    case kSample:
      ok = read_sample(p, p + length);
      break;
    case kLocation:
      ok = read_location(p, p + length);
      break;
    case kFunction:
      ok = read_function(p, p + length);
      break;
    case kString:
      ok = read_string(p, length);
      break;
    case kMapping:
      ok = read_mapping(p, p + length);
      break;
    case kPeriodType:
      ok = read_value_type(p, p + length, true, out_.period_type);
      break;
    case kSampleType:
      ok = read_value_type(p, p + length, false, out_.sample_types.emplace_back());
      break;
    default:
      malformed(p, "profile", "wrong wire type", field_tag);
      break;
  }
  return ok ? p + length : nullptr;
}

bool PprofReader::read_sample(const char* p, const char* end) {
  if (limits_.samples_max != 0 && stack_begin_.size() > limits_.samples_max) {
    return refuse(fmt::format("pprof: the profile exceeds the samples count limit "
                              "(max_profile_stacktrace_samples, actual: {}, "
                              "limit: {})",
                              count_of(kSample), limits_.samples_max),
                  "samples_limit");
  }
  // Every frame and every value takes at least one byte.
  const auto length = static_cast<size_t>(end - p);
  uint32_t* frame = frames_.room(length + wire::kPackedSlack);
  int64_t* value = values_.room(length + wire::kPackedSlack);
  const uint32_t* const first_frame = frame;
  const int64_t* const first_value = value;
  const size_t first_label = labels_.size();
  const bool ok =
      each_field(p, end, "sample", [&](uint32_t field_tag, const char* q) -> const char* {
        size_t n = 0;
        switch (field_tag) {
          case tag(1, kBytes):
            q = wire::read_length(q, end, n);
            if (q == nullptr || (frame = wire::read_packed_ids(q, n, frame, wide_bits_)) == nullptr)
              return nullptr;
            return q + n;
          case tag(2, kBytes):
            q = wire::read_length(q, end, n);
            if (q == nullptr || (value = wire::read_packed_values(q, n, value)) == nullptr)
              return nullptr;
            return q + n;
          case tag(3, kBytes):
            q = wire::read_length(q, end, n);
            return q != nullptr && read_label(q, q + n) ? q + n : nullptr;
          case tag(1, kVarint): {
            uint64_t id = 0;
            q = wire::read_varint(q, id);
            wide_bits_ |= id >> 32U;
            *frame++ = static_cast<uint32_t>(id);
            return q;
          }
          case tag(2, kVarint):
            return number(q, *value++);
          default:
            return unknown(field_tag, q, end, 3);
        }
      });
  if (!ok) return false;
  const auto value_count = static_cast<size_t>(value - first_value);
  if (stack_begin_.size() == 1) value_count_ = value_count;
  count_differs_ |= value_count ^ value_count_;
  deepest_ = std::max(deepest_, static_cast<size_t>(frame - first_frame));
  frames_.set_end(frame);
  values_.set_end(value);
  const size_t labels = labels_.size() - first_label;
  if (labels > limits_.sample_labels_max && limits_.sample_labels_max != 0) {
    return refuse(fmt::format("pprof: sample {} exceeds the sample labels limit "
                              "(max_profile_stacktrace_sample_labels, actual: {}, "
                              "limit: {})",
                              stack_begin_.size() - 1, labels, limits_.sample_labels_max),
                  "sample_labels_limit");
  }
  stack_begin_.push(static_cast<uint32_t>(frames_.size()));
  label_begin_.push(static_cast<uint32_t>(labels_.size()));
  return true;
}

bool PprofReader::read_label(const char* p, const char* end) {
  ProfileBatch::SampleLabel label;
  const bool ok = each_field(p, end, "label", [&](uint32_t field_tag, const char* q) {
    switch (field_tag) {
      case tag(1, kVarint):
        return string_index(q, label.key);
      case tag(2, kVarint):
        return string_index(q, label.str);
      case tag(3, kVarint):
        return number(q, label.num);
      case tag(4, kVarint):
        return optional_string_index(q, label.num_unit);
      default:
        return unknown(field_tag, q, end, 4);
    }
  });
  // A label without any value says nothing; pprof drops it too.
  if (label.str != 0 || label.num != 0 || label.num_unit != 0) labels_.push(label);
  return ok;
}

bool PprofReader::read_mapping(const char* p, const char* end) {
  ProfileBatch::Mappings& m = out_.mappings;
  uint64_t id = 0;
  uint64_t start = 0;
  uint64_t limit = 0;
  uint64_t offset = 0;
  uint32_t file = 0;
  uint32_t build_id = 0;
  uint64_t flags[4] = {};
  const bool ok = each_field(p, end, "mapping", [&](uint32_t field_tag, const char* q) {
    switch (field_tag) {
      case tag(1, kVarint):
        return number(q, id);
      case tag(2, kVarint):
        return number(q, start);
      case tag(3, kVarint):
        return number(q, limit);
      case tag(4, kVarint):
        return number(q, offset);
      case tag(5, kVarint):
        return string_index(q, file);
      case tag(6, kVarint):
        return string_index(q, build_id);
      case tag(7, kVarint):
      case tag(8, kVarint):
      case tag(9, kVarint):
      case tag(10, kVarint):
        return number(q, flags[(field_tag >> 3U) - 7]);
      default:
        return unknown(field_tag, q, end, 10);
    }
  });
  if (ok && id == 0) return malformed(p, "mapping", "mapping id is 0");
  ids_.mappings.push_back(id);
  m.start.push_back(start);
  m.limit.push_back(limit);
  m.offset.push_back(offset);
  m.file.push_back(file);
  m.build_id.push_back(build_id);
  uint8_t bits = 0;
  for (unsigned i = 0; i < 4; ++i) bits |= static_cast<uint8_t>((flags[i] != 0 ? 1U : 0U) << i);
  m.flags.push_back(bits);
  return ok;
}

bool PprofReader::read_location(const char* p, const char* end) {
  uint64_t id = 0;
  uint64_t mapping = 0;
  uint64_t address = 0;
  uint64_t folded = 0;
  const bool ok =
      each_field(p, end, "location", [&](uint32_t field_tag, const char* q) -> const char* {
        size_t n = 0;
        switch (field_tag) {
          case tag(1, kVarint):
            return number(q, id);
          case tag(2, kVarint):
            return number(q, mapping);
          case tag(3, kVarint):
            return number(q, address);
          case tag(4, kBytes):
            q = wire::read_length(q, end, n);
            return q != nullptr && read_line(q, q + n) ? q + n : nullptr;
          case tag(5, kVarint):
            return number(q, folded);
          default:
            return unknown(field_tag, q, end, 5);
        }
      });
  if (ok && id == 0) return malformed(p, "location", "location id is 0");
  ids_.locations.push_back(id);
  ids_.location_mappings.push_back(mapping);
  location_address_.push(address);
  location_folded_.push(folded != 0 ? 1 : 0);
  line_begin_.push(static_cast<uint32_t>(line_line_.size()));
  return ok;
}

bool PprofReader::read_line(const char* p, const char* end) {
  uint64_t function = 0;
  int64_t line = 0;
  int64_t column = 0;
  const bool ok = each_field(p, end, "line", [&](uint32_t field_tag, const char* q) {
    switch (field_tag) {
      case tag(1, kVarint):
        return number(q, function);
      case tag(2, kVarint):
        return number(q, line);
      case tag(3, kVarint):
        return number(q, column);
      default:
        return unknown(field_tag, q, end, 3);
    }
  });
  if (ok && function == 0) {
    if (!limits_.dotnet_repairs) return malformed(p, "line", "function id is 0");
    ++zero_functions_;
  }
  ids_.line_functions.push_back(function);
  line_line_.push(line);
  line_column_.push(column);
  return ok;
}

bool PprofReader::read_function(const char* p, const char* end) {
  uint64_t id = 0;
  uint32_t name = 0;
  uint32_t system_name = 0;
  uint32_t file = 0;
  int64_t start_line = 0;
  const bool ok = each_field(p, end, "function", [&](uint32_t field_tag, const char* q) {
    switch (field_tag) {
      case tag(1, kVarint):
        return number(q, id);
      case tag(2, kVarint):
        return string_index(q, name);
      case tag(3, kVarint):
        return string_index(q, system_name);
      case tag(4, kVarint):
        return string_index(q, file);
      case tag(5, kVarint):
        return number(q, start_line);
      default:
        return unknown(field_tag, q, end, 5);
    }
  });
  if (ok && id == 0) {
    if (!limits_.dotnet_repairs) return malformed(p, "function", "function id is 0");
    ++zero_functions_;
  }
  ids_.functions.push_back(id);
  function_name_.push(name);
  function_system_.push(system_name);
  function_file_.push(file);
  function_start_.push(start_line);
  return ok;
}

bool PprofReader::read_value_type(const char* p, const char* end, bool of_period,
                                  ProfileBatch::ValueType& out) {
  return each_field(
      p, end, of_period ? "period type" : "sample type", [&](uint32_t field_tag, const char* q) {
        switch (field_tag) {
          case tag(1, kVarint):
            return of_period ? optional_string_index(q, out.type) : string_index(q, out.type);
          case tag(2, kVarint):
            return optional_string_index(q, out.unit);
          default:
            return unknown(field_tag, q, end, 2);
        }
      });
}

bool PprofReader::read_string(const char* p, size_t length) {
  std::string_view s(p, length);
  if (!is_ascii(s) && !is_utf8(s)) return malformed(p, "string_table", "invalid UTF-8");
  if (limits_.string_max_bytes != 0 && length > limits_.string_max_bytes) [[unlikely]] {
    s.remove_prefix(length - limits_.string_max_bytes);
    while (!s.empty() && (static_cast<unsigned char>(s[0]) & 0xc0U) == 0x80) s.remove_prefix(1);
    ++out_.repairs.strings_truncated;
  }
  strings_.push(s);
  return true;
}

const char* PprofReader::read_comments(uint32_t field_tag, const char* p, const char* end) {
  if (field_tag == tag(kComment, kVarint))
    return optional_string_index(p, out_.comments.emplace_back());
  size_t n = 0;
  p = wire::read_length(p, end, n);
  if (p == nullptr) return nullptr;
  for (const char* const stop = p + n; p < stop;) {
    p = optional_string_index(p, out_.comments.emplace_back());
    if (p == nullptr || p > stop) return nullptr;
  }
  return p;
}

const char* PprofReader::read_time(const char* p) {
  if (out_.time_ns != 0) {
    malformed(p, "profile", "a second time_nanos: concatenated profiles");
    return nullptr;
  }
  return number(p, out_.time_ns);
}

// --- after the pass

void PprofReader::finish_columns() {
  const auto finish = [](auto&... columns) { (columns.finish(), ...); };
  location_mapping_.room(location_address_.size());
  location_mapping_.set_end(out_.locations.mapping.data() + location_address_.size());
  line_function_.room(line_line_.size());
  line_function_.set_end(out_.lines.function.data() + line_line_.size());
  finish(strings_, function_name_, function_system_, function_file_, function_start_,
         location_mapping_, line_begin_, location_address_, location_folded_, line_function_,
         line_line_, line_column_, frames_, stack_begin_, label_begin_, values_, labels_);
}

bool PprofReader::check_samples() {
  if (out_.sample_types.empty()) return refuse("pprof: empty profile: no sample types");
  const size_t types = out_.types();
  if (out_.samples.size() == 0 || (count_differs_ == 0 && value_count_ == types)) return true;
  return refuse(fmt::format(
      "pprof: samples have {} values; want one per sample type, {}",
      count_differs_ == 0 ? std::to_string(value_count_) : "different numbers of", types));
}

bool PprofReader::check_strings() {
  const size_t n = out_.strings.size();
  if (n == 0) return refuse("pprof: string_table is empty; want \"\" as its first entry");
  if (!out_.strings[0].empty())
    return refuse(
        fmt::format("pprof: string_table[0] is not empty (byte {})", offset_of(kString, 0)));
  bool bad = string_bits_ >> 31U != 0;
  const auto check = [&](const std::vector<uint32_t>& column) {
    for (const uint32_t v : column) bad |= v >= n;
  };
  check(out_.functions.name);
  check(out_.functions.system_name);
  check(out_.functions.file);
  check(out_.mappings.file);
  check(out_.mappings.build_id);
  const auto soften = [n](uint32_t& index) { index = index < n ? index : 0; };
  for (ProfileBatch::SampleLabel& l : out_.samples.labels) {
    bad |= (l.key >= n) | (l.str >= n);
    soften(l.num_unit);
  }
  for (ProfileBatch::ValueType& t : out_.sample_types) {
    bad |= t.type >= n;
    soften(t.unit);
  }
  for (uint32_t& c : out_.comments) soften(c);
  for (uint32_t* index : {&out_.period_type.type, &out_.period_type.unit, &out_.default_sample_type,
                          &out_.drop_frames, &out_.keep_frames, &out_.doc_url}) {
    soften(*index);
  }
  return !bad || refuse_string_index();
}

bool PprofReader::check_sample_types() {
  for (ProfileBatch::ValueType& t : out_.sample_types) {
    const std::string_view name = out_.strings[t.type];
    if (name.find('-') == std::string_view::npos) continue;
    if (!limits_.dotnet_repairs)
      return refuse(fmt::format("pprof: sample type name '{}' contains '-'", name));
    std::string repaired(name);
    std::replace(repaired.begin(), repaired.end(), '-', '_');
    t.type = out_.add_string(repaired);
  }
  return true;
}

bool PprofReader::refuse_string_index() {
  const size_t n = out_.strings.size();
  const auto find = [&](const std::vector<uint32_t>& column, uint32_t field, const char* what) {
    const auto at = std::find_if(column.begin(), column.end(), [n](uint32_t v) { return v >= n; });
    if (at == column.end()) return false;
    const auto item = static_cast<size_t>(at - column.begin());
    refuse(fmt::format(
        "pprof: {} {} (byte {}): string index is out of range; string_table has {} entries", what,
        item, offset_of(field, item), n));
    return true;
  };
  if (find(out_.functions.name, kFunction, "name of function") ||
      find(out_.functions.system_name, kFunction, "system name of function") ||
      find(out_.functions.file, kFunction, "file of function") ||
      find(out_.mappings.file, kMapping, "file of mapping") ||
      find(out_.mappings.build_id, kMapping, "build id of mapping")) {
    return false;
  }
  return refuse(
      fmt::format("pprof: a sample label or sample type has a string index out of range; "
                  "string_table has {} entries",
                  n));
}

bool PprofReader::resolve_ids() {
  std::vector<uint8_t> unusable;  // Per location; stays empty for well-formed profiles.
  bool missing = false;
  if (!resolve_mappings(unusable) || !resolve_functions(unusable) || !resolve_frames(missing))
    return false;
  if (missing || !unusable.empty()) drop_unusable_frames(out_, unusable);
  return true;
}

bool PprofReader::resolve_mappings(std::vector<uint8_t>& unusable) {
  ids_.index.build(ids_.mappings);
  for (size_t i = 0; i < ids_.location_mappings.size(); ++i) {
    const uint64_t id = ids_.location_mappings[i];
    const uint32_t mapping = id == 0 ? ProfileBatch::kNone : ids_.index.find(id);
    out_.locations.mapping[i] = mapping;
    if (id != 0 && mapping == IdIndex::kMissing) [[unlikely]] {
      unusable.resize(out_.locations.size());
      unusable[i] = 1;
    }
  }
  return true;
}

bool PprofReader::resolve_functions(std::vector<uint8_t>& unusable) {
  if (zero_functions_ > 0 && !repair_function_ids()) return false;
  ids_.index.build(ids_.functions);
  bool missing = false;
  for (size_t i = 0; i < ids_.line_functions.size(); ++i) {
    const uint32_t function = ids_.index.find(ids_.line_functions[i]);
    out_.lines.function[i] = function;
    missing |= function == IdIndex::kMissing;
  }
  if (!missing) return true;
  unusable.resize(out_.locations.size());
  for (size_t location = 0; location < out_.locations.size(); ++location) {
    for (size_t i = out_.locations.line_begin[location];
         i < out_.locations.line_begin[location + 1]; ++i) {
      if (out_.lines.function[i] == IdIndex::kMissing) unusable[location] = 1;
    }
  }
  return true;
}

bool PprofReader::repair_function_ids() {
  const bool all_zero = std::all_of(ids_.functions.begin(), ids_.functions.end(),
                                    [](uint64_t id) { return id == 0; });
  if (!all_zero || ids_.functions.size() != ids_.locations.size())
    return refuse("pprof: function id is 0");
  for (size_t i = 0; i < ids_.functions.size(); ++i) {
    ids_.functions[i] = i + 1;
    const auto& begin = out_.locations.line_begin;
    std::fill(ids_.line_functions.begin() + begin[i], ids_.line_functions.begin() + begin[i + 1],
              i + 1);
  }
  return true;
}

bool PprofReader::resolve_frames(bool& missing) {
  ids_.index.build(ids_.locations);
  const size_t n = ids_.index.size();
  std::vector<uint32_t>& frames = out_.samples.frames;
  uint32_t zero = 0;
  uint32_t outside = 0;
  if (wide_bits_ != 0) {
    if (!collect_wide_frames()) return false;
    for (size_t i = 0; i < frames.size(); ++i) {
      zero |= ids_.wide_frames[i] == 0;
      frames[i] = ids_.index.find(ids_.wide_frames[i]);
      outside |= frames[i] >= n;
    }
  } else if (ids_.index.dense()) {
    resolve_dense(frames, static_cast<uint32_t>(n), zero, outside);
  } else {
    for (uint32_t& frame : frames) {
      zero |= frame == 0;
      frame = ids_.index.find(frame);
      outside |= frame >= n;
    }
  }
  missing = outside != 0;
  return zero == 0 || refuse("pprof: sample: location id is 0");
}

// The rare second pass: the same location references again, this time with all their bits.
// Everything was checked before.
bool PprofReader::collect_wide_frames() {
  const auto collect = [this](const char* p, const char* end) {
    return each_field(p, end, "sample", [&](uint32_t field_tag, const char* q) {
      uint64_t id = 0;
      if (field_tag == tag(1, kVarint)) {
        q = wire::read_varint(q, id);
        ids_.wide_frames.push_back(id);
      } else if (field_tag == tag(1, kBytes)) {
        size_t length = 0;
        q = wire::read_length(q, end, length);
        for (const char* const stop = q + length; q < stop;) {
          q = wire::read_varint(q, id);
          ids_.wide_frames.push_back(id);
        }
      } else {
        q = wire::skip_value(q, end, field_tag);
      }
      return q;
    });
  };
  const char* const end = raw_.data() + raw_.size();
  return each_field(raw_.data(), end, "profile",
                    [&](uint32_t field_tag, const char* p) -> const char* {
                      if (field_tag != tag(kSample, kBytes))
                        return wire::skip_value(p, end, field_tag);
                      size_t length = 0;
                      p = wire::read_length(p, end, length);
                      return p != nullptr && collect(p, p + length) ? p + length : nullptr;
                    });
}

// --- errors

bool PprofReader::malformed(const char* at, const char* message, const char* why,
                            uint32_t field_tag) {
  if (!error_) return false;
  const size_t offset = at == nullptr ? 0 : static_cast<size_t>(at - raw_.data());
  const std::string field =
      field_tag == 0 ? ""
                     : fmt::format(", field {} of wire type {}", field_tag >> 3U, field_tag & 7U);
  return refuse(fmt::format("pprof: {} at byte {}{}: {}", message, offset, field, why));
}

bool PprofReader::refuse(std::string message, const char* reason) {
  if (error_) error_ = fail(ErrorCode::invalid_argument, std::move(message), reason);
  return false;
}

size_t PprofReader::offset_of(uint32_t field, size_t n) const {
  const char* p = raw_.data();
  const char* const end = p + raw_.size();
  for (uint32_t field_tag = 0; p != nullptr && p < end; p = wire::skip_value(p, end, field_tag)) {
    p = wire::read_varint32(p, field_tag);
    if (p == nullptr) break;
    if (field_tag >> 3U == field && n-- == 0) return static_cast<size_t>(p - raw_.data());
  }
  return raw_.size();
}

size_t PprofReader::count_of(uint32_t field) const {
  size_t count = 0;
  const char* p = raw_.data();
  const char* const end = p + raw_.size();
  for (uint32_t field_tag = 0; p != nullptr && p < end; p = wire::skip_value(p, end, field_tag)) {
    p = wire::read_varint32(p, field_tag);
    if (p == nullptr) break;
    if (field_tag >> 3U == field) ++count;
  }
  return count;
}

Status decode_with_slack(std::string_view raw, const DecodeLimits& limits, ProfileBatch& out) {
  if (raw.size() >= size_t{1} << 31U) {
    out.clear();
    return fail(ErrorCode::too_large,
                fmt::format("pprof: {} bytes; want fewer than 2 GiB", raw.size()));
  }
  thread_local Ids ids;
  Status status = PprofReader(raw, limits, out, ids).read();
  if (ids.capacity() > kIdsKept) ids = Ids();
  if (!status) out.clear();
  return status;
}

}  // namespace

Status decode_pprof(std::string_view raw, const DecodeLimits& limits, ProfileBatch& out) {
  out.owned.clear();
  return decode_with_slack(raw, limits, out);
}

Status decode_pprof_copy(std::string_view raw, const DecodeLimits& limits, ProfileBatch& out) {
  out.owned.clear();
  std::vector<char>& copy = out.owned.emplace_back();
  copy.reserve(raw.size() + kReadSlack);
  copy.assign(raw.begin(), raw.end());
  copy.resize(raw.size() + kReadSlack);
  return decode_with_slack(std::string_view(copy.data(), raw.size()), limits, out);
}

}  // namespace hearth::formats
