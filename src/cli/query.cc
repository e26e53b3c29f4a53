#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "base/gzip_codec.h"
#include "cli/command.h"
#include "cli/profile_text.h"
#include "cli/query_text.h"
#include "cli/server_error.h"
#include "cli/time_argument.h"
#include "formats/decode.h"
#include "formats/folded_writer.h"
#include "hearth/clock.h"
#include "net/http_client.h"
#include "server/units.h"

namespace hearth::cli {
namespace {

constexpr int64_t kTimeoutMs = 120'000;
constexpr size_t kTopRows = 50;
constexpr size_t kTreeRows = 100;

struct QueryOptions {
  std::string url = default_url();
  std::string tenant;
  std::string from = "now-1h";
  std::string until = "now";
  std::string format = "text";
  std::string output;
  uint64_t max_nodes = 0;  ///< 0: the format's own default.
  QueryText query;
  int64_t from_ms = 0;
  int64_t until_ms = 0;
};

server::Flag format_flag(std::string& field) {
  server::Flag flag = text_flag("format", "FORMAT", field,
                                "text (call tree, default), top (as go tool pprof -top),\n"
                                "folded (one line per stack), pprof (gzip), json (flame graph).");
  flag.set = [&field](const std::string& value) -> Status {
    for (const char* known : {"text", "top", "folded", "pprof", "json"}) {
      if (value == known) {
        field = value;
        return {};
      }
    }
    return fail(ErrorCode::invalid_argument,
                fmt::format("got \"{}\"; want text, top, folded, pprof or json", value));
  };
  return flag;
}

std::vector<server::Flag> query_flags(QueryOptions& options) {
  return {
      url_flag(options.url),
      text_flag("from", "TIME", options.from, "Start (default now-1h)."),
      text_flag("until", "TIME", options.until, "End (default now)."),
      format_flag(options.format),
      text_flag("output", "FILE", options.output, "Write to FILE instead of standard output."),
      {.name = "max-nodes",
       .value_name = "N",
       .help = "Rows of text and top (100, 50), nodes of json (8192)\nand pprof (all); 0: these "
               "defaults.",
       .set = [&options](const std::string& value) -> Status {
         HEARTH_ASSIGN_OR_RETURN(options.max_nodes, server::parse_count(value, 1U << 30U));
         return {};
       }},
      text_flag("tenant", "ID", options.tenant, "Sent as X-Scope-OrgID."),
  };
}

Result<std::string> call(const QueryOptions& options, const char* method, const char* media_type,
                         std::string body) {
  net::Headers headers;
  headers.add("Content-Type", media_type);
  if (!options.tenant.empty()) headers.add("X-Scope-OrgID", options.tenant);
  const std::string url = fmt::format("{}/querier.v1.QuerierService/{}", options.url, method);
  HEARTH_ASSIGN_OR_RETURN(net::ClientResponse answer,
                          net::fetch(url, "POST", headers, std::move(body), kTimeoutMs));
  if (answer.status != 200) return fail(ErrorCode::internal, describe_refusal(answer));
  return std::move(answer.body);
}

// querier.v1.SelectMergeProfileRequest (src/proto/querier.proto): five fields do not need a message
// class here.
std::string profile_request(const QueryOptions& options, uint64_t max_nodes) {
  std::string out;
  const auto text = [&out](unsigned field, const std::string& value) {
    put_varint(out, field << 3U | 2U);
    put_str(out, value);
  };
  const auto number = [&out](unsigned field, int64_t value) {
    put_varint(out, field << 3U);
    put_varint(out, static_cast<uint64_t>(value));
  };
  text(1, options.query.profile_type);
  text(2, options.query.selector);
  number(3, options.from_ms);
  number(4, options.until_ms);
  if (max_nodes != 0) number(5, static_cast<int64_t>(max_nodes));
  return out;
}

Result<std::string> merged_profile(const QueryOptions& options, uint64_t max_nodes) {
  return call(options, "SelectMergeProfile", "application/proto",
              profile_request(options, max_nodes));
}

Result<std::string> flame_graph_json(const QueryOptions& options) {
  nlohmann::json request = {{"profileTypeID", options.query.profile_type},
                            {"labelSelector", options.query.selector},
                            {"start", std::to_string(options.from_ms)},
                            {"end", std::to_string(options.until_ms)}};
  if (options.max_nodes != 0) request["maxNodes"] = std::to_string(options.max_nodes);
  HEARTH_ASSIGN_OR_RETURN(
      std::string body,
      call(options, "SelectMergeStacktraces", "application/json",
           request.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)));
  return body + "\n";
}

std::string heading(const QueryOptions& options) {
  return fmt::format("{} {}\n{} to {}\n", options.query.profile_type, options.query.selector,
                     format_time(options.from_ms * 1'000'000),
                     format_time(options.until_ms * 1'000'000));
}

// `body` stays alive longer than the decoder, whose batch points into it.
Result<std::string> profile_as_text(const QueryOptions& options, const std::string& body) {
  // An empty message is the answer "no data".
  if (body.empty())
    return options.format == "folded" ? std::string() : heading(options) + "no profiles\n";
  formats::Decoder decoder;
  formats::DecodeOptions decode;
  decode.hint = formats::Format::pprof;
  HEARTH_RETURN_IF_ERROR(decoder.decode(body, decode));
  const ProfileBatch& batch = decoder.batch();
  if (options.format == "folded") return formats::write_folded(batch, 0);
  TextOptions text;
  text.unit = batch.strings[batch.sample_types[0].unit];
  text.colour = options.output.empty() && isatty(STDOUT_FILENO) != 0;
  text.rows_max = options.max_nodes;
  if (options.format == "top") {
    if (text.rows_max == 0) text.rows_max = kTopRows;
    return heading(options) + format_top(make_top(batch, 0), text);
  }
  if (text.rows_max == 0) text.rows_max = kTreeRows;
  return heading(options) + format_call_tree(batch, 0, text);
}

Result<std::string> run_query(const QueryOptions& options) {
  if (options.format == "json") return flame_graph_json(options);
  const bool pprof = options.format == "pprof";
  HEARTH_ASSIGN_OR_RETURN(const std::string body,
                          merged_profile(options, pprof ? options.max_nodes : 0));
  if (pprof) return gzip_compress(body, 6);
  return profile_as_text(options, body);
}

Status write_output(const std::string& file, const std::string& text) {
  if (file.empty()) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    return {};
  }
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  out.close();
  if (!out) return fail(ErrorCode::unavailable, fmt::format("write {}: failed", file));
  return {};
}

Status resolve(QueryOptions& options, const std::string& text) {
  HEARTH_ASSIGN_OR_RETURN(options.query, parse_query_text(text));
  const int64_t now = system_clock().wall_ns();
  HEARTH_ASSIGN_OR_RETURN(const int64_t from, parse_time(options.from, now));
  HEARTH_ASSIGN_OR_RETURN(const int64_t until, parse_time(options.until, now));
  if (from >= until) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("--from {} is not before --until {}", options.from, options.until));
  }
  options.from_ms = from / 1'000'000;
  options.until_ms = until / 1'000'000;
  return {};
}

}  // namespace

int query_command(const Arguments& arguments) {
  QueryOptions options;
  const std::vector<server::Flag> flags = query_flags(options);
  const server::CommandText text{
      .usage = "hearth query [FLAGS] 'TYPE{SELECTOR}'",
      .description =
          "Merges all matching profiles of a time range on a server and prints the result.\n",
      .epilog =
          "TYPE has five parts, such as process_cpu:cpu:nanoseconds:cpu:nanoseconds; the selector "
          "is\n"
          "Prometheus's, such as {service_name=\"checkout\", region=~\"eu.*\"}. Times: now-1h,\n"
          "2026-01-31T12:00:00Z, seconds or milliseconds since 1970.\n"
          "Exit codes: 0 answered (also when nothing matches), 1 failed, 2 wrong command line.\n"};
  Arguments positional;
  int exit_code = kOk;
  if (!parse_command(text, flags, arguments, positional, exit_code)) return exit_code;
  if (positional.size() != 1) {
    print_error(
        fmt::format("query: want one query, got {}\nusage: {}", positional.size(), text.usage));
    return kUsage;
  }
  if (const Status ready = resolve(options, positional[0]); !ready) {
    print_error("query: " + ready.error().message);
    return kUsage;
  }
  const auto answer = run_query(options);
  if (!answer) {
    print_error("query: " + answer.error().message);
    return kFailed;
  }
  if (const Status written = write_output(options.output, *answer); !written) {
    print_error(written.error().message);
    return kFailed;
  }
  return kOk;
}

}  // namespace hearth::cli
