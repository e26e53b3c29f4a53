#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "objstore/http_call.h"

namespace hearth::objstore {

/// Lower-case hex of SHA-256.
std::string sha256_hex(std::string_view data);

/// RFC 3986: all but A-Z a-z 0-9 - . _ ~ becomes %XX; '/' is kept in paths.
std::string percent_encode(std::string_view text, bool keep_slash);

struct Credentials {
  std::string access_key;
  Secret secret_key;
  Secret session_token;  ///< Empty: long-lived keys.
  int64_t expires_wall_ns = INT64_MAX;
};

/// What AWS Signature Version 4 covers. `headers` are all that are sent but those which the
/// transport adds itself; names in lower case; `host` and `x-amz-date` among them.
struct SigningInput {
  std::string method;
  std::string path;  ///< Percent-encoded.
  HttpFields query;  ///< Decoded names and values.
  HttpFields headers;
  std::string payload_sha256;
  std::string time;  ///< "20130524T000000Z"
  std::string region;
  std::string service = "s3";
};

/// Value of the Authorization header.
/// Source: AWS, "Signature Calculations for the Authorization Header", single chunk.
std::string authorization(const SigningInput& input, const Credentials& credentials);

/// `name=value&…`, sorted and percent-encoded: the canonical query, which is also sent.
std::string canonical_query(const HttpFields& query);

/// "20130524T000000Z" of a wall time.
std::string amz_time(int64_t wall_ns);

}  // namespace hearth::objstore
