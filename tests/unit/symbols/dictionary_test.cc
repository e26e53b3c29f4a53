#include "symbols/dictionary.h"

#include <atomic>
#include <mutex>
#include <thread>

#include "support/catch.h"
#include "support/profile_gen.h"
#include "support/symbol_text.h"

using namespace hearth;
using hearth::test::text_of;

namespace {

// A batch of single-line locations: stacks are given as function indices, leaf first.
struct SmallBatch {
  ProfileBatch batch;

  SmallBatch() {
    batch.add_string("");
    batch.sample_types.push_back({text("cpu"), text("nanoseconds")});
    batch.locations.line_begin.push_back(0);
    batch.samples.stack_begin.push_back(0);
    batch.samples.label_begin.push_back(0);
  }
  uint32_t text(std::string_view s) { return batch.add_string(s); }
  uint32_t function(std::string_view name) {
    batch.functions.name.push_back(text(name));
    batch.functions.system_name.push_back(batch.functions.name.back());
    batch.functions.file.push_back(0);
    batch.functions.start_line.push_back(1);
    return static_cast<uint32_t>(batch.functions.size() - 1);
  }
  uint32_t location(uint32_t function, int64_t line, uint64_t address = 0, bool folded = false) {
    batch.locations.mapping.push_back(ProfileBatch::kNone);
    batch.locations.address.push_back(address);
    batch.locations.folded.push_back(folded ? 1 : 0);
    batch.lines.function.push_back(function);
    batch.lines.line.push_back(line);
    batch.lines.column.push_back(0);
    batch.locations.line_begin.push_back(static_cast<uint32_t>(batch.lines.function.size()));
    return static_cast<uint32_t>(batch.locations.size() - 1);
  }
  void sample(const std::vector<uint32_t>& frames,
              const std::vector<ProfileBatch::SampleLabel>& labels = {}) {
    auto& s = batch.samples;
    s.frames.insert(s.frames.end(), frames.begin(), frames.end());
    s.stack_begin.push_back(static_cast<uint32_t>(s.frames.size()));
    s.labels.insert(s.labels.end(), labels.begin(), labels.end());
    s.label_begin.push_back(static_cast<uint32_t>(s.labels.size()));
    s.values.push_back(1);
  }
};

std::vector<uint32_t> keys_of(symbols::Dictionary& dictionary, const ProfileBatch& batch) {
  std::vector<uint32_t> keys;
  dictionary.map(batch, keys);
  return keys;
}

}  // namespace

TEST_CASE("an empty dictionary has the fixed first entries", "[symbols]") {
  const symbols::Dictionary dictionary({1, 2}, 3);
  const auto tables = dictionary.tables();
  CHECK(tables->strings.size() == 1);
  CHECK(tables->locations() == 1);
  CHECK(tables->line_begin.size() == 2);
  CHECK(tables->nodes() == 1);
  CHECK(tables->keys() == 0);
  CHECK(tables->label_begin.size() == 2);
  CHECK(dictionary.id() == Id128{1, 2});
}

TEST_CASE("a stack shared by two samples is stored once", "[symbols]") {
  SmallBatch b;
  const uint32_t leaf = b.location(b.function("leaf"), 10);
  const uint32_t main = b.location(b.function("main"), 20);
  b.sample({leaf, main});
  b.sample({main});
  b.sample({leaf, main});
  b.sample({});
  symbols::Dictionary dictionary({}, 1);
  CHECK(keys_of(dictionary, b.batch) == std::vector<uint32_t>{0, 1, 0, 2});
  CHECK(dictionary.nodes() == 3);
  CHECK(dictionary.tables()->key_node[2] == 0);
}

TEST_CASE("a delta is pending until it was written", "[symbols]") {
  SmallBatch b;
  b.sample({b.location(b.function("main"), 20)});
  symbols::Dictionary dictionary({}, 1);
  keys_of(dictionary, b.batch);
  const std::string delta = dictionary.pending_delta();
  CHECK_FALSE(delta.empty());
  CHECK(dictionary.pending_delta() == delta);
  dictionary.delta_written();
  CHECK(dictionary.pending_delta().empty());
}

TEST_CASE("line, address and folding tell locations apart", "[symbols]") {
  SmallBatch b;
  const uint32_t f = b.function("f");
  b.sample({b.location(f, 10)});
  b.sample({b.location(f, 11)});
  b.sample({b.location(f, 10, 0x1000)});
  b.sample({b.location(f, 10, 0, true)});
  b.sample({b.location(f, 10)});  // Equal to the first, under another local id.
  symbols::Dictionary dictionary({}, 1);
  CHECK(keys_of(dictionary, b.batch) == std::vector<uint32_t>{0, 1, 2, 3, 0});
}

TEST_CASE("labels belong to the key, in any order", "[symbols]") {
  SmallBatch b;
  const uint32_t l = b.location(b.function("f"), 1);
  const uint32_t bytes = b.text("bytes"), kind = b.text("kind"), x = b.text("x");
  b.sample({l}, {{bytes, 0, 16, bytes}, {kind, x, 0, 0}});
  b.sample({l}, {{kind, x, 0, 0}, {bytes, 0, 16, bytes}});
  b.sample({l}, {{bytes, 0, 32, bytes}, {kind, x, 0, 0}});
  b.sample({l});
  symbols::Dictionary dictionary({}, 1);
  CHECK(keys_of(dictionary, b.batch) == std::vector<uint32_t>{0, 0, 1, 2});
  CHECK(dictionary.nodes() == 2);
  CHECK(dictionary.tables()->key_labels[2] == 0);
}

TEST_CASE("symbols that no sample refers to are not added", "[symbols]") {
  SmallBatch b;
  b.location(b.function("unused"), 1);
  b.sample({b.location(b.function("used"), 1)});
  symbols::Dictionary dictionary({}, 1);
  keys_of(dictionary, b.batch);
  const auto tables = dictionary.tables();
  CHECK(tables->strings.size() == 2);
  CHECK(tables->strings[1] == "used");
  CHECK(tables->function_name.size() == 1);
  CHECK(tables->locations() == 2);
}

TEST_CASE("an indexed frame of 10,000 recursive calls is one path", "[symbols]") {
  SmallBatch b;
  const uint32_t l = b.location(b.function("f"), 1);
  b.sample(std::vector<uint32_t>(10'000, l));
  symbols::Dictionary dictionary({}, 1);
  CHECK(keys_of(dictionary, b.batch) == std::vector<uint32_t>{0});
  CHECK(dictionary.nodes() == 10'001);
}

TEST_CASE("memory is counted and grows with what is stored", "[symbols]") {
  symbols::Dictionary dictionary({}, 1);
  const size_t empty = dictionary.memory_bytes();
  CHECK(empty < 4096);
  keys_of(dictionary, test::ProfileGen(1).next());
  CHECK(dictionary.memory_bytes() > empty + 8 * dictionary.nodes());
}

TEST_CASE("a dictionary that maps no more keeps its tables in less memory", "[symbols]") {
  symbols::Dictionary dictionary({}, 1);
  symbols::Dictionary ended({}, 1);
  ended.end_mapping();
  test::ProfileGen gen(3);
  std::vector<uint32_t> keys;
  for (int p = 0; p < 20; ++p) {
    dictionary.map(gen.next(), keys);
    REQUIRE(ended.apply_delta(dictionary.take_delta()));
  }
  const size_t bytes = dictionary.memory_bytes();
  const size_t had = dictionary.keys();
  dictionary.end_mapping();
  CHECK(dictionary.memory_bytes() < bytes / 4 * 3);
  CHECK(dictionary.keys() == had);
  const auto one = dictionary.tables();
  const auto other = ended.tables();
  REQUIRE(one->keys() == other->keys());
  for (uint32_t key = 0; key < one->keys(); ++key)
    REQUIRE(test::text_of(*one, key) == test::text_of(*other, key));
}

TEST_CASE("tables are read without a lock while the dictionary grows", "[symbols]") {
  std::mutex mutex;
  symbols::Dictionary dictionary({}, 1);
  test::ProfileShape shape;
  shape.samples = 30;
  test::ProfileGen gen(4, shape);
  std::atomic<bool> done = false;
  std::atomic<size_t> checked = 0;
  std::thread reader([&] {
    while (!done) {
      std::shared_ptr<const symbols::SymbolTables> tables;
      {
        const std::lock_guard lock(mutex);
        tables = dictionary.tables();
      }
      size_t characters = 0;
      for (uint32_t key = 0; key < tables->keys(); key += 7)
        characters += text_of(*tables, key).size();
      checked += characters;
    }
  });
  for (int i = 0; i < 40; ++i) {
    const ProfileBatch batch = gen.next();
    const std::lock_guard lock(mutex);
    keys_of(dictionary, batch);
  }
  done = true;
  reader.join();
  CHECK(dictionary.keys() > 30);
}
