#include "api/ingest.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "api/answers.h"
#include "api/error_table.h"
#include "api/ingest_params.h"
#include "api/pprof_ingest.h"
#include "api/tenancy.h"
#include "api/write_request.h"
#include "base/gzip_codec.h"
#include "formats/multipart.h"
#include "formats/pprof_decoder.h"
#include "formats/text_decoder.h"
#include "ingest/side_labels.h"

namespace hearth::api {
namespace {

/// A refusal with the status it gets: payload errors are 422, others what the table says.
struct Refusal {
  Error error;
  int status = 0;
  bool counted = false;  ///< By the write pipeline.
};
using Outcome = std::optional<Refusal>;

constexpr int64_t kSecondNs = 1'000'000'000;

Outcome payload_refusal(Error error, bool counted = false) {
  const int status = error_row(error.code).payload_status;
  return Refusal{std::move(error), status, counted};
}

struct Upload {
  std::string_view profile;
  std::string_view config;  ///< JSON, or empty.
};

bool is_dotnet(const IngestParams& params, const SampleTypeConfig& config) {
  return params.spy == "dotnetspy" || (params.spy == "unknown" && config.has("inuse-space"));
}

// Agents without a clock send 0 or a time of 1970; then the URL's time counts.
bool lacks_time(int64_t time_ns) {
  return time_ns <= 365 * int64_t{86'400'000'000'000};
}

class Ingest {
 public:
  Ingest(App& app, net::Request& request, const IngestParams& params, Tenant tenant)
      : app_(app), request_(request), params_(params), write_(app, request, std::move(tenant)) {}

  net::Response run() {
    Outcome refusal = accept();
    if (!refusal) {
      if (auto stored = write_.commit(); !stored)
        refusal = payload_refusal(std::move(stored).error());
    }
    if (!refusal) {
      net::Response answer = acknowledged();
      hold(answer, write_.durable(), [](const Error& error) {
        return plain_error(error_row(error.code).payload_status, error.message);
      });
      return answer;
    }
    write_.refuse(refusal->error, refusal->status, service(), refusal->counted);
    return plain_error(refusal->status, refusal->error.message);
  }

 private:
  Outcome accept() {
    switch (ingest_format(request_)) {
      case IngestFormat::automatic:
        return accept_any();
      case IngestFormat::pprof:
        return accept_pprof({request_.body, {}});
      case IngestFormat::multipart:
        return accept_multipart();
      case IngestFormat::groups:
        return accept_text(formats::TextLayout::groups);
      case IngestFormat::lines:
        return accept_text(formats::TextLayout::lines);
      case IngestFormat::unsupported:
        break;
    }
    return payload_refusal({ErrorCode::unimplemented,
                            "this format is not supported yet by this version; send pprof, folded "
                            "text (groups) or lines",
                            "unknown"});
  }

  // Without a format the body decides: what decodes as pprof is pprof, the rest is folded text.
  Outcome accept_any() {
    DecodeSlot& slot = write_.next_slot();
    const auto raw = write_.inflate(request_.body, slot);
    if (!raw) return payload_refusal(raw.error());
    auto decoded =
        formats::decode_pprof(*raw, write_.decode_limits(is_dotnet(params_, {})), slot.batch);
    if (decoded && !raw->empty()) return add_pprof(slot, *raw, {});
    if (!is_gzip(request_.body)) return accept_text(formats::TextLayout::groups);
    // Compressed bytes have no lines that text could be read from: upstream answers 200 and stores
    // nothing. We at least count it.
    write_.refuse(decoded.error(), 200, service(), false);
    return std::nullopt;
  }

  Outcome accept_multipart() {
    const auto parts =
        formats::parse_multipart(request_.headers.get("Content-Type"), request_.body);
    if (!parts) return payload_refusal(parts.error());
    Upload upload;
    for (const formats::MultipartPart& part : *parts) {
      if (part.name == "profile") upload.profile = part.body;
      if (part.name == "sample_type_config") upload.config = part.body;
      if (part.name == "prev_profile" && !part.body.empty()) {
        return payload_refusal(
            {ErrorCode::invalid_argument,
             "unsupported client version: prev_profile is not accepted, please update the client",
             "malformed_profile"});
      }
    }
    return accept_pprof(upload);
  }

  Outcome accept_pprof(const Upload& upload) {
    if (upload.profile.empty()) return std::nullopt;
    SampleTypeConfig config;
    if (!upload.config.empty()) {
      auto parsed = SampleTypeConfig::parse(upload.config);
      if (!parsed) return payload_refusal(std::move(parsed).error());
      config = std::move(*parsed);
    }
    DecodeSlot& slot = write_.next_slot();
    const auto raw = write_.inflate(upload.profile, slot);
    if (!raw) return payload_refusal(too_large_message(raw.error()));
    auto decoded =
        formats::decode_pprof(*raw, write_.decode_limits(is_dotnet(params_, config)), slot.batch);
    if (!decoded) return payload_refusal(std::move(decoded).error());
    return add_pprof(slot, *raw, config);
  }

  Outcome add_pprof(DecodeSlot& slot, std::string_view raw, const SampleTypeConfig& config) {
    const bool has_time = !lacks_time(slot.batch.time_ns) || params_.has_from;
    if (lacks_time(slot.batch.time_ns)) slot.batch.time_ns = params_.from_ns;
    if (auto named = name_functions_by_file(slot.batch, params_.spy); !named) {
      return payload_refusal(std::move(named).error());
    }
    auto labels = ingest_labels(params_, metric_name(slot.batch, config), params_.name.app, false);
    auto added = write_.add(std::move(labels), slot, raw, has_time);
    return added ? std::nullopt : payload_refusal(std::move(added).error(), true);
  }

  // The name says what the numbers mean; for CPU and wall time they become nanoseconds by the
  // sample rate.
  Outcome accept_text(formats::TextLayout layout) {
    auto app = split_text_app(params_.name.app);
    if (!app) return Refusal{app.error(), 400, false};
    formats::TextProfile text{.sample_type = app->metric.sample_type,
                              .sample_unit = app->metric.sample_unit,
                              .time_ns = params_.from_ns};
    const bool cpu = app->metric.name == "process_cpu";
    if (params_.sample_rate != 0 && (cpu || app->metric.name == "wall")) {
      if (params_.sample_rate > kSecondNs) {
        return Refusal{{ErrorCode::invalid_argument,
                        fmt::format("sampleRate: got {} Hz; want at most {}: a sample would stand "
                                    "for no time",
                                    params_.sample_rate, kSecondNs),
                        "malformed_profile"},
                       400,
                       false};
      }
      text.period = kSecondNs / params_.sample_rate;
      text.multiplier = text.period;
      text.period_type = "cpu";
      text.sample_type = cpu ? "cpu" : "wall";
      text.sample_unit = text.period_unit = "nanoseconds";
    }
    DecodeSlot& slot = write_.next_slot();
    auto decoded =
        formats::decode_text(request_.body, layout, text, write_.decode_limits(), slot.batch);
    if (!decoded) return payload_refusal(std::move(decoded).error());
    auto labels = ingest_labels(params_, std::string(app->metric.name), app->service, true);
    ingest::move_span_label(labels, slot.batch);
    auto added = write_.add(std::move(labels), slot, request_.body, params_.has_from);
    if (added) return std::nullopt;
    // As upstream: what validation refuses in a text profile has Connect's status, not 422.
    const int status = error_row(added.error().code).connect_status;
    return Refusal{std::move(added).error(), status, true};
  }

  [[nodiscard]] Error too_large_message(Error error) const {
    if (error.code == ErrorCode::too_large) {
      error.message = "decompressed profile exceeds maximum allowed size: " + error.message;
    }
    return error;
  }

  [[nodiscard]] std::string_view service() const {
    const std::string_view own = params_.name.get(label::kServiceName);
    return own.empty() ? std::string_view(params_.name.app) : own;
  }

  [[nodiscard]] net::Response acknowledged() const {
    net::Response response;
    response.headers.add("X-Ack", app_.context.ack);
    return response;
  }

  const App& app_;
  net::Request& request_;
  const IngestParams& params_;
  WriteRequest write_;
};

// Before anything of the body was read.
net::Response refused_early(App& app, const net::Request& request, int status,
                            const std::string& message) {
  app.writes->refuse({.at_ms = app.now_ms(),
                      .status = status,
                      .reason = status == 413 ? "body_size_limit_exceeded" : "invalid_labels",
                      .message = message,
                      .path = request.path,
                      .service = {},
                      .bytes = request.body.size()});
  return plain_error(status, message);
}

net::Response ingest(App& app, net::Request& request) {
  if (request.method != "POST") return method_not_allowed("POST");
  auto tenant = request_tenant(app.context, request.headers, TenantRule::one_writer);
  if (!tenant) return plain_error(tenant.error());
  const auto params = IngestParams::parse(request, app.clock().wall_ns());
  if (!params) return refused_early(app, request, 400, params.error().message);
  const size_t max = app.pipeline.limits(*tenant).request_max_bytes;
  if (max != 0 && request.body.size() > max) {
    app.pipeline.count_discarded(*tenant, "body_size_limit_exceeded", 1, request.body.size());
    return refused_early(app, request, 413, "request body too large");
  }
  return Ingest(app, request, *params, std::move(*tenant)).run();
}

}  // namespace

void add_ingest_routes(App& app, std::vector<net::Route>& routes) {
  for (const char* path : {"/ingest", "/pyroscope/ingest"}) {
    routes.push_back({.method = "",
                      .path = path,
                      .pool = net::Pool::ingest,
                      .body_max_bytes = 0,
                      .handler = [&app](net::Request& request) { return ingest(app, request); }});
  }
}

}  // namespace hearth::api
