#pragma once

#include <string>
#include <vector>

#include "hearth/object_store.h"
#include "support/catch.h"

namespace hearth::test {

inline std::string read_all(ObjectStore& store, const std::string& key) {
  auto object = store.open(key);
  REQUIRE(object);
  REQUIRE(*object != nullptr);
  auto bytes = (*object)->read(0, (*object)->size());
  REQUIRE(bytes);
  return std::string(bytes->view);
}

inline std::vector<std::string> keys_of(ObjectStore& store, const std::string& prefix = "",
                                        const std::string& after = "", size_t limit = 1000) {
  auto entries = store.list(prefix, after, limit);
  REQUIRE(entries);
  std::vector<std::string> keys;
  for (const auto& entry : *entries) keys.push_back(entry.key);
  return keys;
}

/// What every bucket must do, whatever it is made of: called by the test of each implementation
/// with an empty store (object_store.h is the contract). Uses sections, so it runs several times.
inline void check_object_store(ObjectStore& store) {
  using Outcome = ObjectStore::PutOutcome;
  SECTION("create-if-absent creates once and leaves the first body") {
    CHECK(store.put_if_absent("l0/w/1.seg", "first").value() == Outcome::created);
    CHECK(store.put_if_absent("l0/w/1.seg", "second").value() == Outcome::exists);
    CHECK(read_all(store, "l0/w/1.seg") == "first");
  }
  SECTION("put replaces and is read at once") {
    REQUIRE(store.put("lease", "one"));
    REQUIRE(store.put("lease", "two, longer"));
    CHECK(read_all(store, "lease") == "two, longer");
    CHECK(store.put_if_absent("lease", "three").value() == Outcome::exists);
  }
  SECTION("an object that is not there is a value, not an error") {
    auto object = store.open("no/such");
    REQUIRE(object);
    CHECK(*object == nullptr);
    CHECK(store.remove("no/such"));
  }
  SECTION("ranges are exact and never outside the object") {
    REQUIRE(store.put("r", "0123456789"));
    auto object = std::move(*store.open("r"));
    CHECK(object->size() == 10);
    CHECK(object->read(3, 4)->view == "3456");
    CHECK(object->read(10, 0)->view.empty());
    CHECK(object->read(8, 3).error().code == ErrorCode::data_loss);
    CHECK(object->read(11, 0).error().code == ErrorCode::data_loss);
    CHECK(object->read(UINT64_MAX, 2).error().code == ErrorCode::data_loss);
  }
  SECTION("bytes outlive the reader that gave them") {
    REQUIRE(store.put("r", std::string(100'000, 'x')));
    SharedBytes bytes = *std::move(*store.open("r"))->read(0, 100'000);
    CHECK(bytes.view == std::string(100'000, 'x'));
  }
  SECTION("an empty object can be stored") {
    REQUIRE(store.put("empty", ""));
    CHECK(read_all(store, "empty").empty());
  }
  SECTION("removed means gone, and the key can be created again") {
    REQUIRE(store.put("a/b", "1"));
    REQUIRE(store.remove("a/b"));
    CHECK(*store.open("a/b") == nullptr);
    CHECK(keys_of(store).empty());
    CHECK(store.put_if_absent("a/b", "2").value() == Outcome::created);
  }
  SECTION("listing is in key order, by prefix, after a key, limited") {
    // '.' sorts before '/', digits after it: the order of keys is not the order of file names.
    const std::vector<std::string> sorted = {"a!/z", "a-b", "a.b", "a/b", "a/c/d",
                                             "a/c0", "a0",  "b/1", "b/2", "c"};
    for (auto it = sorted.rbegin(); it != sorted.rend(); ++it) REQUIRE(store.put(*it, *it));
    CHECK(keys_of(store) == sorted);
    CHECK(keys_of(store, "a/") == std::vector<std::string>{"a/b", "a/c/d", "a/c0"});
    CHECK(keys_of(store, "a/c") == std::vector<std::string>{"a/c/d", "a/c0"});
    CHECK(keys_of(store, "", "a/c/d") == std::vector<std::string>{"a/c0", "a0", "b/1", "b/2", "c"});
    CHECK(keys_of(store, "", "a/c") ==
          std::vector<std::string>{"a/c/d", "a/c0", "a0", "b/1", "b/2", "c"});
    CHECK(keys_of(store, "b/", "b/1") == std::vector<std::string>{"b/2"});
    CHECK(keys_of(store, "", "", 3) == std::vector<std::string>{"a!/z", "a-b", "a.b"});
    CHECK(keys_of(store, "nothing").empty());
    CHECK(store.list("b/2", "", 1)->front().size == 3);
    CHECK(store.list("b/2", "", 1)->front().modified_ns > 0);
  }
  SECTION("keys that leave the bucket or name nothing are refused") {
    for (const char* key : {"", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "a/./b", "a b",
                            "a\\b", "ümlaut", "a~b", "a\nb"}) {
      INFO(key);
      CHECK(store.put(key, "x").error().code == ErrorCode::invalid_argument);
      CHECK(store.put_if_absent(key, "x").error().code == ErrorCode::invalid_argument);
      CHECK(store.open(key).error().code == ErrorCode::invalid_argument);
      CHECK(store.remove(key).error().code == ErrorCode::invalid_argument);
    }
    CHECK(store.put(std::string(256, 'a'), "x").error().code == ErrorCode::invalid_argument);
    CHECK(store.put(std::string(255, 'a'), "x"));
    CHECK(store.put("A-Za-z0-9!-_.*'()", "x"));
  }
}

}  // namespace hearth::test
