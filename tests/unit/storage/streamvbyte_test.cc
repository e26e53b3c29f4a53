#include "storage/streamvbyte.h"

#include <streamvbyte.h>

#include <algorithm>
#include <vector>

#include "support/catch.h"
#include "support/profile_gen.h"

namespace hearth::storage {
namespace {

std::vector<uint32_t> random_values(test::Dice& dice, size_t n) {
  std::vector<uint32_t> values(n);
  for (uint32_t& v : values) v = static_cast<uint32_t>(dice.next() >> (32 + dice.below(32)));
  return values;
}

std::string library_encode(const std::vector<uint32_t>& values) {
  std::vector<uint8_t> out(streamvbyte_max_compressedbytes(static_cast<uint32_t>(values.size())));
  const size_t n =
      streamvbyte_encode(values.data(), static_cast<uint32_t>(values.size()), out.data());
  return {reinterpret_cast<const char*>(out.data()), n};
}

}  // namespace

TEST_CASE("StreamVByte columns have the bytes of libstreamvbyte", "[svb]") {
  test::Dice dice(7);
  for (size_t n = 0; n < 300; ++n) {
    const std::vector<uint32_t> values = random_values(dice, n);
    std::string encoded;
    svb::encode(values, encoded);
    REQUIRE(encoded == library_encode(values));
  }
}

TEST_CASE("both StreamVByte kernels restore what was encoded", "[svb]") {
  test::Dice dice(8);
  for (size_t n = 0; n < 300; ++n) {
    const std::vector<uint32_t> values = random_values(dice, n);
    std::string encoded;
    svb::encode(values, encoded);
    // A buffer of exactly these bytes, so that a sanitizer sees a read behind the end.
    const std::vector<char> exact(encoded.begin(), encoded.end());
    const std::string_view bytes(exact.data(), exact.size());
    REQUIRE(svb::check(bytes, n));
    std::vector<uint32_t> scalar(n);
    svb::decode_scalar(bytes, n, scalar.data());
    REQUIRE(scalar == values);
    std::vector<uint32_t> simd(n);
    if (svb::decode_ssse3(bytes, n, simd.data())) REQUIRE(simd == values);
  }
}

TEST_CASE("a StreamVByte column that is short, long or has stray control bits is refused",
          "[svb]") {
  std::string encoded;
  svb::encode(std::vector<uint32_t>{1, 70'000, 3, 4, 5}, encoded);
  REQUIRE(svb::check(encoded, 5));
  REQUIRE_FALSE(svb::check(encoded, 4));
  REQUIRE_FALSE(svb::check(encoded, 6));
  REQUIRE_FALSE(svb::check(encoded + '\0', 5));
  REQUIRE_FALSE(svb::check(std::string_view(encoded).substr(0, encoded.size() - 1), 5));
  std::string stray = encoded;
  stray[1] = static_cast<char>(stray[1] | 0x40);
  REQUIRE_FALSE(svb::check(stray, 5));
  REQUIRE(svb::check("", 0));
  REQUIRE_FALSE(svb::check("", 1));
}

}  // namespace hearth::storage
