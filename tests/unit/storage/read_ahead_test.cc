#include "storage/read_ahead.h"

#include <random>

#include "support/catch.h"
#include "support/memory_object.h"

namespace hearth::storage {
namespace {

constexpr uint64_t kChunk = ReadAhead::kChunkBytes;

std::string some_bytes(size_t size) {
  std::mt19937 random(3);
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  return bytes;
}

struct Fixture {
  explicit Fixture(size_t size) : bytes(some_bytes(size)) {
    auto object = std::make_unique<test::MemoryObject>(bytes);
    below = object.get();
    reader = std::make_unique<ReadAhead>(std::move(object), memory);
  }
  void check(uint64_t offset, uint64_t length) {
    const auto got = reader->read(offset, length);
    REQUIRE(got);
    CHECK(got->view == std::string_view(bytes).substr(offset, length));
  }
  std::string bytes;
  MemoryAccountant memory{64U << 20U};
  test::MemoryObject* below = nullptr;
  std::unique_ptr<ReadAhead> reader;
};

TEST_CASE("an object that is read in pieces is asked for in chunks", "[storage]") {
  Fixture f(3 * kChunk + 1'000);
  constexpr uint64_t kPiece = 10'007;
  for (uint64_t at = 0; at < f.bytes.size(); at += kPiece)
    f.check(at, std::min<uint64_t>(kPiece, f.bytes.size() - at));
  CHECK(f.below->reads == 4);
  CHECK(f.memory.used() <= 2 * kChunk);
}

TEST_CASE("pieces a little before the last one are still there", "[storage]") {
  Fixture f(4 * kChunk);
  f.check(2 * kChunk - 10, 20);
  f.check(kChunk, 100);
  f.check(2 * kChunk + 50, 100);
  CHECK(f.below->reads == 2);
}

TEST_CASE("ranges of any size and place are the object's, and none beyond it", "[storage]") {
  Fixture f(3 * kChunk - 77);
  std::mt19937 random(7);
  for (int i = 0; i < 300; ++i) {
    const uint64_t offset = random() % (f.bytes.size() + 1);
    const uint64_t most = std::min<uint64_t>(f.bytes.size() - offset, 2 * kChunk);
    f.check(offset, random() % (most + 1));
  }
  const auto beyond = f.reader->read(f.bytes.size() - 5, 6);
  REQUIRE(!beyond);
  CHECK(beyond.error().code == ErrorCode::data_loss);
}

}  // namespace
}  // namespace hearth::storage
