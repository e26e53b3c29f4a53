#pragma once

#include <string>

#include "storage/row_block.h"

/// The forms of row_block.h that hold changes.
namespace hearth::storage {

void encode_chained_block(const RowBlockView& block, std::string& out);
void encode_heap_block(const RowBlockView& block, std::string& out);

/// What follows the mode byte; errors are left in the reader.
void parse_chained_block(ByteReader& reader, size_t profiles, size_t types, ParsedRowBlock& out);
void parse_heap_block(ByteReader& reader, size_t profiles, size_t types, ParsedRowBlock& out);

/// A column of zigzagged differences; length-checked before.
void read_differences(std::string_view column, size_t n, std::vector<int64_t>& out);

[[nodiscard]] Status decode_chained_block(const ParsedRowBlock& block,
                                          std::span<const uint32_t> rows, size_t keys,
                                          DecodedRowBlock& out);
[[nodiscard]] Status decode_heap_block(const ParsedRowBlock& block, std::span<const uint32_t> rows,
                                       std::span<const int64_t> period, size_t keys,
                                       const HeapScales& heap, DecodedRowBlock& out);

}  // namespace hearth::storage
