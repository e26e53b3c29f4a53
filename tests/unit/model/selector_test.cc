#include "model/selector.h"

#include <chrono>

#include "support/catch.h"

using namespace hearth;

namespace {

LabelSet labels(std::vector<Label> list) {
  return *LabelSet::make(std::move(list));
}
Selector parsed(std::string_view text) {
  INFO(text);
  auto selector = Selector::parse(text);
  if (!selector) FAIL(selector.error().message);
  return *selector;
}
std::string error_of(std::string_view text) {
  const auto selector = Selector::parse(text);
  INFO(text);
  REQUIRE_FALSE(selector);
  CHECK(selector.error().code == ErrorCode::invalid_argument);
  return selector.error().message;
}

}  // namespace

TEST_CASE("each operator of a selector matches as Prometheus does", "[model]") {
  const LabelSet prod = labels({{"env", "prod"}, {"zone", "a"}});
  CHECK(parsed(R"({env="prod"})").matches(prod));
  CHECK_FALSE(parsed(R"({env="dev"})").matches(prod));
  CHECK(parsed(R"({env!="dev"})").matches(prod));
  CHECK(parsed(R"({env=~"p.*|d"})").matches(prod));
  CHECK_FALSE(parsed(R"({env!~"p.*"})").matches(prod));
  CHECK(parsed(R"({env="prod",zone="a"})").matches(prod));
  CHECK_FALSE(parsed(R"({env="prod",zone="b"})").matches(prod));
  CHECK_FALSE(parsed(R"({env="prod",env="dev"})").matches(prod));
}

TEST_CASE("a missing label is the empty string", "[model]") {
  const LabelSet none;
  for (const char* text :
       {"{}", R"({a=""})", R"({a!="x"})", R"({a=~".*"})", R"({a=~""})", R"({a!~"x+"})"}) {
    CHECK(parsed(text).matches(none));
  }
  for (const char* text : {R"({a!=""})", R"({a="x"})", R"({a=~".+"})", R"({a!~".*"})"})
    CHECK_FALSE(parsed(text).matches(none));
}

TEST_CASE("regular expressions are anchored and a dot matches a line feed", "[model]") {
  CHECK_FALSE(parsed(R"({a=~"ro"})").matches(labels({{"a", "prod"}})));
  CHECK_FALSE(parsed(R"({a=~"x|pro"})").matches(labels({{"a", "prod"}})));
  CHECK(parsed(R"({a=~"(?i)PROD"})").matches(labels({{"a", "prod"}})));
  CHECK(parsed(R"({a=~"p.d"})").matches(labels({{"a", "p\nd"}})));
  CHECK(parsed("{a=~\"gr.ße\"}").matches(labels({{"a", "größe"}})));
}

TEST_CASE("strings have Go's three notations and its escapes", "[model]") {
  const auto value = [](std::string_view text) { return parsed(text).matchers().at(0).value(); };
  CHECK(value(R"({a="q\"\\\n\t\a\x41\101\u00e9\U0001F600'"})") == "q\"\\\n\t\aAAé😀'");
  CHECK(value(R"({a='it\'s "x"'})") == "it's \"x\"");
  CHECK(value("{a=`raw\\n\"'\n`}") == "raw\\n\"'\n");
}

TEST_CASE("names may be quoted, a metric may stand before or inside the braces", "[model]") {
  CHECK(parsed(R"({"service.name"="x", "a b"!="y"})").matchers()[0].name() == "service.name");
  CHECK(parsed(R"(process_cpu{a="b"})").exact("__name__") == "process_cpu");
  CHECK(parsed("job:cpu ").exact("__name__") == "job:cpu");
  CHECK(parsed(R"({"my.metric", a="b",})").exact("__name__") == "my.metric");
  CHECK(parsed(" \t{ a = \"b\" ,\n c != 'd' , } ").matchers().size() == 2);
  CHECK_FALSE(parsed(R"({a=~"b"})").exact("a"));
  CHECK(parsed(R"({a="b"})").exact("a") == "b");
}

TEST_CASE("a malformed selector is refused with the offset of the offending byte", "[model]") {
  const std::pair<std::string_view, size_t> cases[] = {{"", 0},
                                                       {"   ", 3},
                                                       {"{", 1},
                                                       {R"({a})", 2},
                                                       {R"({a=})", 3},
                                                       {R"({a="b)", 5},
                                                       {R"({a="b" c})", 7},
                                                       {R"({a="b"}x)", 7},
                                                       {R"({,})", 1},
                                                       {R"({a="b",,})", 7},
                                                       {R"({a=="b"})", 3},
                                                       {R"({a="\q"})", 4},
                                                       {R"({a="\'"})", 4},
                                                       {R"({a="\u12"})", 4},
                                                       {"{a=\"x\ny\"}", 5},
                                                       {R"({a=~"("})", 1},
                                                       {R"({""="b"})", 1},
                                                       {R"(m{"n"})", 2},
                                                       {R"({1a="b"})", 1},
                                                       {R"({a="\ud800"})", 4},
                                                       {R"({a b="c"})", 3},
                                                       {"m m", 2},
                                                       {R"({a="\400"})", 4}};
  for (const auto& [text, offset] : cases) {
    const std::string message = error_of(text);
    INFO(message);
    CHECK(message.find("at byte " + std::to_string(offset) + ":") != std::string::npos);
  }
}

TEST_CASE("selectors and patterns have size caps", "[model]") {
  CHECK_FALSE(Matcher::make("a", Matcher::Op::regex, std::string(4097, 'a')));
  CHECK(Matcher::make("a", Matcher::Op::regex, std::string(4096, 'a')));
  CHECK_FALSE(Matcher::make("a", Matcher::Op::regex, "(a{1000}){1000}"));
  std::string many = "{";
  for (int i = 0; i < 16; ++i) many += "a=\"b\",";
  CHECK(Selector::parse(many + "}"));
  CHECK_FALSE(Selector::parse(many + "a=\"b\"}"));
  CHECK_FALSE(Selector::parse("{a=\"" + std::string(65536, 'x') + "\"}"));
}

TEST_CASE("patterns made to explode stay linear", "[model]") {
  const std::string value = std::string(100'000, 'a') + "!";
  const auto begin = std::chrono::steady_clock::now();
  for (const char* pattern : {"(a+)+", "(a|aa)+", "(.*)*b", "(a|a?)+b", "(x+x+)+y"}) {
    CHECK_FALSE(Matcher::make("l", Matcher::Op::regex, pattern)->matches(value));
  }
  // Exponential matching would take longer than the universe has; the limit only has to be far from
  // that.
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
}
