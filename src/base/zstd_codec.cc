#include "base/zstd_codec.h"

#include <fmt/format.h>
#include <zstd.h>

#include <memory>

#include "base/check.h"

namespace hearth {
namespace {

struct Free {
  void operator()(ZSTD_CCtx* c) const { ZSTD_freeCCtx(c); }
  void operator()(ZSTD_DCtx* d) const { ZSTD_freeDCtx(d); }
};

}  // namespace

std::string zstd_compress(std::string_view data, int level) {
  thread_local const std::unique_ptr<ZSTD_CCtx, Free> context(ZSTD_createCCtx());
  std::string out;
  out.resize(ZSTD_compressBound(data.size()));
  const size_t n = ZSTD_compressCCtx(context.get(), out.data(), out.size(), data.data(), data.size(), level);
  HEARTH_CHECK(ZSTD_isError(n) == 0, "ZSTD_compressCCtx into a buffer of ZSTD_compressBound");
  out.resize(n);
  return out;
}

Status zstd_decompress(std::string_view data, size_t raw_size, std::string& out) {
  thread_local const std::unique_ptr<ZSTD_DCtx, Free> context(ZSTD_createDCtx());
  out.resize(raw_size);
  const size_t n = ZSTD_decompressDCtx(context.get(), out.data(), raw_size, data.data(), data.size());
  if (ZSTD_isError(n) != 0) {
    return fail(ErrorCode::data_loss, fmt::format("zstd: {} stored bytes: {}", data.size(), ZSTD_getErrorName(n)));
  }
  if (n != raw_size) {
    return fail(ErrorCode::data_loss, fmt::format("zstd: got {} bytes; want {}", n, raw_size));
  }
  return {};
}

}  // namespace hearth
