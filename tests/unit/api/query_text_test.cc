#include "api/push_message.h"
#include "api/query_params.h"
#include "api/timeline.h"
#include "push.pb.h"
#include "support/catch.h"

using namespace hearth;
using namespace hearth::api;

namespace {
constexpr int64_t kHourNs = 3'600'000'000'000;
constexpr int64_t kNow = 1'700'000'000'000'000'000;
constexpr int64_t kNowMs = kNow / 1'000'000;

std::string error_of(const auto& result) {
  return result ? "" : result.error().message;
}
}  // namespace

TEST_CASE("a query needs both ends of its range, in order", "[api]") {
  const ingest::Limits limits;
  CHECK(error_of(query_range(limits, kNow, 0, 5)) == "missing time range in the query");
  CHECK(error_of(query_range(limits, kNow, 5, 0)) == "missing time range in the query");
  CHECK(error_of(query_range(limits, kNow, 6, 5)) == "query start time is after end time");
  const auto range = query_range(limits, kNow, -5, 7);
  REQUIRE(range);
  CHECK((*range)->start_ns == -5'000'000);
  CHECK((*range)->end_ns == 7'000'000);
}

TEST_CASE("look-back empties or clamps a range before its length counts", "[api]") {
  ingest::Limits limits;
  limits.query_lookback_max_ns = 2 * kHourNs;
  limits.query_length_max_ns = 3 * kHourNs;
  CHECK_FALSE(query_range(limits, kNow, 1, kNowMs - 7'200'001)->has_value());
  CHECK((*query_range(limits, kNow, 1, kNowMs))->start_ns == kNow - 2 * kHourNs);
  limits.query_lookback_max_ns = 0;
  CHECK(error_of(query_range(limits, kNow, 1, kNowMs)).find("max_query_length") !=
        std::string::npos);
}

TEST_CASE("a node budget is defaulted and bounded", "[api]") {
  const ingest::Limits limits;
  CHECK(*node_budget(limits, std::nullopt) == 8192);
  CHECK(*node_budget(limits, 0) == 8192);
  CHECK(*node_budget(limits, 1) == 1);
  CHECK(error_of(node_budget(limits, -1)) ==
        "max flamegraph nodes limit must be set (max allowed 1048576)");
  CHECK(error_of(node_budget(limits, 1'048'577)) ==
        "max flamegraph nodes limit 1048577 is greater than allowed 1048576");
}

TEST_CASE("legacy label names are those of Prometheus before UTF-8", "[api]") {
  CHECK(is_legacy_label_name("_a9"));
  for (const char* name : {"", "9a", "a.b", "\xc3\xbc"}) CHECK_FALSE(is_legacy_label_name(name));
}

TEST_CASE("a push message is read in place", "[api]") {
  push::v1::PushRequest request;
  auto* series = request.add_series();
  auto* label = series->add_labels();
  label->set_name("service_name");
  label->set_value("checkout");
  series->add_annotations()->set_key("k");
  auto* sample = series->add_samples();
  sample->set_raw_profile("bytes");
  sample->set_id("id");
  request.add_series();
  const std::string bytes = request.SerializeAsString();
  const auto parsed = parse_push_message(bytes);
  REQUIRE(parsed);
  REQUIRE(parsed->size() == 2);
  CHECK((*parsed)[0].labels == std::vector<Label>{{"service_name", "checkout"}});
  CHECK((*parsed)[0].profiles[0].bytes == "bytes");
  CHECK((*parsed)[0].profiles[0].bytes.data() > bytes.data());
  CHECK((*parsed)[0].profiles[0].id == "id");
  for (size_t cut = 1; cut < bytes.size(); ++cut) {
    const std::string part = bytes.substr(0, cut);
    CHECK(parse_push_message(part).has_value() == push::v1::PushRequest().ParseFromString(part));
  }
}

TEST_CASE("timeline steps are lengths that people know", "[api]") {
  constexpr int64_t kDayMs = 86'400'000;
  CHECK(timeline_step_s(0, 3'600'000) == 15);
  CHECK(timeline_step_s(0, kDayMs) == 60);
  CHECK(timeline_step_s(0, 30 * kDayMs) == 1800);
  CHECK(timeline_step_s(0, 365 * kDayMs) == 21'600);
}

TEST_CASE("a timeline is zero-filled from the snapped start to the snapped end", "[api]") {
  const std::vector<query::Point> points{{67'000, 5}, {97'000, 7}, {127'000, 9}};
  const Timeline line = timeline(points, 67'000, 121'000, 15);
  CHECK(line.start_s == 60);
  CHECK(line.samples == std::vector<uint64_t>{5, 0, 7, 0});
  CHECK(timeline({}, 5000, 5000, 15).samples.empty());
}
