#include "objstore/s3_options.h"

#include <fmt/format.h>

#include "objstore/object_key.h"

namespace hearth::objstore {
namespace {

using std::string_view;

constexpr string_view kScheme = "s3://";
constexpr const char* kDefaultRegion = "us-east-1";

auto invalid(std::string message) {
  return fail(ErrorCode::invalid_argument, std::move(message));
}

bool is_bucket_name(string_view name) {
  if (name.size() < 3 || name.size() > 63) return false;
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter && c != '-' && c != '.' && c != '_') return false;
  }
  return true;
}

bool is_host_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         string_view("-._:[]").find(c) != string_view::npos;
}

std::string region_of(const S3Options& options, const Variables& variables) {
  if (!options.region.empty()) return options.region;
  for (const char* name : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
    const auto it = variables.find(name);
    if (it != variables.end() && !it->second.empty()) return it->second;
  }
  return kDefaultRegion;
}

/// "https://host:port" → scheme and host; a port that the scheme implies is dropped, as it is in
/// the Host header.
Result<std::pair<std::string, std::string>> split_endpoint(const std::string& endpoint) {
  const size_t mark = endpoint.find("://");
  const std::string scheme = mark == std::string::npos ? "" : endpoint.substr(0, mark);
  std::string host = mark == std::string::npos ? "" : endpoint.substr(mark + 3);
  while (host.ends_with('/')) host.pop_back();
  bool ok = (scheme == "http" || scheme == "https") && !host.empty();
  for (const char c : host) ok = ok && is_host_byte(c);
  if (!ok) {
    return invalid(
        fmt::format("s3.endpoint: got \"{}\"; want http://host[:port] or https://…", endpoint));
  }
  const string_view implied = scheme == "http" ? ":80" : ":443";
  if (host.ends_with(implied)) host.resize(host.size() - implied.size());
  return std::pair(scheme, host);
}

}  // namespace

bool is_s3_location(const std::string& location) {
  return location.find("://") != std::string::npos;
}

Status parse_s3_location(const std::string& location, S3Options& out) {
  if (!location.starts_with(kScheme)) {
    return invalid(
        fmt::format("bucket: got \"{}\"; want a directory or s3://bucket/prefix", location));
  }
  const string_view rest = string_view(location).substr(kScheme.size());
  const size_t slash = std::min(rest.find('/'), rest.size());
  out.bucket = rest.substr(0, slash);
  out.prefix = rest.substr(std::min(slash + 1, rest.size()));
  while (out.prefix.ends_with('/')) out.prefix.pop_back();
  if (!is_bucket_name(out.bucket)) {
    return invalid(
        fmt::format("bucket: \"{}\" in \"{}\" is not the name of a bucket", out.bucket, location));
  }
  return out.prefix.empty() ? Status() : check_key(out.prefix);
}

Result<S3Address> s3_address(const S3Options& options, const Variables& variables) {
  S3Address out;
  out.region = region_of(options, variables);
  const bool aws = options.endpoint.empty();
  const std::string endpoint =
      aws ? fmt::format("https://s3.{}.amazonaws.com", out.region) : options.endpoint;
  HEARTH_ASSIGN_OR_RETURN(const auto parts, split_endpoint(endpoint));
  const auto& [scheme, host] = parts;
  // A certificate for *.host does not cover a bucket's name that has dots itself.
  const bool in_path =
      options.path_style == "true" ||
      (options.path_style == "auto" && (!aws || options.bucket.find('.') != std::string::npos));
  out.host = in_path ? host : options.bucket + "." + host;
  out.base_path = in_path ? "/" + options.bucket : "";
  out.origin = scheme + "://" + out.host;
  return out;
}

}  // namespace hearth::objstore
