#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "formats/decode_limits.h"
#include "formats/decompress.h"
#include "formats/text_decoder.h"
#include "hearth/profile.h"

namespace hearth::formats {

enum class Format : unsigned char {
  automatic,  ///< By content: what decodes as pprof is pprof; else text is folded.
  pprof,
  folded,  ///< Text, `frame;frame VALUE`.
  lines,   ///< Text, one stack a line.
};

/// Name as in `format=` of /ingest: "pprof", "folded", "lines"; "" for automatic.
std::string_view to_string(Format format);

struct DecodeOptions {
  Format hint = Format::automatic;
  DecodeLimits limits = {};
  TextProfile text = {};      ///< For folded and lines.
  bool slack_behind = false;  ///< kReadSlack readable bytes lie behind the input: an uncompressed
                              ///< pprof is not copied.
};

/// The one way from bytes to a batch, used by HTTP and by every command that reads profiles:
/// compression is undone (by content, two layers), then the format is taken from the hint or the
/// content. A worker keeps one decoder: buffers and columns are reused.
class Decoder {
 public:
  /// Errors: those of Decompressor, decode_pprof and decode_text. The batch is empty then.
  /// The batch may point into `bytes`: it is good until the next call, and while `bytes` are.
  [[nodiscard]] Status decode(std::string_view bytes, const DecodeOptions& options);

  [[nodiscard]] ProfileBatch& batch() { return batch_; }
  /// What was decoded, after decompression: the bytes that a profile's identity is taken over.
  [[nodiscard]] std::string_view raw() const { return raw_; }
  /// pprof, folded or lines.
  [[nodiscard]] Format format() const { return format_; }

 private:
  [[nodiscard]] Status decode_raw(const DecodeOptions& options, bool slack);
  [[nodiscard]] Status decode_by_content(const DecodeOptions& options, bool slack);

  Decompressor decompressor_;
  ProfileBatch batch_;
  std::string_view raw_;
  Format format_ = Format::automatic;
};

}  // namespace hearth::formats
