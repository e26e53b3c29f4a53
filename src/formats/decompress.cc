#include "formats/decompress.h"

#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>
#include <memory>

#include "base/check.h"
#include "base/gzip_codec.h"

namespace hearth::formats {
namespace {

struct Free {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

// RFC 8878 asks decoders for windows of 8 MiB; larger ones are memory that a header of a few bytes
// could claim.
constexpr int kWindowLogMax = 23;
constexpr size_t kFirstOutput = 64 * 1024;

bool is_zstd(std::string_view data) {
  return data.starts_with("\x28\xb5\x2f\xfd");
}

Error too_large(size_t max_bytes) {
  return {
      ErrorCode::too_large,
      fmt::format("decompress: the profile exceeds maximum allowed size of {} bytes", max_bytes),
      "profile_size_limit"};
}

Status unzstd(std::string_view data, size_t max_bytes, std::string& out) {
  thread_local const std::unique_ptr<ZSTD_DCtx, Free> context(ZSTD_createDCtx());
  HEARTH_CHECK(context != nullptr, "ZSTD_createDCtx");
  ZSTD_DCtx_reset(context.get(), ZSTD_reset_session_and_parameters);
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kWindowLogMax);
  ZSTD_inBuffer in{data.data(), data.size(), 0};
  size_t done = 0;
  size_t hint = 1;
  out.resize(std::min(kFirstOutput, max_bytes) + kReadSlack);
  while (in.pos < in.size || hint != 0) {
    // One byte more than allowed tells a profile of exactly max_bytes from a larger one.
    if (done + kReadSlack >= out.size()) {
      if (done > max_bytes) return tl::unexpected(too_large(max_bytes));
      out.resize(std::min(2 * done, max_bytes + 1) + kReadSlack);
    }
    ZSTD_outBuffer buffer{out.data() + done, out.size() - kReadSlack - done, 0};
    const size_t before = in.pos;
    hint = ZSTD_decompressStream(context.get(), &buffer, &in);
    done += buffer.pos;
    if (ZSTD_isError(hint) != 0) {
      return fail(
          ErrorCode::invalid_argument,
          fmt::format("unzstd: byte {} of {}: {}", in.pos, in.size, ZSTD_getErrorName(hint)),
          "malformed_profile");
    }
    if (hint != 0 && in.pos == in.size && in.pos == before && buffer.pos == 0) {
      return fail(ErrorCode::invalid_argument,
                  fmt::format("unzstd: the frame is cut off at byte {}", in.size),
                  "malformed_profile");
    }
  }
  if (done > max_bytes) return tl::unexpected(too_large(max_bytes));
  std::fill_n(out.begin() + static_cast<ptrdiff_t>(done), kReadSlack, '\0');
  out.resize(done);
  return {};
}

Status inflate(std::string_view data, size_t max_bytes, std::string& out) {
  Status status = gunzip(data, max_bytes, out);
  if (status) return {};
  if (status.error().code == ErrorCode::too_large) return tl::unexpected(too_large(max_bytes));
  status.error().reason = "malformed_profile";
  return status;
}

}  // namespace

Result<std::string_view> Decompressor::decompress(std::string_view data, size_t max_bytes) {
  for (std::string& out : layers_) {
    if (!is_gzip(data) && !is_zstd(data)) return data;
    HEARTH_RETURN_IF_ERROR(is_gzip(data) ? inflate(data, max_bytes, out)
                                         : unzstd(data, max_bytes, out));
    data = out;
  }
  if (is_gzip(data) || is_zstd(data)) {
    return fail(ErrorCode::invalid_argument, "decompress: more than two layers of compression",
                "malformed_profile");
  }
  return data;
}

}  // namespace hearth::formats
