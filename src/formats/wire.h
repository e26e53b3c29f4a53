#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

/// Protobuf's wire format, for hot decoders. Every reader takes a position and returns the next
/// one, or nullptr when the bytes are malformed. Readers do not know where the message ends: a
/// varint may run up to kOverrun bytes past it. So the buffer needs that much readable slack, and
/// the caller compares the position with the end once per field.
namespace hearth::formats::wire {

/// A tag (5) and a varint (10) read past the end, rounded up to what the word loads touch.
constexpr size_t kOverrun = 16;

enum Type : uint32_t {
  kVarint = 0,
  kFixed64 = 1,
  kBytes = 2,
  kGroupStart = 3,
  kGroupEnd = 4,
  kFixed32 = 5
};

constexpr uint32_t tag(uint32_t field, Type type) {
  return field << 3U | type;
}

constexpr uint64_t kContinuation = 0x8080808080808080U;

/// Varints of three bytes and more. Bits above 64 are dropped, as protobuf does; more than ten
/// bytes are malformed.
inline const char* read_long_varint(const char* p, uint64_t& value) {
  uint64_t v = 0;
  for (unsigned i = 0; i < 10; ++i) {
    const auto b = static_cast<unsigned char>(p[i]);
    v |= static_cast<uint64_t>(b & 0x7fU) << (7 * i);
    if (b < 0x80) {
      value = v;
      return p + i + 1;
    }
  }
  return nullptr;
}

/// The value of a varint of up to eight bytes: its 7-bit groups pushed together in three steps.
inline uint64_t join_groups(uint64_t bytes) {
  uint64_t v = bytes & 0x7f7f7f7f7f7f7f7fU;
  v = (v & 0x007f007f007f007fU) | (v & 0x7f007f007f007f00U) >> 1U;
  v = (v & 0x00003fff00003fffU) | (v & 0x3fff00003fff0000U) >> 2U;
  return (v & 0x000000000fffffffU) | (v & 0x0fffffff00000000U) >> 4U;
}

/// A varint without a branch on its width, for values whose width nobody can predict: up to eight
/// bytes at once.
inline const char* read_varint_of_any_width(const char* p, uint64_t& value) {
  const auto word = load_le<uint64_t>(p);
  const uint64_t stops = ~word & kContinuation;
  if (stops == 0) [[unlikely]]
    return read_long_varint(p, value);
  const uint64_t upto_stop =
      stops ^ (stops - 1);  // All bits up to the first byte that ends a varint.
  value = join_groups(word & upto_stop);
  return p + (static_cast<unsigned>(std::countr_zero(stops)) + 1) / 8;
}

/// A varint that is short nearly always.
inline const char* read_varint(const char* p, uint64_t& value) {
  const auto b0 = static_cast<unsigned char>(p[0]);
  if (b0 < 0x80) {
    value = b0;
    return p + 1;
  }
  const auto b1 = static_cast<unsigned char>(p[1]);
  if (b1 < 0x80) {
    value = (b0 & 0x7fU) | static_cast<uint64_t>(b1) << 7U;
    return p + 2;
  }
  return read_varint_of_any_width(p, value);
}

/// Tags and lengths: at most five bytes. Bits above 32 are dropped.
inline const char* read_varint32(const char* p, uint32_t& value) {
  uint64_t v = 0;
  const char* const next = read_varint(p, v);
  if (next == nullptr || next - p > 5) return nullptr;
  value = static_cast<uint32_t>(v);
  return next;
}

/// Length of a bytes field and the position of its first byte. nullptr when it runs past `end`.
inline const char* read_length(const char* p, const char* end, size_t& length) {
  uint64_t n = 0;
  const char* const next = read_varint(p, n);
  if (next == nullptr || next - p > 5 || next > end || n > static_cast<size_t>(end - next))
    return nullptr;
  length = static_cast<size_t>(n);
  return next;
}

/// Skips the value of a field of an unknown number. Groups, long gone from protobuf, are malformed.
inline const char* skip_value(const char* p, const char* end, uint32_t field_tag) {
  uint64_t v = 0;
  size_t n = 0;
  switch (field_tag & 7U) {
    case kVarint:
      return read_varint(p, v);
    case kFixed64:
      return p + 8;
    case kFixed32:
      return p + 4;
    case kBytes:
      p = read_length(p, end, n);
      return p == nullptr ? nullptr : p + n;
    default:
      return nullptr;
  }
}

}  // namespace hearth::formats::wire
