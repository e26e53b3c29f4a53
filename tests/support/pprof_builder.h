#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/gzip_codec.h"
#include "base/varint.h"

namespace hearth::test {

/// Protobuf bytes, field by field, valid or not: nothing is checked.
class ProtoWriter {
 public:
  std::string bytes;

  ProtoWriter& tag(uint32_t field, uint32_t wire_type) {
    put_varint(bytes, uint64_t{field} << 3U | wire_type);
    return *this;
  }
  ProtoWriter& varint(uint32_t field, uint64_t value) {
    tag(field, 0);
    put_varint(bytes, value);
    return *this;
  }
  /// Negative numbers take ten bytes, as protobuf's int64.
  ProtoWriter& int64(uint32_t field, int64_t value) {
    return varint(field, static_cast<uint64_t>(value));
  }
  ProtoWriter& fixed32(uint32_t field, uint32_t value) {
    tag(field, 5);
    put_le(bytes, value);
    return *this;
  }
  ProtoWriter& fixed64(uint32_t field, uint64_t value) {
    tag(field, 1);
    put_le(bytes, value);
    return *this;
  }
  ProtoWriter& text(uint32_t field, std::string_view value) {
    tag(field, 2);
    put_str(bytes, value);
    return *this;
  }
  ProtoWriter& message(uint32_t field, const ProtoWriter& value) {
    return text(field, value.bytes);
  }
  ProtoWriter& packed(uint32_t field, const std::vector<uint64_t>& values) {
    std::string body;
    for (const uint64_t v : values) put_varint(body, v);
    return text(field, body);
  }
  ProtoWriter& raw(std::string_view value) {
    bytes.append(value);
    return *this;
  }
};

/// Builds pprof bytes (profile.proto) the way Go writes them: dense ids from 1,
/// packed lists, strings interned. Messages appear in the order of the calls; strings come last.
/// `raw()` adds anything else, so that malformed profiles are built from good ones.
///
///     std::string body = PprofBuilder()
///         .sample_type("cpu", "nanoseconds")
///         .time_ns(1'700'000'000'000'000'000)
///         .stack("main;work;leaf", {10}, {{"thread", "worker"}})   // root first
///         .build();
class PprofBuilder {
 public:
  struct LineOf {
    uint64_t function = 0;
    int64_t line = 0;
    int64_t column = 0;
  };
  using Labels = std::vector<std::pair<std::string, std::string>>;

  /// Index of `s` in the string table; "" is 0.
  uint64_t string(std::string_view s) {
    const auto [it, added] = strings_.try_emplace(std::string(s), table_.size());
    if (added) table_.emplace_back(s);
    return it->second;
  }

  PprofBuilder& sample_type(std::string_view type, std::string_view unit) {
    out_.message(1, value_type(type, unit));
    return *this;
  }
  PprofBuilder& period(std::string_view type, std::string_view unit, int64_t period) {
    out_.message(11, value_type(type, unit)).int64(12, period);
    return *this;
  }
  PprofBuilder& time_ns(int64_t ns) { return field(9, ns); }
  PprofBuilder& duration_ns(int64_t ns) { return field(10, ns); }
  PprofBuilder& comment(std::string_view s) { return field(13, static_cast<int64_t>(string(s))); }
  PprofBuilder& default_sample_type(std::string_view s) {
    return field(14, static_cast<int64_t>(string(s)));
  }

  /// Returns the id. The file name and build id may be empty.
  uint64_t mapping(std::string_view file, std::string_view build_id = {}, uint64_t start = 0,
                   uint64_t limit = 0, bool has_functions = true) {
    ProtoWriter m;
    m.varint(1, ++mappings_)
        .varint(2, start)
        .varint(3, limit)
        .varint(5, string(file))
        .varint(6, string(build_id));
    m.varint(7, has_functions ? 1 : 0);
    out_.message(3, m);
    return mappings_;
  }
  uint64_t function(std::string_view name, std::string_view file = {}, int64_t start_line = 0,
                    std::string_view system_name = {}) {
    ProtoWriter m;
    m.varint(1, ++functions_)
        .varint(2, string(name))
        .varint(3, string(system_name.empty() ? name : system_name));
    m.varint(4, string(file)).int64(5, start_line);
    out_.message(5, m);
    return functions_;
  }
  /// Innermost inlined function first. `mapping_id` 0: none.
  uint64_t location(const std::vector<LineOf>& lines, uint64_t mapping_id = 0,
                    uint64_t address = 0) {
    ProtoWriter m;
    m.varint(1, ++locations_);
    if (mapping_id != 0) m.varint(2, mapping_id);
    if (address != 0) m.varint(3, address);
    for (const LineOf& line : lines) {
      ProtoWriter l;
      l.varint(1, line.function).int64(2, line.line);
      if (line.column != 0) l.int64(3, line.column);
      m.message(4, l);
    }
    out_.message(4, m);
    return locations_;
  }
  /// `locations` leaf first.
  PprofBuilder& sample(const std::vector<uint64_t>& locations, const std::vector<int64_t>& values,
                       const Labels& labels = {}) {
    ProtoWriter m;
    m.packed(1, locations).packed(2, std::vector<uint64_t>(values.begin(), values.end()));
    for (const auto& [key, value] : labels)
      m.message(3, ProtoWriter().varint(1, string(key)).varint(2, string(value)));
    out_.message(2, m);
    return *this;
  }
  /// A folded stack, root first, frames separated by ';': one location and function per distinct
  /// name. "" is the empty stack.
  PprofBuilder& stack(std::string_view folded, const std::vector<int64_t>& values,
                      const Labels& labels = {}) {
    std::vector<uint64_t> ids;
    while (!folded.empty()) {
      const size_t cut = folded.rfind(';');
      ids.push_back(frame(cut == std::string_view::npos ? folded : folded.substr(cut + 1)));
      folded = cut == std::string_view::npos ? std::string_view() : folded.substr(0, cut);
    }
    return sample(ids, values, labels);
  }
  PprofBuilder& field(uint32_t number, int64_t value) {
    out_.int64(number, value);
    return *this;
  }
  PprofBuilder& raw(const ProtoWriter& fields) {
    out_.raw(fields.bytes);
    return *this;
  }
  /// String 0 instead of "".
  PprofBuilder& first_string(std::string_view s) {
    table_[0] = s;
    return *this;
  }

  /// Uncompressed; the buffer's capacity holds kReadSlack more zeroed bytes.
  [[nodiscard]] std::string build() const {
    ProtoWriter out = out_;
    for (const std::string& s : table_) out.text(6, s);
    const size_t size = out.bytes.size();
    out.bytes.append(kReadSlack, '\0');
    out.bytes.resize(size);
    return std::move(out.bytes);
  }
  [[nodiscard]] std::string build_gzip() const { return gzip_compress(build()); }

 private:
  ProtoWriter value_type(std::string_view type, std::string_view unit) {
    return ProtoWriter().varint(1, string(type)).varint(2, string(unit));
  }
  uint64_t frame(std::string_view name) {
    const auto found = frames_.find(name);
    if (found != frames_.end()) return found->second;
    const uint64_t id = location({{function(name), 0, 0}});
    frames_.emplace(name, id);
    return id;
  }

  ProtoWriter out_;
  std::vector<std::string> table_{""};
  std::map<std::string, uint64_t> strings_{{"", 0}};
  std::map<std::string, uint64_t, std::less<>> frames_;
  uint64_t mappings_ = 0;
  uint64_t functions_ = 0;
  uint64_t locations_ = 0;
};

}  // namespace hearth::test
