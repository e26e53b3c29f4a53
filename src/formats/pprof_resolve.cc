#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "formats/pprof_reader.h"

namespace hearth::formats::pprof {
namespace {

using Words = uint32_t __attribute__((vector_size(16)));  // GCC's and clang's portable vectors.

/// Ids become positions, id − 1. `zero` and `outside` become non-zero when some id is 0, or not in
/// 1…n.
void resolve_dense(std::vector<uint32_t>& ids, uint32_t n, uint32_t& zero, uint32_t& outside) {
  uint32_t* p = ids.data();
  uint32_t* const end = p + ids.size();
  Words zeros = {};
  Words outsides = {};
  for (; end - p >= 4; p += 4) {
    Words v;
    std::memcpy(&v, p, sizeof v);
    zeros |= static_cast<Words>(v == 0);
    v -= 1;
    outsides |= static_cast<Words>(v >= n);
    std::memcpy(p, &v, sizeof v);
  }
  for (int i = 0; i < 4; ++i) {
    zero |= zeros[i];
    outside |= outsides[i];
  }
  for (; p < end; ++p) {
    zero |= *p == 0;
    outside |= --*p >= n;
  }
}

}  // namespace

void PprofReader::finish_columns() {
  const auto finish = [](auto&... columns) { (columns.finish(), ...); };
  finish(mapping_ids_, location_ids_, function_ids_, location_mapping_ids_, line_function_ids_,
         strings_, function_name_, function_system_, function_file_, function_start_, line_begin_,
         location_address_, location_folded_, line_line_, line_column_, frames_, stack_begin_,
         label_begin_, values_, labels_);
}

bool PprofReader::check_samples() {
  if (out_.sample_types.empty()) return refuse("pprof: empty profile: no sample types");
  const size_t types = out_.types();
  if (out_.samples.size() == 0 || (count_differs_ == 0 && value_count_ == types)) return true;
  return refuse(fmt::format(
      "pprof: samples have {} values; want one per sample type, {}",
      count_differs_ == 0 ? std::to_string(value_count_) : "different numbers of", types));
}

bool PprofReader::check_strings() {
  const size_t n = out_.strings.size();
  if (n == 0) return refuse("pprof: string_table is empty; want \"\" as its first entry");
  if (!out_.strings[0].empty())
    return refuse(
        fmt::format("pprof: string_table[0] is not empty (byte {})", offset_of(kString, 0)));
  bool bad = string_bits_ >> 31U != 0;
  const auto check = [&](const std::vector<uint32_t>& column) {
    for (const uint32_t v : column) bad |= v >= n;
  };
  check(out_.functions.name);
  check(out_.functions.system_name);
  check(out_.functions.file);
  check(out_.mappings.file);
  check(out_.mappings.build_id);
  const auto soften = [n](uint32_t& index) { index = index < n ? index : 0; };
  for (ProfileBatch::SampleLabel& l : out_.samples.labels) {
    bad |= (l.key >= n) | (l.str >= n);
    soften(l.num_unit);
  }
  for (ProfileBatch::ValueType& t : out_.sample_types) {
    bad |= t.type >= n;
    soften(t.unit);
  }
  for (uint32_t& c : out_.comments) soften(c);
  for (uint32_t* index : {&out_.period_type.type, &out_.period_type.unit, &out_.default_sample_type,
                          &out_.drop_frames, &out_.keep_frames, &out_.doc_url}) {
    soften(*index);
  }
  return !bad || refuse_string_index();
}

bool PprofReader::check_sample_types() {
  if (out_.sample_types.size() > ProfileBatch::kTypesMax) {
    return refuse(fmt::format("pprof: {} sample types; at most {} can be stored",
                              out_.sample_types.size(), ProfileBatch::kTypesMax));
  }
  for (ProfileBatch::ValueType& t : out_.sample_types) {
    const std::string_view name = out_.strings[t.type];
    if (name.find('-') == std::string_view::npos) continue;
    if (!limits_.dotnet_repairs)
      return refuse(fmt::format("pprof: sample type name '{}' contains '-'", name));
    std::string repaired(name);
    std::replace(repaired.begin(), repaired.end(), '-', '_');
    t.type = out_.add_string(repaired);
  }
  return true;
}

bool PprofReader::refuse_string_index() {
  const size_t n = out_.strings.size();
  const auto find = [&](const std::vector<uint32_t>& column, uint32_t field, const char* what) {
    const auto at = std::find_if(column.begin(), column.end(), [n](uint32_t v) { return v >= n; });
    if (at == column.end()) return false;
    const auto item = static_cast<size_t>(at - column.begin());
    refuse(fmt::format(
        "pprof: {} {} (byte {}): string index is out of range; string_table has {} entries", what,
        item, offset_of(field, item), n));
    return true;
  };
  if (find(out_.functions.name, kFunction, "name of function") ||
      find(out_.functions.system_name, kFunction, "system name of function") ||
      find(out_.functions.file, kFunction, "file of function") ||
      find(out_.mappings.file, kMapping, "file of mapping") ||
      find(out_.mappings.build_id, kMapping, "build id of mapping")) {
    return false;
  }
  return refuse(
      fmt::format("pprof: a sample label or sample type has a string index out of range; "
                  "string_table has {} entries",
                  n));
}

bool PprofReader::resolve_ids() {
  std::vector<uint8_t> unusable;  // Per location; stays empty for well-formed profiles.
  bool missing = false;
  if (!resolve_mappings(unusable) || !resolve_functions(unusable) || !resolve_frames(missing))
    return false;
  if (missing || !unusable.empty()) drop_unusable_frames(out_, unusable);
  return true;
}

bool PprofReader::resolve_mappings(std::vector<uint8_t>& unusable) {
  ids_.index.build(ids_.mappings);
  const size_t n = ids_.location_mappings.size();
  out_.locations.mapping.resize(n);
  for (size_t i = 0; i < n; ++i) {
    const uint64_t id = ids_.location_mappings[i];
    const uint32_t mapping = id == 0 ? ProfileBatch::kNone : ids_.index.find(id);
    out_.locations.mapping[i] = mapping;
    if (id != 0 && mapping == IdIndex::kMissing) [[unlikely]] {
      unusable.resize(n);
      unusable[i] = 1;
    }
  }
  return true;
}

bool PprofReader::resolve_functions(std::vector<uint8_t>& unusable) {
  if (zero_functions_ > 0 && !repair_function_ids()) return false;
  ids_.index.build(ids_.functions);
  out_.lines.function.resize(ids_.line_functions.size());
  bool missing = false;
  for (size_t i = 0; i < ids_.line_functions.size(); ++i) {
    const uint32_t function = ids_.index.find(ids_.line_functions[i]);
    out_.lines.function[i] = function;
    missing |= function == IdIndex::kMissing;
  }
  if (!missing) return true;
  unusable.resize(out_.locations.size());
  for (size_t location = 0; location < out_.locations.size(); ++location) {
    for (size_t i = out_.locations.line_begin[location];
         i < out_.locations.line_begin[location + 1]; ++i) {
      if (out_.lines.function[i] == IdIndex::kMissing) unusable[location] = 1;
    }
  }
  return true;
}

bool PprofReader::repair_function_ids() {
  const bool all_zero = std::all_of(ids_.functions.begin(), ids_.functions.end(),
                                    [](uint64_t id) { return id == 0; });
  if (!all_zero || ids_.functions.size() != ids_.locations.size())
    return refuse("pprof: function id is 0");
  for (size_t i = 0; i < ids_.functions.size(); ++i) {
    ids_.functions[i] = i + 1;
    const auto& begin = out_.locations.line_begin;
    std::fill(ids_.line_functions.begin() + begin[i], ids_.line_functions.begin() + begin[i + 1],
              i + 1);
  }
  return true;
}

bool PprofReader::resolve_frames(bool& missing) {
  ids_.index.build(ids_.locations);
  const size_t n = ids_.index.size();
  std::vector<uint32_t>& frames = out_.samples.frames;
  uint32_t zero = 0;
  uint32_t outside = 0;
  if (wide_bits_ != 0) {
    if (!collect_wide_frames()) return false;
    for (size_t i = 0; i < frames.size(); ++i) {
      zero |= ids_.wide_frames[i] == 0;
      frames[i] = ids_.index.find(ids_.wide_frames[i]);
      outside |= frames[i] >= n;
    }
  } else if (ids_.index.dense()) {
    resolve_dense(frames, static_cast<uint32_t>(n), zero, outside);
  } else {
    for (uint32_t& frame : frames) {
      zero |= frame == 0;
      frame = ids_.index.find(frame);
      outside |= frame >= n;
    }
  }
  missing = outside != 0;
  return zero == 0 || refuse("pprof: sample: location id is 0");
}

// The rare second pass: the same location references again, this time with all their bits.
// Everything was checked before.
bool PprofReader::collect_wide_frames() {
  const auto collect = [this](const char* p, const char* end) {
    return each_field(p, end, "sample", [&](uint32_t field_tag, const char* q) {
      uint64_t id = 0;
      if (field_tag == tag(1, kVarint)) {
        q = wire::read_varint(q, id);
        ids_.wide_frames.push_back(id);
      } else if (field_tag == tag(1, kBytes)) {
        size_t length = 0;
        q = wire::read_length(q, end, length);
        for (const char* const stop = q + length; q < stop;) {
          q = wire::read_varint(q, id);
          ids_.wide_frames.push_back(id);
        }
      } else {
        q = wire::skip_value(q, end, field_tag);
      }
      return q;
    });
  };
  const char* const end = raw_.data() + raw_.size();
  return each_field(raw_.data(), end, "profile",
                    [&](uint32_t field_tag, const char* p) -> const char* {
                      if (field_tag != tag(kSample, kBytes))
                        return wire::skip_value(p, end, field_tag);
                      size_t length = 0;
                      p = wire::read_length(p, end, length);
                      return p != nullptr && collect(p, p + length) ? p + length : nullptr;
                    });
}

}  // namespace hearth::formats::pprof
