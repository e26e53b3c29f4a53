#include "objstore/s3_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/log.h"
#include "objstore/http_time.h"

namespace hearth::objstore {
namespace {

using std::string_view;

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kMs = 1'000'000;
/// Bodies are expected to move at 1 MiB/s at least.
constexpr int64_t kNsPerByte = kSecond / (1 << 20);
constexpr int64_t kRetryAfterMax = 60 * kSecond;
/// A query waits for reads.
constexpr int64_t kReadPatience = 2;

bool is_transient_status(int status) {
  constexpr int kStatuses[] = {408, 409, 429, 500, 502, 503, 504};
  return std::ranges::find(kStatuses, status) != std::end(kStatuses);
}

bool is_transient_code(string_view code) {
  constexpr string_view kCodes[] = {
      "SlowDown",   "InternalError",    "ServiceUnavailable",  "RequestTimeout",
      "Throttling", "OperationAborted", "RequestLimitExceeded"};
  return std::ranges::find(kCodes, code) != std::end(kCodes);
}

// Answers that other credentials may turn into success.
bool blames_credentials(int status, string_view code) {
  constexpr string_view kCodes[] = {"ExpiredToken", "InvalidToken", "TokenRefreshRequired"};
  const bool named = std::ranges::find(kCodes, code) != std::end(kCodes);
  return named || status == 401 || (status == 403 && code != "RequestTimeTooSkewed");
}

bool is_read(const S3Request& request) {
  return request.operation == BucketOperation::get || request.operation == BucketOperation::list;
}

ErrorCode code_of(int status) {
  if (is_transient_status(status) || status >= 500) return ErrorCode::unavailable;
  if (status == 401 || status == 403) return ErrorCode::permission_denied;
  if (status == 404) return ErrorCode::not_found;
  return ErrorCode::invalid_argument;
}

// Seconds, or a date by the store's own clock.
int64_t retry_after_ns(const HttpReply& reply) {
  const std::string text(field_value(reply.headers, "retry-after"));
  if (text.empty()) return 0;
  if (const auto at = parse_http_date(text)) {
    const auto now = parse_http_date(field_value(reply.headers, "date"));
    return now ? std::clamp<int64_t>(*at - *now, 0, kRetryAfterMax) : 0;
  }
  const double seconds = std::clamp(std::strtod(text.c_str(), nullptr), 0.0, 60.0);
  return static_cast<int64_t>(seconds * static_cast<double>(kSecond));
}

}  // namespace

S3Client::S3Client(const S3Options& options, S3Address address, Parts parts)
    : options_(options),
      address_(std::move(address)),
      clock_(*parts.clock),
      random_(*parts.random),
      http_(std::move(parts.http)),
      credentials_(clock_, std::move(parts.credentials)),
      pause_(std::move(parts.pause)) {}

std::string S3Client::name_of(string_view key) const {
  return fmt::format("s3://{}{}{}", options_.bucket, key.empty() ? "" : "/", key);
}

std::string S3Client::describe(const S3Request& request) const {
  return fmt::format("{} {}", kBucketOperationNames[static_cast<size_t>(request.operation)],
                     name_of(request.key));
}

// What can be moved in either direction counts, so that a large range has its time, too.
int64_t S3Client::timeout_ns(const S3Request& request) const {
  const uint64_t bytes = request.body.size() + request.reply_max_bytes;
  return options_.timeout_ns + static_cast<int64_t>(bytes) * kNsPerByte;
}

HttpCall S3Client::prepare(const S3Request& request, const std::string& payload_hash,
                           const Credentials& credentials) const {
  SigningInput input;
  input.method = request.method;
  input.path = address_.base_path;
  if (!request.key.empty() || input.path.empty()) {
    input.path += "/" + percent_encode(request.key, true);
  }
  input.query = request.query;
  input.payload_sha256 = payload_hash;
  input.time = amz_time(clock_.wall_ns() + clock_offset_ns_);
  input.region = address_.region;
  input.headers = request.headers;
  input.headers.emplace_back("x-amz-content-sha256", payload_hash);
  input.headers.emplace_back("x-amz-date", input.time);
  if (!credentials.session_token.empty()) {
    input.headers.emplace_back("x-amz-security-token", credentials.session_token.reveal());
  }
  HttpCall call;
  call.headers = input.headers;
  input.headers.emplace_back("host", address_.host);  // The transport sends it.
  call.headers.emplace_back("authorization", authorization(input, credentials));
  call.method = request.method;
  call.url = address_.origin + input.path;
  if (!request.query.empty()) call.url += "?" + canonical_query(request.query);
  call.body = request.body;
  call.has_body = input.method == "PUT" || input.method == "POST";
  call.timeout_ms = timeout_ns(request) / kMs;
  call.reply_max_bytes = request.reply_max_bytes;
  return call;
}

S3Client::Attempt S3Client::refuse(const S3Request& request, const HttpReply& reply,
                                   const S3Refusal& refusal) const {
  std::string message = fmt::format("{}: status {}", describe(request), reply.status);
  if (!refusal.code.empty()) message += " " + refusal.code;
  if (!refusal.message.empty()) message += fmt::format(" \"{}\"", refusal.message.substr(0, 300));
  std::string id = refusal.request_id;
  if (id.empty()) id = field_value(reply.headers, "x-amz-request-id");
  if (!id.empty()) message += fmt::format(" (request {})", id);
  std::string region(field_value(reply.headers, "x-amz-bucket-region"));
  if (region.empty()) region = refusal.region;
  if (!region.empty() && region != address_.region) {
    message += fmt::format("; the bucket is in region {}: set --s3.region", region);
  }
  if (reply.status >= 300 && reply.status < 400) {
    std::string to(field_value(reply.headers, "location"));
    if (to.empty()) to = refusal.endpoint;
    message += fmt::format("; redirects are not followed: {} is the address to set", to);
  }
  Attempt out{fail(code_of(reply.status), std::move(message), refusal.code)};
  out.transient = is_transient_status(reply.status) || is_transient_code(refusal.code);
  if (out.transient) out.result.error().code = ErrorCode::unavailable;
  out.wait_min_ns = retry_after_ns(reply);
  return out;
}

S3Client::Attempt S3Client::judge(const S3Request& request, HttpReply reply) const {
  const bool success = reply.status >= 200 && reply.status < 300;
  if (!success && std::ranges::count(request.expected, reply.status) > 0) {
    const bool no_bucket = reply.status == 404 && parse_refusal(reply.body).code == "NoSuchBucket";
    if (!no_bucket) return {std::move(reply)};
  }
  if (!success) return refuse(request, reply, parse_refusal(reply.body));
  // Completed uploads send 200 before they know how they end. The ranges of objects are 206.
  if (reply.status == 200 &&
      string_view(reply.body).substr(0, 1024).find("<Error>") != string_view::npos) {
    const S3Refusal refusal = parse_refusal(reply.body);
    if (!refusal.code.empty()) {
      Attempt out = refuse(request, reply, refusal);
      if (out.transient) out.result.error().code = ErrorCode::unavailable;
      return out;
    }
  }
  if (request.check) {
    if (const Status right = request.check(reply); !right) {
      Attempt out{fail(ErrorCode::data_loss,
                       fmt::format("{}: {}", describe(request), right.error().message))};
      out.transient = true;
      return out;
    }
  }
  return {std::move(reply)};
}

// Credentials that were renewed and a clock that is off are mended here, once per call each.
bool S3Client::mend(const Attempt& attempt, const std::shared_ptr<const Credentials>& used,
                    const std::string& date, Repairs& repairs) {
  const Error& error = attempt.result.error();
  if (error.reason == "RequestTimeTooSkewed" && !repairs.clock) {
    repairs.clock = true;
    const auto store_time = parse_http_date(date);
    if (!store_time) return false;
    clock_offset_ns_ = *store_time - clock_.wall_ns();
    log::warn("the bucket's clock differs from this machine's",
              {{"bucket", name_of("")}, {"seconds", clock_offset_ns_ / kSecond}});
    return true;
  }
  const int status = error.code == ErrorCode::permission_denied ? 403 : 0;
  if (blames_credentials(status, error.reason) && !repairs.credentials) {
    repairs.credentials = true;
    return credentials_.renew_after_refusal(used);
  }
  return false;
}

S3Client::Attempt S3Client::attempt(const S3Request& request, const std::string& payload_hash,
                                    Repairs& repairs) {
  auto credentials = credentials_.get();
  if (!credentials) {
    Error error = std::move(credentials).error();
    error.message = describe(request) + ": " + error.message;
    return {tl::unexpected(std::move(error))};
  }
  auto reply = http_->send(prepare(request, payload_hash, **credentials));
  if (!reply) {
    Error error = std::move(reply).error();
    const bool transient = error.code == ErrorCode::unavailable && error.reason != "stopped";
    error.message = describe(request) + ": " + error.message;
    Attempt out{tl::unexpected(std::move(error))};
    out.transient = out.no_answer = transient;
    return out;
  }
  sent_bytes_ += request.body.size();
  received_bytes_ += reply->body.size();
  const std::string date(field_value(reply->headers, "date"));
  Attempt out = judge(request, *std::move(reply));
  if (!out.result && !out.transient) out.at_once = mend(out, *credentials, date, repairs);
  return out;
}

bool S3Client::wait_for_retry(const Attempt& attempt, int tries, int64_t deadline_boot_ns) {
  const int64_t wait = std::max(backoff_ns(tries, random_), attempt.wait_min_ns);
  if (clock_.boot_ns() + wait >= deadline_boot_ns || !budget_.take()) return false;
  if (pause_) {
    pause_(wait);
    return true;
  }
  std::unique_lock lock(mutex_);
  return !stop_.wait_for(lock, std::chrono::nanoseconds(wait), [this] { return stopping_; });
}

void S3Client::count(const S3Request& request, const Attempt& attempt) {
  Counters& counters = counters_[static_cast<size_t>(request.operation)];
  ++counters.requests;
  if (!attempt.result) ++counters.failures;
}

int64_t S3Client::deadline_boot_ns(const S3Request& request) const {
  const int64_t patience =
      is_read(request) ? std::min(kReadPatience, options_.patience) : options_.patience;
  return clock_.boot_ns() + patience * timeout_ns(request);
}

Result<HttpReply> S3Client::call(const S3Request& request) {
  if (is_read(request) && clock_.boot_ns() < away_until_boot_ns_) {
    return fail(ErrorCode::unavailable,
                fmt::format("{}: the store did not answer some seconds ago", describe(request)));
  }
  const std::string payload_hash = sha256_hex(request.body);
  const int64_t deadline = deadline_boot_ns(request);
  budget_.on_request();
  Repairs repairs;
  for (int tries = 1;; ++tries) {
    Attempt attempt = this->attempt(request, payload_hash, repairs);
    count(request, attempt);
    if (attempt.result) {
      away_until_boot_ns_ = INT64_MIN;
      return std::move(attempt.result);
    }
    const bool again =
        attempt.at_once || (attempt.transient && wait_for_retry(attempt, tries, deadline));
    if (!again) {
      if (attempt.no_answer) note_away();
      return std::move(attempt.result);
    }
    ++counters_[static_cast<size_t>(request.operation)].retries;
  }
}

void S3Client::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  http_->stop();
}

BucketStats S3Client::stats() const {
  BucketStats out;
  for (size_t i = 0; i < kBucketOperations; ++i) {
    out.operations[i] = {counters_[i].requests, counters_[i].retries, counters_[i].failures};
  }
  out.sent_bytes = sent_bytes_;
  out.received_bytes = received_bytes_;
  return out;
}

}  // namespace hearth::objstore
