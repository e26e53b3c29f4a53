#include "formats/text_decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "base/utf8.h"
#include "formats/batch_repair.h"
#include "formats/string_interner.h"

namespace hearth::formats {
namespace {

constexpr int64_t kOverflow = std::numeric_limits<int64_t>::min();

std::optional<int64_t> parse_integer(std::string_view s) {
  if (s.size() > 1 && s[0] == '+' && s[1] != '-') s.remove_prefix(1);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
  if (error != std::errc() || end != s.data() + s.size()) return std::nullopt;
  return value;
}

int64_t add(int64_t a, int64_t b) {
  int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? kOverflow : sum;
}
int64_t multiply(int64_t a, int64_t b) {
  int64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? kOverflow : product;
}

class TextReader {
 public:
  TextReader(TextLayout layout, const DecodeLimits& limits, ProfileBatch& out)
      : layout_(layout), limits_(limits), out_(out) {}

  Status read(std::string_view text, const TextProfile& profile) {
    if (!is_utf8(text)) return refuse("invalid UTF-8");
    write_header(profile);
    while (!text.empty()) {
      const size_t end = std::min(text.find('\n'), text.size());
      ++line_;
      HEARTH_RETURN_IF_ERROR(read_line(text.substr(0, end)));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    for (int64_t& v : out_.samples.values) v = v == kOverflow ? v : multiply(v, profile.multiplier);
    cut_deep_stacks(out_, limits_.stack_depth_max);
    return {};
  }

 private:
  void write_header(const TextProfile& profile) {
    out_.strings.emplace_back();
    out_.sample_types.push_back(
        {out_.add_string(profile.sample_type), out_.add_string(profile.sample_unit)});
    if (!profile.period_type.empty()) {
      out_.period_type = {out_.add_string(profile.period_type),
                          out_.add_string(profile.period_unit)};
    }
    out_.period = profile.period;
    out_.time_ns = profile.time_ns;
    out_.duration_ns = profile.duration_ns;
    ProfileBatch::Mappings& m = out_.mappings;
    m.start.push_back(0), m.limit.push_back(0), m.offset.push_back(0);
    m.file.push_back(0), m.build_id.push_back(0), m.flags.push_back(0);
    out_.locations.line_begin.push_back(0);
    out_.samples.stack_begin.push_back(0);
    out_.samples.label_begin.push_back(0);
  }

  Status read_line(std::string_view line) {
    if (line.size() > kTextLineMax)
      return refuse(fmt::format("{} bytes; want at most {}", line.size(), kTextLineMax));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) return {};
    if (layout_ == TextLayout::lines) return add_sample(line, 1);
    const size_t space = line.rfind(' ');
    if (space == std::string_view::npos) return {};
    const std::string_view number = line.substr(space + 1);
    const std::optional<int64_t> value = parse_integer(number);
    if (!value)
      return refuse(fmt::format("value '{}' is not a 64-bit integer", number.substr(0, 64)));
    return add_sample(line.substr(0, space), *value);
  }

  Status add_sample(std::string_view stack, int64_t value) {
    const auto [sample, added] = stacks_.intern(stack);
    if (!added) {
      int64_t& sum = out_.samples.values[sample];
      sum = sum == kOverflow ? sum : add(sum, value);
      return {};
    }
    if (limits_.samples_max != 0 && sample >= limits_.samples_max) {
      return fail(ErrorCode::invalid_argument,
                  fmt::format("folded text: line {} exceeds the samples count limit "
                              "(max_profile_stacktrace_samples, limit: {})",
                              line_, limits_.samples_max),
                  "samples_limit");
    }
    for (size_t end = stack.size();;) {
      const size_t cut = end == 0 ? std::string_view::npos : stack.rfind(';', end - 1);
      const size_t begin = cut == std::string_view::npos ? 0 : cut + 1;
      out_.samples.frames.push_back(frame(stack.substr(begin, end - begin)));
      if (cut == std::string_view::npos) break;
      end = cut;
    }
    out_.samples.stack_begin.push_back(static_cast<uint32_t>(out_.samples.frames.size()));
    out_.samples.label_begin.push_back(0);
    out_.samples.values.push_back(value);
    return {};
  }

  // Location, function and frame have the same index.
  uint32_t frame(std::string_view name) {
    const auto [index, added] = frames_.intern(name);
    if (!added) return index;
    if (limits_.string_max_bytes != 0 && name.size() > limits_.string_max_bytes) {
      name.remove_prefix(name.size() - limits_.string_max_bytes);
      while (!name.empty() && (static_cast<unsigned char>(name[0]) & 0xc0U) == 0x80)
        name.remove_prefix(1);
      ++out_.repairs.strings_truncated;
    }
    const auto string = static_cast<uint32_t>(out_.strings.size());
    out_.strings.push_back(name);
    return out_.add_named_location(string, 0);
  }

  Status refuse(const std::string& why) const {
    return fail(ErrorCode::invalid_argument, fmt::format("folded text: line {}: {}", line_, why),
                "malformed_profile");
  }

  TextLayout layout_;
  const DecodeLimits& limits_;
  ProfileBatch& out_;
  StringInterner stacks_;
  StringInterner frames_;
  size_t line_ = 0;
};

}  // namespace

Status decode_text(std::string_view text, TextLayout layout, const TextProfile& profile,
                   const DecodeLimits& limits, ProfileBatch& out) {
  out.clear();
  Status status =
      text.size() < size_t{1} << 31U
          ? TextReader(layout, limits, out).read(text, profile)
          : fail(ErrorCode::too_large,
                 fmt::format("folded text: {} bytes; want fewer than 2 GiB", text.size()));
  if (!status) out.clear();
  return status;
}

}  // namespace hearth::formats
