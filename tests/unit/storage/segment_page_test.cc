// The dump of docs/segment_format.md is tests/golden/segment/example.seg, byte for byte.
#include <fmt/format.h>

#include <cctype>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <string>

#include "base/zstd_codec.h"
#include "storage/segment_dataset.h"
#include "storage/segment_file.h"
#include "storage/segment_verify.h"
#include "support/catch.h"
#include "support/memory_object.h"
#include "support/read_file.h"
#include "support/worked_example.h"

namespace hearth::storage {
namespace {

const std::string kExample = std::string(HEARTH_GOLDEN_DIR) + "/segment/example.seg";

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes)
    out += fmt::format("{}{:02x}", out.empty() ? "" : " ", static_cast<unsigned char>(c));
  return out;
}

using Dump = std::map<std::string, std::string>;

/// Everything of the file, decompressed: by the names that the page uses.
Dump dump_file(const std::string& bytes) {
  const test::MemoryObject object(bytes);
  const auto directory = read_segment_directory(object);
  REQUIRE(directory);
  REQUIRE(directory->datasets.size() == 1);
  CacheBudget budget(0);
  const SegmentDataset dataset(object, directory->datasets[0], directory->label_bloom, {}, budget,
                               "");
  Dump dump;
  for (const SectionEntry& s : directory->datasets[0].sections) {
    if (s.kind == SectionKind::rows) continue;
    const auto raw = dataset.raw_section(s.kind);
    REQUIRE(raw);
    dump[section_name(s.kind)] = hex(*raw);
  }
  const auto index = dataset.profile_index();
  REQUIRE(index);
  REQUIRE((*index)->blocks.size() == 1);
  const auto block = dataset.raw_block((*index)->blocks[0]);
  REQUIRE(block);
  dump["BLOCK"] = hex(*block);
  const std::string_view tail = std::string_view(bytes).substr(bytes.size() - kTailBytes);
  const auto pointer = decode_tail(tail, bytes.size());
  REQUIRE(pointer);
  std::string raw;
  REQUIRE(zstd_decompress(std::string_view(bytes).substr(pointer->offset, pointer->stored),
                          pointer->raw, raw));
  dump["DIRECTORY"] = hex(raw);
  dump["HEADER"] = hex(std::string_view(bytes).substr(0, kHeaderBytes));
  dump["TAIL"] = hex(tail);
  return dump;
}

bool is_hex(std::string_view word) {
  return word.size() == 2 && std::isxdigit(static_cast<unsigned char>(word[0])) != 0 &&
         std::isxdigit(static_cast<unsigned char>(word[1])) != 0;
}

/// The lines of the page between "## A segment in full" and the next heading: a name and bytes,
/// then lines of bytes; what follows ' | ' is for the reader.
Dump dump_page(const std::string& page) {
  Dump dump;
  std::string name;
  std::istringstream lines(page.substr(page.find("## A segment in full")));
  std::string line;
  std::getline(lines, line);
  bool inside = false;
  while (std::getline(lines, line) && !line.starts_with("## ")) {
    if (line.starts_with("```")) {
      inside = !inside;
      continue;
    }
    if (!inside) continue;
    std::istringstream words(line.substr(0, line.find(" | ")));
    for (std::string word; words >> word;) {
      if (!is_hex(word)) {
        name = word;
        continue;
      }
      std::string& bytes = dump[name];
      bytes += (bytes.empty() ? "" : " ") + word;
    }
  }
  return dump;
}

}  // namespace

TEST_CASE("the dump of the format page is the example file", "[segment][golden]") {
  const Dump page = dump_page(test::read_file(HEARTH_SOURCE_ROOT "/"
                                                                 "docs/segment_format.md"));
  const Dump file = dump_file(test::read_file(kExample));
  for (const auto& [name, bytes] : file) {
    INFO(name);
    REQUIRE(page.contains(name));
    CHECK(page.at(name) == bytes);
  }
  CHECK(page.size() == file.size());
}

TEST_CASE("the example file is what a writer makes of the example", "[segment][golden]") {
  const auto report =
      verify_segment(test::MemoryObject(test::read_file(kExample)), "segments/example");
  INFO((report.findings.empty() ? "" : report.findings.front()));
  CHECK(report.findings.empty());
}

TEST_CASE("writes the example file and prints its dump", "[.write-golden]") {
  SegmentWriter::Options options;
  options.object_key = "segments/example";
  options.level = 1;
  options.rollup = true;
  const DatasetInput input = test::worked_example();
  const std::string bytes = test::write_segment(std::span(&input, 1), options);
  std::ofstream(kExample, std::ios::binary) << bytes;
  for (const auto& [name, text] : dump_file(bytes)) {
    constexpr size_t kLine = 3 * 32;
    for (size_t at = 0; at < text.size(); at += kLine)
      std::cout << fmt::format("{:9} {}\n", at == 0 ? name : "", text.substr(at, kLine));
  }
}

}  // namespace hearth::storage
