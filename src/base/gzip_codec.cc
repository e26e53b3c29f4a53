#include "base/gzip_codec.h"

#include <fmt/format.h>
#include <libdeflate.h>

#include <algorithm>
#include <memory>

#include "base/bytes.h"
#include "base/check.h"

namespace hearth {
namespace {

struct Free {
  void operator()(libdeflate_decompressor* d) const { libdeflate_free_decompressor(d); }
  void operator()(libdeflate_compressor* c) const { libdeflate_free_compressor(c); }
};

libdeflate_decompressor* decompressor() {
  thread_local const std::unique_ptr<libdeflate_decompressor, Free> instance(libdeflate_alloc_decompressor());
  HEARTH_CHECK(instance != nullptr, "libdeflate_alloc_decompressor");
  return instance.get();
}

// ISIZE, the last four bytes, is a hint only: it lies for members over 4 GiB, for several members and in bombs. Deflate cannot
// expand more than 1032 to 1, which bounds what a lie can make us reserve.
size_t size_hint(std::string_view data, size_t max_bytes) {
  const size_t isize = data.size() >= 18 ? load_le<uint32_t>(data.data() + data.size() - 4) : 0;
  return std::clamp<size_t>(isize, std::min<size_t>(1024, max_bytes), std::min(max_bytes, data.size() * 1032));
}

}  // namespace

bool is_gzip(std::string_view data) { return data.size() >= 2 && data[0] == '\x1f' && data[1] == '\x8b'; }

Status gunzip(std::string_view data, size_t max_bytes, std::string& out) {
  const size_t input_size = data.size();
  size_t done = 0;
  size_t capacity = std::max<size_t>(size_hint(data, max_bytes), 1);
  out.resize(capacity + kReadSlack);
  while (!data.empty()) {
    size_t used = 0;
    size_t produced = 0;
    const auto r = libdeflate_gzip_decompress_ex(decompressor(), data.data(), data.size(), out.data() + done,
                                                 capacity - done, &used, &produced);
    if (r == LIBDEFLATE_INSUFFICIENT_SPACE) {
      if (capacity >= max_bytes) {
        return fail(ErrorCode::too_large, fmt::format("gzip: output is larger than the limit of {} bytes", max_bytes));
      }
      capacity = std::min(max_bytes, capacity * 2);
      out.resize(capacity + kReadSlack);
      continue;
    }
    if (r != LIBDEFLATE_SUCCESS) {
      return fail(ErrorCode::invalid_argument, fmt::format("gzip: corrupt or truncated member at byte {} of {}",
                                                           input_size - data.size(), input_size));
    }
    done += produced;
    data.remove_prefix(used);
  }
  out.resize(done + kReadSlack);
  std::fill(out.end() - kReadSlack, out.end(), '\0');
  out.resize(done);
  return {};
}

std::string gzip_compress(std::string_view data, int level) {
  // One compressor per thread and level; answers use 1, the fastest.
  thread_local std::unique_ptr<libdeflate_compressor, Free> instance;
  thread_local int instance_level = 0;
  if (!instance || instance_level != level) {
    instance.reset(libdeflate_alloc_compressor(level));
    instance_level = level;
  }
  HEARTH_CHECK(instance != nullptr, "libdeflate_alloc_compressor");
  std::string out;
  out.resize(libdeflate_gzip_compress_bound(instance.get(), data.size()));
  out.resize(libdeflate_gzip_compress(instance.get(), data.data(), data.size(), out.data(), out.size()));
  return out;
}

}  // namespace hearth
