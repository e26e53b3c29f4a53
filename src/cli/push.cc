#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "cli/command.h"
#include "cli/push_target.h"
#include "cli/server_error.h"
#include "net/http_client.h"

namespace hearth::cli {
namespace {

constexpr int64_t kTimeoutMs = 60'000;

struct PushOptions {
  std::string url = default_url();
  std::string tenant;
  std::string name;
  std::vector<Label> labels;
};

std::vector<server::Flag> push_flags(PushOptions& options) {
  return {
      url_flag(options.url),
      text_flag("name", "SERVICE", options.name,
                "Service name (default: the label service_name,\nelse the file's name)."),
      {.name = "label",
       .value_name = "KEY=VALUE",
       .help = "Label of every profile that is sent; may be repeated.",
       .set = [&options](const std::string& value) -> Status {
         HEARTH_ASSIGN_OR_RETURN(Label label, parse_label(value));
         options.labels.push_back(std::move(label));
         return {};
       },
       .repeatable = true},
      text_flag("tenant", "ID", options.tenant, "Sent as X-Scope-OrgID."),
  };
}

Result<std::string> read_input(const std::string& file) {
  if (file == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  std::error_code error;
  if (std::filesystem::is_directory(file, error)) {
    return fail(ErrorCode::invalid_argument, fmt::format("open {}: is a directory", file));
  }
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    return fail(ErrorCode::not_found, fmt::format("open {}: {}", file, std::strerror(errno)));
  }
  return std::string(std::istreambuf_iterator<char>(in), {});
}

Status push_file(const PushOptions& options, const std::string& file) {
  HEARTH_ASSIGN_OR_RETURN(std::string body, read_input(file));
  if (body.empty()) return fail(ErrorCode::invalid_argument, fmt::format("{}: is empty", file));
  const std::string service = service_of(options.name, options.labels, file);
  HEARTH_ASSIGN_OR_RETURN(const std::string target, ingest_target(service, options.labels));
  net::Headers headers;
  headers.add("Content-Type", "application/octet-stream");
  if (!options.tenant.empty()) headers.add("X-Scope-OrgID", options.tenant);
  const size_t size = body.size();
  HEARTH_ASSIGN_OR_RETURN(
      const net::ClientResponse answer,
      net::fetch(options.url + target, "POST", headers, std::move(body), kTimeoutMs));
  if (answer.status != 200) {
    return fail(ErrorCode::internal, fmt::format("{}: {}", file, describe_refusal(answer)));
  }
  fmt::print("{}: stored as {} ({} bytes)\n", file, service, size);
  return {};
}

}  // namespace

int push_command(const Arguments& arguments) {
  PushOptions options;
  const std::vector<server::Flag> flags = push_flags(options);
  const server::CommandText text{
      .usage = "hearth push [FLAGS] FILE…",
      .description =
          "Sends profile files to a server: pprof (gzip or not) or folded text; - reads standard\n"
          "input. Says what happened to each file.\n",
      .epilog =
          "Example: hearth push cpu.pb.gz --label service_name=checkout --label region=eu\n"
          "Exit codes: 0 all files were stored, 1 at least one was not, 2 wrong command line.\n"};
  Arguments files;
  int exit_code = kOk;
  if (!parse_command(text, flags, arguments, files, exit_code)) return exit_code;
  if (files.empty()) {
    print_error("push: no file given\nusage: " + text.usage);
    return kUsage;
  }
  for (const std::string& file : files) {
    const Status done = push_file(options, file);
    if (done) continue;
    print_error(done.error().message);
    exit_code = kFailed;
  }
  return exit_code;
}

}  // namespace hearth::cli
