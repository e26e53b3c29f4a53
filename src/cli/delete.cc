#include <fmt/format.h>

#include <cstdio>
#include <optional>

#include "cli/command.h"
#include "cli/server_error.h"
#include "cli/time_argument.h"
#include "hearth/clock.h"
#include "net/http_client.h"
#include "net/target.h"

namespace hearth::cli {
namespace {

constexpr int64_t kTimeoutMs = 60'000;

struct DeleteOptions {
  std::string url = default_url();
  std::string tenant, from, until, withdraw;
  bool list = false, yes = false;
};

server::Flag switch_flag(std::string name, std::string help, bool& field) {
  server::Flag flag;
  flag.name = std::move(name);
  flag.help = std::move(help);
  flag.set = [&field](const std::string&) -> Status {
    field = true;
    return {};
  };
  return flag;
}

/// Refuses an empty time: a variable that was not set must not widen the range.
server::Flag time_flag(const char* name, std::string help, std::string& field) {
  server::Flag flag = text_flag(name, "TIME", field, std::move(help));
  flag.set = [&field](const std::string& value) -> Status {
    if (value.empty()) return fail(ErrorCode::invalid_argument, "it is empty; want a time");
    field = value;
    return {};
  };
  return flag;
}

std::vector<server::Flag> delete_flags(DeleteOptions& options) {
  return {
      url_flag(options.url),
      text_flag("tenant", "ID", options.tenant, "Sent as X-Scope-OrgID."),
      time_flag("from", "Start of the range (default: the beginning).", options.from),
      time_flag("until", "End of the range (default: now).", options.until),
      switch_flag("yes", "Really delete.", options.yes),
      switch_flag("list", "Print the deletions that hold.", options.list),
      text_flag("withdraw", "ID", options.withdraw,
                "End a deletion: what of it is not removed yet is seen\nagain, and such profiles "
                "can be sent again."),
  };
}

Result<std::string> call(const DeleteOptions& options, const char* method,
                         const std::string& target) {
  net::Headers headers;
  if (!options.tenant.empty()) headers.add("X-Scope-OrgID", options.tenant);
  HEARTH_ASSIGN_OR_RETURN(net::ClientResponse answer,
                          net::fetch(options.url + target, method, headers, "", kTimeoutMs));
  if (answer.status != 200) return fail(ErrorCode::internal, describe_refusal(answer));
  return std::move(answer.body);
}

/// "&name=milliseconds", of a range inside the one that is meant; empty when the time is not given.
Result<std::string> time_parameter(const char* name, const std::string& text, bool round_up) {
  constexpr int64_t kMillisecond = 1'000'000;
  if (text.empty()) return std::string();
  HEARTH_ASSIGN_OR_RETURN(const int64_t ns, parse_time(text, system_clock().wall_ns()));
  const int64_t rest = ns % kMillisecond;
  int64_t ms = ns / kMillisecond;
  if (round_up && rest > 0) ++ms;
  if (!round_up && rest < 0) --ms;
  return fmt::format("&{}={}", name, ms);
}

Result<std::string> delete_target(const DeleteOptions& options, const std::string& selector) {
  HEARTH_ASSIGN_OR_RETURN(const std::string from, time_parameter("from", options.from, true));
  HEARTH_ASSIGN_OR_RETURN(const std::string until, time_parameter("until", options.until, false));
  return "/api/v1/admin/delete?selector=" + net::percent_encode(selector) + from + until;
}

int answer_with(const Result<std::string>& body) {
  if (!body) {
    print_error("delete: " + body.error().message);
    return kFailed;
  }
  fmt::print("{}\n", *body);
  return kOk;
}

int usage(const std::string& message) {
  print_error("delete: " + message);
  return kUsage;
}

}  // namespace

int delete_command(const Arguments& arguments) {
  DeleteOptions options;
  const std::vector<server::Flag> flags = delete_flags(options);
  const server::CommandText text{
      .usage = "hearth delete [FLAGS] 'SELECTOR' --yes",
      .description =
          "Deletes profiles of a tenant on a server: those whose labels SELECTOR accepts, such as\n"
          "'{service_name=\"checkout\", pod=\"a\"}', or all with '{}', and that start in the range "
          "of\n"
          "time. Queries leave them out at once; within hours no object has them any more, of "
          "which\n"
          "`hearth verify` is the proof.\n"};
  Arguments positional;
  int exit_code = kOk;
  if (!parse_command(text, flags, arguments, positional, exit_code)) return exit_code;
  if (options.list) return answer_with(call(options, "GET", "/api/v1/admin/deletions"));
  if (!options.withdraw.empty()) {
    return answer_with(
        call(options, "POST",
             "/api/v1/admin/delete/withdraw?id=" + net::percent_encode(options.withdraw)));
  }
  if (positional.size() != 1)
    return usage("want one selector; '{}' is all of the tenant's profiles");
  const auto target = delete_target(options, positional[0]);
  if (!target) return usage(target.error().message);
  if (!options.yes)
    return usage("nothing was deleted; add --yes to delete what the selector accepts");
  return answer_with(call(options, "POST", *target));
}

}  // namespace hearth::cli
