// The example of docs/segment_format.md, byte for byte.
#include <map>
#include <string>

#include "storage/canonical_dataset.h"
#include "storage/dataset_encoder.h"
#include "storage/row_block.h"
#include "support/catch.h"
#include "support/worked_example.h"

namespace hearth::storage {
namespace {

std::string hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    const auto b = static_cast<unsigned char>(c);
    if (!out.empty()) out.push_back(' ');
    out += {kDigits[b >> 4U], kDigits[b & 15U]};
  }
  return out;
}

std::map<std::string, std::string> sections(const DatasetInput& input) {
  const auto dataset = canonicalise(input);
  REQUIRE(dataset);
  const auto encoded = encode_sections(section_input(*dataset, {}));
  REQUIRE(encoded);
  std::map<std::string, std::string> out;
  for (const auto& s : *encoded) out[section_name(s.kind)] = hex(s.bytes);
  return out;
}

}  // namespace

TEST_CASE("the worked example has the successors, pops, edges and classes of the format page",
          "[segment]") {
  const auto raw = sections(test::worked_example());
  // Counts of the successors of root and 1 … 7, then their locations: 1 3 | 7 | 2 5 | 5 | 6 4.
  CHECK(raw.at("EDGE") ==
        "08 02 00 01 02 01 02 00 00 0a 00 00 01 03 07 02 05 05 06 04"
        "");
  CHECK(raw.at("TREE") == "09 00 01 00 00 02 00 01 00 00 09 00 01 00 00 01 00 01 00 00");
  CHECK(raw.at("CLASS") == "03 00 00 01 00 02 03 00 01");
  CHECK(raw.at("KEYS") == "00 00");
}

TEST_CASE("the worked example numbers its keys by class, then in preorder", "[segment]") {
  const auto dataset = canonicalise(test::worked_example());
  REQUIRE(dataset);
  CHECK(dataset->symbols.columns.key_node == std::vector<uint32_t>{1, 7, 6, 4, 9});
}

TEST_CASE("the worked example's profile {E 2, A 7, B 1, C 1} has the row bytes of the format page",
          "[segment]") {
  const std::vector<uint32_t> rows = {4};
  const std::vector<int64_t> period = {1};
  const std::vector<uint32_t> key = {0, 1, 2, 4};
  const std::vector<int64_t> value = {2, 7, 1, 1};
  const std::string raw = encode_row_block({rows, period, key, {value}}, RowForm::plain);
  // Mode 0; five bytes of keys; encoding 2 with divisor 1; five bytes of values.
  CHECK(hex(raw) == "00 05 00 00 00 00 01 02 01 05 00 02 07 01 01");
}

TEST_CASE("a stack with two label sets is listed in KEYS and takes two ids", "[segment]") {
  const DatasetInput input = test::worked_example_with_sizes();
  const auto raw = sections(input);
  CHECK(raw.at("CLASS") == "03 00 00 01 00 02 ff 00 01");
  const auto dataset = canonicalise(input);
  REQUIRE(dataset);
  const OwnedSymbols& s = dataset->symbols.columns;
  CHECK(s.key_node == std::vector<uint32_t>{1, 7, 6, 4, 7, 9});
  CHECK(s.key_labels == std::vector<uint32_t>{0, 1, 0, 0, 2, 0});
  CHECK(s.label_num == std::vector<int64_t>{48, 1024});
}

}  // namespace hearth::storage
