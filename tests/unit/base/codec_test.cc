#include "base/gzip_codec.h"
#include "base/random.h"
#include "base/zstd_codec.h"
#include "support/catch.h"

#include <algorithm>

using namespace hearth;

TEST_CASE("gunzip gives back what was compressed, several members together", "[base]") {
  const std::string a(100'000, 'a');
  const std::string b = "second member";
  std::string out;
  REQUIRE(gunzip(gzip_compress(a) + gzip_compress(b), 1'000'000, out));
  CHECK(out == a + b);
  REQUIRE(out.capacity() >= out.size() + kReadSlack);
}

TEST_CASE("a bomb stops at the budget", "[base]") {
  const std::string bomb = gzip_compress(std::string(50'000'000, '\0'), 9);
  std::string out;
  const Status status = gunzip(bomb, 1'000'000, out);
  REQUIRE_FALSE(status);
  CHECK(status.error().code == ErrorCode::too_large);
  CHECK(out.capacity() < 4'000'000);
}

TEST_CASE("output of exactly the budget passes", "[base]") {
  std::string out;
  CHECK(gunzip(gzip_compress(std::string(4096, 'x')), 4096, out));
  CHECK_FALSE(gunzip(gzip_compress(std::string(4097, 'x')), 4096, out));
}

TEST_CASE("every truncation of a gzip file is an error", "[base]") {
  const std::string whole = gzip_compress("profile profile profile");
  std::string out;
  for (size_t n = 1; n < whole.size(); ++n) CHECK_FALSE(gunzip(whole.substr(0, n), 1 << 20, out));
}

TEST_CASE("zstd refuses a frame of another size than declared", "[base]") {
  const std::string frame = zstd_compress("0123456789", 1);
  std::string out;
  REQUIRE(zstd_decompress(frame, 10, out));
  CHECK(out == "0123456789");
  CHECK_FALSE(zstd_decompress(frame, 11, out));
  CHECK_FALSE(zstd_decompress(frame, 9, out));
  CHECK_FALSE(zstd_decompress(frame.substr(1), 10, out));
}
