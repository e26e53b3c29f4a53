#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/app_name.h"
#include "base/result.h"
#include "hearth/labels.h"
#include "net/http.h"

namespace hearth::api {

/// The query string of /ingest (docs/http_api.md 2).
struct IngestParams {
  AppName name;
  int64_t from_ns = 0;
  int64_t until_ns = 0;
  bool has_from =
      false;  ///< The client named a time: without one a profile has no identity of its own.
  uint32_t sample_rate = 100;  ///< Hz; 0 switches the rate step off.
  std::string spy = "unknown";
  [[nodiscard]] static Result<IngestParams> parse(const net::Request& request, int64_t now_ns);
};

/// How the body of /ingest is read (3.4).
enum class IngestFormat : unsigned char { automatic, pprof, multipart, groups, lines, unsupported };
IngestFormat ingest_format(const net::Request& request);

/// Labels of the profile of a request: the metric, control labels and what the name says, private
/// names left out. `keep_app`: when the name also sets service_name, the app becomes the label
/// app_name (text formats).
std::vector<Label> ingest_labels(const IngestParams& params, std::string metric,
                                 std::string service, bool keep_app);

}  // namespace hearth::api
