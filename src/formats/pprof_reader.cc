#include "formats/pprof_reader.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/utf8.h"
#include "formats/packed.h"

namespace hearth::formats::pprof {
namespace {

/// True when all bytes are below 0x80. Reads up to 8 bytes past the end of a short string.
bool is_ascii(std::string_view s) {
  const char* p = s.data();
  const size_t n = s.size();
  if (n < 8) return n == 0 || (load_le<uint64_t>(p) << (64 - 8 * n) & wire::kContinuation) == 0;
  // The last eight bytes may be looked at twice.
  uint64_t bits = load_le<uint64_t>(p + n - 8);
  for (size_t i = 0; i + 8 < n; i += 8) bits |= load_le<uint64_t>(p + i);
  return (bits & wire::kContinuation) == 0;
}

}  // namespace

bool PprofReader::read_profile() {
  out_.sample_types.clear();
  out_.comments.clear();
  out_.samples.side.clear();
  out_.period_type = {};
  out_.period = out_.time_ns = out_.duration_ns = 0;
  out_.default_sample_type = out_.drop_frames = out_.keep_frames = out_.doc_url = 0;
  out_.repairs = {};
  ProfileBatch::Mappings& m = out_.mappings;
  m.start.clear(), m.limit.clear(), m.offset.clear(), m.file.clear(), m.build_id.clear(),
      m.flags.clear();
  ids_.wide_frames.clear();
  stack_begin_.push(0);
  label_begin_.push(0);
  line_begin_.push(0);
  const char* p = raw_.data();
  const char* const end = p + raw_.size();
  while (p < end) {
    const char* const start = p;
    p = read_table_entry(p, end);
    if (p != nullptr) continue;
    if (!error_) return false;
    // Something rarer, or malformed.
    uint32_t field_tag = 0;
    p = wire::read_varint32(start, field_tag);
    if (p == nullptr || field_tag < 8) return malformed(start, "profile", "bad tag");
    p = read_profile_field(field_tag, p, end);
    if (p == nullptr) return malformed(start, "profile", "malformed field", field_tag);
  }
  return p == end || malformed(end, "profile", "a field runs past the end");
}

// One field of the tables that make up nearly all of a profile, strings as a run. nullptr with no
// error: it is something else.
const char* PprofReader::read_table_entry(const char* p, const char* end) {
  const auto first = static_cast<unsigned char>(*p);
  if (first == tag(kString, kBytes)) return read_strings(p, end);
  if (first != tag(kSample, kBytes) && first != tag(kLocation, kBytes) &&
      first != tag(kFunction, kBytes))
    return nullptr;
  size_t length = 0;
  p = wire::read_length(p + 1, end, length);
  if (p == nullptr) return nullptr;
  const char* const next = p + length;
  const bool ok = first == tag(kSample, kBytes)     ? read_sample(p, next)
                  : first == tag(kLocation, kBytes) ? read_location(p, next)
                                                    : read_function(p, next);
  return ok ? next : nullptr;
}

// The string table comes in one piece. As tags and lengths below 128 are ASCII too, one look at a
// whole run of short strings tells whether all of them are.
const char* PprofReader::read_strings(const char* p, const char* end) {
  const size_t short_max =
      limits_.string_max_bytes == 0 ? 127 : std::min<size_t>(127, limits_.string_max_bytes);
  const char* const begin = p;
  const size_t first = strings_.size();
  while (end - p >= 2 && static_cast<unsigned char>(*p) == tag(kString, kBytes)) {
    const auto length = static_cast<unsigned char>(p[1]);
    if (length > short_max || length > end - p - 2) break;
    strings_.push({p + 2, length});
    p += 2 + length;
  }
  if (!check_plain_strings(begin, p, first)) return nullptr;
  if (p == end || static_cast<unsigned char>(*p) != tag(kString, kBytes)) return p;
  size_t length = 0;
  const char* const s = wire::read_length(p + 1, end, length);
  if (s == nullptr) {
    malformed(p, "profile", "malformed field", tag(kString, kBytes));
    return nullptr;
  }
  return read_string(s, length) ? s + length : nullptr;
}

bool PprofReader::check_plain_strings(const char* begin, const char* end, size_t first) {
  if (is_ascii({begin, static_cast<size_t>(end - begin)})) return true;
  for (size_t i = first; i < strings_.size(); ++i) {
    const std::string_view s = strings_[i];
    if (!is_ascii(s) && !is_utf8(s)) return malformed(s.data(), "string_table", "invalid UTF-8");
  }
  return true;
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
    case kSample:  // Under a tag that is longer than it need be.
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
  SampleCursor at{frames_.room(length + wire::kPackedSlack),
                  values_.room(length + wire::kPackedSlack)};
  const SampleCursor first = at;
  const size_t first_label = labels_.size();
  p = read_plain_sample(p, end, at);
  if (p != end && !read_any_sample(p, end, at)) return false;
  const auto value_count = static_cast<size_t>(at.value - first.value);
  if (stack_begin_.size() == 1) value_count_ = value_count;
  count_differs_ |= value_count ^ value_count_;
  deepest_ = std::max(deepest_, static_cast<size_t>(at.frame - first.frame));
  frames_.set_end(at.frame);
  values_.set_end(at.value);
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

// Takes the fields that every writer sends, up to the first that is unusual or malformed; nothing
// of that one is kept, and read_any_sample() decides on it.
const char* PprofReader::read_plain_sample(const char* p, const char* end, SampleCursor& out) {
  for (const char* next = p; p < end; p = next) {
    size_t n = 0;
    uint64_t v = 0;
    switch (static_cast<unsigned char>(*p)) {
      case tag(1, kBytes): {
        next = wire::read_length(p + 1, end, n);
        if (next == nullptr) return p;
        uint32_t* const frame = wire::read_packed_ids(next, n, out.frame, wide_bits_);
        if (frame == nullptr) return p;
        out.frame = frame;
        break;
      }
      case tag(2, kBytes): {
        next = wire::read_length(p + 1, end, n);
        if (next == nullptr) return p;
        int64_t* const value = wire::read_packed_values(next, n, out.value);
        if (value == nullptr) return p;
        out.value = value;
        break;
      }
      case tag(2, kVarint):
        next = wire::read_varint_of_any_width(p + 1, v);
        if (next == nullptr || next > end) return p;
        *out.value++ = static_cast<int64_t>(v);
        break;
      case tag(3, kBytes):
        next = wire::read_length(p + 1, end, n);
        if (next == nullptr || !read_label(next, next + n)) return p;
        break;
      default:
        return p;
    }
    next += n;
  }
  return p;
}

bool PprofReader::read_any_sample(const char* p, const char* end, SampleCursor& out) {
  return each_field(p, end, "sample", [&](uint32_t field_tag, const char* q) -> const char* {
    size_t n = 0;
    uint64_t id = 0;
    switch (field_tag) {
      case tag(1, kBytes):
        q = wire::read_length(q, end, n);
        if (q == nullptr ||
            (out.frame = wire::read_packed_ids(q, n, out.frame, wide_bits_)) == nullptr)
          return nullptr;
        return q + n;
      case tag(2, kBytes):
        q = wire::read_length(q, end, n);
        if (q == nullptr || (out.value = wire::read_packed_values(q, n, out.value)) == nullptr)
          return nullptr;
        return q + n;
      case tag(3, kBytes):
        q = wire::read_length(q, end, n);
        return q != nullptr && read_label(q, q + n) ? q + n : nullptr;
      case tag(1, kVarint):
        q = number(q, id);
        wide_bits_ |= id >> 32U;
        *out.frame++ = static_cast<uint32_t>(id);
        return q;
      case tag(2, kVarint):
        return number(q, *out.value++);
      default:
        return unknown(field_tag, q, end, 3);
    }
  });
}

bool PprofReader::read_rest(const char* p, const char* end, const char* message,
                            std::span<uint64_t> numbers) {
  const auto known = static_cast<uint32_t>(numbers.size());
  return each_field(p, end, message, [&](uint32_t field_tag, const char* q) {
    if ((field_tag & 7U) == kVarint && field_tag >> 3U <= known)
      return wire::read_varint(q, numbers[(field_tag >> 3U) - 1]);
    return unknown(field_tag, q, end, known);
  });
}

bool PprofReader::read_label(const char* p, const char* end) {
  uint64_t key = 0, str = 0, num = 0, unit = 0;
  p = take<tag(1, kVarint)>(p, end, key);
  p = take<tag(2, kVarint)>(p, end, str);
  p = take<tag(3, kVarint)>(p, end, num);
  p = take<tag(4, kVarint)>(p, end, unit);
  if (p != end) [[unlikely]] {
    uint64_t v[] = {key, str, num, unit};
    if (!read_rest(p, end, "label", v)) return false;
    key = v[0], str = v[1], num = v[2], unit = v[3];
  }
  ProfileBatch::SampleLabel label;
  label.key = string_index(key);
  label.str = string_index(str);
  label.num = static_cast<int64_t>(num);
  if (!optional_string_index(unit, end, label.num_unit)) return false;
  // A label without any value says nothing; pprof drops it too.
  if (label.str != 0 || label.num != 0 || label.num_unit != 0) labels_.push(label);
  return true;
}

bool PprofReader::read_mapping(const char* p, const char* end) {
  uint64_t v[10] = {};
  if (!read_rest(p, end, "mapping", v)) return false;
  if (v[0] == 0) return malformed(p, "mapping", "mapping id is 0");
  ProfileBatch::Mappings& m = out_.mappings;
  mapping_ids_.push(v[0]);
  m.start.push_back(v[1]);
  m.limit.push_back(v[2]);
  m.offset.push_back(v[3]);
  m.file.push_back(string_index(v[4]));
  m.build_id.push_back(string_index(v[5]));
  unsigned bits = 0;
  for (unsigned i = 0; i < 4; ++i) bits |= (v[6 + i] != 0 ? 1U : 0U) << i;
  m.flags.push_back(static_cast<uint8_t>(bits));
  return true;
}

bool PprofReader::read_location(const char* p, const char* end) {
  const char* const start = p;
  uint64_t id = 0, mapping = 0, address = 0, folded = 0;
  p = take<tag(1, kVarint)>(p, end, id);
  p = take<tag(2, kVarint)>(p, end, mapping);
  p = take<tag(3, kVarint)>(p, end, address);
  while (p < end && static_cast<unsigned char>(*p) == tag(4, kBytes)) {
    size_t n = 0;
    const char* const line = wire::read_length(p + 1, end, n);
    if (line == nullptr || !read_line(line, line + n))
      return malformed(p, "location", "malformed field", tag(4, kBytes));
    p = line + n;
  }
  p = take<tag(2, kVarint)>(p, end, mapping);  // Go's runtime sends it last.
  p = take<tag(5, kVarint)>(p, end, folded);
  if (p != end) [[unlikely]] {
    uint64_t v[] = {id, mapping, address, 0, folded};
    if (!read_rest_of_location(p, end, v)) return false;
    id = v[0], mapping = v[1], address = v[2], folded = v[4];
  }
  if (id == 0) return malformed(start, "location", "location id is 0");
  location_ids_.push(id);
  location_mapping_ids_.push(mapping);
  location_address_.push(address);
  location_folded_.push(folded != 0 ? 1 : 0);
  line_begin_.push(static_cast<uint32_t>(line_line_.size()));
  return true;
}

bool PprofReader::read_rest_of_location(const char* p, const char* end,
                                        std::span<uint64_t, 5> numbers) {
  return each_field(p, end, "location", [&](uint32_t field_tag, const char* q) -> const char* {
    size_t n = 0;
    switch (field_tag) {
      case tag(1, kVarint):
      case tag(2, kVarint):
      case tag(3, kVarint):
      case tag(5, kVarint):
        return wire::read_varint(q, numbers[(field_tag >> 3U) - 1]);
      case tag(4, kBytes):
        q = wire::read_length(q, end, n);
        return q != nullptr && read_line(q, q + n) ? q + n : nullptr;
      default:
        return unknown(field_tag, q, end, 5);
    }
  });
}

bool PprofReader::read_line(const char* p, const char* end) {
  const char* const start = p;
  uint64_t function = 0, line = 0, column = 0;
  p = take<tag(1, kVarint)>(p, end, function);
  p = take<tag(2, kVarint)>(p, end, line);
  p = take<tag(3, kVarint)>(p, end, column);
  if (p != end) [[unlikely]] {
    uint64_t v[] = {function, line, column};
    if (!read_rest(p, end, "line", v)) return false;
    function = v[0], line = v[1], column = v[2];
  }
  if (function == 0) {
    if (!limits_.dotnet_repairs) return malformed(start, "line", "function id is 0");
    ++zero_functions_;
  }
  line_function_ids_.push(function);
  line_line_.push(static_cast<int64_t>(line));
  line_column_.push(static_cast<int64_t>(column));
  return true;
}

bool PprofReader::read_function(const char* p, const char* end) {
  const char* const start = p;
  uint64_t id = 0, name = 0, system_name = 0, file = 0, start_line = 0;
  p = take<tag(1, kVarint)>(p, end, id);
  p = take<tag(2, kVarint)>(p, end, name);
  p = take<tag(3, kVarint)>(p, end, system_name);
  p = take<tag(4, kVarint)>(p, end, file);
  p = take<tag(5, kVarint)>(p, end, start_line);
  if (p != end) [[unlikely]] {
    uint64_t v[] = {id, name, system_name, file, start_line};
    if (!read_rest(p, end, "function", v)) return false;
    id = v[0], name = v[1], system_name = v[2], file = v[3], start_line = v[4];
  }
  if (id == 0) {
    if (!limits_.dotnet_repairs) return malformed(start, "function", "function id is 0");
    ++zero_functions_;
  }
  function_ids_.push(id);
  function_name_.push(string_index(name));
  function_system_.push(string_index(system_name));
  function_file_.push(string_index(file));
  function_start_.push(static_cast<int64_t>(start_line));
  return true;
}

bool PprofReader::read_value_type(const char* p, const char* end, bool of_period,
                                  ProfileBatch::ValueType& out) {
  uint64_t v[] = {out.type, out.unit};  // A second period type adds to the first.
  if (!read_rest(p, end, of_period ? "period type" : "sample type", v)) return false;
  if (!of_period) out.type = string_index(v[0]);
  return (!of_period || optional_string_index(v[0], end, out.type)) &&
         optional_string_index(v[1], end, out.unit);
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

}  // namespace hearth::formats::pprof
