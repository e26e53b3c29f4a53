#include "formats/pprof_reader.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/utf8.h"
#include "formats/packed.h"

namespace hearth::formats::pprof {
namespace {

/// True when all bytes are below 0x80. Reads up to 8 bytes past the end.
bool is_ascii(std::string_view s) {
  const char* p = s.data();
  size_t left = s.size();
  uint64_t bits = 0;
  for (; left >= 8; p += 8, left -= 8) bits |= load_le<uint64_t>(p);
  if (left > 0) bits |= load_le<uint64_t>(p) << (64 - 8 * left);
  return (bits & wire::kContinuation) == 0;
}

}  // namespace

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
