#include "base/arena.h"
#include "base/bytes.h"
#include "base/concurrency_gate.h"
#include "base/crc32c.h"
#include "base/delivery.h"
#include "base/memory_accountant.h"
#include "base/random.h"
#include "base/spare_pool.h"
#include "base/utf8.h"
#include "base/worker_pool.h"
#include "support/catch.h"

#include <atomic>
#include <limits>
#include <thread>
#include <vector>

using namespace hearth;

TEST_CASE("a varint is read back as it was written", "[base]") {
  auto random = seeded_random(1);
  for (int i = 0; i < 10'000; ++i) {
    const uint64_t v = random->next_u64() >> (random->next_u64() % 64);
    std::string out;
    put_varint(out, v);
    CHECK(out.size() == varint_size(v));
    ByteReader in(out);
    CHECK(in.varint() == v);
    CHECK(in.done());
  }
}

TEST_CASE("a varint of more than 64 bits, or one that is cut, is an error", "[base]") {
  for (const std::string& bad :
       {std::string(11, '\x80'), std::string("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
        std::string("\x80"), std::string()}) {
    ByteReader in(bad);
    CHECK(in.varint() == 0);
    CHECK_FALSE(in.ok());
  }
}

TEST_CASE("a count that the bytes left cannot hold takes no memory", "[base]") {
  std::string out;
  put_varint(out, 1'000'000);
  ByteReader in(out);
  CHECK(in.count(UINT64_MAX) == 0);
  CHECK_FALSE(in.ok());
}

TEST_CASE("zigzag keeps the extremes", "[base]") {
  for (const int64_t v : {int64_t{0}, int64_t{-1}, int64_t{1}, std::numeric_limits<int64_t>::min(),
                          std::numeric_limits<int64_t>::max()}) {
    CHECK(unzigzag(zigzag(v)) == v);
  }
}

TEST_CASE("crc32c gives the value of RFC 3720", "[base]") {
  CHECK(crc32c("123456789") == 0xe3069283U);
  CHECK(crc32c("56789", crc32c("1234")) == 0xe3069283U);
}

TEST_CASE("utf-8 with surrogates, overlong forms or cut sequences is refused", "[base]") {
  CHECK(is_utf8("main.go"));
  CHECK(is_utf8("gr\xc3\xbc\xc3\x9f"));
  CHECK(is_utf8("\xf0\x9f\x94\xa5"));
  CHECK_FALSE(is_utf8("\xed\xa0\x80"));
  CHECK_FALSE(is_utf8("\xc0\xaf"));
  CHECK_FALSE(is_utf8("12345678\xe2\x82"));
  CHECK(to_valid_utf8("a\xff"
                      "b") ==
        "a\xef\xbf\xbd"
        "b");
}

TEST_CASE("arena copies keep their place", "[base]") {
  Arena arena(64);
  const std::string_view first = arena.copy("first");
  for (int i = 0; i < 1000; ++i) arena.copy("filler filler");
  CHECK(arena.copy(std::string(1000, 'x')).size() == 1000);
  CHECK(first == "first");
}

TEST_CASE("the accountant refuses above 85 % and takes bytes back", "[base]") {
  MemoryAccountant accountant(1000);
  {
    auto a = accountant.charge(800, "a");
    REQUIRE(a);
    const auto b = accountant.charge(100, "b");
    REQUIRE_FALSE(b);
    CHECK(b.error().code == ErrorCode::unavailable);
    CHECK(a->resize(850));
    CHECK_FALSE(a->resize(851));
    CHECK(accountant.used() == 850);
    const MemoryCharge moved = std::move(*a);
    CHECK(accountant.used() == 850);
  }
  CHECK(accountant.used() == 0);
}

TEST_CASE("of spare buffers the one given back last goes out first, and few are kept", "[base]") {
  SparePool<std::vector<int>> pool(2);
  auto a = pool.take();
  auto b = pool.take();
  auto c = pool.take();
  const std::vector<int>* const first = a.get();
  const std::vector<int>* const second = b.get();
  a->assign(3, 1);
  pool.give(std::move(a));
  pool.give(std::move(b));
  pool.give(std::move(c));
  b = pool.take();
  a = pool.take();
  CHECK(b.get() == second);
  CHECK(a.get() == first);
  CHECK(a->size() == 3);
  CHECK(pool.take()->empty());
}

TEST_CASE("a gate lets no more through than its limit until one leaves", "[base]") {
  ConcurrencyGate gate(2);
  std::atomic<bool> leaves = false;
  gate.enter();
  gate.enter();
  {
    std::jthread third([&] {
      gate.enter();
      CHECK(leaves);
      gate.leave();
    });
    leaves = true;
    gate.leave();
  }
  gate.enter();
  gate.leave();
  gate.leave();
}

TEST_CASE("a delivery reaches its listener once, whichever comes first", "[base]") {
  std::vector<int> got;
  const auto listen = [&](int value) { got.push_back(value); };
  Delivery<int> value_first;
  value_first.put(1);
  CHECK(got.empty());
  value_first.take(listen);
  Delivery<int> listener_first;
  listener_first.take(listen);
  CHECK(got == std::vector{1});
  listener_first.put(2);
  CHECK(got == std::vector{1, 2});
}

TEST_CASE("a delivery is not lost between two threads", "[base]") {
  for (int round = 0; round < 500; ++round) {
    Delivery<int> delivery;
    std::atomic<int> got = 0;
    {
      const std::jthread other([&] { delivery.put(7); });
      delivery.take([&](int value) { got += value; });
    }
    CHECK(got == 7);
  }
}

TEST_CASE("a pool runs everything it accepted before it ends", "[base]") {
  std::atomic<int> ran = 0;
  int accepted = 0;
  {
    WorkerPool pool({.name = "test", .threads = 2, .queue_max = 8});
    for (int i = 0; i < 1000; ++i) accepted += pool.try_submit([&] { ++ran; }) ? 1 : 0;
  }
  CHECK(ran == accepted);
  CHECK(accepted >= 8);
}
