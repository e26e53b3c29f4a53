// The hand-written decoder against a slow reference on libprotobuf: over generated and mutated
// profiles both accept or both refuse, and what they accept reads the same.

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/unknown_field_set.h>
#include <profile.pb.h>

#include <map>
#include <optional>
#include <set>

#include "formats/pprof_decoder.h"
#include "formats/pprof_encoder.h"
#include "support/catch.h"
#include "support/mutate.h"
#include "support/pprof_builder.h"
#include "support/profile_gen.h"

namespace hearth::formats {
namespace {

using google::protobuf::Message;
using google::protobuf::UnknownField;
using google::v1::Profile;

// --- what a profile says, as text, independent of ids and string numbers

std::string text_of(const ProfileBatch& b) {
  const auto str = [&](uint32_t i) { return std::string(b.strings[i]); };
  std::string out =
      fmt::format("{} {} {} {}/{} {} {} {} {}\n", b.time_ns, b.duration_ns, b.period,
                  str(b.period_type.type), str(b.period_type.unit), str(b.default_sample_type),
                  str(b.drop_frames), str(b.keep_frames), str(b.doc_url));
  for (const uint32_t c : b.comments) out += "# " + str(c) + "\n";
  for (const auto& t : b.sample_types) out += str(t.type) + "/" + str(t.unit) + " ";
  for (size_t s = 0; s < b.samples.size(); ++s) {
    out += "\n";
    for (size_t t = 0; t < b.types(); ++t) out += fmt::format("{} ", b.value(s, t));
    for (const auto& l : b.labels_of(s))
      out += fmt::format("[{}={}|{} {}]", str(l.key), str(l.str), l.num, str(l.num_unit));
    for (const uint32_t f : b.stack(s)) {
      out += fmt::format("\n  {:x} {}", b.locations.address[f], b.locations.folded[f]);
      if (const uint32_t m = b.locations.mapping[f]; m != ProfileBatch::kNone) {
        out += fmt::format(" @{:x}-{:x}+{:x} {} {} {}", b.mappings.start[m], b.mappings.limit[m],
                           b.mappings.offset[m], str(b.mappings.file[m]),
                           str(b.mappings.build_id[m]), b.mappings.flags[m]);
      }
      for (size_t l = b.locations.line_begin[f]; l < b.locations.line_begin[f + 1]; ++l) {
        const uint32_t fn = b.lines.function[l];
        out += fmt::format(" {}:{}:{} {}|{}|{}", b.lines.line[l], b.lines.column[l],
                           str(b.functions.name[fn]), str(b.functions.system_name[fn]),
                           str(b.functions.file[fn]), b.functions.start_line[fn]);
      }
    }
  }
  return out;
}

// --- the reference: profile.proto and Pyroscope's checks, written for clarity

// Groups, and known fields of a wrong wire type, end up among the unknown fields.
bool clean(const Message& m) {
  const auto& unknown = m.GetReflection()->GetUnknownFields(m);
  for (int i = 0; i < unknown.field_count(); ++i) {
    if (unknown.field(i).type() == UnknownField::TYPE_GROUP) return false;
    if (m.GetDescriptor()->FindFieldByNumber(unknown.field(i).number()) != nullptr) return false;
  }
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  m.GetReflection()->ListFields(m, &fields);
  for (const auto* field : fields) {
    if (field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) continue;
    const int n = field->is_repeated() ? m.GetReflection()->FieldSize(m, field) : 1;
    for (int i = 0; i < n; ++i) {
      if (!clean(field->is_repeated() ? m.GetReflection()->GetRepeatedMessage(m, field, i)
                                      : m.GetReflection()->GetMessage(m, field))) {
        return false;
      }
    }
  }
  return true;
}

// A time after one that is not 0. `bytes` are well-formed.
bool concatenated(const std::string& bytes) {
  google::protobuf::io::CodedInputStream in(reinterpret_cast<const uint8_t*>(bytes.data()),
                                            static_cast<int>(bytes.size()));
  uint64_t time = 0;
  while (const uint32_t tag = in.ReadTag()) {
    uint64_t v = 0;
    uint32_t n = 0;
    if (tag == (9 << 3)) {
      if (time != 0) return true;
      in.ReadVarint64(&time);
    } else if ((tag & 7) == 0) {
      in.ReadVarint64(&v);
    } else {
      if ((tag & 7) == 2) in.ReadVarint32(&n);
      in.Skip((tag & 7) == 2 ? static_cast<int>(n) : (tag & 7) == 1 ? 8 : 4);
    }
  }
  return false;
}

class Reference {
 public:
  explicit Reference(const std::string& bytes) {
    ok_ = p_.ParseFromString(bytes) && clean(p_) && !concatenated(bytes) && indices_hold() &&
          tables_hold() && samples_hold();
  }
  std::optional<std::string> text() { return ok_ ? std::optional(render()) : std::nullopt; }

 private:
  bool in(int64_t i) const { return i >= 0 && i < p_.string_table_size(); }
  std::string str(int64_t i) const { return in(i) ? p_.string_table(static_cast<int>(i)) : ""; }

  bool indices_hold() const {
    bool ok = p_.sample_type_size() > 0 && p_.string_table_size() > 0 && p_.string_table(0).empty();
    for (const auto& t : p_.sample_type())
      ok = ok && in(t.type()) && t.unit() >= 0 && str(t.type()).find('-') == std::string::npos;
    for (const auto& f : p_.function())
      ok = ok && in(f.name()) && in(f.system_name()) && in(f.filename());
    for (const auto& m : p_.mapping()) ok = ok && in(m.filename()) && in(m.build_id());
    for (const auto& s : p_.sample()) {
      for (const auto& l : s.label()) ok = ok && in(l.key()) && in(l.str()) && l.num_unit() >= 0;
    }
    for (const int64_t c : p_.comment()) ok = ok && c >= 0;
    return ok && p_.period_type().type() >= 0 && p_.period_type().unit() >= 0 &&
           p_.drop_frames() >= 0 && p_.keep_frames() >= 0 && p_.default_sample_type() >= 0 &&
           p_.doc_url() >= 0;
  }
  bool tables_hold() {
    for (const auto& m : p_.mapping()) mappings_[m.id()] = &m;
    for (const auto& f : p_.function()) functions_[f.id()] = &f;
    bool ok = !mappings_.contains(0) && !functions_.contains(0);
    for (const auto& l : p_.location()) {
      bool usable = l.mapping_id() == 0 || mappings_.contains(l.mapping_id());
      for (const auto& line : l.line()) {
        ok = ok && line.function_id() != 0;
        usable = usable && functions_.contains(line.function_id());
      }
      locations_[l.id()] = usable ? &l : nullptr;
    }
    return ok && !locations_.contains(0);
  }
  bool samples_hold() const {
    for (const auto& s : p_.sample()) {
      if (s.value_size() != p_.sample_type_size() || s.label_size() > 100) return false;
      for (const uint64_t id : s.location_id()) {
        if (id == 0) return false;
      }
    }
    return true;
  }

  std::string render() const {
    std::string out = fmt::format("{} {} {} {}/{} {} {} {} {}\n", p_.time_nanos(),
                                  p_.duration_nanos(), p_.period(), str(p_.period_type().type()),
                                  str(p_.period_type().unit()), str(p_.default_sample_type()),
                                  str(p_.drop_frames()), str(p_.keep_frames()), str(p_.doc_url()));
    for (const int64_t c : p_.comment()) out += "# " + str(c) + "\n";
    for (const auto& t : p_.sample_type()) out += str(t.type()) + "/" + str(t.unit()) + " ";
    for (const auto& s : p_.sample()) {
      std::string frames;
      for (const uint64_t id : s.location_id()) {
        const auto found = locations_.find(id);
        if (found != locations_.end() && found->second != nullptr) frames += render(*found->second);
      }
      if (frames.empty() && s.location_id_size() > 0) continue;
      out += "\n";
      for (const int64_t v : s.value()) out += fmt::format("{} ", v);
      for (const auto& l : s.label()) {
        // An index that is not 0 counts as a value, even when it names another empty string.
        if (l.str() == 0 && l.num() == 0 && l.num_unit() == 0) continue;
        out += fmt::format("[{}={}|{} {}]", str(l.key()), str(l.str()), l.num(), str(l.num_unit()));
      }
      out += frames;
    }
    return out;
  }
  std::string render(const google::v1::Location& l) const {
    std::string out = fmt::format("\n  {:x} {}", l.address(), l.is_folded() ? 1 : 0);
    if (l.mapping_id() != 0) {
      const auto& m = *mappings_.at(l.mapping_id());
      const int flags = (m.has_functions() ? 1 : 0) | (m.has_filenames() ? 2 : 0) |
                        (m.has_line_numbers() ? 4 : 0) | (m.has_inline_frames() ? 8 : 0);
      out += fmt::format(" @{:x}-{:x}+{:x} {} {} {}", m.memory_start(), m.memory_limit(),
                         m.file_offset(), str(m.filename()), str(m.build_id()), flags);
    }
    for (const auto& line : l.line()) {
      const auto& f = *functions_.at(line.function_id());
      out += fmt::format(" {}:{}:{} {}|{}|{}", line.line(), line.column(), str(f.name()),
                         str(f.system_name()), str(f.filename()), f.start_line());
    }
    return out;
  }

  Profile p_;
  bool ok_ = false;
  std::map<uint64_t, const google::v1::Mapping*> mappings_;
  std::map<uint64_t, const google::v1::Function*> functions_;
  std::map<uint64_t, const google::v1::Location*> locations_;  // Null: refers to something missing.
};

// --- inputs

test::ProfileShape small_shape(test::Dice& dice) {
  test::ProfileShape shape;
  shape.samples = 1 + dice.below(12);
  shape.mean_depth = 1 + dice.below(8);
  shape.functions = 8 + dice.below(40);
  shape.labelled_percent = dice.below(60);
  shape.odd_value_percent = 20;
  if (dice.percent(30)) shape.types.pop_back();
  return shape;
}

// Ids made sparse, huge or doubled, tables shuffled, fields beside the common ones filled: through
// libprotobuf, so bytes are well-formed.
std::string scramble(const std::string& bytes, test::Dice& dice) {
  Profile p;
  REQUIRE(p.ParseFromString(bytes));
  const uint64_t factor = dice.percent(50) ? 1 : dice.next() | 1;
  for (auto& l : *p.mutable_location()) {
    l.set_id(l.id() * factor);
    if (dice.percent(2)) l.set_mapping_id(dice.below(6));
    for (auto& line : *l.mutable_line()) line.set_column(static_cast<int64_t>(dice.below(3)));
  }
  for (auto& s : *p.mutable_sample()) {
    for (auto& id : *s.mutable_location_id()) id = dice.percent(1) ? dice.below(9) : id * factor;
  }
  if (p.location_size() > 1 && dice.percent(30))
    p.mutable_location()->SwapElements(0, p.location_size() - 1);
  if (p.function_size() > 1 && dice.percent(20)) p.mutable_function(0)->set_id(p.function(1).id());
  p.set_doc_url(static_cast<int64_t>(dice.below(4)));
  if (dice.percent(20)) p.add_comment(static_cast<int64_t>(dice.below(9)));
  return p.SerializeAsString();
}

void check_agreement(const std::string& bytes) {
  ProfileBatch batch;
  const Status status = decode_pprof_copy(bytes, {}, batch);
  const std::optional<std::string> want = Reference(bytes).text();
  INFO((status ? "accepted" : status.error().message));
  REQUIRE(status.has_value() == want.has_value());
  if (!status) return;
  REQUIRE(batch.validate());
  REQUIRE(text_of(batch) == *want);
}

TEST_CASE("the decoder agrees with libprotobuf on generated and mutated profiles", "[property]") {
  google::protobuf::SetLogHandler(nullptr);  // It reports invalid UTF-8 on stderr.
  test::Dice dice(11);
  std::vector<std::string> corpus;
  for (uint64_t seed = 0; seed < 30; ++seed) {
    corpus.push_back(
        scramble(encode_pprof(test::ProfileGen(seed, small_shape(dice)).next()), dice));
    check_agreement(corpus.back());
  }
  size_t accepted = 0;
  for (size_t i = 0; i < 30'000; ++i) {
    std::string bytes = corpus[i % corpus.size()];
    for (size_t n = 1 + dice.below(3); n > 0; --n) test::mutate(bytes, corpus, dice);
    INFO("mutation " << i);
    check_agreement(bytes);
    accepted += Reference(bytes).text().has_value() ? 1 : 0;
  }
  CHECK(accepted > 1000);  // Else the mutations only test refusal.
}

TEST_CASE("what the encoder writes reads back the same", "[property]") {
  test::Dice dice(12);
  for (uint64_t seed = 0; seed < 60; ++seed) {
    const ProfileBatch batch = test::ProfileGen(seed, small_shape(dice)).next();
    const std::string bytes = encode_pprof(batch);
    ProfileBatch again;
    REQUIRE(decode_pprof_copy(bytes, {}, again));
    REQUIRE(text_of(again) == text_of(batch));
    REQUIRE(encode_pprof(again) == bytes);
    REQUIRE(Reference(bytes).text() == text_of(batch));
  }
}

}  // namespace
}  // namespace hearth::formats
