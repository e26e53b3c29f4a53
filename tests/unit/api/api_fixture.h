#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "api/app.h"
#include "api/message_codec.h"
#include "api/route_table.h"
#include "base/gzip_codec.h"
#include "push.pb.h"
#include "support/catch.h"
#include "support/memory_store.h"
#include "support/percent_decode.h"
#include "support/pprof_builder.h"

namespace hearth::test {

class FixedClock final : public Clock {
 public:
  [[nodiscard]] int64_t wall_ns() const override { return wall; }
  [[nodiscard]] int64_t boot_ns() const override { return wall; }
  int64_t wall = 1'700'000'000'000'000'000;
};

/// All handlers over a store in memory, called directly: no sockets, no threads.
struct Api {
  FixedClock clock;
  MemoryAccountant memory{size_t{1} << 30U};
  MemoryStore store;
  ingest::Limits limits;
  ingest::Pipeline pipeline{store, clock, limits};
  query::Engine engine{{.store = &store, .memory = &memory}};
  api::Context context;
  api::App app{context, store, pipeline, engine, memory};
  std::vector<net::Route> routes;

  explicit Api(ingest::Limits l = {}) : limits(l) {
    context.clock = &clock;
    context.ready = true;
    routes = api::app_routes(app);
  }

  static constexpr int64_t kTimeNs = 1'699'999'000'000'000'000;
  static constexpr int64_t kTimeMs = kTimeNs / 1'000'000;

  /// Answers as the server would: exact paths, 404 without a route, 405 for another method.
  net::Response call(net::Request request) {
    const size_t query = request.target.find('?');
    request.path = request.target.substr(0, query);
    if (query != std::string::npos) parse_query(request, request.target.substr(query + 1));
    const size_t size = request.body.size();
    request.body.resize(size + kReadSlack);
    request.body.resize(size);
    net::Response missing;
    missing.status = 404;
    for (const net::Route& route : routes) {
      if (route.path != request.path) continue;
      missing.status = 405;
      if (route.method.empty() || route.method == request.method) return sent(route, request);
    }
    return missing;
  }

  /// What the server sends: a test's store is done before the handler returns.
  static net::Response sent(const net::Route& route, net::Request& request) {
    net::Response response = route.handler(request);
    if (const auto after = std::move(response.after)) {
      after([&](std::optional<net::Response> instead) {
        if (instead) response = std::move(*instead);
      });
    }
    return response;
  }

  net::Response get(const std::string& target) {
    net::Request request;
    request.method = "GET";
    request.target = target;
    return call(std::move(request));
  }

  net::Response post(const std::string& target, std::string body,
                     const std::string& type = "application/json",
                     const std::vector<std::pair<std::string, std::string>>& headers = {}) {
    net::Request request;
    request.method = "POST";
    request.target = target;
    request.body = std::move(body);
    if (!type.empty()) request.headers.add("Content-Type", type);
    for (const auto& [name, value] : headers) request.headers.add(name, value);
    return call(std::move(request));
  }

  /// A JSON call of the query service.
  net::Response query(const std::string& method, const std::string& json) {
    return post("/querier.v1.QuerierService/" + method, json);
  }

  /// Stores one CPU profile of `service` from folded stacks.
  void push_cpu(const std::string& service,
                const std::vector<std::pair<std::string, int64_t>>& stacks,
                int64_t time_ns = kTimeNs, const std::vector<Label>& labels = {}) {
    PprofBuilder pprof;
    pprof.sample_type("cpu", "nanoseconds")
        .period("cpu", "nanoseconds", 10'000'000)
        .time_ns(time_ns);
    for (const auto& [stack, value] : stacks) pprof.stack(stack, {value});
    push::v1::PushRequest request;
    add_series(request, service, pprof.build_gzip(), labels);
    REQUIRE(post("/push.v1.PusherService/Push", request.SerializeAsString(), "application/proto")
                .status == 200);
  }

  static void add_series(push::v1::PushRequest& request, const std::string& service,
                         const std::string& pprof, const std::vector<Label>& labels = {}) {
    auto* series = request.add_series();
    const auto add = [series](std::string_view name, std::string_view value) {
      auto* label = series->add_labels();
      label->set_name(std::string(name));
      label->set_value(std::string(value));
    };
    add("__name__", "process_cpu");
    add("service_name", service);
    for (const Label& label : labels) add(label.name, label.value);
    series->add_samples()->set_raw_profile(pprof);
  }

 private:
  static void parse_query(net::Request& request, std::string text) {
    while (!text.empty()) {
      const size_t end = std::min(text.find('&'), text.size());
      const std::string pair = text.substr(0, end);
      text.erase(0, end + 1);
      const size_t equals = std::min(pair.find('='), pair.size());
      request.query.emplace_back(pair.substr(0, equals),
                                 percent_decode(pair.substr(std::min(equals + 1, pair.size()))));
    }
  }
};

inline const std::string kRange = R"("start":)" + std::to_string(Api::kTimeMs - 60'000) +
                                  R"(,"end":)" + std::to_string(Api::kTimeMs + 60'000);
inline const std::string kCpu = R"("profileTypeID":"process_cpu:cpu:nanoseconds:cpu:nanoseconds")";

}  // namespace hearth::test
