#include "objstore/s3_upload.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/log.h"

namespace hearth::objstore {
namespace {

constexpr size_t kPartsAtOnce = 4;
/// Of the protocol.
constexpr size_t kPartsMax = 10'000;

Result<std::string> begin(S3Client& client, const std::string& key) {
  S3Request request{.operation = BucketOperation::put, .method = "POST", .key = key};
  request.query = {{"uploads", ""}};
  HEARTH_ASSIGN_OR_RETURN(const HttpReply reply, client.call(request));
  return parse_upload_id(reply.body);
}

/// The parts of one upload; several threads take from it.
class Parts {
 public:
  Parts(S3Client& client, const std::string& key, const std::string& upload, std::string_view data,
        size_t part_bytes)
      : client_(client),
        key_(key),
        upload_(upload),
        data_(data),
        part_bytes_(part_bytes),
        etags_((data.size() + part_bytes - 1) / part_bytes) {}

  Result<std::vector<std::string>> send_all() {
    {
      std::vector<std::jthread> threads;
      for (size_t t = 0; t < std::min(kPartsAtOnce, etags_.size()); ++t) {
        threads.emplace_back([this] { run(); });
      }
    }
    if (failed_) return tl::unexpected(*failed_);
    return std::move(etags_);
  }

 private:
  void run() {
    for (size_t i = next_++; i < etags_.size(); i = next_++) {
      auto etag = send(i);
      const std::lock_guard lock(mutex_);
      if (etag) {
        etags_[i] = *std::move(etag);
      } else if (!failed_) {
        failed_ = std::move(etag).error();
      }
      if (failed_) return;
    }
  }

  Result<std::string> send(size_t index) {
    S3Request request{.operation = BucketOperation::put, .method = "PUT", .key = key_};
    request.query = {{"partNumber", std::to_string(index + 1)}, {"uploadId", upload_}};
    request.body = data_.substr(index * part_bytes_, part_bytes_);
    HEARTH_ASSIGN_OR_RETURN(const HttpReply reply, client_.call(request));
    return std::string(field_value(reply.headers, "etag"));
  }

  S3Client& client_;
  const std::string& key_;
  const std::string& upload_;
  const std::string_view data_;
  const size_t part_bytes_;
  std::atomic<size_t> next_ = 0;
  std::mutex mutex_;
  std::vector<std::string> etags_;
  std::optional<Error> failed_;
};

Status abort(S3Client& client, const std::string& key, const std::string& upload) {
  S3Request request{.operation = BucketOperation::remove, .method = "DELETE", .key = key};
  request.query = {{"uploadId", upload}};
  request.expected = {404};
  HEARTH_ASSIGN_OR_RETURN(const HttpReply reply, client.call(request));
  static_cast<void>(reply);
  return {};
}

bool has_size(S3Client& client, const std::string& key, uint64_t size) {
  const auto reply = client.call({.method = "HEAD", .key = key, .expected = {404}});
  return reply && reply->status == 200 &&
         field_value(reply->headers, "content-length") == std::to_string(size);
}

Status complete(S3Client& client, const std::string& key, const std::string& upload,
                const std::vector<std::string>& etags, uint64_t size) {
  const std::string body = complete_upload_xml(etags);
  S3Request request{.operation = BucketOperation::put, .method = "POST", .key = key};
  request.query = {{"uploadId", upload}};
  request.body = body;
  const auto reply = client.call(request);
  if (reply) return {};
  // The answer to an earlier try was lost: the upload is gone because it is complete.
  if (reply.error().reason == "NoSuchUpload" && has_size(client, key, size)) return {};
  return tl::unexpected(reply.error());
}

}  // namespace

Status upload_parts(S3Client& client, const std::string& key, std::string_view data,
                    uint64_t part_bytes) {
  const uint64_t least = (data.size() + kPartsMax - 1) / kPartsMax;
  HEARTH_ASSIGN_OR_RETURN(const std::string upload, begin(client, key));
  Parts parts(client, key, upload, data, std::max({part_bytes, least, uint64_t{1}}));
  auto etags = parts.send_all();
  Status done = etags ? complete(client, key, upload, *etags, data.size())
                      : Status(tl::unexpected(etags.error()));
  if (done) return {};
  if (const Status aborted = abort(client, key, upload); !aborted) {
    log::warn("abort an upload in parts", {{"error", aborted.error().message}});
  }
  return done;
}

Status abort_uploads(S3Client& client, const std::string& prefix, int64_t before_wall_ns) {
  S3Request request{.operation = BucketOperation::list, .method = "GET"};
  request.query = {{"uploads", ""}, {"prefix", prefix}};
  HEARTH_ASSIGN_OR_RETURN(const HttpReply reply, client.call(request));
  HEARTH_ASSIGN_OR_RETURN(const auto uploads, parse_uploads(reply.body));
  for (const S3Upload& upload : uploads) {
    if (upload.initiated_wall_ns >= before_wall_ns || !upload.key.starts_with(prefix)) continue;
    log::info("aborting an upload that was left behind", {{"key", upload.key}});
    HEARTH_RETURN_IF_ERROR(abort(client, upload.key, upload.id));
  }
  return {};
}

}  // namespace hearth::objstore
