#include "storage/column_codec.h"

#include <algorithm>

#include "base/varint.h"
#include "storage/streamvbyte.h"

namespace hearth::storage {
namespace {

template <class T, class Map>
void put_varints(std::string& out, std::span<const T> values, Map map) {
  std::string column;
  column.reserve(values.size() + values.size() / 4);
  for (const T v : values) put_varint(column, map(v));
  put_str(out, column);
}

/// Decodes exactly n shortest-form varints that fill `column`; `take(i, v)` answers false to refuse
/// a value.
template <class Take>
bool decode_varints(std::string_view column, size_t n, Take take) {
  const auto* p = reinterpret_cast<const uint8_t*>(column.data());
  const auto* const end = p + column.size();
  for (size_t i = 0; i < n; ++i) {
    if (p == end) return false;
    uint64_t v = *p++;
    if (v >= 0x80) {
      v &= 0x7fU;
      unsigned shift = 7;
      uint8_t b = 0x80;
      for (; b >= 0x80; shift += 7) {
        if (p == end || shift > 63) return false;
        b = *p++;
        if (shift == 63 && b > 1) return false;
        v |= static_cast<uint64_t>(b & 0x7fU) << shift;
      }
      if (b == 0) return false;  // A shorter form exists.
    }
    if (!take(i, v)) return false;
  }
  return p == end;
}

template <class T, class Take>
bool read_varints(ByteReader& reader, size_t n, std::vector<T>& out, Take take) {
  out.clear();
  const std::string_view column = reader.str();
  if (reader.ok() && n <= column.size()) {
    out.resize(n);
    T* const to = out.data();
    if (decode_varints(column, n, [&](size_t i, uint64_t v) { return take(to[i], v); }))
      return true;
    out.clear();
  }
  reader.set_error();
  return false;
}

}  // namespace

void put_vcol(std::string& out, std::span<const uint64_t> values) {
  put_varints(out, values, [](uint64_t v) { return v; });
}

void put_vcol(std::string& out, std::span<const uint32_t> values) {
  put_varints(out, values, [](uint32_t v) { return uint64_t{v}; });
}

void put_zigzag_vcol(std::string& out, std::span<const int64_t> values) {
  put_varints(out, values, [](int64_t v) { return zigzag(v); });
}

void put_svb(std::string& out, std::span<const uint32_t> values) {
  std::string column;
  svb::encode(values, column);
  put_str(out, column);
}

bool read_vcol(ByteReader& reader, size_t n, std::vector<uint64_t>& out) {
  return read_varints(reader, n, out, [](uint64_t& to, uint64_t v) {
    to = v;
    return true;
  });
}

bool read_vcol(ByteReader& reader, size_t n, uint32_t max, std::vector<uint32_t>& out) {
  return read_varints(reader, n, out, [max](uint32_t& to, uint64_t v) {
    to = static_cast<uint32_t>(v);
    return v <= max;
  });
}

bool read_zigzag_vcol(ByteReader& reader, size_t n, std::vector<int64_t>& out) {
  return read_varints(reader, n, out, [](int64_t& to, uint64_t v) {
    to = unzigzag(v);
    return true;
  });
}

bool read_svb(ByteReader& reader, size_t n, std::vector<uint32_t>& out) {
  out.clear();
  const std::string_view column = reader.str();
  // Each value takes at least one byte, so the check of n comes before any memory.
  if (!reader.ok() || n > column.size() || !svb::check(column, n)) {
    reader.set_error();
    return false;
  }
  out.resize(n);
  svb::decode(column, n, out.data());
  return true;
}

bool read_svb(ByteReader& reader, size_t n, uint32_t max, std::vector<uint32_t>& out) {
  if (!read_svb(reader, n, out)) return false;
  if (std::ranges::all_of(out, [max](uint32_t v) { return v <= max; })) return true;
  out.clear();
  reader.set_error();
  return false;
}

}  // namespace hearth::storage
