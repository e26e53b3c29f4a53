#include "formats/decode.h"

#include <algorithm>

#include "formats/pprof_decoder.h"

namespace hearth::formats {
namespace {

// Protobuf has control characters within its first bytes; text has none but tabs and line ends.
bool looks_like_text(std::string_view raw) {
  constexpr size_t kLooked = 512;
  const std::string_view head = raw.substr(0, kLooked);
  return !head.empty() && std::none_of(head.begin(), head.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r';
  });
}

Status decode_any_pprof(std::string_view raw, bool slack, const DecodeLimits& limits,
                        ProfileBatch& out) {
  return slack ? decode_pprof(raw, limits, out) : decode_pprof_copy(raw, limits, out);
}

}  // namespace

std::string_view to_string(Format format) {
  switch (format) {
    case Format::automatic:
      return "";
    case Format::pprof:
      return "pprof";
    case Format::folded:
      return "folded";
    case Format::lines:
      return "lines";
  }
  return "";
}

Status Decoder::decode(std::string_view bytes, const DecodeOptions& options) {
  raw_ = {};
  format_ = options.hint;
  Result<std::string_view> raw = decompressor_.decompress(bytes, options.limits.profile_max_bytes);
  if (!raw) {
    batch_.clear();
    return tl::unexpected(std::move(raw).error());
  }
  raw_ = *raw;
  return decode_raw(options, raw_.data() != bytes.data() || options.slack_behind);
}

Status Decoder::decode_raw(const DecodeOptions& options, bool slack) {
  switch (options.hint) {
    case Format::pprof:
      return decode_any_pprof(raw_, slack, options.limits, batch_);
    case Format::folded:
      return decode_text(raw_, TextLayout::groups, options.text, options.limits, batch_);
    case Format::lines:
      return decode_text(raw_, TextLayout::lines, options.text, options.limits, batch_);
    case Format::automatic:
      return decode_by_content(options, slack);
  }
  return {};
}

Status Decoder::decode_by_content(const DecodeOptions& options, bool slack) {
  format_ = Format::pprof;
  Status status = decode_any_pprof(raw_, slack, options.limits, batch_);
  if (status || !looks_like_text(raw_)) return status;
  format_ = Format::folded;
  return decode_text(raw_, TextLayout::groups, options.text, options.limits, batch_);
}

}  // namespace hearth::formats
