#include "api/ingest_params.h"

#include <charconv>

#include "api/attime.h"
#include "formats/multipart.h"

namespace hearth::api {
namespace {

// What is no unsigned number reads as the default; 0 is kept.
uint32_t parse_rate(std::string_view text) {
  uint32_t rate = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rate);
  return text.empty() || error != std::errc() || end != text.data() + text.size() ? 100 : rate;
}

bool is_private(std::string_view name) {
  return name.starts_with("__") && name != label::kSessionId && name != label::kName;
}

}  // namespace

Result<IngestParams> IngestParams::parse(const net::Request& request, int64_t now_ns) {
  IngestParams params;
  HEARTH_ASSIGN_OR_RETURN(params.name, parse_app_name(request.param("name")));
  params.has_from = !request.param("from").empty();
  params.from_ns = params.has_from ? parse_attime(request.param("from"), now_ns) : now_ns;
  params.until_ns =
      request.param("until").empty() ? now_ns : parse_attime(request.param("until"), now_ns);
  params.sample_rate = parse_rate(request.param("sampleRate"));
  if (!request.param("spyName").empty()) params.spy = request.param("spyName");
  return params;
}

IngestFormat ingest_format(const net::Request& request) {
  const std::string_view format = request.param("format");
  const std::string_view type = request.headers.get("Content-Type");
  if (format == "trie" || type.starts_with("binary/octet-stream+"))
    return IngestFormat::unsupported;
  if (format == "tree" || format == "jfr" || format == "speedscope")
    return IngestFormat::unsupported;
  if (format == "lines") return IngestFormat::lines;
  if (formats::is_multipart_form(type)) return IngestFormat::multipart;
  if (format == "pprof") return IngestFormat::pprof;
  return format.empty() ? IngestFormat::automatic : IngestFormat::groups;
}

std::vector<Label> ingest_labels(const IngestParams& params, std::string metric,
                                 std::string service, bool keep_app) {
  std::vector<Label> labels;
  const std::string_view own_metric = params.name.get(label::kName);
  labels.push_back({std::string(label::kName),
                    own_metric.empty() ? std::move(metric) : std::string(own_metric)});
  labels.push_back({std::string(label::kDelta), "false"});
  const bool own_service = !params.name.get(label::kServiceName).empty();
  for (const Label& own : params.name.labels) {
    if (is_private(own.name) || own.name == label::kName || own.name == label::kSpy ||
        own.value.empty())
      continue;
    labels.push_back(own);
  }
  labels.push_back({std::string(label::kSpy), params.spy});
  if (!own_service) labels.push_back({std::string(label::kServiceName), std::move(service)});
  if (own_service && keep_app && params.name.get("app_name").empty())
    labels.push_back({"app_name", std::move(service)});
  return labels;
}

}  // namespace hearth::api
