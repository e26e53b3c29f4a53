#include "server/flag_parser.h"

#include "support/catch.h"

namespace hearth::server {
namespace {

struct Command {
  std::string url = "default";
  std::vector<std::string> labels;
  bool quiet = false;
  std::vector<Flag> flags = {
      {.name = "url", .value_name = "URL", .help = "Where to.", .set = keep(url)},
      {.name = "label",
       .value_name = "K=V",
       .help = "May be repeated.",
       .set =
           [this](const std::string& v) {
             labels.push_back(v);
             return Status();
           },
       .repeatable = true},
      {.name = "quiet",
       .value_name = "",
       .help = "Says less.",
       .set =
           [this](const std::string& v) {
             quiet = v == "true";
             return Status();
           }},
  };
  static std::function<Status(const std::string&)> keep(std::string& field) {
    return [&field](const std::string& v) -> Status {
      if (v == "bad") return fail(ErrorCode::invalid_argument, "got bad");
      field = v;
      return {};
    };
  }
};

TEST_CASE("flags, repeated flags, switches and files mix freely", "[server]") {
  Command command;
  const auto parsed = parse_flags(command.flags, {"a.pb", "--label", "x=1", "--url=http://h", "-",
                                                  "--label=y=2", "--quiet", "b.pb"});
  REQUIRE(parsed);
  CHECK(parsed->positional == std::vector<std::string>{"a.pb", "-", "b.pb"});
  CHECK(command.url == "http://h");
  CHECK(command.labels == std::vector<std::string>{"x=1", "y=2"});
  CHECK(command.quiet);
}

TEST_CASE("a flag given twice counts the last time", "[server]") {
  Command command;
  REQUIRE(parse_flags(command.flags, {"--url", "a", "--url", "b"}));
  CHECK(command.url == "b");
}

TEST_CASE("an unknown flag is an error with a suggestion", "[server]") {
  Command command;
  const auto parsed = parse_flags(command.flags, {"--lable", "x=1"});
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().message == "unknown flag --lable; did you mean --label?");
  CHECK_FALSE(parse_flags(command.flags, {"--url"}));
  const auto bad = parse_flags(command.flags, {"--url", "bad"});
  REQUIRE_FALSE(bad);
  CHECK(bad.error().message == "--url: got bad");
}

TEST_CASE("help wins and sets nothing", "[server]") {
  Command command;
  const auto parsed = parse_flags(command.flags, {"--url", "x", "--help"});
  REQUIRE(parsed);
  CHECK(parsed->help);
  CHECK(command.url == "default");
  const std::string text =
      help_text({.usage = "hearth x", .description = "Does x.\n", .epilog = ""}, command.flags);
  CHECK(text.find("--label K=V") != std::string::npos);
}

}  // namespace
}  // namespace hearth::server
