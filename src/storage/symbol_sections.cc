#include "storage/symbol_sections.h"

#include <algorithm>
#include <tuple>

#include "storage/column_codec.h"
#include "storage/segment_format.h"

namespace hearth::storage {
namespace {

constexpr uint8_t kFunctionFlagColumn = 1;

auto function_tuple(const symbols::SymbolTables& t, size_t i) {
  return std::tuple(t.function_name[i], t.function_system_name[i], t.function_file[i],
                    t.function_start_line[i]);
}

auto mapping_tuple(const symbols::SymbolTables& t, size_t i) {
  return std::tuple(t.mapping_start[i], t.mapping_limit[i], t.mapping_offset[i], t.mapping_file[i],
                    t.mapping_build_id[i], t.mapping_flags[i]);
}

tl::unexpected<Error> bad_function(std::string_view what) {
  return section_damaged(SectionKind::functions, what);
}
tl::unexpected<Error> bad_mapping(std::string_view what) {
  return section_damaged(SectionKind::mappings, what);
}

/// Column 0 means the name itself, so that a system name that says nothing new costs nothing.
bool resolve_system_names(size_t strings, OwnedSymbols& out) {
  for (size_t i = 0; i < out.function_name.size(); ++i) {
    uint32_t& system = out.function_system_name[i];
    if (system > strings) return false;
    const bool same = system == 0;
    system = same ? out.function_name[i] : system - 1;
    if (!same && system == out.function_name[i]) return false;  // It has a shorter form.
  }
  return true;
}

}  // namespace

Status encode_functions(const symbols::SymbolTables& t, std::string& out) {
  const size_t n = t.function_name.size();
  if (n > limit::kFunctions)
    return section_too_large(SectionKind::functions, "more than 2^24 functions");
  std::vector<uint32_t> system(n);
  for (size_t i = 0; i < n; ++i) {
    system[i] = t.function_system_name[i] == t.function_name[i] ? 0 : t.function_system_name[i] + 1;
  }
  put_varint(out, n);
  out.push_back(0);
  put_svb(out, t.function_name);
  put_svb(out, system);
  put_svb(out, t.function_file);
  put_zigzag_vcol(out, t.function_start_line);
  return {};
}

Status decode_functions(std::string_view raw, OwnedSymbols& out) {
  ByteReader reader(raw);
  const size_t strings = out.strings.views.size();
  const auto string_max = static_cast<uint32_t>(strings - 1);
  const size_t n = reader.count(limit::kFunctions);
  const uint8_t flags = reader.u8();
  if (flags > kFunctionFlagColumn) return bad_function("unknown flags");
  if (!read_svb(reader, n, string_max, out.function_name)) return bad_function("names");
  if (!read_svb(reader, n, out.function_system_name)) return bad_function("system names");
  if (!read_svb(reader, n, string_max, out.function_file)) return bad_function("files");
  if (!read_zigzag_vcol(reader, n, out.function_start_line)) return bad_function("start lines");
  if (flags == kFunctionFlagColumn && reader.str().size() != n) return bad_function("flags");
  if (!reader.done()) return bad_function("bytes left over");
  if (!resolve_system_names(strings, out)) return bad_function("system names");
  const symbols::SymbolTables t = out.view();
  for (size_t i = 1; i < n; ++i) {
    if (!(function_tuple(t, i - 1) < function_tuple(t, i)))
      return bad_function("functions out of order");
  }
  return {};
}

Status encode_mappings(const symbols::SymbolTables& t, std::string& out) {
  const size_t n = t.mapping_start.size();
  if (n > limit::kMappings)
    return section_too_large(SectionKind::mappings, "more than 2^16 mappings");
  put_varint(out, n);
  for (size_t i = 0; i < n; ++i) {
    put_varint(out, t.mapping_start[i]);
    put_varint(out, t.mapping_limit[i]);
    put_varint(out, t.mapping_offset[i]);
    put_varint(out, t.mapping_file[i]);
    put_varint(out, t.mapping_build_id[i]);
    out.push_back(static_cast<char>(t.mapping_flags[i]));
  }
  return {};
}

Status decode_mappings(std::string_view raw, OwnedSymbols& out) {
  ByteReader reader(raw);
  const uint64_t string_max = out.strings.views.size() - 1;
  const size_t n = reader.count(limit::kMappings);
  for (size_t i = 0; i < n && reader.ok(); ++i) {
    out.mapping_start.push_back(reader.varint());
    out.mapping_limit.push_back(reader.varint());
    out.mapping_offset.push_back(reader.varint());
    out.mapping_file.push_back(static_cast<uint32_t>(reader.varint_max(string_max)));
    out.mapping_build_id.push_back(static_cast<uint32_t>(reader.varint_max(string_max)));
    out.mapping_flags.push_back(reader.u8());
  }
  if (!reader.done())
    return bad_mapping("cut short, bytes left over, or a string index out of range");
  const symbols::SymbolTables t = out.view();
  for (size_t i = 1; i < n; ++i) {
    if (!(mapping_tuple(t, i - 1) < mapping_tuple(t, i)))
      return bad_mapping("mappings out of order");
  }
  return {};
}

}  // namespace hearth::storage
