// Dictionary against a model that knows each sample by a text of everything in it (symbol_text.h).
//
// Strategy:   seeded profiles of one program: known stacks, stacks near known ones, labels, symbols
// shared by many samples. Invariants: 1. equal samples get equal keys and unequal ones unequal
// keys, over all batches;
//             2. a key's content in the tables is the sample's;
//             3. ids depend on the sequence of batches only, not on the seed;
//             4. deltas replayed into a fresh dictionary give the same tables, and the same ids
//             from there on, at every cut;
//             5. tables taken earlier never change.

#include <map>
#include <string>
#include <vector>

#include "support/catch.h"
#include "support/profile_gen.h"
#include "support/symbol_text.h"
#include "symbols/dictionary.h"

using namespace hearth;
using hearth::test::ProfileGen;
using hearth::test::text_of;

namespace {

std::vector<ProfileBatch> profiles_of_one_program(uint64_t seed, size_t count) {
  test::ProfileShape shape;
  shape.samples = 40;
  shape.mean_depth = 12;
  shape.functions = 60;
  shape.labelled_percent = seed % 3 == 0 ? 0 : 30;
  ProfileGen gen(seed, shape);
  std::vector<ProfileGen::Stack> known;
  std::vector<ProfileBatch> out;
  for (size_t p = 0; p < count; ++p) {
    std::vector<ProfileGen::Sample> samples;
    for (size_t s = 0; s < shape.samples; ++s) {
      ProfileGen::Stack stack;
      if (known.empty() || gen.dice().percent(20)) {
        stack = gen.draw();
      } else {
        stack = known[gen.dice().below(known.size())];
        if (gen.dice().percent(30)) stack = gen.vary(stack);
      }
      if (gen.dice().percent(2)) stack.clear();
      known.push_back(stack);
      samples.push_back(gen.weigh(stack));
    }
    out.push_back(gen.batch(samples));
  }
  return out;
}

template <class Span>
std::vector<typename Span::value_type> copy(const Span& span) {
  return {span.begin(), span.end()};
}

void check_equal(const symbols::SymbolTables& a, const symbols::SymbolTables& b) {
  CHECK(copy(a.strings) == copy(b.strings));
  CHECK(copy(a.function_name) == copy(b.function_name));
  CHECK(copy(a.function_system_name) == copy(b.function_system_name));
  CHECK(copy(a.function_file) == copy(b.function_file));
  CHECK(copy(a.function_start_line) == copy(b.function_start_line));
  CHECK(copy(a.mapping_start) == copy(b.mapping_start));
  CHECK(copy(a.mapping_limit) == copy(b.mapping_limit));
  CHECK(copy(a.mapping_offset) == copy(b.mapping_offset));
  CHECK(copy(a.mapping_file) == copy(b.mapping_file));
  CHECK(copy(a.mapping_build_id) == copy(b.mapping_build_id));
  CHECK(copy(a.mapping_flags) == copy(b.mapping_flags));
  CHECK(copy(a.location_mapping) == copy(b.location_mapping));
  CHECK(copy(a.location_address) == copy(b.location_address));
  CHECK(copy(a.location_folded) == copy(b.location_folded));
  CHECK(copy(a.line_begin) == copy(b.line_begin));
  CHECK(copy(a.line_function) == copy(b.line_function));
  CHECK(copy(a.line_number) == copy(b.line_number));
  CHECK(copy(a.line_column) == copy(b.line_column));
  CHECK(copy(a.node_parent) == copy(b.node_parent));
  CHECK(copy(a.node_location) == copy(b.node_location));
  CHECK(copy(a.key_node) == copy(b.key_node));
  CHECK(copy(a.key_labels) == copy(b.key_labels));
  CHECK(copy(a.label_begin) == copy(b.label_begin));
  CHECK(copy(a.label_key) == copy(b.label_key));
  CHECK(copy(a.label_str) == copy(b.label_str));
  CHECK(copy(a.label_num) == copy(b.label_num));
  CHECK(copy(a.label_unit) == copy(b.label_unit));
}

std::vector<std::string> all_texts(const symbols::SymbolTables& tables) {
  std::vector<std::string> texts;
  for (uint32_t key = 0; key < tables.keys(); ++key) texts.push_back(text_of(tables, key));
  return texts;
}

}  // namespace

TEST_CASE("a dictionary partitions samples as their full contents do, and keeps the contents",
          "[property]") {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    const auto profiles = profiles_of_one_program(seed, 12);
    symbols::Dictionary dictionary({0, seed}, seed);
    std::map<std::string, uint32_t> key_of;
    std::vector<std::string> text_of_key;
    std::vector<uint32_t> keys;
    for (const ProfileBatch& batch : profiles) {
      REQUIRE(batch.validate());
      dictionary.map(batch, keys);
      REQUIRE(keys.size() == batch.samples.size());
      for (size_t s = 0; s < keys.size(); ++s) {
        const std::string text = text_of(batch, s);
        const auto [it, added] = key_of.try_emplace(text, keys[s]);
        REQUIRE(it->second == keys[s]);
        if (added) {
          REQUIRE(keys[s] == text_of_key.size());
          text_of_key.push_back(text);
        }
      }
    }
    CHECK(all_texts(*dictionary.tables()) == text_of_key);
  }
}

TEST_CASE("a parent is older than its children and no symbol occurs twice", "[property]") {
  const auto profiles = profiles_of_one_program(7, 12);
  symbols::Dictionary dictionary({}, 7);
  std::vector<uint32_t> keys;
  for (const ProfileBatch& batch : profiles) dictionary.map(batch, keys);
  const auto tables = dictionary.tables();
  std::map<std::pair<uint32_t, uint32_t>, size_t> nodes;
  for (uint32_t n = 1; n < tables->nodes(); ++n) {
    CHECK(tables->node_parent[n] < n);
    CHECK(++nodes[{tables->node_parent[n], tables->node_location[n]}] == 1);
  }
  std::map<std::string_view, size_t> strings;
  for (const std::string_view s : tables->strings) CHECK(++strings[s] == 1);
}

TEST_CASE("replayed deltas give the same tables and the same later ids at every cut",
          "[property]") {
  for (uint64_t seed = 20; seed < 23; ++seed) {
    CAPTURE(seed);
    const auto profiles = profiles_of_one_program(seed, 8);
    symbols::Dictionary original({}, 1);
    std::vector<std::string> deltas;
    std::vector<std::vector<uint32_t>> keys(profiles.size());
    for (size_t p = 0; p < profiles.size(); ++p) {
      original.map(profiles[p], keys[p]);
      deltas.push_back(original.take_delta());
    }
    for (size_t cut = 0; cut <= profiles.size(); ++cut) {
      CAPTURE(cut);
      symbols::Dictionary replayed({}, 99);
      for (size_t p = 0; p < cut; ++p) {
        if (!deltas[p].empty()) REQUIRE(replayed.apply_delta(deltas[p]));
      }
      CHECK(replayed.take_delta().empty());
      std::vector<uint32_t> again;
      for (size_t p = cut; p < profiles.size(); ++p) {
        replayed.map(profiles[p], again);
        REQUIRE(again == keys[p]);
        REQUIRE(replayed.take_delta() == deltas[p]);
      }
      check_equal(*replayed.tables(), *original.tables());
    }
  }
}

TEST_CASE("tables taken earlier do not change while the dictionary grows, and outlive it",
          "[property]") {
  const auto profiles = profiles_of_one_program(31, 10);
  std::vector<std::shared_ptr<const symbols::SymbolTables>> snapshots;
  std::vector<std::vector<std::string>> texts;
  {
    symbols::Dictionary dictionary({}, 5);
    std::vector<uint32_t> keys;
    for (const ProfileBatch& batch : profiles) {
      dictionary.map(batch, keys);
      snapshots.push_back(dictionary.tables());
      texts.push_back(all_texts(*snapshots.back()));
    }
  }
  for (size_t i = 0; i < snapshots.size(); ++i) CHECK(all_texts(*snapshots[i]) == texts[i]);
}

TEST_CASE("a damaged delta is refused or gives tables that are safe to read", "[property]") {
  std::vector<std::string> deltas;
  symbols::Dictionary original({}, 1);
  std::vector<uint32_t> keys;
  for (const ProfileBatch& batch : profiles_of_one_program(41, 2)) {
    original.map(batch, keys);
    deltas.push_back(original.take_delta());
  }
  test::Dice dice(42);
  size_t accepted = 0;
  for (int round = 0; round < 3000; ++round) {
    CAPTURE(round);
    symbols::Dictionary dictionary({}, 2);
    if (round % 2 == 1) REQUIRE(dictionary.apply_delta(deltas[0]));
    std::string damaged = deltas[round % 2];
    for (uint64_t flips = 1 + dice.below(3); flips > 0; --flips) {
      damaged[dice.below(damaged.size())] = static_cast<char>(dice.next());
    }
    const size_t keys_before = dictionary.keys();
    if (!dictionary.apply_delta(damaged)) {
      REQUIRE(dictionary.keys() == keys_before);
      continue;
    }
    ++accepted;
    const auto tables = dictionary.tables();
    for (uint32_t n = 1; n < tables->nodes(); ++n) REQUIRE(tables->node_parent[n] < n);
    REQUIRE(all_texts(*tables).size() == tables->keys());
  }
  CHECK(accepted > 100);  // Flips in names and line numbers cannot be told from data.
}
