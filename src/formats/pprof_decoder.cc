#include "formats/pprof_decoder.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "base/gzip_codec.h"
#include "base/spare_pool.h"
#include "formats/pprof_reader.h"

namespace hearth::formats {
namespace {

static_assert(wire::kOverrun <= kReadSlack);

constexpr size_t kIdsKept = 256 * 1024;  // One huge profile must not pin its memory for good.
constexpr size_t kSpareIds = 8;

SparePool<pprof::Ids>& spare_ids() {
  static SparePool<pprof::Ids> pool(kSpareIds);
  return pool;
}

Status decode_with_slack(std::string_view raw, const DecodeLimits& limits, ProfileBatch& out) {
  if (raw.size() >= size_t{1} << 31U) {
    out.clear();
    return fail(ErrorCode::too_large,
                fmt::format("pprof: {} bytes; want fewer than 2 GiB", raw.size()));
  }
  std::unique_ptr<pprof::Ids> ids = spare_ids().take();
  Status status = pprof::PprofReader(raw, limits, out, *ids).read();
  if (ids->capacity() <= kIdsKept) spare_ids().give(std::move(ids));
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
