#include "api/page_tree_codec.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "support/catch.h"

using namespace hearth;
using nlohmann::json;

namespace {

std::string read_file(const std::string& name) {
  std::ifstream in(std::string(HEARTH_GOLDEN_DIR) + "/tree/" + name, std::ios::binary);
  REQUIRE(in);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

/// What the encoder is given for one tree of a golden file.
struct Decoded {
  query::PageTree page;
  std::vector<std::string> names;
  std::vector<query::Place> places;
  std::string unit, cost;
  api::TreeAnswer answer;

  explicit Decoded(const json& tree) {
    const json& header = tree["header"];
    names.push_back("");
    for (const json& node : tree["nodes"]) {
      page.depth.push_back(node["depth"]);
      page.self.push_back(node["self"]);
      page.folded.push_back(node["folded"] ? 1 : 0);
      const auto found = std::find(names.begin(), names.end(), node["name"].get<std::string>());
      page.name.push_back(static_cast<uint32_t>(found - names.begin()));
      if (found == names.end()) names.push_back(node["name"]);
    }
    page.frames = header["frames"];
    page.total = header["totals"][0];
    page.min = header["min"];
    unit = header["unit"];
    const query::Cost spent{.profiles = header["cost"]["profiles"],
                            .datasets = header["cost"]["datasets"],
                            .scanned_bytes = header["cost"]["scanned_bytes"],
                            .partial = header["cost"]["partial"]};
    cost = api::cost_json(spent, header["cost"]["ms"]);
    answer.tree = header["tree"];
    answer.trees = header["trees"];
    answer.cap = header["cap"];
    answer.clamped = header["clamped"];
    if (header.contains("fn")) {
      const json& fn = header["fn"];
      answer.fn = api::TreeAnswer::Function{fn["total"], fn["self"], fn["paths"], fn["recursive"]};
    }
  }
  void append(std::string& out) {
    answer.page = &page;
    answer.names = names;
    answer.unit = unit;
    answer.cost = cost;
    api::append_tree_envelope(out, answer);
  }
};

}  // namespace

TEST_CASE("golden trees are written byte for byte", "[api]") {
  for (const char* name : {"plain", "folded", "root_only", "utf8", "sandwich"}) {
    INFO(name);
    const json golden = json::parse(read_file(std::string(name) + ".json"));
    std::string bytes;
    for (const json& tree : golden["trees"]) Decoded(tree).append(bytes);
    CHECK(bytes == read_file(std::string(name) + ".bin"));
  }
}

TEST_CASE("names carry the place of a function and what it is", "[api]") {
  query::PageTree page;
  page.depth = {0, 1, 1};
  page.name = {0, 1, 2};
  page.self = {0, 1, 2};
  page.folded = {0, 0, 0};
  const std::vector<std::string> names{"", "do_idle", "0x1500"};
  const std::vector<query::Place> places{
      {}, {"idle.c", "[kernel.kallsyms]", 7, 0}, {"", "lib.so", 0, 0}};
  api::TreeAnswer answer;
  answer.page = &page;
  answer.names = names;
  answer.places = places;
  answer.cost = "{}";
  std::string bytes;
  api::append_tree_envelope(bytes, answer);
  const std::string tail(
      "\x07"
      "do_idle"
      "\x06"
      "idle.c"
      "\x11"
      "[kernel.kallsyms]"
      "\x06"
      "0x1500"
      "\x06"
      "lib.so"
      "\0\0\0\0\0\0"
      "\1\0\2\3\7\1"
      "\4\0\0\5\0\2"
      "\0\0\4"
      "\0\1\2"
      "\0\1\2",
      74);
  CHECK(bytes.ends_with(tail));
}
