#include "storage/retry_window.h"

#include "storage/keys.h"
#include "support/catch.h"
#include "support/model_kv_store.h"

namespace hearth::storage {
namespace {

constexpr int64_t kSlot = 60;
constexpr int64_t kWindow = 15 * kSlot;

TEST_CASE("an id is known for at least the window, per tenant", "[retry_window]") {
  MemoryAccountant memory(1 << 30U);
  RetryWindow window(kWindow, 0, 1, memory);
  CHECK(window.insert(1, {1, 1}));
  CHECK_FALSE(window.insert(1, {1, 1}));
  CHECK_FALSE(window.contains(2, {1, 1}));
  for (int64_t now = kSlot; now <= kWindow; now += kSlot) {
    window.tick(now);
    window.tick(now + 1);
    CHECK(window.contains(1, {1, 1}));
  }
  window.tick(kWindow + kSlot);
  CHECK_FALSE(window.contains(1, {1, 1}));
  CHECK(window.oldest_slot() == 1);
}

TEST_CASE("the window is bounded: a full slot ends before its time", "[retry_window]") {
  MemoryAccountant memory(size_t{1} << 30U);
  RetryWindow window(kWindow, 0, 1, memory);
  const uint64_t n = (RetryWindow::kSlots + 2) * RetryWindow::kIdsPerSlotMax;
  for (uint64_t i = 0; i < n; ++i) window.insert(1, {7, i});
  CHECK(window.size() <= RetryWindow::kSlots * RetryWindow::kIdsPerSlotMax);
  CHECK(window.contains(1, {7, n - 1}));
  CHECK_FALSE(window.contains(1, {7, 0}));
  CHECK(memory.used() > 0);
}

TEST_CASE("what was stored is known again, in slots that end in the same order", "[retry_window]") {
  MemoryAccountant memory(1 << 30U);
  test::ModelKvStore store(std::make_shared<test::ModelKvDisk>());
  KvBatch batch;
  batch.put(KvFamily::meta, RetryKey{3, 1, {1, 3}}.encode(), "");
  batch.put(KvFamily::meta, RetryKey{100, 1, {1, 100}}.encode(), "");
  batch.put(KvFamily::meta, RetryKey{110, 1, {1, 110}}.encode(), "");
  REQUIRE(store.write(batch, true));
  RetryWindow window(kWindow, 0, 1, memory);
  REQUIRE(window.load(store));
  CHECK(window.slot() == 111);
  CHECK_FALSE(window.contains(1, {1, 3}));
  CHECK(window.contains(1, {1, 100}));
  CHECK(window.contains(1, {1, 110}));
  for (int64_t i = 1; i <= 5; ++i) window.tick(i * kSlot);
  CHECK_FALSE(window.contains(1, {1, 100}));
  CHECK(window.contains(1, {1, 110}));
  CHECK(window.oldest_slot() == 101);
}

TEST_CASE("keys read back, in the order of their numbers", "[retry_window]") {
  const RetryKey key{5, 6, {7, 8}};
  const auto decoded = RetryKey::decode(key.encode());
  REQUIRE(decoded);
  CHECK(decoded->slot == 5);
  CHECK(decoded->tenant == 6);
  CHECK(decoded->id == Id128{7, 8});
  CHECK_FALSE(RetryKey::decode("P"));
  const RowKey row{1, 2, 3, 4, 5};
  const auto row_decoded = RowKey::decode(row.encode());
  REQUIRE(row_decoded);
  CHECK(row_decoded->generation == 1);
  CHECK(row_decoded->tenant == 2);
  CHECK(row_decoded->service == 3);
  CHECK(row_decoded->epoch == 4);
  CHECK(row_decoded->sequence == 5);
  CHECK(RowKey::begin(1) < row.encode());
  CHECK(RowKey{1, UINT32_MAX, UINT32_MAX, UINT64_MAX, UINT64_MAX}.encode() < RowKey::begin(2));
  CHECK(DeltaKey{255, 1}.encode() < DeltaKey{256, 0}.encode());
  CHECK(value_key("a", "bc", "d") != value_key("ab", "c", "d"));
}

}  // namespace
}  // namespace hearth::storage
