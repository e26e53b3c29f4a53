#include "objstore/s3_store.h"

#include <atomic>
#include <chrono>
#include <thread>

#include "objstore/curl_transport.h"
#include "support/catch.h"
#include "support/object_store_suite.h"
#include "support/quiet_log.h"
#include "support/s3sim/s3_sim.h"

namespace hearth::objstore {
namespace {

using test::Fault;
using test::QuietLog;
using test::S3Sim;
using Outcome = ObjectStore::PutOutcome;

/// A client of a simulated service. Waits for retries take no time and are kept.
struct Fixture {
  QuietLog quiet;
  S3Sim sim;
  S3Options options;
  std::atomic<int64_t> waited_ns = 0;
  std::string access_key = "test-key", secret_key = "test-secret";
  std::shared_ptr<S3Store> store;

  explicit Fixture(const std::string& prefix = "") {
    options.bucket = "test";
    options.prefix = prefix;
    options.endpoint = sim.endpoint();
    open();
  }

  void open() {
    S3Client::Parts parts{.clock = &system_clock(), .random = &system_random()};
    parts.http = *make_curl_transport({.connections_max = options.connections_max});
    parts.credentials = [this]() -> Result<Credentials> {
      return Credentials{access_key, Secret(secret_key), {}};
    };
    parts.pause = [this](int64_t ns) { waited_ns += ns; };
    store = std::make_shared<S3Store>(options, *s3_address(options, {}), std::move(parts));
  }
  uint64_t requests() const { return sim.counts().total(); }
  uint64_t retries() const {
    uint64_t n = 0;
    for (const auto& operation : store->stats().operations) n += operation.retries;
    return n;
  }
};

TEST_CASE("an S3 bucket does what every bucket must do", "[objstore][s3]") {
  Fixture f;
  test::check_object_store(*f.store);
}

TEST_CASE("a prefix of an S3 bucket does what every bucket must do", "[objstore][s3]") {
  Fixture f("some/prefix");
  f.sim.replace("other", "not ours");
  f.sim.replace("some/prefix2/x", "not ours");
  test::check_object_store(*f.store);
}

TEST_CASE("keys are stored below the prefix", "[objstore][s3]") {
  Fixture f("p");
  REQUIRE(f.store->put("a/b", "1"));
  CHECK(f.sim.keys() == std::vector<std::string>{"p/a/b"});
}

TEST_CASE("opening an object and reading its end cost one request", "[objstore][s3]") {
  Fixture f;
  std::string data(200'000, 'x');
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>('a' + i % 23);
  REQUIRE(f.store->put("big", data));
  const uint64_t before = f.requests();
  const auto object = *f.store->open("big");
  CHECK(object->size() == data.size());
  CHECK(object->read(data.size() - 65'536, 65'536)->view == data.substr(data.size() - 65'536));
  CHECK(f.requests() == before + 1);
  CHECK(object->read(10, 1000)->view == data.substr(10, 1000));
  CHECK(f.requests() == before + 2);
}

TEST_CASE("a list of many pages is whole and in order", "[objstore][s3]") {
  Fixture f;
  std::vector<std::string> keys;
  for (int i = 0; i < 2345; ++i) keys.push_back("l/" + std::to_string(10'000 + i));
  for (const std::string& key : keys) f.sim.replace(key, "x");
  CHECK(test::keys_of(*f.store, "l/", "", 10'000) == keys);
  CHECK(test::keys_of(*f.store, "l/", "l/11500", 500) ==
        std::vector<std::string>(keys.begin() + 1501, keys.begin() + 2001));
}

TEST_CASE("connections are kept, and never more than allowed", "[objstore][s3]") {
  Fixture f;
  f.options.connections_max = 3;
  f.open();
  for (int i = 0; i < 20; ++i) REQUIRE(f.store->put("k" + std::to_string(i), "x"));
  CHECK(f.sim.connections() == 1);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 5; ++i) (void)f.store->put("t" + std::to_string(t * 5 + i), "x");
      });
    }
  }
  CHECK(f.sim.connections() <= 3);
  CHECK(f.sim.keys().size() == 60);
}

TEST_CASE("of many concurrent creators at an S3 bucket exactly one wins", "[objstore][s3]") {
  Fixture f;
  std::atomic<int> created = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        const auto outcome = f.store->put_if_absent("x", std::to_string(t));
        if (outcome && *outcome == Outcome::created) ++created;
      });
    }
  }
  CHECK(created == 1);
}

TEST_CASE("whatever goes wrong once is tried again", "[objstore][s3]") {
  for (const Fault fault : {Fault::refuse, Fault::refuse_after, Fault::lost_answer, Fault::dropped,
                            Fault::cut_body, Fault::error_in_200}) {
    INFO("fault " << static_cast<int>(fault));
    Fixture f;
    REQUIRE(f.store->put("k", "before"));
    f.sim.add_fault({.fault = fault});
    CHECK(f.store->put("k", "0123456789"));
    f.sim.add_fault({.fault = fault});
    CHECK(test::read_all(*f.store, "k") == "0123456789");
    f.sim.add_fault({.fault = fault});
    CHECK(test::keys_of(*f.store) == std::vector<std::string>{"k"});
    f.sim.add_fault({.fault = fault});
    CHECK(f.store->remove("k"));
    CHECK(*f.store->open("k") == nullptr);
  }
}

TEST_CASE("whichever request of a conditional put goes wrong, the object is there once and whole",
          "[objstore][s3]") {
  for (const Fault fault : {Fault::refuse, Fault::refuse_after, Fault::lost_answer, Fault::dropped,
                            Fault::error_in_200}) {
    Fixture f;
    f.sim.add_fault({.fault = fault});
    const auto outcome = f.store->put_if_absent("k", "mine");
    REQUIRE(outcome);
    // An answer that was lost after it took effect looks as if another had been faster: the caller
    // compares what is there.
    const bool applied = fault == Fault::refuse_after || fault == Fault::lost_answer;
    CHECK(*outcome == (applied ? Outcome::exists : Outcome::created));
    CHECK(test::read_all(*f.store, "k") == "mine");
  }
}

TEST_CASE("two conditional puts that race are told apart by trying again", "[objstore][s3]") {
  Fixture f;
  f.sim.add_fault({.fault = Fault::refuse, .status = 409, .code = "ConditionalRequestConflict"});
  CHECK(f.store->put_if_absent("k", "v").value() == Outcome::created);
}

TEST_CASE("a slow store is given up after the time-out and asked again", "[objstore][s3]") {
  Fixture f;
  f.options.timeout_ns = 200'000'000;
  f.open();
  REQUIRE(f.store->put("k", "v"));
  f.sim.add_fault({.fault = Fault::hang, .method = "PUT", .delay_ms = 60'000});
  CHECK(f.store->put("k", "v2"));
  CHECK(f.retries() == 1);
}

TEST_CASE("Retry-After is waited for", "[objstore][s3]") {
  Fixture f;
  f.sim.add_fault({.fault = Fault::refuse, .retry_after = "7"});
  CHECK(f.store->put("k", "v"));
  CHECK(f.waited_ns >= 7'000'000'000);
}

TEST_CASE("retries stay a small share of the requests to a store in trouble", "[objstore][s3]") {
  Fixture f;
  f.sim.set_error_percent(10);
  int failed = 0;
  for (int i = 0; i < 500; ++i) failed += f.store->put("k", "v") ? 0 : 1;
  CHECK(failed <= 25);
  CHECK(f.requests() <= 650);

  Fixture dead;
  dead.sim.set_error_percent(100);
  for (int i = 0; i < 100; ++i) CHECK_FALSE(dead.store->put("k", "v"));
  CHECK(dead.requests() <= 135);
}

TEST_CASE("what cannot succeed is not repeated, and the error says all that the store said",
          "[objstore][s3]") {
  Fixture f("p");
  f.sim.add_fault({.fault = Fault::refuse, .status = 400, .code = "EntityTooLarge"});
  const Status status = f.store->put("l0/x", "v");
  REQUIRE_FALSE(status);
  CHECK(f.requests() == 1);
  CHECK(status.error().code == ErrorCode::invalid_argument);
  CHECK(status.error().reason == "EntityTooLarge");
  CHECK(status.error().message ==
        "put s3://test/p/l0/x: status 400 EntityTooLarge \"told to\" (request SIM1)");
}

TEST_CASE("a store that is down is weather", "[objstore][s3]") {
  Fixture f;
  f.sim.set_down(true);
  const auto outcome = f.store->put_if_absent("k", "v");
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code == ErrorCode::unavailable);
  f.sim.set_down(false);
  CHECK(f.store->put_if_absent("k", "v"));
}

TEST_CASE("a bucket that is not there is an error, not an absent object", "[objstore][s3]") {
  Fixture f;
  f.options.bucket = "nosuch";
  f.open();
  const auto object = f.store->open("k");
  REQUIRE_FALSE(object);
  CHECK(object.error().code == ErrorCode::not_found);
  CHECK(object.error().reason == "NoSuchBucket");
}

TEST_CASE("redirects are not followed: no signature reaches another host", "[objstore][s3]") {
  Fixture f;
  S3Sim other;
  f.sim.add_fault({.fault = Fault::redirect,
                   .code = "TemporaryRedirect",
                   .location = other.endpoint() + "/test/k"});
  const Status status = f.store->put("k", "v");
  REQUIRE_FALSE(status);
  CHECK(status.error().message.find(other.endpoint()) != std::string::npos);
  CHECK(other.counts().total() == 0);
}

TEST_CASE("rotated keys are read again after the first refusal", "[objstore][s3]") {
  Fixture f;
  REQUIRE(f.store->put("k", "v"));
  f.sim.set_credentials("new-key", "new-secret");
  // The source still has the old ones: one request more to find out, no retry storm.
  const Status refused = f.store->put("k", "v");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::permission_denied);
  CHECK(refused.error().reason == "InvalidAccessKeyId");
  f.open();
  f.access_key = "new-key";
  f.secret_key = "new-secret";
  CHECK(f.store->put("k", "v"));
}

TEST_CASE("no secret is in an error or in the log", "[objstore][s3]") {
  Fixture f;
  f.secret_key = "canary-secret-1234";
  f.open();
  const Status status = f.store->put("k", "v");
  REQUIRE_FALSE(status);
  CHECK(status.error().reason == "SignatureDoesNotMatch");
  CHECK(status.error().message.find("canary") == std::string::npos);
  CHECK(status.error().message.find("Signature=") == std::string::npos);
  CHECK(f.quiet.lines().find("canary") == std::string::npos);
}

TEST_CASE("a clock that is off is corrected by the store's", "[objstore][s3]") {
  Fixture f;
  f.sim.set_clock_skew_s(20 * 60);
  CHECK(f.store->put("k", "v"));
  const uint64_t before = f.requests();
  CHECK(f.store->put("k", "v"));
  CHECK(f.requests() == before + 1);
}

TEST_CASE("a store that ignores ranges is noticed, not read wrongly", "[objstore][s3]") {
  Fixture f;
  REQUIRE(f.store->put("small", "0123456789"));
  REQUIRE(f.store->put("big", std::string(100'000, 'x')));
  const auto small = *f.store->open("small");
  f.sim.set_ignore_ranges(true);
  CHECK(small->read(2, 3)->view == "234");
  CHECK_FALSE(f.store->open("big"));
}

TEST_CASE("an object that changes behind its reader is data loss", "[objstore][s3]") {
  Fixture f;
  REQUIRE(f.store->put("k", std::string(100'000, 'x')));
  const auto object = *f.store->open("k");
  f.sim.replace("k", std::string(90'000, 'y'));
  CHECK(object->read(0, 10).error().code == ErrorCode::data_loss);
  CHECK(object->read(95'000, 10));  // From the end that open() brought.
  CHECK(object->read(95'000, 10).error().code == ErrorCode::data_loss);
}

TEST_CASE("large objects go up in parts, and arrive whole", "[objstore][s3]") {
  Fixture f;
  f.options.parts_from_bytes = 1000;
  f.options.part_bytes = 300;
  f.open();
  std::string data(2500, '\0');
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i * 7);
  f.sim.add_fault({.fault = Fault::lost_answer, .target = "partNumber=3"});
  f.sim.add_fault({.fault = Fault::error_in_200, .method = "POST", .target = "uploadId"});
  REQUIRE(f.store->put("big", data));
  CHECK(test::read_all(*f.store, "big") == data);
  CHECK(f.sim.uploads_in_parts() == 0);
}

TEST_CASE("a completed upload whose answer is lost counts as done", "[objstore][s3]") {
  Fixture f;
  f.options.parts_from_bytes = 1000;
  f.options.part_bytes = 600;
  f.open();
  f.sim.add_fault({.fault = Fault::lost_answer, .method = "POST", .target = "uploadId"});
  CHECK(f.store->put("big", std::string(2000, 'x')));
  CHECK(test::read_all(*f.store, "big") == std::string(2000, 'x'));
}

TEST_CASE("an upload that fails leaves no parts behind", "[objstore][s3]") {
  Fixture f;
  f.options.parts_from_bytes = 1000;
  f.options.part_bytes = 300;
  f.open();
  f.sim.add_fault(
      {.fault = Fault::refuse, .target = "partNumber=2", .status = 400, .code = "EntityTooSmall"});
  CHECK_FALSE(f.store->put("big", std::string(2500, 'x')));
  CHECK(f.sim.uploads_in_parts() == 0);
  CHECK(f.sim.keys().empty());
}

TEST_CASE("uploads that a dead process left are aborted when they are old", "[objstore][s3]") {
  Fixture f("p");
  f.options.parts_from_bytes = 1000;
  f.options.part_bytes = 600;
  f.open();
  f.sim.add_fault({.fault = Fault::refuse,
                   .method = "PUT",
                   .target = "partNumber",
                   .times = 2,
                   .status = 400,
                   .code = "EntityTooSmall"});
  f.sim.add_fault({.fault = Fault::refuse, .method = "DELETE", .status = 400, .code = "Denied"});
  CHECK_FALSE(f.store->put("big", std::string(1100, 'x')));
  REQUIRE(f.sim.uploads_in_parts() == 1);
  CHECK(f.store->remove_leftovers(3600'000'000'000));
  CHECK(f.sim.uploads_in_parts() == 1);
  CHECK(f.store->remove_leftovers(-1'000'000'000));
  CHECK(f.sim.uploads_in_parts() == 0);
}

TEST_CASE("shut_down ends a call that waits for the store", "[objstore][s3]") {
  Fixture f;
  f.sim.set_latency_ms(60'000);
  const auto began = std::chrono::steady_clock::now();
  std::jthread waiting([&] { CHECK_FALSE(f.store->put("k", "v")); });
  while (f.requests() == 0) std::this_thread::yield();
  f.store->shut_down();
  waiting.join();
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(2));
  CHECK(f.store->put("k", "v").error().code == ErrorCode::unavailable);
}

TEST_CASE("the bucket's name goes into the host or the path", "[objstore][s3]") {
  S3Options options;
  const auto check = [&](const char* endpoint, const char* style, const char* bucket,
                         const char* origin, const char* path) {
    options.endpoint = endpoint;
    options.path_style = style;
    options.bucket = bucket;
    const auto address = s3_address(options, {{"AWS_REGION", "eu-west-1"}});
    REQUIRE(address);
    CHECK(address->origin == origin);
    CHECK(address->base_path == path);
  };
  check("", "auto", "b-1", "https://b-1.s3.eu-west-1.amazonaws.com", "");
  check("", "auto", "b.1", "https://s3.eu-west-1.amazonaws.com", "/b.1");
  check("", "true", "b-1", "https://s3.eu-west-1.amazonaws.com", "/b-1");
  check("http://127.0.0.1:9000/", "auto", "b-1", "http://127.0.0.1:9000", "/b-1");
  check("https://minio.example:443", "false", "b-1", "https://b-1.minio.example", "");
  for (const char* bad : {"minio", "ftp://x", "http://", "http://a/b", "http://user@host"}) {
    options.endpoint = bad;
    CHECK_FALSE(s3_address(options, {}));
  }
}

TEST_CASE("virtual-host style reaches the bucket", "[objstore][s3]") {
  Fixture f;
  // Names below localhost are this machine (RFC 6761).
  f.options.endpoint = "http://localhost:" + std::to_string(f.sim.port());
  f.options.path_style = "false";
  f.open();
  REQUIRE(f.store->put("a", "1"));
  CHECK(test::read_all(*f.store, "a") == "1");
  CHECK(f.sim.log().front() == "PUT /a");
}

TEST_CASE("locations name a bucket and a prefix", "[objstore][s3]") {
  S3Options options;
  REQUIRE(parse_s3_location("s3://bucket/a/b/", options));
  CHECK(options.bucket == "bucket");
  CHECK(options.prefix == "a/b");
  REQUIRE(parse_s3_location("s3://bucket", options));
  CHECK(options.prefix.empty());
  for (const char* bad : {"s3://", "s3://a", "s3://b$d/x", "gs://bucket", "s3://bucket/a//b",
                          "s3://bucket/../x", "s3:///x"}) {
    INFO(bad);
    CHECK_FALSE(parse_s3_location(bad, options));
  }
  CHECK(is_s3_location("s3://bucket"));
  CHECK_FALSE(is_s3_location("/var/lib/s3"));
}

}  // namespace
}  // namespace hearth::objstore
