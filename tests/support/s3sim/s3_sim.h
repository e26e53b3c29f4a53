#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "support/s3sim/sim_http.h"

namespace hearth::test {

/// What goes wrong, once the fault's turn has come.
enum class Fault : uint8_t {
  refuse,        ///< `status` and `code`, nothing is applied.
  refuse_after,  ///< The same, but the request was applied.
  lost_answer,   ///< Applied; the connection is reset.
  dropped,       ///< Not applied; the connection is reset.
  cut_body,      ///< Applied; half of the body.
  hang,          ///< Applied; the answer comes after `delay_ms`.
  error_in_200,  ///< Not applied; 200 with an error of `code` as body.
  redirect,      ///< 307 to `location`.
};

struct FaultRule {
  Fault fault = Fault::refuse;
  std::string method = {};  ///< Empty: any.
  std::string target = {};  ///< A part of the request's target; empty: any.
  int skip = 0;             ///< So many matching requests pass first,
  int times = 1;            ///< then so many meet the fault.
  int status = 503;
  std::string code = "SlowDown";
  int64_t delay_ms = 0;
  std::string location = {};
  std::string retry_after = {};
};

struct S3SimOptions {
  uint16_t port = 0;  ///< 0: a free one.
  std::string bucket = "test";
  std::string region = "us-east-1";
  std::string access_key = "test-key";
  std::string secret_key = "test-secret";
  std::string session_token = {};
  int64_t latency_ms = 0;  ///< Of every answer.
};

struct S3SimCounts {
  uint64_t get = 0, head = 0, put = 0, post = 0, list = 0, remove = 0;
  uint64_t bytes_in = 0, bytes_out = 0;
  [[nodiscard]] uint64_t total() const { return get + head + put + post + list + remove; }
};

/// An S3 service in memory, strict about signatures, payload hashes and conditions; misbehaves as
/// it is told. Thread-safe. Speaks: GET with ranges, HEAD, PUT with If-None-Match, DELETE,
/// ListObjectsV2, uploads in parts; path and virtual-host style.
class S3Sim {
 public:
  explicit S3Sim(S3SimOptions options = {});

  [[nodiscard]] std::string endpoint() const;
  [[nodiscard]] uint16_t port() const { return server_->port(); }
  void add_fault(FaultRule rule);
  void clear_faults();
  [[nodiscard]] S3SimCounts counts() const;
  [[nodiscard]] uint64_t connections() const { return server_->connections(); }
  /// Targets of all requests since the start, as "METHOD target".
  [[nodiscard]] std::vector<std::string> log() const;
  [[nodiscard]] size_t uploads_in_parts() const;
  [[nodiscard]] std::vector<std::string> keys() const;

  void set_latency_ms(int64_t ms);
  /// Share of requests that get 503 SlowDown before anything is applied.
  void set_error_percent(int percent);
  /// Every connection is reset.
  void set_down(bool down);
  void set_credentials(const std::string& access_key, const std::string& secret_key,
                       const std::string& session_token = "");
  /// The store that lies: If-None-Match is not looked at.
  void set_ignore_conditions(bool ignore);
  void set_ignore_ranges(bool ignore);
  /// So many lists after its creation do not show an object.
  void set_list_delay(int lists);
  /// The store's clock, relative to the machine's.
  void set_clock_skew_s(int64_t seconds);
  /// Changes an object behind the client's back.
  void replace(const std::string& key, std::string data);
  void erase(const std::string& key);

 private:
  struct Object {
    std::shared_ptr<const std::string> data;
    int64_t modified_ns = 0;
    int hidden_lists = 0;
  };
  struct Upload {
    std::string key;
    int64_t initiated_ns = 0;
    std::map<int, std::string> parts;
  };
  struct Target {
    std::string bucket, key, path;
    std::map<std::string, std::string> query;
  };

  SimAnswer handle(const SimRequest& request);
  SimAnswer control(const SimRequest& request, const Target& target);
  SimAnswer serve(const SimRequest& request);
  SimAnswer apply(const SimRequest& request, const Target& target);
  SimAnswer get(const SimRequest& request, const Target& target);
  SimAnswer put(const SimRequest& request, const Target& target);
  SimAnswer list(const Target& target);
  SimAnswer list_uploads(const Target& target) const;
  SimAnswer parts(const SimRequest& request, const Target& target);
  SimAnswer complete(const SimRequest& request, const Target& target);
  bool take_fault(const SimRequest& request, FaultRule& out);
  std::string signature_fault(const SimRequest& request, const Target& target) const;
  Target parse_target(const SimRequest& request) const;
  int64_t now_ns() const;
  void count(const SimRequest& request, const Target& target);

  mutable std::mutex mutex_;
  S3SimOptions options_;
  std::list<FaultRule> faults_;
  S3SimCounts counts_;
  std::vector<std::string> log_;
  std::map<std::string, Object> objects_;
  std::map<std::string, Upload> uploads_;
  uint64_t next_upload_ = 1;
  uint64_t dice_ = 88172645463325252U;
  int error_percent_ = 0;
  int list_delay_ = 0;
  int64_t clock_skew_s_ = 0;
  bool down_ = false;
  bool ignore_conditions_ = false;
  bool ignore_ranges_ = false;
  std::unique_ptr<SimHttpServer> server_;  ///< Last: its threads use the rest.
};

}  // namespace hearth::test
