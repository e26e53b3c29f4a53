#include "base/decimal.h"

#include <bit>
#include <cstring>

namespace hearth {
namespace {

constexpr uint64_t kEightDigits = 100'000'000;
constexpr uint64_t kZeros = 0x3030303030303030;  // Eight characters '0'.

// The digits of a number below 10^8, one a byte, the first one in the lowest byte. A multiplication
// works on all parts at once: two of four digits, four of two, eight of one. The reciprocals are
// exact in these ranges.
uint64_t eight_digits(uint64_t number) {
  const uint64_t fours = number / 10'000 | number % 10'000 << 32U;
  const uint64_t hundreds = fours * 5'243 >> 19U & 0x0000'007f'0000'007f;
  const uint64_t twos = hundreds | (fours - hundreds * 100) << 16U;
  const uint64_t tens = twos * 103 >> 10U & 0x000f'000f'000f'000f;
  return tens | (twos - tens * 10) << 8U;
}

void store(char* to, uint64_t bytes) {
  static_assert(std::endian::native == std::endian::little);
  std::memcpy(to, &bytes, sizeof bytes);
}

// Without leading zeros; number < 10^8, not 0.
char* write_leading(char* to, uint64_t number) {
  const uint64_t digits = eight_digits(number);
  const auto zeros = static_cast<unsigned>(std::countr_zero(digits)) / 8;
  store(to, (digits | kZeros) >> zeros * 8);
  return to + (8 - zeros);
}

char* write_eight(char* to, uint64_t number) {
  store(to, eight_digits(number) | kZeros);
  return to + 8;
}

char* write_positive(char* to, uint64_t number) {
  if (number < kEightDigits) return write_leading(to, number);
  to = write_positive(to, number / kEightDigits);
  return write_eight(to, number % kEightDigits);
}

}  // namespace

char* write_decimal(char* to, int64_t number) {
  if (number >= 0 && number < 10) {  // Most numbers of a flame graph: leaves out the rest.
    *to = static_cast<char>('0' + number);
    return to + 1;
  }
  auto magnitude = static_cast<uint64_t>(number);
  if (number < 0) {
    *to++ = '-';
    magnitude = 0 - magnitude;
  }
  return write_positive(to, magnitude);
}

}  // namespace hearth
