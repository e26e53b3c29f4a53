#include "hearth/labels.h"
#include "hearth/profile_type.h"
#include "hearth/tenant.h"
#include "support/catch.h"

using namespace hearth;

TEST_CASE("a label set is sorted, has no empty values and refuses duplicates", "[model]") {
  const auto set = LabelSet::make({{"b", "2"}, {"a", "1"}, {"gone", ""}});
  REQUIRE(set);
  CHECK(set->to_string() == R"({a="1", b="2"})");
  CHECK(set->get("b") == "2");
  CHECK(set->get("c").empty());
  const auto twice = LabelSet::make({{"a", "1"}, {"a", "2"}});
  REQUIRE_FALSE(twice);
  CHECK(twice.error().reason == "duplicate_label_names");
}

TEST_CASE("set replaces, inserts in order and removes", "[model]") {
  LabelSet set;
  set.set("m", "1");
  set.set("a", "2");
  set.set("z", "3");
  set.set("m", "4");
  CHECK(set.to_string() == R"({a="2", m="4", z="3"})");
  set.set("m", "");
  CHECK(set.size() == 2);
}

TEST_CASE("canonical bytes are read back; other bytes are refused", "[model]") {
  const LabelSet set = *LabelSet::make({{"service_name", "checkout"}, {"region", "e\"u\n"}});
  CHECK(*LabelSet::decode(set.encode()) == set);
  CHECK_FALSE(LabelSet::decode(set.encode() + set.encode()));
  CHECK_FALSE(LabelSet::decode(set.encode().substr(1)));
}

TEST_CASE("a profile type id has five parts, a sixth is ignored", "[model]") {
  const auto cpu = ProfileType::parse("process_cpu:cpu:nanoseconds:cpu:nanoseconds");
  REQUIRE(cpu);
  CHECK(cpu->sample.unit == "nanoseconds");
  CHECK(ProfileType::parse("memory:alloc_space:bytes::")->id() == "memory:alloc_space:bytes::");
  CHECK(ProfileType::parse("a:b:c:d:e:delta")->id() == "a:b:c:d:e");
  CHECK_FALSE(ProfileType::parse("a:b:c:d"));
  CHECK_FALSE(ProfileType::parse("a:b:c:d:e:f:g"));
}

TEST_CASE("a tenant id never leaves its alphabet", "[model]") {
  CHECK(Tenant::parse("team-a_1!.*'()"));
  for (const std::string& bad : {std::string(), std::string("."), std::string(".."), std::string("a/b"), std::string("a%2fb"), std::string(151, 'a'), std::string("a\0b", 3)}) {
    CHECK_FALSE(Tenant::parse(bad));
  }
}
