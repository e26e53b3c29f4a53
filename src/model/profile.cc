#include "hearth/profile.h"

#include <fmt/format.h>

#include <algorithm>

namespace hearth {
namespace {

template <class... Vectors>
void clear_all(Vectors&... vectors) {
  (vectors.clear(), ...);
}

template <class... Vectors>
size_t bytes_of(const Vectors&... vectors) {
  return ((vectors.capacity() * sizeof(typename Vectors::value_type)) + ...);
}

bool all_below(const std::vector<uint32_t>& column, size_t limit) {
  return std::all_of(column.begin(), column.end(), [limit](uint32_t v) { return v < limit; });
}

template <class... Vectors>
bool all_of_length(size_t length, const Vectors&... vectors) {
  return ((vectors.size() == length) && ...);
}

// `begin` must hold items + 1 ascending entries from 0 to `end`.
bool partitions(const std::vector<uint32_t>& begin, size_t items, size_t end) {
  if (items == 0 && begin.size() <= 1) return end == 0;
  return begin.size() == items + 1 && begin.front() == 0 && begin.back() == end && std::is_sorted(begin.begin(), begin.end());
}

}  // namespace

uint32_t ProfileBatch::add_string(std::string_view s) {
  owned.emplace_back(s.begin(), s.end());
  strings.emplace_back(owned.back().data(), owned.back().size());
  return static_cast<uint32_t>(strings.size() - 1);
}

uint32_t ProfileBatch::add_named_location(uint32_t name, uint32_t mapping) {
  lines.function.push_back(static_cast<uint32_t>(functions.size()));
  lines.line.push_back(0);
  lines.column.push_back(0);
  functions.name.push_back(name);
  functions.system_name.push_back(name);
  functions.file.push_back(0);
  functions.start_line.push_back(0);
  locations.mapping.push_back(mapping);
  locations.address.push_back(0);
  locations.folded.push_back(0);
  locations.line_begin.push_back(static_cast<uint32_t>(lines.function.size()));
  return static_cast<uint32_t>(locations.size() - 1);
}

void ProfileBatch::clear() {
  clear_all(strings, functions.name, functions.system_name, functions.file, functions.start_line);
  clear_all(mappings.start, mappings.limit, mappings.offset, mappings.file, mappings.build_id, mappings.flags);
  clear_all(locations.mapping, locations.address, locations.folded, locations.line_begin);
  clear_all(lines.function, lines.line, lines.column);
  clear_all(samples.stack_begin, samples.frames, samples.values, samples.label_begin, samples.labels, samples.side);
  clear_all(sample_types, comments, owned);
  period_type = {};
  period = time_ns = duration_ns = 0;
  default_sample_type = drop_frames = keep_frames = doc_url = 0;
  repairs = {};
}

size_t ProfileBatch::memory_bytes() const {
  size_t total = bytes_of(strings, functions.name, functions.system_name, functions.file, functions.start_line) +
                 bytes_of(mappings.start, mappings.limit, mappings.offset, mappings.file, mappings.build_id, mappings.flags) +
                 bytes_of(locations.mapping, locations.address, locations.folded, locations.line_begin) +
                 bytes_of(lines.function, lines.line, lines.column) +
                 bytes_of(samples.stack_begin, samples.frames, samples.values, samples.label_begin, samples.labels, samples.side);
  for (const auto& block : owned) total += block.capacity();
  return total;
}

Status ProfileBatch::validate() const {
  const auto bad = [](const char* what) {
    return fail(ErrorCode::invalid_argument, fmt::format("profile: {}", what), "malformed_profile");
  };
  const size_t n = strings.size();
  if (strings.empty() || !strings[0].empty()) return bad("string 0 is not empty");
  if (!all_of_length(functions.size(), functions.system_name, functions.file, functions.start_line) ||
      !all_of_length(mappings.size(), mappings.limit, mappings.offset, mappings.file, mappings.build_id, mappings.flags) ||
      !all_of_length(locations.size(), locations.address, locations.folded) ||
      !all_of_length(lines.function.size(), lines.line, lines.column)) {
    return bad("columns of one table differ in length");
  }
  if (!all_below(functions.name, n) || !all_below(functions.system_name, n) || !all_below(functions.file, n)) {
    return bad("a function refers to a string out of range");
  }
  if (!all_below(mappings.file, n) || !all_below(mappings.build_id, n)) return bad("a mapping refers to a string out of range");
  for (const uint32_t m : locations.mapping) {
    if (m != kNone && m >= mappings.size()) return bad("a location refers to a mapping out of range");
  }
  if (!partitions(locations.line_begin, locations.size(), lines.function.size())) return bad("lines do not partition");
  if (!all_below(lines.function, functions.size())) return bad("a line refers to a function out of range");
  if (!partitions(samples.stack_begin, samples.size(), samples.frames.size())) return bad("stacks do not partition");
  if (!all_below(samples.frames, locations.size())) return bad("a stack refers to a location out of range");
  if (samples.values.size() != samples.size() * types()) return bad("value count differs from sample type count");
  if (!partitions(samples.label_begin, samples.size(), samples.labels.size())) return bad("labels do not partition");
  for (const SampleLabel& l : samples.labels) {
    if (l.key >= n || l.str >= n || l.num_unit >= n) return bad("a label refers to a string out of range");
  }
  for (size_t i = 0; i < samples.side.size(); ++i) {
    const uint32_t sample = samples.side[i].sample;
    if (sample >= samples.size() || (i > 0 && sample <= samples.side[i - 1].sample))
      return bad("side data out of order");
  }
  for (const ValueType& t : sample_types) {
    if (t.type >= n || t.unit >= n) return bad("a sample type refers to a string out of range");
  }
  if (period_type.type >= n || period_type.unit >= n || !all_below(comments, n) || default_sample_type >= n ||
      drop_frames >= n || keep_frames >= n || doc_url >= n) {
    return bad("a string index is out of range");
  }
  return {};
}

}  // namespace hearth
