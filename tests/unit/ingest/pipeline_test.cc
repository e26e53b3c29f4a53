// Labels, names, times and limits of a profile.
#include <limits>

#include "pipeline_fixture.h"

using namespace hearth;
using namespace hearth::test;

TEST_CASE("a plain profile goes through with its labels, sorted", "[ingest]") {
  Fixture f;
  const auto prepared = f.prepare(one_stack(), web({{"pod", "a"}}));
  CHECK(series_of(prepared) ==
        std::vector<std::string>{R"({__name__="process_cpu", pod="a", service_name="web"})"});
  CHECK(prepared->groups[0].samples == std::vector<uint32_t>{0});
  CHECK(f.pipeline.commit(f.tenant, {&*prepared, 1})->stored == 1);
  CHECK(f.store.all_series().size() == 1);
}

TEST_CASE("labels are refused with upstream's words and reasons", "[ingest]") {
  const auto check = [](std::vector<Label> labels, std::string_view reason,
                        const std::string& part) {
    Fixture f;
    check_refused(f.prepare(one_stack(), std::move(labels)), reason, part);
    REQUIRE(f.pipeline.discarded().size() == 1);
    CHECK(f.pipeline.discarded()[0].reason == reason);
    CHECK(f.pipeline.discarded()[0].bytes == f.raw.size());
  };
  check({}, "invalid_labels",
        R"(invalid labels '{service_name="unknown_service"}' with error: invalid metric name)");
  check({{"__name__", ""}, {"service_name", "web"}}, "invalid_labels", "invalid metric name");
  check({{"__name__", "process_cpu"}, {"service_name", ""}}, "missing_labels",
        "service name is not provided");
  check(web({{"", "v"}}), "invalid_labels", "invalid label name ''");
  check(web({{"a", "\xff"}}), "invalid_labels", "invalid label value");
  check(web({{"a\xff", "1"}}), "invalid_labels", "invalid label name");
  check(web({{"a", "1"}, {"a", "2"}}), "duplicate_label_names", "has duplicate label name: 'a'");
  check(web({{std::string(1025, 'n'), "1"}}), "label_name_too_long",
        "has label name too long: 'nnn");
  check(web({{"a", std::string(2049, 'v')}}), "label_value_too_long",
        "has label value too long: 'vvv");
  check(web({{"a", "1"}, {"b", "1"}, {"a", "2"}}), "duplicate_label_names",
        "has duplicate label name: 'a'");
  std::vector<Label> many = web();
  for (int i = 0; i < 40; ++i) many.push_back({"l" + std::to_string(i), "v"});
  check(many, "max_label_names_per_series", "has 42 label names; limit 30");
}

TEST_CASE("any utf-8 label name is stored as it is, an empty value is no label", "[ingest]") {
  Fixture f;
  CHECK(series_of(f.prepare(one_stack(), web({{"a.b c/d", "v"}, {"x", ""}}))) ==
        std::vector<std::string>{R"({__name__="process_cpu", a.b c/d="v", service_name="web"})"});
}

TEST_CASE("a missing service name becomes unknown_service", "[ingest]") {
  Fixture f;
  CHECK(series_of(f.prepare(one_stack(), {{"__name__", "process_cpu"}})) ==
        std::vector<std::string>{R"({__name__="process_cpu", service_name="unknown_service"})"});
}

TEST_CASE("control labels and derived labels are not stored, other private labels are",
          "[ingest]") {
  Fixture f;
  const std::vector<Label> sent = web({{"__delta__", "false"},
                                       {"__order__", "1"},
                                       {"__session_id__", "abc"},
                                       {"__custom__", "x"},
                                       {"__type__", "cpu"},
                                       {"__unit__", "u"},
                                       {"__profile_type__", "p"},
                                       {"__period_type__", "t"},
                                       {"__period_unit__", "u"},
                                       {"__service_name__", "s"}});
  CHECK(
      series_of(f.prepare(one_stack(), sent)) ==
      std::vector<std::string>{R"({__custom__="x", __name__="process_cpu", service_name="web"})"});
}

TEST_CASE("session labels are hashed into the allowed number", "[ingest]") {
  Fixture f(ingest::Limits{.sessions_per_series_max = 4});
  const auto prepared = f.prepare(one_stack(), web({{"__session_id__", "abc"}}));
  REQUIRE(prepared);
  const std::string_view session = prepared->groups[0].series.get("__session_id__");
  CHECK(session.size() == 16);
  CHECK(session.substr(0, 15) == "000000000000000");
  CHECK(session.back() < '4');
}

TEST_CASE("godeltaprof names lose their prefix and keep it in a label", "[ingest]") {
  Fixture f;
  CHECK(series_of(f.prepare(one_stack(),
                            {{"__name__", "godeltaprof_memory"}, {"service_name", "web"}})) ==
        std::vector<std::string>{
            R"({__name__="memory", __name_replaced__="godeltaprof_memory", service_name="web"})"});
}

TEST_CASE("wall profiles of type cpu become process_cpu only when the client says the type",
          "[ingest]") {
  Fixture f;
  CHECK(series_of(f.prepare(
            one_stack(), {{"__name__", "wall"}, {"__type__", "cpu"}, {"service_name", "web"}})) ==
        std::vector<std::string>{
            R"({__name__="process_cpu", __name_replaced__="wall", service_name="web"})"});
  CHECK(series_of(f.prepare(one_stack(), {{"__name__", "wall"}, {"service_name", "web"}})) ==
        std::vector<std::string>{R"({__name__="wall", service_name="web"})"});
}

TEST_CASE("a profile without a time gets now, one with a time keeps it", "[ingest]") {
  Fixture f;
  REQUIRE(f.prepare(PprofBuilder().sample_type("cpu", "nanoseconds").stack("a", {1}), web()));
  CHECK(f.batch.time_ns == kNow);
  REQUIRE(f.prepare(one_stack(), web()));
  CHECK(f.batch.time_ns == kNow - kSecond);
}

TEST_CASE("any time stamp is taken by default; with a window, outside is refused", "[ingest]") {
  const auto at = [](int64_t time) { return cpu(time).stack("a", {1}); };
  Fixture open;
  CHECK(open.prepare(at(1), web()));
  CHECK(open.prepare(at(std::numeric_limits<int64_t>::max()), web()));
  Fixture window(ingest::Limits{.reject_older_than_ns = 3600 * kSecond,
                                .reject_newer_than_ns = 600 * kSecond});
  CHECK(window.prepare(at(kNow - 3599 * kSecond), web()));
  CHECK(window.prepare(at(kNow + 599 * kSecond), web()));
  CHECK(window.prepare(at(0), web()));
  check_refused(window.prepare(at(kNow - 3600 * kSecond), web()), "not_in_ingestion_window",
                "is outside of ingestion window (profile timestamp: 2023-11-14 21:13:20");
  check_refused(window.prepare(at(kNow + 600 * kSecond), web()), "not_in_ingestion_window",
                "profile with labels '{");
}

TEST_CASE("a time range that 64 bits cannot hold is refused", "[ingest]") {
  Fixture f;
  check_refused(
      f.prepare(cpu(std::numeric_limits<int64_t>::max()).field(10, kSecond).stack("a", {1}), web()),
      "malformed_profile", "exceeds 64-bit nanoseconds");
}

TEST_CASE("size and count limits are refused with both numbers", "[ingest]") {
  Fixture samples(ingest::Limits{.samples_max = 1});
  check_refused(
      samples.prepare(one_stack().stack("b", {1}), web()), "samples_limit",
      "exceeds the samples count limit (max_profile_stacktrace_samples, actual: 2, limit: 1)");
  Fixture labels(ingest::Limits{.sample_labels_max = 1});
  check_refused(labels.prepare(cpu().stack("a", {1}, {{"x", "1"}, {"y", "2"}}), web()),
                "sample_labels_limit",
                "exceeds the sample labels limit (max_profile_stacktrace_sample_labels, actual: 2, "
                "limit: 1)");
  Fixture size(ingest::Limits{.profile_max_bytes = 10});
  check_refused(size.prepare(one_stack(), web()), "profile_size_limit",
                "exceeds the size limit (max_profile_size_byte, actual: ");
  Fixture none;
  ProfileBatch empty;
  empty.add_string("");
  ingest::Incoming in;
  in.labels = web();
  in.batch = &empty;
  check_refused(none.pipeline.prepare(none.tenant, in), "malformed_profile", "empty profile");
}

TEST_CASE("labels are checked even when there is nothing to store", "[ingest]") {
  Fixture f;
  check_refused(f.prepare(cpu(), {{"service_name", "web"}}), "invalid_labels",
                "invalid metric name");
}
