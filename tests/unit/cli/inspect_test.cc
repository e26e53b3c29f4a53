#include "cli/inspect.h"

#include <fstream>
#include <sstream>

#include "cli/verify.h"
#include "support/catch.h"
#include "support/temp_dir.h"
#include "support/worked_example.h"

namespace hearth::cli {
namespace {

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string example_segment(const std::string& key) {
  const auto dataset = test::worked_example();
  return test::write_segment(std::span(&dataset, 1), key);
}

}  // namespace

TEST_CASE("inspect prints sections as text and as JSON", "[cli]") {
  const test::TempDir dir;
  write_file(dir.path() + "/one.seg", example_segment("one.seg"));
  std::ostringstream out;
  std::ostringstream err;
  REQUIRE(run_inspect({dir.path() + "/one.seg", "KEYS", std::nullopt, "text"}, out, err) == 0);
  CHECK(out.str() ==
        "KEYS of dataset 0\n"
        "  key  class  node  labels\n"
        "    0      3     1  -\n"
        "    1      3     7  -\n"
        "    2      2     6  -\n"
        "    3      1     4  -\n"
        "    4      1     9  -\n");
  std::ostringstream json;
  REQUIRE(run_inspect({dir.path() + "/one.seg", "EDGE", 0, "json"}, json, err) == 0);
  CHECK(json.str().find("\"successors\": \"6 4\"") != std::string::npos);
  CHECK(err.str().empty());
}

TEST_CASE("inspect tells a wrong option from a damaged file", "[cli]") {
  const test::TempDir dir;
  write_file(dir.path() + "/one.seg", example_segment("one.seg"));
  write_file(dir.path() + "/bad.seg", "not a segment");
  std::ostringstream out;
  std::ostringstream err;
  CHECK(run_inspect({dir.path() + "/one.seg", "NONE", std::nullopt, "text"}, out, err) == 2);
  CHECK(run_inspect({dir.path() + "/one.seg", "STR", 7, "text"}, out, err) == 2);
  CHECK(run_inspect({dir.path() + "/one.seg", "", std::nullopt, "yaml"}, out, err) == 2);
  CHECK(run_inspect({dir.path() + "/bad.seg", "", std::nullopt, "text"}, out, err) == 1);
  CHECK(run_inspect({dir.path() + "/none.seg", "", std::nullopt, "text"}, out, err) == 1);
}

TEST_CASE("verify walks a directory and names what is wrong", "[cli]") {
  const test::TempDir dir;
  write_file(dir.path() + "/one.seg", example_segment("one.seg"));
  write_file(dir.path() + "/other.txt", "no segment");
  std::ostringstream out;
  std::ostringstream err;
  CHECK(run_verify({{dir.path()}}, out, err) == 0);
  CHECK(out.str().find("1 segments, 5 profiles") == 0);
  CHECK(err.str().empty());

  std::string bytes = example_segment("two.seg");
  bytes[100] = static_cast<char>(bytes[100] + 1);
  write_file(dir.path() + "/two.seg", bytes);
  CHECK(run_verify({{dir.path()}}, out, err) == 1);
  CHECK(err.str().find("two.seg: dataset 0: ") != std::string::npos);

  std::ostringstream renamed;
  write_file(dir.path() + "/three.seg", example_segment("one.seg"));
  CHECK(run_verify({{dir.path()}}, out, renamed) == 1);
  CHECK(renamed.str().find("three.seg: was written as 'one.seg'") != std::string::npos);
  CHECK(run_verify({{dir.path() + "/three.seg"}}, out, err) == 0);
  CHECK(run_verify({{}}, out, err) == 2);
}

}  // namespace hearth::cli
