#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"

/// Columns of a section: each is preceded by its byte length (varint) and uses it up exactly; the
/// number of values is known beforehand. The put_ functions append; the read_ functions leave
/// `reader` in its error state and `out` empty when the column is short, long or malformed, so that
/// a decoder may read several columns and test once. No memory is taken before `n` was checked
/// against the bytes of the column.
namespace hearth::storage {

/// vcol: varints.
void put_vcol(std::string& out, std::span<const uint64_t> values);
void put_vcol(std::string& out, std::span<const uint32_t> values);
/// Zigzag varints.
void put_zigzag_vcol(std::string& out, std::span<const int64_t> values);
/// svb: StreamVByte.
void put_svb(std::string& out, std::span<const uint32_t> values);

bool read_vcol(ByteReader& reader, size_t n, std::vector<uint64_t>& out);
/// Values above `max` are malformed.
bool read_vcol(ByteReader& reader, size_t n, uint32_t max, std::vector<uint32_t>& out);
bool read_zigzag_vcol(ByteReader& reader, size_t n, std::vector<int64_t>& out);
bool read_svb(ByteReader& reader, size_t n, std::vector<uint32_t>& out);
/// The same with the largest value allowed.
bool read_svb(ByteReader& reader, size_t n, uint32_t max, std::vector<uint32_t>& out);

}  // namespace hearth::storage
