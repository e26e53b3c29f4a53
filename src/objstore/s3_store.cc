#include "objstore/s3_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <optional>

#include "objstore/curl_transport.h"
#include "objstore/object_key.h"
#include "objstore/s3_upload.h"

namespace hearth::objstore {
namespace {

constexpr uint64_t kTailBytes = 64U << 10U;
/// Objects up to this size stay in memory with their reader; of larger ones the tail is given to
/// its first user only.
constexpr uint64_t kKeepWholeBytes = 32U << 10U;
/// Refusals are longer than small ranges.
constexpr uint64_t kRefusalBytes = 64U << 10U;
constexpr uint64_t kListReplyBytes = 8U << 20U;
constexpr size_t kListPage = 1000;

/// "bytes 5-9/100" → {5, 9, 100}; "bytes */0" has only a size.
struct ContentRange {
  uint64_t first = 0, last = 0, size = 0;
  bool unsatisfied = false;
};
std::optional<ContentRange> parse_content_range(std::string_view text) {
  const std::string copy(text);
  ContentRange out;
  int end = 0;
  unsigned long long first = 0;
  unsigned long long last = 0;
  unsigned long long size = 0;
  if (std::sscanf(copy.c_str(), "bytes */%llu%n", &size, &end) == 1) {
    out = {0, 0, size, true};
  } else if (std::sscanf(copy.c_str(), "bytes %llu-%llu/%llu%n", &first, &last, &size, &end) == 3) {
    out = {first, last, size, false};
  } else {
    return std::nullopt;
  }
  const bool sound = out.unsatisfied || (out.first <= out.last && out.last < out.size);
  if (static_cast<size_t>(end) != copy.size() || !sound) return std::nullopt;
  return out;
}

auto wrong_answer(std::string message) {
  return fail(ErrorCode::data_loss, std::move(message));
}

std::optional<ContentRange> range_of(const HttpReply& reply) {
  return parse_content_range(field_value(reply.headers, "content-range"));
}

SharedBytes shared(std::string body) {
  auto owner = std::make_shared<const std::string>(std::move(body));
  return {owner, *owner};
}

// Whatever keeps the store from answering, refused credentials included, is not damage.
Result<HttpReply> call_to_read(S3Client& client, const S3Request& request) {
  auto reply = client.call(request);
  if (reply || reply.error().code == ErrorCode::data_loss ||
      reply.error().code == ErrorCode::not_found) {
    return reply;
  }
  return fail(reply.error().code, reply.error().message, kBucketAway);
}

/// The end of an object, from `offset` on.
struct Tail {
  SharedBytes bytes;
  uint64_t offset = 0;
};

class S3Object final : public ObjectReader {
 public:
  S3Object(std::shared_ptr<S3Client> client, std::string key, uint64_t size, Tail tail)
      : client_(std::move(client)), key_(std::move(key)), size_(size), tail_(std::move(tail)) {}

  uint64_t size() const override { return size_; }
  Result<SharedBytes> read(uint64_t offset, uint64_t length) const override;

 private:
  std::optional<SharedBytes> from_tail(uint64_t offset, uint64_t length) const;
  Status check(const HttpReply& reply, uint64_t offset, uint64_t length) const;

  const std::shared_ptr<S3Client> client_;
  const std::string key_;
  const uint64_t size_;
  mutable std::mutex mutex_;
  mutable std::optional<Tail> tail_;
};

std::optional<SharedBytes> S3Object::from_tail(uint64_t offset, uint64_t length) const {
  const std::lock_guard lock(mutex_);
  if (!tail_ || offset < tail_->offset) return std::nullopt;
  SharedBytes out{tail_->bytes.owner, tail_->bytes.view.substr(offset - tail_->offset, length)};
  if (size_ > kKeepWholeBytes) tail_.reset();
  return out;
}

Status S3Object::check(const HttpReply& reply, uint64_t offset, uint64_t length) const {
  const auto range = range_of(reply);
  if (reply.status != 206 || !range || range->unsatisfied) {
    return wrong_answer(fmt::format("got status {} with Content-Range \"{}\"; want a range",
                                    reply.status, field_value(reply.headers, "content-range")));
  }
  if (range->size != size_ || range->first != offset || reply.body.size() != length) {
    return wrong_answer(fmt::format("got {}+{} of {} bytes; want {}+{} of {}", range->first,
                                    reply.body.size(), range->size, offset, length, size_));
  }
  return {};
}

Result<SharedBytes> S3Object::read(uint64_t offset, uint64_t length) const {
  if (offset > size_ || length > size_ - offset) {
    return fail(ErrorCode::data_loss, fmt::format("read object {}: range {}+{} of {} bytes",
                                                  client_->name_of(key_), offset, length, size_));
  }
  if (length == 0) return SharedBytes{};
  if (auto bytes = from_tail(offset, length)) return *std::move(bytes);
  S3Request request{.operation = BucketOperation::get, .method = "GET", .key = key_};
  request.headers = {{"range", fmt::format("bytes={}-{}", offset, offset + length - 1)}};
  request.reply_max_bytes = std::max(length, kRefusalBytes);
  request.expected = {404, 416};
  request.check = [&](const HttpReply& reply) { return check(reply, offset, length); };
  HEARTH_ASSIGN_OR_RETURN(HttpReply reply, call_to_read(*client_, request));
  if (reply.status == 404) {
    return fail(ErrorCode::not_found,
                fmt::format("read object {}: no such object", client_->name_of(key_)), kObjectGone);
  }
  if (reply.status == 416) {
    return fail(ErrorCode::data_loss, fmt::format("read object {}: it became shorter than {} bytes",
                                                  client_->name_of(key_), offset + length));
  }
  return shared(std::move(reply.body));
}

}  // namespace

S3Store::S3Store(const S3Options& options, S3Address address, S3Client::Parts parts)
    : options_(options),
      prefix_(options.prefix.empty() ? "" : options.prefix + "/"),
      clock_(*parts.clock),
      client_(std::make_shared<S3Client>(options, std::move(address), std::move(parts))) {}

Result<ObjectStore::PutOutcome> S3Store::put_if_absent(const std::string& key,
                                                       std::string_view data) {
  HEARTH_RETURN_IF_ERROR(check_key(key));
  S3Request request{.operation = BucketOperation::put, .method = "PUT", .key = full_key(key)};
  request.headers = {{"if-none-match", "*"}};
  request.body = data;
  request.expected = {412};
  HEARTH_ASSIGN_OR_RETURN(const HttpReply reply, client_->call(request));
  return reply.status == 412 ? PutOutcome::exists : PutOutcome::created;
}

Status S3Store::put(const std::string& key, std::string_view data) {
  HEARTH_RETURN_IF_ERROR(check_key(key));
  if (data.size() >= options_.parts_from_bytes) {
    return upload_parts(*client_, full_key(key), data, options_.part_bytes);
  }
  S3Request request{.operation = BucketOperation::put, .method = "PUT", .key = full_key(key)};
  request.body = data;
  HEARTH_ASSIGN_OR_RETURN(const HttpReply reply, client_->call(request));
  static_cast<void>(reply);
  return {};
}

Result<std::unique_ptr<ObjectReader>> S3Store::open(const std::string& key) {
  HEARTH_RETURN_IF_ERROR(check_key(key));
  S3Request request{.operation = BucketOperation::get, .method = "GET", .key = full_key(key)};
  request.headers = {{"range", fmt::format("bytes=-{}", kTailBytes)}};
  request.reply_max_bytes = kTailBytes;
  request.expected = {404, 416};
  request.check = [](const HttpReply& reply) -> Status {
    const auto range = range_of(reply);
    const bool whole = reply.status == 200 && !range;
    const bool part = reply.status == 206 && range && !range->unsatisfied &&
                      range->last + 1 == range->size &&
                      range->last - range->first + 1 == reply.body.size();
    if (whole || part) return {};
    return wrong_answer(fmt::format("got {} bytes with Content-Range \"{}\"; want the end",
                                    reply.body.size(),
                                    field_value(reply.headers, "content-range")));
  };
  HEARTH_ASSIGN_OR_RETURN(HttpReply reply, call_to_read(*client_, request));
  if (reply.status == 404) return std::unique_ptr<ObjectReader>();
  // An empty object has no last bytes.
  if (reply.status == 416) {
    return std::make_unique<S3Object>(client_, full_key(key), 0, Tail{});
  }
  const auto range = range_of(reply);
  const uint64_t size = range ? range->size : reply.body.size();
  const uint64_t offset = size - reply.body.size();
  return std::make_unique<S3Object>(client_, full_key(key), size,
                                    Tail{shared(std::move(reply.body)), offset});
}

Result<std::unique_ptr<ObjectReader>> S3Store::open_sized(const std::string& key, uint64_t size) {
  HEARTH_RETURN_IF_ERROR(check_key(key));
  return std::make_unique<S3Object>(client_, full_key(key), size, Tail{{}, size});
}

Result<std::vector<ObjectStore::Entry>> S3Store::list(const std::string& prefix,
                                                      const std::string& start_after,
                                                      size_t limit) {
  std::vector<Entry> out;
  std::string continuation;
  while (out.size() < limit) {
    S3Request request{.operation = BucketOperation::list, .method = "GET"};
    request.query = {{"list-type", "2"},
                     {"prefix", full_key(prefix)},
                     {"max-keys", std::to_string(std::min(limit - out.size(), kListPage))}};
    if (!start_after.empty()) request.query.emplace_back("start-after", full_key(start_after));
    if (!continuation.empty()) request.query.emplace_back("continuation-token", continuation);
    request.reply_max_bytes = kListReplyBytes;
    request.check = [](const HttpReply& reply) -> Status {
      const auto page = parse_list(reply.body);
      return page ? Status() : Status(tl::unexpected(page.error()));
    };
    HEARTH_ASSIGN_OR_RETURN(const HttpReply reply, client_->call(request));
    HEARTH_ASSIGN_OR_RETURN(S3Page page, parse_list(reply.body));
    for (Entry& entry : page.entries) {
      // What others put there under names of their own is not ours to read.
      if (!entry.key.starts_with(prefix_) || entry.key.ends_with('/')) continue;
      entry.key.erase(0, prefix_.size());
      out.push_back(std::move(entry));
    }
    if (!page.truncated) break;
    continuation = std::move(page.continuation);
  }
  return out;
}

Status S3Store::remove(const std::string& key) {
  HEARTH_RETURN_IF_ERROR(check_key(key));
  S3Request request{.operation = BucketOperation::remove, .method = "DELETE", .key = full_key(key)};
  request.expected = {404};
  HEARTH_ASSIGN_OR_RETURN(const HttpReply reply, client_->call(request));
  static_cast<void>(reply);
  return {};
}

Status S3Store::remove_leftovers(int64_t age_min_ns) {
  return abort_uploads(*client_, prefix_, clock_.wall_ns() - age_min_ns);
}

Result<std::shared_ptr<S3Store>> open_s3_store(const S3Options& options, const Variables& variables,
                                               const Clock& clock, Random& random) {
  HEARTH_ASSIGN_OR_RETURN(S3Address address, s3_address(options, variables));
  CurlOptions curl{.ca_file = options.ca_file, .connections_max = options.connections_max};
  S3Client::Parts parts{.clock = &clock, .random = &random};
  HEARTH_ASSIGN_OR_RETURN(parts.http, make_curl_transport(curl));
  // Its own, because the endpoints are asked while a request waits for credentials.
  HEARTH_ASSIGN_OR_RETURN(std::shared_ptr<HttpTransport> endpoints, make_curl_transport(curl));
  parts.credentials = [endpoints, variables, from = options.credentials] {
    return find_credentials(from, variables, *endpoints);
  };
  return std::make_shared<S3Store>(options, std::move(address), std::move(parts));
}

}  // namespace hearth::objstore
