// Time series, labels and merged profiles against brute force; query_brute_force_test.cc says how.
#include "query_world.h"
#include "support/symbol_text.h"

using namespace hearth;
using namespace hearth::query;
using namespace hearth::query::brute_force;

TEST_CASE("time series equal brute force on the grid", "[property]") {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    INFO("seed " << seed);
    Case c(seed);
    c.query.range = {1'000'000 * kMs + static_cast<int64_t>(c.dice.below(50'000)) * kMs, 0};
    c.query.range.end_ns =
        c.query.range.start_ns + static_cast<int64_t>(c.dice.below(80'000)) * kMs;
    SeriesQuery q;
    q.profile = c.query;
    q.step_ms = static_cast<int64_t>(1 + c.dice.below(20'000));
    static const std::vector<std::vector<std::string>> kGroups = {
        {}, {"pod"}, {"service_name", "pod"}, {"__type__", "nope"}};
    q.group_by = kGroups[c.dice.below(kGroups.size())];
    const int64_t start = c.query.range.start_ns / kMs;
    const int64_t end = c.query.range.end_ns / kMs;
    std::map<LabelSet, std::map<int64_t, double>> want;
    c.selected({c.query.range.start_ns - q.step_ms * kMs, c.query.range.end_ns},
               [&](const Given& g, size_t t) {
                 LabelSet group;
                 for (const auto& name : q.group_by)
                   group.set(name, virtual_labels(g, t).get(name));
                 const int64_t ms = g.batch.time_ns / kMs;
                 for (int64_t at = start; at <= end; at += q.step_ms) {
                   if ((ms > at - q.step_ms || at == start) && ms <= at) {
                     want[group][at] += static_cast<double>(total(g.batch, t));
                     break;
                   }
                 }
               });
    const auto got = c.engine.select_series(q, {});
    REQUIRE(got);
    std::map<LabelSet, std::map<int64_t, double>> found;
    double last = 1e300;
    for (const TimeSeries& s : got->series) {
      double sum = 0;
      for (const Point& p : s.points) {
        REQUIRE(found[s.labels].emplace(p.time_ms, p.value).second);
        sum += p.value;
      }
      REQUIRE(sum <= last);
      last = sum;
    }
    REQUIRE(found == want);
    q.limit = 1;
    const auto limited = c.engine.select_series(q, {});
    REQUIRE(limited->series.size() == std::min<size_t>(1, want.size()));
    if (!want.empty()) REQUIRE(limited->series[0].labels == got->series[0].labels);
  }
}

TEST_CASE("label queries equal brute force", "[property]") {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    INFO("seed " << seed);
    Case c(seed);
    std::set<std::string> types, names, pods;
    std::set<LabelSet> sets, reduced;
    brute(c.world->given, c.query.selector, c.query.range, [&](const Given& g, size_t t) {
      const LabelSet all = virtual_labels(g, t);
      for (const Label& l : all.labels()) names.insert(l.name);
      if (!all.get("pod").empty()) pods.emplace(all.get("pod"));
      sets.insert(all);
      LabelSet some;
      some.set("pod", all.get("pod"));
      some.set("region", all.get("region"));
      if (!some.empty()) reduced.insert(some);
    });
    brute(c.world->given, {}, c.query.range,
          [&](const Given& g, size_t t) { types.insert(type_id(g, t)); });
    const Tenant& tenant = Tenant::anonymous();
    std::vector<std::string> ids;
    const auto found = c.engine.profile_types(tenant, c.query.range, {});
    for (const ProfileType& t : *found) ids.push_back(t.id());
    REQUIRE(ids == std::vector<std::string>(types.begin(), types.end()));
    REQUIRE(value_of(c.engine.label_names(tenant, c.query.selector, c.query.range, {})) ==
            std::vector<std::string>(names.begin(), names.end()));
    REQUIRE(value_of(c.engine.label_values(tenant, c.query.selector, "pod", c.query.range, {})) ==
            std::vector<std::string>(pods.begin(), pods.end()));
    REQUIRE(value_of(c.engine.series(tenant, c.query.selector, {}, c.query.range, {})) ==
            std::vector<LabelSet>(sets.begin(), sets.end()));
    REQUIRE(value_of(c.engine.series(tenant, c.query.selector, {"region", "pod"}, c.query.range,
                                     {})) == std::vector<LabelSet>(reduced.begin(), reduced.end()));
  }
}

TEST_CASE("merged profiles equal brute force by the whole content of stacks", "[property]") {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    INFO("seed " << seed);
    Case c(seed);
    if (c.dice.percent(30)) c.query.call_site = {"main"};
    std::map<std::string, int64_t> want;
    const auto text = [](ProfileBatch& b, size_t s) {
      std::fill(b.samples.label_begin.begin(), b.samples.label_begin.end(), 0);
      return test::text_of(b, s);
    };
    c.selected(c.query.range, [&](const Given& g, size_t t) {
      for (size_t s = 0; s < g.batch.samples.size(); ++s) {
        const auto frames = frames_of(g.batch, s);
        const bool inside = c.query.call_site.empty() || (!frames.empty() && frames[0] == "main");
        if (inside && g.batch.value(s, t) != 0)
          want[text(const_cast<ProfileBatch&>(g.batch), s)] += g.batch.value(s, t);
      }
    });
    auto got = c.engine.merge_profile(c.query, {});
    REQUIRE(got);
    ProfileBatch& b = got->batch;
    std::map<std::string, int64_t> found;
    if (want.empty()) {
      REQUIRE(b.types() == 0);
      continue;
    }
    REQUIRE(b.validate());
    REQUIRE(b.types() == 1);
    REQUIRE(b.strings[b.sample_types[0].type] == c.query.type.sample.type);
    formats::for_each_stack(got->stacks, [&b](std::span<const uint32_t> stack, int64_t value) {
      b.samples.frames.insert(b.samples.frames.end(), stack.begin(), stack.end());
      b.samples.stack_begin.push_back(static_cast<uint32_t>(b.samples.frames.size()));
      b.samples.label_begin.push_back(0);
      b.samples.values.push_back(value);
    });
    REQUIRE(b.validate());
    for (size_t s = 0; s < b.samples.size(); ++s)
      REQUIRE(found.emplace(text(b, s), b.value(s, 0)).second);
    REQUIRE(found == want);
    c.world->disturb();
    const auto again = (seed % 2 == 0 ? c.engine : c.threaded).merge_profile(c.query, {});
    REQUIRE(again->batch.strings == b.strings);
    REQUIRE(again->stacks.depth == got->stacks.depth);
    REQUIRE(again->stacks.location == got->stacks.location);
    REQUIRE(again->stacks.value == got->stacks.value);
    REQUIRE(again->batch.locations.address == b.locations.address);
  }
}
