#include "query/name_pattern.h"

#include "support/catch.h"

using hearth::query::NamePattern;

namespace {
bool matches(std::string_view pattern, std::string_view name) {
  auto parsed = NamePattern::parse(pattern);
  INFO(pattern);
  REQUIRE(parsed);
  return parsed->matches(name);
}
}  // namespace

TEST_CASE("text is a literal part of the name in any case", "[query]") {
  CHECK(matches("json", "encoding/JSON.Marshal"));
  CHECK(matches(" net/http ", "net/http.(*conn).serve"));
  CHECK(matches("(*conn)", "net/http.(*conn).serve"));
  CHECK_FALSE(matches("a.c", "abc"));
  CHECK(matches("größe\\", "x.größe\\"));
  CHECK_FALSE(matches("ö", "Ö"));
}

TEST_CASE("slashes make a regular expression, i makes it ignore case", "[query]") {
  CHECK(matches("/^net.*serve$/", "net/http.serve"));
  CHECK_FALSE(matches("/^NET/", "net/http.serve"));
  CHECK(matches("/^NET/i", "net/http.serve"));
  CHECK(matches("/net/http/", "net/http.serve"));
  CHECK(matches("/a{1%2C2}b$/", "aab"));
  CHECK(matches("/usr/lib", "/USR/lib/x.so"));
  CHECK_FALSE(matches("//i", "x"));
  CHECK(matches("a%2cb", "A,B"));
}

TEST_CASE("commas mean or; empty terms match nothing", "[query]") {
  CHECK(matches("foo,bar", "a.bar"));
  CHECK(matches("foo , /b.r$/i ,", "a.BAR"));
  CHECK_FALSE(matches(",, ", "x"));
  CHECK(NamePattern::parse("")->empty());
  CHECK(matches("//", "https://x"));
}

TEST_CASE("a pattern that cannot be compiled says where", "[query]") {
  for (const char* bad : {"/(/", "a,/[/", "/open", "/a{1000}{1000}/"})
    CHECK_FALSE(NamePattern::parse(bad));
  CHECK(NamePattern::parse("a,/[/").error().message.find("byte 2") != std::string::npos);
  CHECK_FALSE(NamePattern::parse(std::string(4097, 'a')));
}
