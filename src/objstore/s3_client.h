#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "hearth/clock.h"
#include "objstore/bucket_stats.h"
#include "objstore/credentials.h"
#include "objstore/http_call.h"
#include "objstore/retry.h"
#include "objstore/s3_options.h"
#include "objstore/s3_xml.h"

namespace hearth::objstore {

/// One operation of the S3 protocol.
struct S3Request {
  BucketOperation operation = BucketOperation::get;
  const char* method = "GET";
  std::string key = {};  ///< As the store knows it; empty: the bucket itself.
  HttpFields query = {};
  HttpFields headers = {};  ///< Names in lower case; all are signed.
  std::string_view body = {};
  uint64_t reply_max_bytes = 1U << 20U;
  std::vector<int> expected = {};  ///< Statuses beside 2xx that are answers, not failures.
  /// Says why a 2xx reply cannot be what was asked for; such a reply is asked for again.
  std::function<Status(const HttpReply&)> check = {};
};

/// Signs, sends, judges and repeats requests. Everything asked of it can be repeated: the same key
/// gets the same bytes. Blocking, thread-safe.
///
/// Repeated, with full jitter, within a budget and until a deadline: no or half an answer, 500,
/// 502, 503, 504, 429, 408, 409 (two conditional puts raced), and a 200 whose body is an error.
/// `Retry-After` is honoured. After an operation that nobody answered, reads fail at once for some
/// seconds. 403 reads the credentials again, once; a clock that is off is taken
/// from the store's Date.
/// Errors name operation, key, status, the store's code and the request's id, never a credential:
/// `unavailable` (try later), `permission_denied`, `not_found` (no such bucket), `invalid_argument`
/// (the store refuses what was sent, or is the wrong one), `data_loss` (an answer that makes no
/// sense). Their reason is the store's code, such as "NoSuchUpload".
class S3Client {
 public:
  struct Parts {
    const Clock* clock = nullptr;
    Random* random = nullptr;
    std::unique_ptr<HttpTransport> http = {};
    CredentialCache::Loader credentials = {};
    /// Tests wait no real time; empty: waits, until stop().
    std::function<void(int64_t ns)> pause = {};
  };
  S3Client(const S3Options& options, S3Address address, Parts parts);

  [[nodiscard]] Result<HttpReply> call(const S3Request& request);
  void stop();
  /// Reads fail at once for some seconds, as after an operation that nobody answered.
  void note_away() { away_until_boot_ns_ = clock_.boot_ns() + kAwayFor; }
  [[nodiscard]] BucketStats stats() const;
  /// "s3://bucket/key": for messages.
  [[nodiscard]] std::string name_of(std::string_view key) const;

 private:
  /// One try, and what it says about another one.
  struct Attempt {
    Result<HttpReply> result;
    bool no_answer = false;   ///< Nobody answered.
    bool transient = false;   ///< Another try may help, after a while.
    bool at_once = false;     ///< Something was mended: try again now.
    int64_t wait_min_ns = 0;  ///< The store's Retry-After.
  };
  struct Repairs {
    bool credentials = false, clock = false;  ///< Each is tried once per call.
  };

  [[nodiscard]] HttpCall prepare(const S3Request& request, const std::string& payload_hash,
                                 const Credentials& credentials) const;
  [[nodiscard]] Attempt attempt(const S3Request& request, const std::string& payload_hash,
                                Repairs& repairs);
  [[nodiscard]] Attempt judge(const S3Request& request, HttpReply reply) const;
  [[nodiscard]] Attempt refuse(const S3Request& request, const HttpReply& reply,
                               const S3Refusal& refusal) const;
  [[nodiscard]] bool mend(const Attempt& attempt, const std::shared_ptr<const Credentials>& used,
                          const std::string& date, Repairs& repairs);
  [[nodiscard]] bool wait_for_retry(const Attempt& attempt, int tries, int64_t deadline_boot_ns);
  void count(const S3Request& request, const Attempt& attempt);
  [[nodiscard]] int64_t deadline_boot_ns(const S3Request& request) const;
  [[nodiscard]] std::string describe(const S3Request& request) const;
  [[nodiscard]] int64_t timeout_ns(const S3Request& request) const;

  static constexpr int64_t kAwayFor = 5'000'000'000;
  struct Counters {
    std::atomic<uint64_t> requests = 0, retries = 0, failures = 0;
  };

  const S3Options options_;
  const S3Address address_;
  const Clock& clock_;
  Random& random_;
  const std::unique_ptr<HttpTransport> http_;
  CredentialCache credentials_;
  const std::function<void(int64_t)> pause_;
  RetryBudget budget_;
  /// Reads fail at once until then: the store did not answer, and a query that waits for each of
  /// its parts in turn helps nobody.
  std::atomic<int64_t> away_until_boot_ns_ = INT64_MIN;
  std::atomic<int64_t> clock_offset_ns_ = 0;  ///< Added to the wall clock: the store's time.

  std::array<Counters, kBucketOperations> counters_;
  std::atomic<uint64_t> sent_bytes_ = 0, received_bytes_ = 0;

  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
};

}  // namespace hearth::objstore
