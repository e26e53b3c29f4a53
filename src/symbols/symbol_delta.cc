#include "symbols/symbol_delta.h"

#include <fmt/format.h>

#include "base/bytes.h"

namespace hearth::symbols {
namespace {

constexpr uint8_t kVersion = 1;
constexpr uint32_t kEntriesMax = 1U << 31U;  // Per table, so that sums of two ids fit 32 bits.

// Numbers of one field of consecutive entries, each as the difference to the previous one: new ids
// mostly count up.
class DifferenceWriter {
 public:
  explicit DifferenceWriter(std::string& out) : out_(out) {}
  void put(uint64_t v) {
    put_svarint(out_, static_cast<int64_t>(v - previous_));
    previous_ = v;
  }

 private:
  std::string& out_;
  uint64_t previous_ = 0;
};

class DifferenceReader {
 public:
  explicit DifferenceReader(ByteReader& in) : in_(in) {}
  uint64_t any() { return previous_ += static_cast<uint64_t>(in_.svarint()); }
  uint32_t below(uint32_t limit) {
    const uint64_t v = any();
    if (v >= limit) in_.set_error();
    return in_.ok() ? static_cast<uint32_t>(v) : 0;
  }

 private:
  ByteReader& in_;
  uint64_t previous_ = 0;
};

uint32_t id_below(ByteReader& in, uint32_t limit) {
  const uint64_t v = in.varint();
  if (v >= limit) in.set_error();
  return in.ok() ? static_cast<uint32_t>(v) : 0;
}

class Encoder {
 public:
  Encoder(const SymbolTables& tables, const TableSizes& before, const TableSizes& after)
      : t_(tables), before_(before), after_(after) {}

  std::string run() {
    out_.push_back(static_cast<char>(kVersion));
    const auto from = before_.list();
    const auto to = after_.list();
    for (const uint32_t size : from) put_varint(out_, size);
    for (size_t i = 0; i < from.size(); ++i) put_varint(out_, to[i] - from[i]);
    for (uint32_t i = before_.strings; i < after_.strings; ++i) put_str(out_, t_.strings[i]);
    functions();
    mappings();
    locations();
    nodes();
    label_sets();
    keys();
    return std::move(out_);
  }

 private:
  void functions() {
    DifferenceWriter name(out_), file(out_), line(out_);
    for (uint32_t i = before_.functions; i < after_.functions; ++i) {
      name.put(t_.function_name[i]);
      put_svarint(out_, static_cast<int64_t>(t_.function_system_name[i]) - t_.function_name[i]);
      file.put(t_.function_file[i]);
      line.put(static_cast<uint64_t>(t_.function_start_line[i]));
    }
  }
  void mappings() {
    for (uint32_t i = before_.mappings; i < after_.mappings; ++i) {
      for (const uint64_t v : {t_.mapping_start[i], t_.mapping_limit[i], t_.mapping_offset[i]})
        put_varint(out_, v);
      put_varint(out_, t_.mapping_file[i]);
      put_varint(out_, t_.mapping_build_id[i]);
      out_.push_back(static_cast<char>(t_.mapping_flags[i]));
    }
  }
  void locations() {
    DifferenceWriter address(out_), function(out_);
    for (uint32_t i = before_.locations; i < after_.locations; ++i) {
      const uint32_t begin = t_.line_begin[i];
      const uint32_t end = t_.line_begin[i + 1];
      put_varint(out_, static_cast<uint64_t>(end - begin) << 1U | t_.location_folded[i]);
      put_varint(out_, t_.location_mapping[i]);
      address.put(t_.location_address[i]);
      for (uint32_t l = begin; l < end; ++l) {
        function.put(t_.line_function[l]);
        put_svarint(out_, t_.line_number[l]);
        put_svarint(out_, t_.line_column[l]);
      }
    }
  }
  // Runs of nodes each of which is the parent of the next: one stack's new part.
  void nodes() {
    for (uint32_t i = before_.nodes; i < after_.nodes;) {
      uint32_t end = i + 1;
      while (end < after_.nodes && t_.node_parent[end] == end - 1) ++end;
      put_varint(out_, end - i);
      put_varint(out_, t_.node_parent[i]);
      for (; i < end; ++i) put_varint(out_, t_.node_location[i]);
    }
  }
  void label_sets() {
    for (uint32_t i = before_.label_sets; i < after_.label_sets; ++i) {
      put_varint(out_, t_.label_begin[i + 1] - t_.label_begin[i]);
      for (uint32_t l = t_.label_begin[i]; l < t_.label_begin[i + 1]; ++l) {
        put_varint(out_, t_.label_key[l]);
        put_varint(out_, t_.label_str[l]);
        put_svarint(out_, t_.label_num[l]);
        put_varint(out_, t_.label_unit[l]);
      }
    }
  }
  void keys() {
    DifferenceWriter node(out_);
    for (uint32_t i = before_.keys; i < after_.keys; ++i) {
      node.put(t_.key_node[i]);
      put_varint(out_, t_.key_labels[i]);
    }
  }

  const SymbolTables& t_;
  const TableSizes before_, after_;
  std::string out_;
};

class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : in_(bytes) {}

  Result<SymbolDelta> run() {
    if (in_.u8() != kVersion) return malformed("unknown version");
    if (!sizes()) return malformed("table sizes are out of range");
    for (size_t n = d_.after.strings - d_.before.strings; in_.ok() && n > 0; --n)
      d_.strings.push_back(in_.str());
    functions(d_.after.functions - d_.before.functions);
    mappings(d_.after.mappings - d_.before.mappings);
    locations(d_.after.locations - d_.before.locations);
    nodes();
    label_sets(d_.after.label_sets - d_.before.label_sets);
    keys(d_.after.keys - d_.before.keys);
    if (!in_.done())
      return malformed("entries are cut, refer to ids out of range, or leave bytes over");
    return std::move(d_);
  }

 private:
  tl::unexpected<Error> malformed(const char* why) const {
    return fail(ErrorCode::data_loss,
                fmt::format("read symbol delta: {} (offset {})", why, in_.offset()));
  }
  bool sizes() {
    const auto least = TableSizes{}.list();
    auto before = least;
    auto after = least;
    for (size_t i = 0; i < before.size(); ++i) {
      before[i] = static_cast<uint32_t>(in_.varint_max(kEntriesMax));
      if (before[i] < least[i]) in_.set_error();
    }
    for (size_t i = 0; i < after.size(); ++i)
      after[i] = before[i] + static_cast<uint32_t>(in_.count(kEntriesMax - before[i]));
    d_.before = TableSizes::from_list(before);
    d_.after = TableSizes::from_list(after);
    return in_.ok();
  }
  void functions(size_t n) {
    DifferenceReader name(in_), file(in_), line(in_);
    for (; in_.ok() && n > 0; --n) {
      Function f;
      f.name = name.below(d_.after.strings);
      const int64_t distance = in_.svarint();
      const uint64_t system_name = f.name + static_cast<uint64_t>(distance);
      if (system_name >= d_.after.strings) in_.set_error();
      f.system_name = static_cast<uint32_t>(system_name);
      f.file = file.below(d_.after.strings);
      f.start_line = static_cast<int64_t>(line.any());
      d_.functions.push_back(f);
    }
  }
  void mappings(size_t n) {
    constexpr uint8_t kFlags = 15;  // ProfileBatch::MappingFlags.
    for (; in_.ok() && n > 0; --n) {
      Mapping m;
      for (uint64_t* v : {&m.start, &m.limit, &m.offset}) *v = in_.varint();
      m.file = id_below(in_, d_.after.strings);
      m.build_id = id_below(in_, d_.after.strings);
      m.flags = in_.u8();
      if (m.flags > kFlags) in_.set_error();
      d_.mappings.push_back(m);
    }
  }
  void locations(size_t n) {
    DifferenceReader address(in_), function(in_);
    for (; in_.ok() && n > 0; --n) {
      const size_t shape = in_.count(UINT32_MAX);
      SymbolDelta::LocationEntry l;
      l.folded = (shape & 1U) != 0;
      l.mapping = id_below(in_, d_.after.mappings + 1);
      l.address = address.any();
      l.line_begin = d_.lines.size();
      for (size_t left = shape >> 1U; in_.ok() && left > 0; --left) {
        Line line;
        line.function = function.below(d_.after.functions);
        line.line = in_.svarint();
        line.column = in_.svarint();
        d_.lines.push_back(line);
      }
      l.line_end = d_.lines.size();
      d_.locations.push_back(l);
    }
  }
  void nodes() {
    for (uint32_t id = d_.before.nodes; in_.ok() && id < d_.after.nodes;) {
      const auto run = static_cast<uint32_t>(in_.varint_max(d_.after.nodes - id));
      if (run == 0) in_.set_error();
      uint32_t parent = id_below(in_, id);
      for (const uint32_t end = id + run; in_.ok() && id < end; parent = id++) {
        const uint32_t location = id_below(in_, d_.after.locations);
        if (location == 0) in_.set_error();
        d_.nodes.push_back({parent, location});
      }
    }
  }
  void label_sets(size_t n) {
    for (; in_.ok() && n > 0; --n) {
      for (size_t left = in_.count(UINT32_MAX); in_.ok() && left > 0; --left) {
        LabelEntry e;
        e.key = id_below(in_, d_.after.strings);
        e.str = id_below(in_, d_.after.strings);
        e.num = in_.svarint();
        e.unit = id_below(in_, d_.after.strings);
        d_.labels.push_back(e);
      }
      d_.label_begin.push_back(d_.labels.size());
    }
  }
  void keys(size_t n) {
    DifferenceReader node(in_);
    for (; in_.ok() && n > 0; --n) {
      SymbolDelta::Key k;
      k.node = node.below(d_.after.nodes);
      k.labels = id_below(in_, d_.after.label_sets);
      d_.keys.push_back(k);
    }
  }

  ByteReader in_;
  SymbolDelta d_;
};

}  // namespace

std::string encode_delta(const SymbolTables& tables, const TableSizes& before,
                         const TableSizes& after) {
  return before == after ? std::string() : Encoder(tables, before, after).run();
}

Result<SymbolDelta> decode_delta(std::string_view bytes) {
  return Decoder(bytes).run();
}

}  // namespace hearth::symbols
