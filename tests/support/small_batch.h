#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "hearth/profile.h"

namespace hearth::test {

/// Builds small batches by hand: a location is a list of lines, a sample a list of locations.
class SmallBatch {
 public:
  struct Line {
    std::string function;
    std::string file = {};
    int64_t line = 0;
  };
  /// `types` as "cpu/nanoseconds"; the period type likewise, empty = none.
  explicit SmallBatch(const std::vector<std::string>& types = {"cpu/nanoseconds"},
                      const std::string& period = "cpu/nanoseconds") {
    text("");
    for (const std::string& t : types) batch.sample_types.push_back(value_type(t));
    if (!period.empty()) batch.period_type = value_type(period);
    batch.samples.stack_begin = {0};
    batch.samples.label_begin = {0};
    batch.locations.line_begin = {0};
  }
  SmallBatch(SmallBatch&&) = default;

  /// Lines innermost first, as pprof. Every call makes a new location.
  uint32_t location(const std::vector<Line>& lines, uint64_t address = 0,
                    const std::string& binary = {}) {
    batch.locations.mapping.push_back(binary.empty() ? ProfileBatch::kNone : mapping(binary));
    batch.locations.address.push_back(address);
    batch.locations.folded.push_back(0);
    for (const Line& l : lines) {
      batch.lines.function.push_back(function(l.function, l.file));
      batch.lines.line.push_back(l.line);
      batch.lines.column.push_back(0);
    }
    batch.locations.line_begin.push_back(static_cast<uint32_t>(batch.lines.function.size()));
    return static_cast<uint32_t>(batch.locations.size() - 1);
  }
  /// Frames leaf first. A numeric label of bytes unless `size` is 0.
  SmallBatch& sample(const std::vector<uint32_t>& frames, const std::vector<int64_t>& values,
                     int64_t size = 0) {
    auto& s = batch.samples;
    s.frames.insert(s.frames.end(), frames.begin(), frames.end());
    s.stack_begin.push_back(static_cast<uint32_t>(s.frames.size()));
    s.values.insert(s.values.end(), values.begin(), values.end());
    if (size != 0) s.labels.push_back({text("bytes"), 0, size, text("bytes")});
    s.label_begin.push_back(static_cast<uint32_t>(s.labels.size()));
    return *this;
  }
  /// "root;…;leaf" with one value for the first type.
  SmallBatch& stack(std::string_view folded, int64_t value) {
    std::vector<uint32_t> frames;
    while (!folded.empty()) {
      const size_t end = std::min(folded.find(';'), folded.size());
      frames.insert(frames.begin(), location({{std::string(folded.substr(0, end))}}));
      folded.remove_prefix(std::min(end + 1, folded.size()));
    }
    std::vector<int64_t> values(batch.types(), 0);
    values[0] = value;
    return sample(frames, values);
  }
  SmallBatch& at(int64_t time_ns) {
    batch.time_ns = time_ns;
    return *this;
  }

  ProfileBatch batch;

 private:
  uint32_t text(const std::string& s) {
    const auto [it, is_new] = strings_.try_emplace(s, static_cast<uint32_t>(batch.strings.size()));
    if (is_new) batch.add_string(s);
    return it->second;
  }
  ProfileBatch::ValueType value_type(const std::string& s) {
    const size_t slash = s.find('/');
    return {text(s.substr(0, slash)), text(s.substr(slash + 1))};
  }
  uint32_t function(const std::string& name, const std::string& file) {
    const auto [it, is_new] =
        functions_.try_emplace({name, file}, static_cast<uint32_t>(batch.functions.size()));
    if (is_new) {
      batch.functions.name.push_back(text(name));
      batch.functions.system_name.push_back(text(name));
      batch.functions.file.push_back(text(file));
      batch.functions.start_line.push_back(0);
    }
    return it->second;
  }
  uint32_t mapping(const std::string& binary) {
    const auto [it, is_new] =
        mappings_.try_emplace(binary, static_cast<uint32_t>(batch.mappings.size()));
    if (is_new) {
      batch.mappings.start.push_back(0);
      batch.mappings.limit.push_back(0);
      batch.mappings.offset.push_back(0);
      batch.mappings.file.push_back(text(binary));
      batch.mappings.build_id.push_back(0);
      batch.mappings.flags.push_back(ProfileBatch::kHasFunctions);
    }
    return it->second;
  }
  std::map<std::string, uint32_t> strings_, mappings_;
  std::map<std::pair<std::string, std::string>, uint32_t> functions_;
};

}  // namespace hearth::test
