// Fails every large allocation of an append once, and looks whether the next one still writes the
// symbols that both need.
#include <cstdlib>
#include <new>

#include "support/store_model.h"

namespace {

// Small ones are left alone: some are made where there is no way back, and end the process on
// purpose.
constexpr size_t kLarge = 256;
thread_local uint64_t fail_at = 0;  // 0 = never.

void* allocate(size_t bytes) {
  if (bytes >= kLarge && fail_at != 0 && --fail_at == 0) throw std::bad_alloc();
  void* p = std::malloc(bytes);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}

}  // namespace

void* operator new(size_t bytes) {
  return allocate(bytes);
}
void* operator new[](size_t bytes) {
  return allocate(bytes);
}
void operator delete(void* p) noexcept {
  std::free(p);
}
void operator delete[](void* p) noexcept {
  std::free(p);
}
void operator delete(void* p, size_t) noexcept {
  std::free(p);
}
void operator delete[](void* p, size_t) noexcept {
  std::free(p);
}

namespace hearth::storage {
namespace {

/// False when the append ran out of memory.
bool append(test::StoreUnderTest& t, const ProfileBatch& batch, Id128 id, uint64_t fail_at_nth) {
  const LabelSet series = test::series_of("svc", "p");
  std::vector<uint32_t> samples(batch.samples.size());
  for (uint32_t s = 0; s < samples.size(); ++s) samples[s] = s;
  const AppendProfile profile{&series, &batch, samples, id};
  const Tenant tenant = *Tenant::parse("acme");
  t.kv().on_write([] { fail_at = 0; });  // What follows happens under a promise not to throw.
  bool done = true;
  try {
    fail_at = fail_at_nth;
    const auto outcome = t.store().append(tenant, std::span(&profile, 1));
    fail_at = 0;
    CHECK(outcome);
  } catch (const std::bad_alloc&) {
    done = false;
  }
  fail_at = 0;
  return done;
}

TEST_CASE("whichever allocation of an append fails, the next one writes all its symbols",
          "[fault]") {
  for (uint64_t n = 1;; ++n) {
    test::StoreUnderTest t;
    const ProfileBatch batch = t.gen().next();
    REQUIRE(append(t, t.gen().next(), Id128{1, 1}, 0));
    const bool done = append(t, batch, Id128{1, 2}, n);
    INFO("allocation " << n);
    REQUIRE(append(t, batch, Id128{1, 3}, 0));
    REQUIRE(t.reopen());
    // A profile whose symbols are lost makes the view partial, which read_all() refuses.
    const auto all = test::read_all(t.store(), *Tenant::parse("acme"));
    CHECK(all.contains(Id128{1, 1}));
    CHECK(all.contains(Id128{1, 3}));
    CHECK(all.contains(Id128{1, 2}) == done);
    if (done) {
      CHECK(n > 5);
      break;
    }
  }
}

}  // namespace
}  // namespace hearth::storage
