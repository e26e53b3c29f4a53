#include "storage/segment_format.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace hearth::storage {
namespace {

constexpr std::array<std::pair<SectionKind, const char*>, 19> kNames = {{
    {SectionKind::bloom, "BLOOM"},
    {SectionKind::roll, "ROLL"},
    {SectionKind::side, "SIDE"},
    {SectionKind::cover_roll, "CROLL"},
    {SectionKind::cover_strings, "CSTR"},
    {SectionKind::cover_series, "CLBL"},
    {SectionKind::strings, "STR"},
    {SectionKind::functions, "FUNC"},
    {SectionKind::mappings, "MAP"},
    {SectionKind::locations, "LOC"},
    {SectionKind::edges, "EDGE"},
    {SectionKind::tree, "TREE"},
    {SectionKind::classes, "CLASS"},
    {SectionKind::keys, "KEYS"},
    {SectionKind::heap, "HEAP"},
    {SectionKind::series, "LBL"},
    {SectionKind::profiles, "PROF"},
    {SectionKind::blocks, "BLKS"},
    {SectionKind::rows, "ROWS"},
}};

}  // namespace

std::string section_name(SectionKind kind) {
  for (const auto& [known, name] : kNames) {
    if (known == kind) return name;
  }
  return fmt::format("kind {}", static_cast<unsigned>(kind));
}

bool is_known_section(SectionKind kind) {
  return kind == SectionKind::roll ||
         (kind >= SectionKind::side && kind <= SectionKind::cover_series) ||
         (kind >= SectionKind::strings && kind <= SectionKind::rows);
}

tl::unexpected<Error> section_damaged(SectionKind kind, std::string_view what) {
  return fail(ErrorCode::data_loss, fmt::format("decode {}: {}", section_name(kind), what));
}

tl::unexpected<Error> section_too_large(SectionKind kind, std::string_view what) {
  return fail(ErrorCode::too_large, fmt::format("write {}: {}", section_name(kind), what));
}

}  // namespace hearth::storage
