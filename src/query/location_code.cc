#include "query/location_code.h"

#include "base/bytes.h"
#include "base/check.h"

namespace hearth::query {
namespace {

using symbols::SymbolTables;

// function: name, system name, file, start line
std::string encode_function(const SymbolTables& tables, uint32_t function) {
  std::string out;
  put_str(out, tables.strings[tables.function_name[function]]);
  put_str(out, tables.strings[tables.function_system_name[function]]);
  put_str(out, tables.strings[tables.function_file[function]]);
  put_le(out, tables.function_start_line[function]);
  return out;
}

// mapping: file, build id, start, limit, offset, flags; nothing for none
std::string encode_mapping(const SymbolTables& tables, uint32_t mapping_plus_one) {
  std::string out;
  if (mapping_plus_one == 0) return out;
  const uint32_t m = mapping_plus_one - 1;
  put_str(out, tables.strings[tables.mapping_file[m]]);
  put_str(out, tables.strings[tables.mapping_build_id[m]]);
  put_le(out, tables.mapping_start[m]);
  put_le(out, tables.mapping_limit[m]);
  put_le(out, tables.mapping_offset[m]);
  put_le(out, tables.mapping_flags[m]);
  return out;
}

}  // namespace

// location: name of the outermost function up to a zero byte, for the order only; mapping, address,
// folded, line count, lines as stored (function, line, column).
std::string encode_location(const SymbolTables& tables, uint32_t location) {
  const uint32_t begin = tables.line_begin[location];
  const uint32_t end = tables.line_begin[location + 1];
  std::string out;
  if (begin < end) out = tables.strings[tables.function_name[tables.line_function[end - 1]]];
  put_str(out, {});
  const size_t order = out.size();
  put_str(out, encode_mapping(tables, tables.location_mapping[location]));
  put_be(out, tables.location_address[location]);
  out += static_cast<char>(tables.location_folded[location]);
  put_varint(out, end - begin);
  for (uint32_t line = begin; line < end; ++line) {
    put_str(out, encode_function(tables, tables.line_function[line]));
    put_le(out, tables.line_number[line]);
    put_le(out, tables.line_column[line]);
  }
  // Names may hold zero bytes, so the length of the first part stands at the end.
  put_le(out, static_cast<uint32_t>(order));
  return out;
}

BatchBuilder::BatchBuilder(ProfileBatch& batch) : batch_(&batch) {
  string({});
  batch_->locations.line_begin.push_back(0);
}

uint32_t BatchBuilder::string(std::string_view text) {
  const auto [it, is_new] =
      strings_.try_emplace(std::string(text), static_cast<uint32_t>(batch_->strings.size()));
  if (is_new) batch_->add_string(text);
  return it->second;
}

uint32_t BatchBuilder::mapping(std::string_view code) {
  if (code.empty()) return ProfileBatch::kNone;
  ProfileBatch::Mappings& out = batch_->mappings;
  const auto [it, is_new] =
      mappings_.try_emplace(std::string(code), static_cast<uint32_t>(out.size()));
  if (!is_new) return it->second;
  ByteReader in(code);
  out.file.push_back(string(in.str()));
  out.build_id.push_back(string(in.str()));
  out.start.push_back(in.u64());
  out.limit.push_back(in.u64());
  out.offset.push_back(in.u64());
  out.flags.push_back(in.u8());
  HEARTH_CHECK(in.done(), "a mapping's code is read as it was written");
  return it->second;
}

uint32_t BatchBuilder::function(std::string_view code) {
  ProfileBatch::Functions& out = batch_->functions;
  const auto [it, is_new] =
      functions_.try_emplace(std::string(code), static_cast<uint32_t>(out.size()));
  if (!is_new) return it->second;
  ByteReader in(code);
  out.name.push_back(string(in.str()));
  out.system_name.push_back(string(in.str()));
  out.file.push_back(string(in.str()));
  out.start_line.push_back(static_cast<int64_t>(in.u64()));
  HEARTH_CHECK(in.done(), "a function's code is read as it was written");
  return it->second;
}

uint32_t BatchBuilder::location(std::string_view code) {
  ByteReader tail(code.substr(code.size() - sizeof(uint32_t)));
  ByteReader in(code.substr(0, code.size() - sizeof(uint32_t)));
  (void)in.bytes(tail.u32());
  ProfileBatch::Locations& out = batch_->locations;
  out.mapping.push_back(mapping(in.str()));
  out.address.push_back(load_be<uint64_t>(in.bytes(sizeof(uint64_t)).data()));
  out.folded.push_back(in.u8());
  const uint64_t lines = in.varint();
  for (uint64_t i = 0; i < lines; ++i) {
    batch_->lines.function.push_back(function(in.str()));
    batch_->lines.line.push_back(static_cast<int64_t>(in.u64()));
    batch_->lines.column.push_back(static_cast<int64_t>(in.u64()));
  }
  HEARTH_CHECK(in.done(), "a location's code is read as it was written");
  out.line_begin.push_back(static_cast<uint32_t>(batch_->lines.function.size()));
  return static_cast<uint32_t>(out.size() - 1);
}

}  // namespace hearth::query
