#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "hearth/clock.h"
#include "objstore/http_call.h"
#include "objstore/sigv4.h"

namespace hearth::objstore {

using Variables = std::map<std::string, std::string, std::less<>>;
/// AWS_… and HOME of this process.
Variables process_variables();

struct CredentialOptions {
  std::string file;     ///< In the form of ~/.aws/credentials; read instead of everything else.
  std::string profile;  ///< Section of that file; empty: AWS_PROFILE, else "default".
};

/// Where credentials come from, in this order: the file that was named; AWS_ACCESS_KEY_ID with
/// AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN; the shared file (AWS_SHARED_CREDENTIALS_FILE or
/// ~/.aws/credentials) if it has the profile; the container's endpoint
/// (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI); the instance's metadata service, version
/// 2, unless AWS_EC2_METADATA_DISABLED. `unauthenticated`, naming what was tried, when there are
/// none. Blocks for some seconds at most; `http` is used for the endpoints.
[[nodiscard]] Result<Credentials> find_credentials(const CredentialOptions& options,
                                                   const Variables& variables, HttpTransport& http);

/// `[profile]` sections with `key = value` lines, as AWS's tools write them. nullopt: no such
/// section. `text` comes from `file`, which errors name; they never hold a value.
[[nodiscard]] Result<std::optional<Credentials>> parse_credentials_file(std::string_view text,
                                                                        std::string_view profile,
                                                                        const std::string& file);

/// Credentials that are fetched when needed, renewed five minutes before they end, and fetched
/// again when the store refuses them. Thread-safe; one caller fetches, others wait.
class CredentialCache {
 public:
  using Loader = std::function<Result<Credentials>()>;
  CredentialCache(const Clock& clock, Loader load) : clock_(clock), load_(std::move(load)) {}

  /// When a renewal fails, the old ones for as long as they last.
  [[nodiscard]] Result<std::shared_ptr<const Credentials>> get();
  /// The store refused `used`. True when there are other credentials now, so that a second try
  /// makes sense. Asks its source at most every ten seconds.
  [[nodiscard]] bool renew_after_refusal(const std::shared_ptr<const Credentials>& used);

 private:
  Status load_locked();
  const Clock& clock_;
  const Loader load_;
  std::mutex mutex_;
  std::shared_ptr<const Credentials> current_;
  int64_t asked_boot_ns_ = INT64_MIN;
};

}  // namespace hearth::objstore
