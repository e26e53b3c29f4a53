#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

/// StreamVByte's 1-2-3-4-byte form (Lemire, Kurz, Rupp 2018): ⌈n/4⌉ control bytes, two bits per
/// value (bytes − 1, first value in the low bits), then the values' bytes, little-endian. The bytes
/// are those of libstreamvbyte, the oracle of the tests; the kernels are our own because Debian's
/// library is built without SIMD and has no length check.
namespace hearth::storage::svb {

[[nodiscard]] constexpr size_t control_bytes(size_t n) {
  return (n + 3) / 4;
}

/// Appends the encoding of `values`, each in the fewest bytes.
void encode(std::span<const uint32_t> values, std::string& out);

/// True when `bytes` are exactly an encoding of `n` values: long enough for the control bytes, the
/// data as long as they say, nothing behind it, unused control bits zero. Reads only inside
/// `bytes`.
[[nodiscard]] bool check(std::string_view bytes, size_t n);

/// Decodes `n` values to `out`, which has room for them. Precondition: check(bytes, n). Never reads
/// outside `bytes`. Picks the kernel once, by CPU.
void decode(std::string_view bytes, size_t n, uint32_t* out);

/// The kernels by name, for tests and benchmarks. The second answers false, and does nothing, on a
/// CPU without SSSE3.
void decode_scalar(std::string_view bytes, size_t n, uint32_t* out);
bool decode_ssse3(std::string_view bytes, size_t n, uint32_t* out);

}  // namespace hearth::storage::svb
