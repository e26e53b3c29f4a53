#include "storage/remote_reading.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "storage/page_store.h"

namespace hearth::storage {
namespace {

std::unique_ptr<PageStore> open_pages(const RemoteReading::Options& options) {
  if (options.disk_bytes == 0) return nullptr;
  auto pages = open_rocks_page_store(options.path, options.disk_bytes);
  if (pages) return *std::move(pages);
  log::warn("nothing of the bucket is kept on disk", {{"error", pages.error().message}});
  return nullptr;
}

}  // namespace

RemoteReading::RemoteReading(const Options& options)
    : requests_(std::max<size_t>(options.requests, 1)),
      cache_(open_pages(options), {.memory = options.memory}),
      threads_({.name = "transfer", .threads = requests_, .queue_max = size_t{64} << 10}),
      fetcher_(&threads_) {}

}  // namespace hearth::storage
