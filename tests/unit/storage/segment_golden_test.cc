// Segments that released versions wrote must stay readable, and say the same.
// HEARTH_UPDATE_GOLDEN=1 rewrites the expected text (never the segment).
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "storage/segment_inspect.h"
#include "storage/segment_verify.h"
#include "support/catch.h"
#include "support/memory_object.h"

namespace hearth::storage {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  REQUIRE(in);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

/// The directory and, of the two small datasets, every section.
std::string inspect_all(const ObjectReader& object) {
  const auto directory = inspect_segment(object, {});
  REQUIRE(directory);
  std::string text = format_text(*directory);
  for (const char* section :
       {"STR", "FUNC", "MAP", "LOC", "EDGE", "TREE", "KEYS", "LBL", "PROF", "BLKS", "ROWS"}) {
    for (const size_t dataset : {0U, 1U}) {
      const auto table = inspect_segment(object, {section, dataset});
      REQUIRE(table);
      text += "\n" + format_text(*table);
    }
  }
  return text;
}

}  // namespace

TEST_CASE("a segment written by version 1.0 stays readable", "[segment][golden]") {
  const std::string base = std::string(HEARTH_GOLDEN_DIR) + "/segment/v1.0";
  const test::MemoryObject object(read_file(base + ".seg"));
  CHECK(verify_segment(object, "segments/golden").findings.empty());
  const std::string text = inspect_all(object);
  if (std::getenv("HEARTH_UPDATE_GOLDEN") != nullptr) std::ofstream(base + ".txt") << text;
  CHECK(text == read_file(base + ".txt"));
}

}  // namespace hearth::storage
