#include "formats/pprof_encoder.h"

#include <algorithm>
#include <span>

#include "base/bytes.h"
#include "base/gzip_codec.h"
#include "base/varint.h"
#include "formats/wire.h"

namespace hearth::formats {
namespace {

// --- fields; zero is not written, as in proto3

void put_tag(std::string& out, uint32_t field, wire::Type type) {
  put_varint(out, wire::tag(field, type));
}

template <class Int>
void put_number(std::string& out, uint32_t field, Int value) {
  if (value == 0) return;
  put_tag(out, field, wire::kVarint);
  put_varint(out, static_cast<uint64_t>(value));
}
void put_bytes(std::string& out, uint32_t field, std::string_view value) {
  put_tag(out, field, wire::kBytes);
  put_str(out, value);
}

/// Writes one sample per stack of a tree. A sample lists its frames from the leaf, a tree is walked
/// from the root: so the ids of the path are kept at the end of a buffer, each frame in front of
/// its caller, and a stack is copied as a whole.
class StackWriter {
 public:
  StackWriter(const StackTree& tree, std::string& out) : tree_(tree), out_(out) {
    const uint32_t deepest = *std::ranges::max_element(tree.depth);
    path_.resize(kIdBytes * deepest);
    begin_.assign(size_t{deepest} + 1, path_.size());
  }

  void write() {
    out_.reserve(out_.size() + bytes_at_most());
    for (size_t i = 1; i < tree_.size(); ++i) {
      step_to(i);
      if (tree_.value[i] != 0) put_sample(i);
    }
  }

 private:
  static constexpr size_t kIdBytes = 5;
  static constexpr size_t kSampleBytes = 32;  ///< Tags, lengths and the value.

  /// Puts the frame of node i in front of its parent's.
  void step_to(size_t i) {
    uint64_t id = uint64_t{tree_.location[i]} + 1;
    size_t at = begin_[tree_.depth[i] - 1] - varint_size(id);
    begin_[tree_.depth[i]] = at;
    for (; id >= 0x80; id >>= 7U) path_[at++] = static_cast<char>(id | 0x80U);
    path_[at] = static_cast<char>(id);
  }
  void put_sample(size_t i) {
    const auto value = static_cast<uint64_t>(tree_.value[i]);
    const std::string_view ids = std::string_view(path_).substr(begin_[tree_.depth[i]]);
    const size_t value_bytes = varint_size(value);
    put_tag(out_, 2, wire::kBytes);
    put_varint(out_, 1 + varint_size(ids.size()) + ids.size() + 1 + 1 + value_bytes);
    put_bytes(out_, 1, ids);
    put_tag(out_, 2, wire::kBytes);
    put_varint(out_, value_bytes);
    put_varint(out_, value);
  }
  [[nodiscard]] size_t bytes_at_most() const {
    std::vector<size_t> bytes(begin_.size(), 0);
    size_t sum = 0;
    for (size_t i = 1; i < tree_.size(); ++i) {
      const size_t d = tree_.depth[i];
      bytes[d] = bytes[d - 1] + varint_size(uint64_t{tree_.location[i]} + 1);
      if (tree_.value[i] != 0) sum += bytes[d] + kSampleBytes;
    }
    return sum;
  }

  const StackTree& tree_;
  std::string& out_;
  std::string path_;
  std::vector<size_t> begin_;  ///< By depth: where the path to there begins.
};

/// Strings get their numbers when they are first written.
class PprofWriter {
 public:
  explicit PprofWriter(const ProfileBatch& batch)
      : batch_(batch), string_ids_(batch.strings.size(), kUnused) {
    string_ids_[0] = 0;
    used_.push_back(0);
  }

  std::string write(const StackTree* stacks) {
    for (const ProfileBatch::ValueType& t : batch_.sample_types) put_value_type(1, t);
    for (size_t i = 0; i < batch_.samples.size(); ++i) put_sample(i);
    if (stacks != nullptr) StackWriter(*stacks, out_).write();
    for (size_t i = 0; i < batch_.mappings.size(); ++i) put_mapping(i);
    for (size_t i = 0; i < batch_.locations.size(); ++i) put_location(i);
    for (size_t i = 0; i < batch_.functions.size(); ++i) put_function(i);
    // The rest of the header follows the tables so that its strings are numbered before the string
    // table is written.
    put_string(out_, 7, batch_.drop_frames);
    put_string(out_, 8, batch_.keep_frames);
    put_number(out_, 9, batch_.time_ns);
    put_number(out_, 10, batch_.duration_ns);
    put_value_type(11, batch_.period_type);
    put_number(out_, 12, batch_.period);
    for (const uint32_t comment : batch_.comments) {
      put_tag(out_, 13, wire::kVarint);
      put_varint(out_, string_id(comment));
    }
    put_string(out_, 14, batch_.default_sample_type);
    put_string(out_, 15, batch_.doc_url);
    for (const uint32_t string : used_) put_bytes(out_, 6, batch_.strings[string]);
    return std::move(out_);
  }

 private:
  static constexpr uint32_t kUnused = UINT32_MAX;

  uint32_t string_id(uint32_t string) {
    if (batch_.strings[string].empty()) return 0;
    if (string_ids_[string] == kUnused) {
      string_ids_[string] = static_cast<uint32_t>(used_.size());
      used_.push_back(string);
    }
    return string_ids_[string];
  }
  void put_string(std::string& out, uint32_t field, uint32_t string) {
    put_number(out, field, string_id(string));
  }

  void put_value_type(uint32_t field, const ProfileBatch::ValueType& type) {
    message_.clear();
    put_string(message_, 1, type.type);
    put_string(message_, 2, type.unit);
    if (field == 1 || !message_.empty()) put_bytes(out_, field, message_);
  }
  void put_sample(size_t i) {
    message_.clear();
    nested_.clear();
    for (const uint32_t frame : batch_.stack(i)) put_varint(nested_, frame + 1);
    if (!nested_.empty()) put_bytes(message_, 1, nested_);
    nested_.clear();
    for (size_t t = 0; t < batch_.types(); ++t)
      put_varint(nested_, static_cast<uint64_t>(batch_.value(i, t)));
    put_bytes(message_, 2, nested_);
    for (const ProfileBatch::SampleLabel& l : batch_.labels_of(i)) {
      nested_.clear();
      put_string(nested_, 1, l.key);
      put_string(nested_, 2, l.str);
      put_number(nested_, 3, l.num);
      put_string(nested_, 4, l.num_unit);
      put_bytes(message_, 3, nested_);
    }
    put_bytes(out_, 2, message_);
  }
  void put_mapping(size_t i) {
    const ProfileBatch::Mappings& m = batch_.mappings;
    message_.clear();
    put_number(message_, 1, i + 1);
    put_number(message_, 2, m.start[i]);
    put_number(message_, 3, m.limit[i]);
    put_number(message_, 4, m.offset[i]);
    put_string(message_, 5, m.file[i]);
    put_string(message_, 6, m.build_id[i]);
    for (uint32_t flag = 0; flag < 4; ++flag)
      put_number(message_, 7 + flag, m.flags[i] >> flag & 1U);
    put_bytes(out_, 3, message_);
  }
  void put_location(size_t i) {
    const ProfileBatch::Locations& l = batch_.locations;
    message_.clear();
    put_number(message_, 1, i + 1);
    if (l.mapping[i] != ProfileBatch::kNone) put_number(message_, 2, l.mapping[i] + 1);
    put_number(message_, 3, l.address[i]);
    for (size_t line = l.line_begin[i]; line < l.line_begin[i + 1]; ++line) {
      nested_.clear();
      put_number(nested_, 1, batch_.lines.function[line] + 1);
      put_number(nested_, 2, batch_.lines.line[line]);
      put_number(nested_, 3, batch_.lines.column[line]);
      put_bytes(message_, 4, nested_);
    }
    put_number(message_, 5, l.folded[i]);
    put_bytes(out_, 4, message_);
  }
  void put_function(size_t i) {
    const ProfileBatch::Functions& f = batch_.functions;
    message_.clear();
    put_number(message_, 1, i + 1);
    put_string(message_, 2, f.name[i]);
    put_string(message_, 3, f.system_name[i]);
    put_string(message_, 4, f.file[i]);
    put_number(message_, 5, f.start_line[i]);
    put_bytes(out_, 5, message_);
  }

  const ProfileBatch& batch_;
  std::string out_;
  std::string message_;
  std::string nested_;
  std::vector<uint32_t> string_ids_;  // By string of the batch.
  std::vector<uint32_t> used_;        // Strings of the batch in the order of their numbers.
};

}  // namespace

std::string encode_pprof(const ProfileBatch& batch) {
  return PprofWriter(batch).write(nullptr);
}

std::string encode_pprof(const ProfileBatch& batch, const StackTree& stacks) {
  return PprofWriter(batch).write(&stacks);
}

std::string encode_pprof_gzip(const ProfileBatch& batch, int level) {
  return gzip_compress(encode_pprof(batch), level);
}

}  // namespace hearth::formats
