#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <optional>

#include "objstore/credentials.h"
#include "objstore/http_time.h"
#include "objstore/json.h"

namespace hearth::objstore {
namespace {

using std::string_view;
using Found = Result<std::optional<Credentials>>;

constexpr const char* kContainerHost = "http://169.254.170.2";
constexpr const char* kInstanceHost = "http://169.254.169.254";
constexpr const char* kInstanceRoles = "/latest/meta-data/iam/security-credentials/";
constexpr int64_t kEndpointTimeoutMs = 2000;
constexpr uint64_t kEndpointReplyMax = 64U << 10U;

string_view value_of(const Variables& variables, string_view name) {
  const auto it = variables.find(name);
  return it == variables.end() ? string_view() : string_view(it->second);
}

string_view trim(string_view text) {
  const size_t first = text.find_first_not_of(" \t\r");
  if (first == string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(in), {});
}

std::optional<Credentials> from_variables(const Variables& variables) {
  const string_view key = value_of(variables, "AWS_ACCESS_KEY_ID");
  const string_view secret = value_of(variables, "AWS_SECRET_ACCESS_KEY");
  if (key.empty() || secret.empty()) return std::nullopt;
  return Credentials{std::string(key), Secret(std::string(secret)),
                     Secret(std::string(value_of(variables, "AWS_SESSION_TOKEN")))};
}

std::string profile_of(const CredentialOptions& options, const Variables& variables) {
  if (!options.profile.empty()) return options.profile;
  const string_view named = value_of(variables, "AWS_PROFILE");
  return named.empty() ? "default" : std::string(named);
}

Result<Credentials> from_named_file(const CredentialOptions& options, const Variables& variables) {
  const auto text = read_file(options.file);
  if (!text) {
    return fail(ErrorCode::unauthenticated,
                fmt::format("read S3 credentials from {}: cannot be read", options.file));
  }
  const std::string profile = profile_of(options, variables);
  HEARTH_ASSIGN_OR_RETURN(auto found, parse_credentials_file(*text, profile, options.file));
  if (found) return std::move(*found);
  return fail(ErrorCode::unauthenticated,
              fmt::format("read S3 credentials from {}: no section [{}]", options.file, profile));
}

Found from_shared_file(const CredentialOptions& options, const Variables& variables) {
  std::string path(value_of(variables, "AWS_SHARED_CREDENTIALS_FILE"));
  if (path.empty()) path = fmt::format("{}/.aws/credentials", value_of(variables, "HOME"));
  const auto text = read_file(path);
  if (!text) return std::nullopt;
  return parse_credentials_file(*text, profile_of(options, variables), path);
}

Result<std::string> ask(HttpTransport& http, const std::string& method, const std::string& url,
                        HttpFields headers) {
  HttpCall call;
  call.method = method;
  call.url = url;
  call.headers = std::move(headers);
  call.has_body = method == "PUT";
  call.timeout_ms = kEndpointTimeoutMs;
  call.reply_max_bytes = kEndpointReplyMax;
  HEARTH_ASSIGN_OR_RETURN(HttpReply reply, http.send(call));
  if (reply.status == 200) return std::move(reply.body);
  return fail(ErrorCode::unavailable,
              fmt::format("{} {}: got status {}; want 200", method, url, reply.status));
}

// {"AccessKeyId":…, "SecretAccessKey":…, "Token":…, "Expiration":…}: both endpoints answer so.
Result<Credentials> parse_endpoint_answer(string_view body, const std::string& url) {
  const auto incomplete = [&](string_view why) {
    return fail(ErrorCode::unauthenticated, fmt::format("read credentials from {}: {}", url, why));
  };
  auto fields = json_strings(body);
  if (!fields) return incomplete(fields.error().message);
  auto& values = *fields;
  if (values["AccessKeyId"].empty() || values["SecretAccessKey"].empty()) {
    return incomplete("AccessKeyId or SecretAccessKey is missing");
  }
  Credentials out{values["AccessKeyId"], Secret(values["SecretAccessKey"]),
                  Secret(values["Token"])};
  if (values["Expiration"].empty()) return out;
  const auto expires = parse_iso_time(values["Expiration"]);
  if (!expires) return incomplete("Expiration is not a time");
  out.expires_wall_ns = *expires;
  return out;
}

// A variable decides where a token is sent, so plain HTTP goes to this machine and to the two
// addresses only that orchestrators use.
bool may_ask(string_view url) {
  if (url.starts_with("https://")) return true;
  for (const string_view host :
       {"http://127.0.0.1", "http://localhost", "http://[::1]", "http://169.254.170.2",
        "http://169.254.170.23", "http://[fd00:ec2::23]"}) {
    if (!url.starts_with(host)) continue;
    const string_view rest = url.substr(host.size());
    if (rest.empty() || rest.front() == '/' || rest.front() == ':') return true;
  }
  return false;
}

Found from_container(const Variables& variables, HttpTransport& http) {
  const string_view relative = value_of(variables, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  std::string url(value_of(variables, "AWS_CONTAINER_CREDENTIALS_FULL_URI"));
  if (!relative.empty()) url = std::string(kContainerHost).append(relative);
  if (url.empty()) return std::nullopt;
  if (!may_ask(url)) {
    return fail(ErrorCode::unauthenticated,
                fmt::format("read credentials from {}: want https or this machine", url));
  }
  std::string token(value_of(variables, "AWS_CONTAINER_AUTHORIZATION_TOKEN"));
  if (const string_view path = value_of(variables, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
      !path.empty()) {
    token = trim(read_file(std::string(path)).value_or(""));
  }
  HttpFields headers;
  if (!token.empty()) headers.emplace_back("authorization", token);
  HEARTH_ASSIGN_OR_RETURN(const std::string body, ask(http, "GET", url, std::move(headers)));
  HEARTH_ASSIGN_OR_RETURN(auto out, parse_endpoint_answer(body, url));
  return out;
}

Found from_instance(const Variables& variables, HttpTransport& http) {
  if (value_of(variables, "AWS_EC2_METADATA_DISABLED") == "true") return std::nullopt;
  std::string host(value_of(variables, "AWS_EC2_METADATA_SERVICE_ENDPOINT"));
  if (host.empty()) host = kInstanceHost;
  while (host.ends_with('/')) host.pop_back();
  HEARTH_ASSIGN_OR_RETURN(const std::string token,
                          ask(http, "PUT", host + "/latest/api/token",
                              {{"x-aws-ec2-metadata-token-ttl-seconds", "21600"}}));
  const HttpFields with_token{{"x-aws-ec2-metadata-token", token}};
  const std::string roles_url = host + kInstanceRoles;
  HEARTH_ASSIGN_OR_RETURN(const std::string roles, ask(http, "GET", roles_url, with_token));
  const std::string url = roles_url + std::string(trim(roles.substr(0, roles.find('\n'))));
  HEARTH_ASSIGN_OR_RETURN(const std::string body, ask(http, "GET", url, with_token));
  HEARTH_ASSIGN_OR_RETURN(auto out, parse_endpoint_answer(body, url));
  return out;
}

void set_field(string_view key, string_view value, Credentials& out) {
  if (key == "aws_access_key_id") out.access_key = value;
  if (key == "aws_secret_access_key") out.secret_key = Secret(std::string(value));
  if (key == "aws_session_token") out.session_token = Secret(std::string(value));
}

}  // namespace

Result<std::optional<Credentials>> parse_credentials_file(string_view text, string_view profile,
                                                          const std::string& file) {
  Credentials found;
  bool inside = false;
  bool seen = false;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const string_view line = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      inside = trim(line.substr(1, line.find(']') - 1)) == profile;
      seen = seen || inside;
      continue;
    }
    const size_t mark = line.find('=');
    if (inside && mark != string_view::npos) {
      set_field(trim(line.substr(0, mark)), trim(line.substr(mark + 1)), found);
    }
  }
  if (!seen) return std::nullopt;
  if (found.access_key.empty() || found.secret_key.empty()) {
    return fail(ErrorCode::unauthenticated,
                fmt::format("read S3 credentials from {}: section [{}] lacks aws_access_key_id or "
                            "aws_secret_access_key",
                            file, profile));
  }
  return found;
}

Result<Credentials> find_credentials(const CredentialOptions& options, const Variables& variables,
                                     HttpTransport& http) {
  if (!options.file.empty()) return from_named_file(options, variables);
  if (auto found = from_variables(variables)) return std::move(*found);
  HEARTH_ASSIGN_OR_RETURN(auto shared, from_shared_file(options, variables));
  if (shared) return std::move(*shared);
  HEARTH_ASSIGN_OR_RETURN(auto container, from_container(variables, http));
  if (container) return std::move(*container);
  auto instance = from_instance(variables, http);
  if (instance && *instance) return std::move(**instance);
  return fail(
      ErrorCode::unauthenticated,
      fmt::format("find S3 credentials: none in --s3.credentials-file, the environment, the "
                  "shared file or the container's endpoint; instance metadata: {}",
                  instance ? "disabled" : instance.error().message));
}

}  // namespace hearth::objstore
