#include "storage/symbol_usage.h"

#include "support/catch.h"

namespace hearth::storage {
namespace {

TEST_CASE("entries in use are visited up and down, at every length of the table", "[storage]") {
  for (size_t size = 0; size < 40; ++size) {
    std::vector<uint8_t> used(size);
    std::vector<uint32_t> want;
    for (size_t i = 0; i < size; ++i) {
      used[i] = i % 11 == 0 || i % 7 == 3 || i + 1 == size ? 1 : 0;
      if (used[i] != 0) want.push_back(static_cast<uint32_t>(i));
    }
    std::vector<uint32_t> up, down;
    for_each_used(used, [&](uint32_t i) { up.push_back(i); });
    for_each_used_down(used, [&](uint32_t i) { down.push_back(i); });
    CHECK(up == want);
    CHECK(std::vector(down.rbegin(), down.rend()) == want);
  }
}

TEST_CASE("what is marked on the way down is visited, too", "[storage]") {
  std::vector<uint8_t> used(30);
  used.back() = 1;
  size_t visited = 0;
  for_each_used_down(used, [&](uint32_t i) {
    ++visited;
    if (i > 0) used[i - 1] = 1;
  });
  CHECK(visited == used.size());
}

}  // namespace
}  // namespace hearth::storage
