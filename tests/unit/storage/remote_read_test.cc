#include <string>
#include <thread>

#include "base/worker_pool.h"
#include "storage/cached_reader.h"
#include "storage/segment_catalog.h"
#include "support/catch.h"
#include "support/profile_gen.h"
#include "support/remote_bucket.h"
#include "support/segment_gen.h"
#include "support/temp_dir.h"
#include "support/worked_example.h"

namespace hearth::storage {
namespace {

constexpr Id128 kObject{1, 2};

std::string random_bytes(size_t n) {
  test::Dice dice(n);
  std::string bytes(n, '\0');
  for (char& c : bytes) c = static_cast<char>(dice.next());
  return bytes;
}

struct Fixture {
  /// `memory_bytes`: for pages in memory, which hide what happens to those on disk.
  explicit Fixture(std::string object, size_t threads = 0, size_t memory_bytes = 32U << 20U)
      : bytes(std::move(object)),
        cache(std::unique_ptr<PageStore>(pages), {.memory_bytes = memory_bytes}),
        pool(threads == 0 ? nullptr
                          : std::make_unique<WorkerPool>(
                                WorkerPool::Options{.name = "transfer", .threads = threads})),
        fetcher(pool.get()) {
    REQUIRE(bucket.put("o", bytes));
  }
  CachedReader reader() { return {{&cache, &fetcher}, bucket, "o", kObject, bytes.size()}; }
  std::string read(const CachedReader& from, uint64_t offset, uint64_t length) {
    const auto got = from.read(offset, length);
    REQUIRE(got);
    return std::string(got->view);
  }

  std::string bytes;
  test::RemoteBucket bucket;
  test::MemoryPageStore* pages = new test::MemoryPageStore;
  BlockCache cache;
  std::unique_ptr<WorkerPool> pool;  ///< Its tasks use what stands above.
  RangeFetcher fetcher;
};

}  // namespace

TEST_CASE("what was read once is not asked for again, also by another reader", "[storage]") {
  Fixture f(random_bytes(3'000'000));
  const CachedReader first = f.reader();
  CHECK(f.read(first, 1'000'000, 200'000) == f.bytes.substr(1'000'000, 200'000));
  const auto reads = f.bucket.take_reads();
  REQUIRE(reads.size() == 1);
  CHECK(reads[0].length <= 200'000 + 2 * BlockCache::kBlockBytes);
  const CachedReader second = f.reader();
  CHECK(f.read(second, 1'100'000, 50'000) == f.bytes.substr(1'100'000, 50'000));
  CHECK(f.bucket.take_reads().empty());
}

TEST_CASE("any reads give the bytes of the object, whatever is cached", "[storage]") {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    INFO("seed " << seed);
    test::Dice dice(seed);
    Fixture f(random_bytes(1 + dice.below(2'500'000)), 0, seed % 2 == 0 ? 0 : 1U << 20U);
    const CachedReader reader = f.reader();
    for (int i = 0; i < 30; ++i) {
      const uint64_t offset = dice.below(f.bytes.size());
      const uint64_t length = dice.below(std::min<uint64_t>(f.bytes.size() - offset, 100'000) + 1);
      if (dice.percent(20)) reader.prefetch(offset, length);
      REQUIRE(f.read(reader, offset, length) == f.bytes.substr(offset, length));
      // Pages go when others come.
      if (dice.percent(20) && !f.pages->pages().empty())
        f.pages->pages().erase(f.pages->pages().begin());
      if (dice.percent(5) && !f.pages->pages().empty())
        f.pages->pages().begin()->second = "not a page";
    }
  }
}

TEST_CASE("parts that lie close are one request, others are not", "[storage]") {
  Fixture f(random_bytes(4'000'000));
  const CachedReader reader = f.reader();
  f.read(reader, 500'000, 10'000);
  f.read(reader, 1'500'000, 10'000);
  f.bucket.take_reads();
  // Two holes, the longer one in the middle, are fetched around what is there.
  f.read(reader, 400'000, 1'300'000);
  CHECK(f.bucket.take_reads().size() == 1);
  CHECK(coalesced({{0, 10}, {12, 5}, {100, 1}}, 64) == std::vector<ByteRange>{{0, 17}, {100, 1}});
}

TEST_CASE("a cached page that was damaged is recognised and its bytes asked for again",
          "[storage]") {
  Fixture f(random_bytes(200'000));
  f.read(f.reader(), 0, 100'000);
  f.bucket.take_reads();
  REQUIRE(f.pages->pages().size() == 1);
  const std::string sound = f.pages->pages().begin()->second;
  for (const size_t at : {size_t{0}, size_t{5}, size_t{20}, sound.size() - 1}) {
    auto* pages = new test::MemoryPageStore;
    pages->pages() = f.pages->pages();
    pages->pages().begin()->second[at] ^= 1;
    BlockCache cache{std::unique_ptr<PageStore>(pages)};
    const CachedReader reader{{&cache, &f.fetcher}, f.bucket, "o", kObject, f.bytes.size()};
    CHECK(f.read(reader, 50'000, 1000) == f.bytes.substr(50'000, 1000));
    CHECK(f.bucket.take_reads().size() == 1);
    CHECK(cache.stats().damaged_pages >= 1);
    // It was replaced by what came.
    CHECK(f.read(reader, 50'000, 1000) == f.bytes.substr(50'000, 1000));
    CHECK(f.bucket.take_reads().empty());
  }
}

TEST_CASE("without a disk the pages used last are in memory, within their budget", "[storage]") {
  const std::string bytes = random_bytes(6'000'000);
  MemoryAccountant memory(1U << 30U);
  {
    BlockCache cache(nullptr, {.memory = &memory, .memory_bytes = 3U << 20U});
    for (uint64_t page = 0; page < 5; ++page) {
      cache.put(kObject, bytes.size(), page << 20U,
                std::string_view(bytes).substr(page << 20U, 1U << 20U));
    }
    std::string got(1000, '\0');
    CHECK(cache.get(kObject, bytes.size(), {(4U << 20U) + 5, 1000}, got.data()).empty());
    CHECK(got == bytes.substr((4U << 20U) + 5, 1000));
    CHECK_FALSE(cache.get(kObject, bytes.size(), {5, 1000}, got.data()).empty());
    CHECK(memory.used() > 2U << 20U);
    CHECK(memory.used() <= 3U << 20U);
  }
  CHECK(memory.used() == 0);
}

TEST_CASE("a range outside the object is data loss, a missing object not found", "[storage]") {
  Fixture f(random_bytes(1000));
  CHECK(f.reader().read(900, 101).error().code == ErrorCode::data_loss);
  CHECK(f.reader().read(UINT64_MAX, 2).error().code == ErrorCode::data_loss);
  CHECK(f.reader().read(1000, 0)->view.empty());
  REQUIRE(f.bucket.remove("o"));
  const CachedReader reader = f.reader();
  const auto gone = reader.read(0, 10);
  CHECK(gone.error().code == ErrorCode::not_found);
  CHECK(gone.error().reason == kObjectGone);
  CHECK(reader.gone());
}

TEST_CASE("a failed request is an error once and asked again later", "[storage]") {
  Fixture f(random_bytes(1000));
  const CachedReader reader = f.reader();
  f.bucket.fail_next();
  CHECK(reader.read(0, 10).error().code == ErrorCode::unavailable);
  CHECK(f.read(reader, 0, 10) == f.bytes.substr(0, 10));
}

TEST_CASE("prefetched parts are fetched at once, each once, and joined by readers", "[storage]") {
  Fixture f(random_bytes(3'000'000), 4);
  const CachedReader reader = f.reader();
  f.bucket.hold_next();
  reader.prefetch(0, 100'000);
  f.bucket.await_held();  // Threads may begin in another order.
  reader.prefetch(2'000'000, 100'000);
  std::thread other([&] { CHECK(f.read(reader, 0, 1000) == f.bytes.substr(0, 1000)); });
  CHECK(f.read(reader, 2'000'000, 100'000) == f.bytes.substr(2'000'000, 100'000));
  f.bucket.release();
  CHECK(f.read(reader, 0, 100'000) == f.bytes.substr(0, 100'000));
  other.join();
  CHECK(f.bucket.take_reads().size() == 2);
}

TEST_CASE("a request slower than nearly all before it is asked a second time", "[storage]") {
  Fixture f(random_bytes(2'000'000), 2);
  const CachedReader reader = f.reader();
  for (uint64_t i = 0; i < 40; ++i) f.read(reader, i * BlockCache::kBlockBytes, 10);
  const uint64_t hedges = f.fetcher.stats().hedges;
  f.bucket.hold_next();
  // The held request never ends before the second one has answered.
  CHECK(f.read(reader, 1'500'000, 10) == f.bytes.substr(1'500'000, 10));
  CHECK(f.fetcher.stats().hedges > hedges);
  f.bucket.release();
}

TEST_CASE("a dataset in a remote bucket costs one request, two with its directory", "[storage]") {
  test::Dice dice(7);
  std::vector<DatasetInput> inputs;
  test::DatasetShape shape;
  shape.nodes = 20'000;
  shape.keys = 10'000;
  shape.profiles = 300;
  shape.rows = 500;
  for (const char* service : {"a", "b", "c"}) {
    inputs.push_back(test::random_dataset(dice, shape));
    inputs.back().service = service;
  }
  Fixture f(test::write_segment(inputs), 2);
  REQUIRE(f.bucket.put("segments/test", f.bytes));
  SegmentIdentity identity;
  identity.key = "segments/test";
  identity.size = f.bytes.size();
  identity.datasets = 3;
  {
    const auto plain = open_segment(f.bucket, identity.key);
    REQUIRE(plain);
    identity.uuid = (*plain)->uuid();
  }
  for (const size_t want : {2U, 0U}) {
    f.bucket.take_reads();
    SegmentReaders readers(f.bucket, 10, {&f.cache, &f.fetcher});
    const auto segment = readers.open(identity);
    REQUIRE(segment);
    const auto dataset = (*segment)->dataset(1);
    dataset->prefetch(Dataset::Part::rows);
    const auto profiles = *dataset->profiles();
    std::vector<uint32_t> all(profiles->size());
    std::iota(all.begin(), all.end(), 0U);
    std::vector<int64_t> by_key((*dataset->symbols())->keys());
    REQUIRE(dataset->series());
    REQUIRE(dataset->add_rows(all, 0, by_key));
    const auto reads = f.bucket.take_reads();
    // On a machine that is busy a request may be made a second time, and that one begin late.
    const uint64_t hedges = f.fetcher.stats().hedges;
    CHECK(reads.size() >= want);
    CHECK(reads.size() <= want + hedges);
    uint64_t bytes = 0;
    for (const ByteRange& range : reads) bytes += range.length;
    CHECK(bytes <=
          (1 + hedges) * (dataset->stored_bytes() + (64U << 10U) + 4 * BlockCache::kBlockBytes));
  }
}

TEST_CASE("pages on disk come back, and a damaged folder is started anew", "[storage]") {
  const test::TempDir dir;
  const std::string path = dir / "blocks";
  {
    auto pages = open_rocks_page_store(path, 64U << 20U);
    REQUIRE(pages);
    // More than the eight files after which RocksDB's defaults refuse insertions for good. A page
    // that comes while memory is being written out may be refused once.
    const std::string page = random_bytes(1U << 20U);
    for (int i = 0; i < 200; ++i) {
      const std::string key = "page " + std::to_string(i);
      for (int tries = 0; tries < 100'000 && !(*pages)->get(key); ++tries) (*pages)->put(key, page);
      REQUIRE((*pages)->get(key) == page);
    }
    CHECK_FALSE((*pages)->get("page 200"));
    // The budget is kept, in the background: the oldest go.
    for (int tries = 0; tries < 100'000 && (*pages)->get("page 0"); ++tries) {
      std::this_thread::yield();
    }
    CHECK_FALSE((*pages)->get("page 0"));
  }
  {
    const auto file = fopen((path + "/CURRENT").c_str(), "w");
    REQUIRE(file != nullptr);
    fputs("nonsense\n", file);
    fclose(file);
  }
  auto pages = open_rocks_page_store(path, 64U << 20U);
  REQUIRE(pages);
  (*pages)->put("a", "b");
  CHECK((*pages)->get("a") == "b");
}

}  // namespace hearth::storage
