#include "formats/pprof_encoder.h"

#include <map>
#include <vector>

#include "formats/folded_writer.h"
#include "formats/pprof_decoder.h"
#include "support/catch.h"
#include "support/pprof_builder.h"

namespace hearth::formats {
namespace {

TEST_CASE("only used strings are written, each once, in order of use", "[formats]") {
  ProfileBatch b;
  for (const char* s : {"", "unused", "count", "samples"}) b.add_string(s);
  b.sample_types.push_back({3, 2});
  b.samples.stack_begin = b.samples.label_begin = b.locations.line_begin = {0};
  REQUIRE(b.validate());
  test::ProtoWriter want;
  want.message(1, test::ProtoWriter().varint(1, 1).varint(2, 2))
      .text(6, "")
      .text(6, "samples")
      .text(6, "count");
  CHECK(encode_pprof(b) == want.bytes);
}

TEST_CASE("a tree of stacks is written as the samples that it stands for", "[formats]") {
  test::PprofBuilder b;
  b.sample_type("a", "count");
  // Enough functions for ids of two bytes.
  std::vector<uint64_t> locations;
  for (int i = 0; i < 200; ++i) locations.push_back(b.location({{b.function(std::to_string(i))}}));
  ProfileBatch batch;
  REQUIRE(decode_pprof_copy(b.build(), {}, batch));
  const std::map<std::vector<uint32_t>, int64_t> stacks = {
      {{}, 9}, {{0}, 1}, {{0, 199}, 300}, {{0, 199, 0, 130}, -2}, {{1, 2, 3, 4}, 1LL << 40}};
  ProfileBatch flat = batch;
  for (const auto& [stack, value] : stacks) {
    if (stack.empty()) continue;
    flat.samples.frames.insert(flat.samples.frames.end(), stack.rbegin(), stack.rend());
    flat.samples.stack_begin.push_back(static_cast<uint32_t>(flat.samples.frames.size()));
    flat.samples.label_begin.push_back(0);
    flat.samples.values.push_back(value);
  }
  REQUIRE(flat.validate());
  const StackTree tree = stack_tree(stacks);
  CHECK(encode_pprof(batch, tree) == encode_pprof(flat));
  std::map<std::vector<uint32_t>, int64_t> read;
  for_each_stack(tree, [&](std::span<const uint32_t> stack, int64_t value) {
    read[{stack.rbegin(), stack.rend()}] = value;
  });
  CHECK(read == stacks);
}

TEST_CASE("folded lines name inlined frames and addresses, sorted", "[formats]") {
  test::PprofBuilder b;
  b.sample_type("a", "count").sample_type("b", "count");
  const uint64_t inner = b.function("in;ner\n");
  const uint64_t outer = b.function("outer");
  const uint64_t leaf = b.location({{inner}, {outer}});
  const uint64_t bare = b.location({}, 0, 0x1f);
  b.sample({leaf, bare}, {1, 5}).sample({bare}, {2, 0}).sample({leaf, bare}, {3, -5});
  ProfileBatch batch;
  REQUIRE(decode_pprof_copy(b.build(), {}, batch));
  CHECK(write_folded(batch, 0) == "0x1f 2\n0x1f;outer;in:ner  4\n");
  CHECK(write_folded(batch, 1).empty());
}

}  // namespace
}  // namespace hearth::formats
