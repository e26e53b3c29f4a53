#include "storage/streamvbyte.h"

#include <array>
#include <cstring>

#include "base/check.h"
#ifdef __x86_64__
#include <tmmintrin.h>
#endif

namespace hearth::storage::svb {
namespace {

/// Data bytes of the four values of a control byte: 4…16.
constexpr auto kQuadBytes = [] {
  std::array<uint8_t, 256> bytes{};
  for (unsigned c = 0; c < 256; ++c) {
    bytes[c] = static_cast<uint8_t>(4 + (c & 3U) + (c >> 2U & 3U) + (c >> 4U & 3U) + (c >> 6U));
  }
  return bytes;
}();

const uint8_t* raw(std::string_view bytes) {
  return reinterpret_cast<const uint8_t*>(bytes.data());
}

uint32_t load_bytes(const uint8_t* p, unsigned n) {
  uint32_t v = 0;
  for (unsigned i = 0; i < n; ++i) v |= static_cast<uint32_t>(p[i]) << (8 * i);
  return v;
}

/// Values [begin, n) with their data at `data`; begin is a multiple of 4.
void decode_tail(const uint8_t* control, const uint8_t* data, size_t begin, size_t n,
                 uint32_t* out) {
  for (size_t i = begin; i < n; ++i) {
    const unsigned length = 1 + (control[i / 4] >> (2 * (i % 4)) & 3U);
    out[i] = load_bytes(data, length);
    data += length;
  }
}

/// The fast loops read a whole quad at once and stop where fewer bytes than this are left.
constexpr size_t kQuadRead = 16;

#ifdef __x86_64__
/// Row c moves the bytes of a quad with control byte c to their four lanes; 0x80 makes a zero.
constexpr auto kShuffle = [] {
  std::array<std::array<uint8_t, 16>, 256> rows{};
  for (unsigned c = 0; c < 256; ++c) {
    uint8_t next = 0;
    for (unsigned lane = 0; lane < 4; ++lane) {
      const unsigned length = 1 + (c >> (2 * lane) & 3U);
      for (unsigned b = 0; b < 4; ++b) rows[c][4 * lane + b] = b < length ? next++ : 0x80;
    }
  }
  return rows;
}();

__attribute__((target("ssse3"))) void decode_quads_ssse3(std::string_view bytes, size_t n,
                                                         uint32_t* out) {
  const uint8_t* control = raw(bytes);
  const uint8_t* data = control + control_bytes(n);
  const uint8_t* const end = control + bytes.size();
  size_t i = 0;
  for (; i + 4 <= n && static_cast<size_t>(end - data) >= kQuadRead; i += 4) {
    const uint8_t c = control[i / 4];
    const __m128i in = _mm_loadu_si128(reinterpret_cast<const __m128i*>(data));
    const __m128i shuffle = _mm_loadu_si128(reinterpret_cast<const __m128i*>(kShuffle[c].data()));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i), _mm_shuffle_epi8(in, shuffle));
    data += kQuadBytes[c];
  }
  decode_tail(control, data, i, n, out);
}
#endif

bool has_ssse3() {
#ifdef __x86_64__
  static const bool has = __builtin_cpu_supports("ssse3") != 0;
  return has;
#else
  return false;
#endif
}

}  // namespace

void encode(std::span<const uint32_t> values, std::string& out) {
  const size_t base = out.size();
  const size_t n = values.size();
  out.resize(base + control_bytes(n) + 4 * n);  // The most it can be; cut below.
  char* const control = out.data() + base;
  char* data = control + control_bytes(n);
  std::memset(control, 0, control_bytes(n));
  for (size_t i = 0; i < n; ++i) {
    const uint32_t v = values[i];
    const unsigned code = (v > 0xffU) + (v > 0xffffU) + (v > 0xffffffU);
    control[i / 4] =
        static_cast<char>(static_cast<uint8_t>(control[i / 4]) | code << (2 * (i % 4)));
    std::memcpy(data, &v, sizeof v);  // Four bytes always fit: the buffer was sized for them.
    data += code + 1;
  }
  out.resize(static_cast<size_t>(data - out.data()));
}

bool check(std::string_view bytes, size_t n) {
  const size_t controls = control_bytes(n);
  if (bytes.size() < controls) return false;
  const uint8_t* control = raw(bytes);
  size_t data = 0;
  for (size_t i = 0; i < n / 4; ++i) data += kQuadBytes[control[i]];
  if (n % 4 != 0) {
    const unsigned last = control[controls - 1];
    for (size_t i = 0; i < n % 4; ++i) data += 1 + (last >> (2 * i) & 3U);
    if (last >> (2 * (n % 4)) != 0) return false;
  }
  return data == bytes.size() - controls;
}

void decode_scalar(std::string_view bytes, size_t n, uint32_t* out) {
  // Masked four-byte loads as long as they stay inside; byte by byte for the last few values.
  static constexpr std::array<uint32_t, 4> kMask = {0xff, 0xffff, 0xffffff, 0xffffffff};
  const uint8_t* control = raw(bytes);
  const uint8_t* data = control + control_bytes(n);
  const uint8_t* const end = control + bytes.size();
  size_t i = 0;
  for (; i + 4 <= n && static_cast<size_t>(end - data) >= kQuadRead; i += 4) {
    unsigned c = control[i / 4];
    for (size_t lane = 0; lane < 4; ++lane, c >>= 2U) {
      uint32_t v;
      std::memcpy(&v, data, sizeof v);
      out[i + lane] = v & kMask[c & 3U];
      data += 1 + (c & 3U);
    }
  }
  decode_tail(control, data, i, n, out);
}

bool decode_ssse3([[maybe_unused]] std::string_view bytes, [[maybe_unused]] size_t n,
                  [[maybe_unused]] uint32_t* out) {
  if (!has_ssse3()) return false;
#ifdef __x86_64__
  decode_quads_ssse3(bytes, n, out);
#endif
  return true;
}

void decode(std::string_view bytes, size_t n, uint32_t* out) {
  HEARTH_DCHECK(check(bytes, n), "svb::decode of bytes that were not checked");
  if (!decode_ssse3(bytes, n, out)) decode_scalar(bytes, n, out);
}

}  // namespace hearth::storage::svb
