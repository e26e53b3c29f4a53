#include "support/s3sim/s3_sim.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "hearth/clock.h"
#include "objstore/http_time.h"
#include "objstore/sigv4.h"
#include "support/percent_decode.h"

namespace hearth::test {
namespace {

using objstore::HttpFields;

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kSkewMax = 900 * kSecond;
constexpr size_t kLogMax = 100'000;

SimAnswer refusal(int status, const std::string& code, const std::string& message = "told to") {
  return {.status = status,
          .headers = {{"Content-Type", "application/xml"}, {"x-amz-request-id", "SIM1"}},
          .body = fmt::format("<?xml version=\"1.0\"?>\n<Error><Code>{}</Code><Message>{}</Message>"
                              "<RequestId>SIM1</RequestId></Error>",
                              code, message)};
}

SimAnswer xml(std::string body) {
  return {.status = 200, .headers = {{"Content-Type", "application/xml"}}, .body = std::move(body)};
}

std::string etag_of(const std::string& data) {
  return fmt::format("\"{:016x}\"", hash64(data));
}

std::string between(const std::string& text, const std::string& before, char after) {
  const size_t at = text.find(before);
  if (at == std::string::npos) return "";
  const size_t begin = at + before.size();
  return text.substr(begin, text.find(after, begin) - begin);
}

std::vector<std::string> split(const std::string& text, char by) {
  std::vector<std::string> out;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(by, at), text.size());
    out.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

/// "bytes=a-b", "bytes=a-" or "bytes=-n" of `size` bytes. False: cannot be satisfied.
bool parse_range(const std::string& text, uint64_t size, uint64_t& first, uint64_t& last) {
  const std::string spec = text.substr(text.find('=') + 1);
  const size_t dash = spec.find('-');
  const std::string a = spec.substr(0, dash);
  const std::string b = spec.substr(dash + 1);
  if (a.empty()) {
    const uint64_t n = std::strtoull(b.c_str(), nullptr, 10);
    first = size - std::min(n, size);
    last = size - 1;
    return size > 0 && n > 0;
  }
  first = std::strtoull(a.c_str(), nullptr, 10);
  last = b.empty() ? size - 1 : std::min<uint64_t>(std::strtoull(b.c_str(), nullptr, 10), size - 1);
  return size > 0 && first < size;
}

std::string param(const std::map<std::string, std::string>& query, const std::string& name) {
  const auto it = query.find(name);
  return it == query.end() ? "" : it->second;
}

}  // namespace

S3Sim::S3Sim(S3SimOptions options) : options_(std::move(options)) {
  server_ = std::make_unique<SimHttpServer>(
      options_.port, [this](const SimRequest& request) { return handle(request); });
}

std::string S3Sim::endpoint() const {
  return fmt::format("http://127.0.0.1:{}", server_->port());
}
int64_t S3Sim::now_ns() const {
  return system_clock().wall_ns() + clock_skew_s_ * kSecond;
}

void S3Sim::add_fault(FaultRule rule) {
  const std::lock_guard lock(mutex_);
  faults_.push_back(std::move(rule));
}
void S3Sim::clear_faults() {
  const std::lock_guard lock(mutex_);
  faults_.clear();
}
S3SimCounts S3Sim::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}
std::vector<std::string> S3Sim::log() const {
  const std::lock_guard lock(mutex_);
  return log_;
}
size_t S3Sim::uploads_in_parts() const {
  const std::lock_guard lock(mutex_);
  return uploads_.size();
}
std::vector<std::string> S3Sim::keys() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> out;
  for (const auto& [key, object] : objects_) out.push_back(key);
  return out;
}
void S3Sim::set_latency_ms(int64_t ms) {
  const std::lock_guard lock(mutex_);
  options_.latency_ms = ms;
}
void S3Sim::set_error_percent(int percent) {
  const std::lock_guard lock(mutex_);
  error_percent_ = percent;
}
void S3Sim::set_down(bool down) {
  const std::lock_guard lock(mutex_);
  down_ = down;
}
void S3Sim::set_credentials(const std::string& access_key, const std::string& secret_key,
                            const std::string& session_token) {
  const std::lock_guard lock(mutex_);
  options_.access_key = access_key;
  options_.secret_key = secret_key;
  options_.session_token = session_token;
}
void S3Sim::set_ignore_conditions(bool ignore) {
  const std::lock_guard lock(mutex_);
  ignore_conditions_ = ignore;
}
void S3Sim::set_ignore_ranges(bool ignore) {
  const std::lock_guard lock(mutex_);
  ignore_ranges_ = ignore;
}
void S3Sim::set_list_delay(int lists) {
  const std::lock_guard lock(mutex_);
  list_delay_ = lists;
}
void S3Sim::set_clock_skew_s(int64_t seconds) {
  const std::lock_guard lock(mutex_);
  clock_skew_s_ = seconds;
}
void S3Sim::replace(const std::string& key, std::string data) {
  const std::lock_guard lock(mutex_);
  objects_[key] = {std::make_shared<const std::string>(std::move(data)), now_ns(), 0};
}
void S3Sim::erase(const std::string& key) {
  const std::lock_guard lock(mutex_);
  objects_.erase(key);
}

S3Sim::Target S3Sim::parse_target(const SimRequest& request) const {
  Target out;
  const size_t mark = std::min(request.target.find('?'), request.target.size());
  out.path = request.target.substr(0, mark);
  if (mark < request.target.size()) {
    for (const std::string& pair : split(request.target.substr(mark + 1), '&')) {
      const size_t equals = std::min(pair.find('='), pair.size());
      out.query[percent_decode(pair.substr(0, equals))] =
          percent_decode(pair.substr(std::min(equals + 1, pair.size())));
    }
  }
  std::string rest = out.path.substr(1);
  if (request.header("host").starts_with(options_.bucket + ".")) {
    out.bucket = options_.bucket;
  } else {
    const size_t slash = std::min(rest.find('/'), rest.size());
    out.bucket = rest.substr(0, slash);
    rest = rest.substr(std::min(slash + 1, rest.size()));
  }
  out.key = percent_decode(rest);
  return out;
}

// Empty: the signature is right. Otherwise the code of the refusal.
std::string S3Sim::signature_fault(const SimRequest& request, const Target& target) const {
  const std::string given = request.header("authorization");
  if (given.empty()) return "AccessDenied";
  if (between(given, "Credential=", '/') != options_.access_key) return "InvalidAccessKeyId";
  if (request.header("x-amz-security-token") != options_.session_token) return "InvalidToken";
  if (objstore::sha256_hex(request.body) != request.header("x-amz-content-sha256")) {
    return "XAmzContentSHA256Mismatch";
  }
  objstore::SigningInput input;
  input.method = request.method;
  input.path = target.path;
  input.query.assign(target.query.begin(), target.query.end());
  for (const std::string& name : split(between(given, "SignedHeaders=", ','), ';')) {
    input.headers.emplace_back(name, request.header(name));
  }
  input.payload_sha256 = request.header("x-amz-content-sha256");
  input.time = request.header("x-amz-date");
  input.region = options_.region;
  const objstore::Credentials credentials{options_.access_key, Secret(options_.secret_key), {}};
  if (objstore::authorization(input, credentials) != given) return "SignatureDoesNotMatch";
  const std::string& t = input.time;
  const auto signed_at =
      objstore::parse_iso_time(t.substr(0, 4) + "-" + t.substr(4, 2) + "-" + t.substr(6, 5) + ":" +
                               t.substr(11, 2) + ":" + t.substr(13));
  if (!signed_at || std::abs(*signed_at - now_ns()) > kSkewMax) return "RequestTimeTooSkewed";
  return "";
}

bool S3Sim::take_fault(const SimRequest& request, FaultRule& out) {
  for (auto it = faults_.begin(); it != faults_.end(); ++it) {
    if (!it->method.empty() && it->method != request.method) continue;
    if (request.target.find(it->target) == std::string::npos) continue;
    if (it->skip-- > 0) continue;
    out = *it;
    if (--it->times <= 0) faults_.erase(it);
    return true;
  }
  return false;
}

void S3Sim::count(const SimRequest& request, const Target& target) {
  if (log_.size() < kLogMax) log_.push_back(request.method + " " + request.target);
  counts_.bytes_in += request.body.size();
  if (request.method == "GET") ++(target.key.empty() ? counts_.list : counts_.get);
  if (request.method == "HEAD") ++counts_.head;
  if (request.method == "PUT") ++counts_.put;
  if (request.method == "POST") ++counts_.post;
  if (request.method == "DELETE") ++counts_.remove;
}

SimAnswer S3Sim::handle(const SimRequest& request) {
  const std::lock_guard lock(mutex_);
  if (const Target target = parse_target(request); target.bucket == "-") {
    return control(request, target);
  }
  SimAnswer answer = serve(request);
  answer.delay_ms += options_.latency_ms;
  answer.headers.emplace_back("Date", objstore::http_date(now_ns()));
  counts_.bytes_out += answer.body.size();
  return answer;
}

// `POST
// /-/set?down=1&latency_ms=30&error_percent=10&access_key=…&secret_key=…&ignore_conditions=1`; `GET
// /-/counts`: for scripts.
SimAnswer S3Sim::control(const SimRequest& request, const Target& target) {
  if (request.method == "POST") {
    const auto number = [&](const char* name, int64_t before) {
      const std::string text = param(target.query, name);
      return text.empty() ? before : std::strtoll(text.c_str(), nullptr, 10);
    };
    down_ = number("down", down_) != 0;
    options_.latency_ms = number("latency_ms", options_.latency_ms);
    error_percent_ = static_cast<int>(number("error_percent", error_percent_));
    ignore_conditions_ = number("ignore_conditions", ignore_conditions_) != 0;
    list_delay_ = static_cast<int>(number("list_delay", list_delay_));
    for (auto [name, field] : {std::pair("access_key", &options_.access_key),
                               std::pair("secret_key", &options_.secret_key)}) {
      if (const std::string value = param(target.query, name); !value.empty()) *field = value;
    }
  }
  return {.body =
              fmt::format("{{\"get\":{},\"head\":{},\"put\":{},\"post\":{},\"list\":{},"
                          "\"remove\":{},\"bytes_in\":{},\"bytes_out\":{},\"objects\":{}}}\n",
                          counts_.get, counts_.head, counts_.put, counts_.post, counts_.list,
                          counts_.remove, counts_.bytes_in, counts_.bytes_out, objects_.size())};
}

SimAnswer S3Sim::serve(const SimRequest& request) {
  const Target target = parse_target(request);
  if (down_) return {.no_answer = true, .reset = true};
  count(request, target);
  dice_ ^= dice_ << 13U;
  dice_ ^= dice_ >> 7U;
  dice_ ^= dice_ << 17U;
  if (static_cast<int>(dice_ % 100) < error_percent_) return refusal(503, "SlowDown");
  FaultRule fault;
  const bool faulty = take_fault(request, fault);
  if (faulty && (fault.fault == Fault::refuse || fault.fault == Fault::redirect)) {
    SimAnswer answer = refusal(fault.fault == Fault::redirect ? 307 : fault.status, fault.code);
    if (!fault.location.empty()) answer.headers.emplace_back("Location", fault.location);
    if (!fault.retry_after.empty()) answer.headers.emplace_back("Retry-After", fault.retry_after);
    return answer;
  }
  if (faulty && fault.fault == Fault::dropped) return {.no_answer = true, .reset = true};
  if (faulty && fault.fault == Fault::error_in_200) {
    SimAnswer answer = refusal(200, fault.code);
    return answer;
  }
  const std::string wrong = signature_fault(request, target);
  if (!wrong.empty()) {
    return refusal(wrong == "XAmzContentSHA256Mismatch" ? 400 : 403, wrong, "not yours");
  }
  if (target.bucket != options_.bucket) return refusal(404, "NoSuchBucket");
  SimAnswer answer = apply(request, target);
  if (!faulty) return answer;
  if (fault.fault == Fault::refuse_after) return refusal(fault.status, fault.code);
  if (fault.fault == Fault::lost_answer) return {.no_answer = true, .reset = true};
  answer.cut_body = fault.fault == Fault::cut_body;
  answer.delay_ms += fault.delay_ms;
  return answer;
}

SimAnswer S3Sim::apply(const SimRequest& request, const Target& target) {
  if (target.query.contains("uploadId") || request.method == "POST") return parts(request, target);
  if (target.key.empty()) {
    return target.query.contains("uploads") ? list_uploads(target) : list(target);
  }
  if (request.method == "PUT") return put(request, target);
  if (request.method == "DELETE") {
    objects_.erase(target.key);
    return {.status = 204};
  }
  return get(request, target);
}

SimAnswer S3Sim::get(const SimRequest& request, const Target& target) {
  const auto it = objects_.find(target.key);
  if (it == objects_.end()) return refusal(404, "NoSuchKey");
  const std::string& data = *it->second.data;
  SimAnswer answer{.headers = {{"ETag", etag_of(data)}}};
  const std::string range = request.header("range");
  if (range.empty() || ignore_ranges_) {
    answer.body = data;
    return answer;
  }
  uint64_t first = 0;
  uint64_t last = 0;
  if (!parse_range(range, data.size(), first, last)) {
    SimAnswer unsatisfied = refusal(416, "InvalidRange");
    unsatisfied.headers.emplace_back("Content-Range", fmt::format("bytes */{}", data.size()));
    return unsatisfied;
  }
  answer.status = 206;
  answer.headers.emplace_back("Content-Range",
                              fmt::format("bytes {}-{}/{}", first, last, data.size()));
  answer.body = data.substr(first, last - first + 1);
  return answer;
}

SimAnswer S3Sim::put(const SimRequest& request, const Target& target) {
  const bool absent_only = request.header("if-none-match") == "*" && !ignore_conditions_;
  if (absent_only && objects_.contains(target.key)) return refusal(412, "PreconditionFailed");
  objects_[target.key] = {std::make_shared<const std::string>(request.body), now_ns(), list_delay_};
  return {.headers = {{"ETag", etag_of(request.body)}}};
}

SimAnswer S3Sim::list(const Target& target) {
  const std::string prefix = param(target.query, "prefix");
  const std::string token = param(target.query, "continuation-token");
  const std::string after = token.empty() ? param(target.query, "start-after") : token;
  const std::string max = param(target.query, "max-keys");
  const size_t limit = max.empty() ? 1000 : std::strtoull(max.c_str(), nullptr, 10);
  std::string entries;
  std::string last;
  size_t n = 0;
  bool truncated = false;
  for (auto& [key, object] : objects_) {
    if (!key.starts_with(prefix) || key <= after) continue;
    if (object.hidden_lists > 0) {
      --object.hidden_lists;
      continue;
    }
    if (n == limit) {
      truncated = true;
      break;
    }
    entries += fmt::format(
        "<Contents><Key>{}</Key><LastModified>{}</LastModified><Size>{}</Size></Contents>", key,
        objstore::iso_time(object.modified_ns), object.data->size());
    last = key;
    ++n;
  }
  return xml(
      fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult "
                  "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><IsTruncated>{}"
                  "</IsTruncated>{}{}</ListBucketResult>",
                  truncated, entries,
                  truncated ? fmt::format("<NextContinuationToken>{}"
                                          "</NextContinuationToken>",
                                          last)
                            : ""));
}

SimAnswer S3Sim::list_uploads(const Target& target) const {
  std::string entries;
  for (const auto& [id, upload] : uploads_) {
    if (!upload.key.starts_with(param(target.query, "prefix"))) continue;
    entries += fmt::format(
        "<Upload><Key>{}</Key><UploadId>{}</UploadId><Initiated>{}</Initiated></Upload>",
        upload.key, id, objstore::iso_time(upload.initiated_ns));
  }
  return xml("<ListMultipartUploadsResult>" + entries + "</ListMultipartUploadsResult>");
}

SimAnswer S3Sim::parts(const SimRequest& request, const Target& target) {
  if (target.query.contains("uploads")) {
    const std::string id = fmt::format("upload-{}", next_upload_++);
    uploads_[id] = {target.key, now_ns(), {}};
    return xml(
        fmt::format("<InitiateMultipartUploadResult><UploadId>{}</UploadId>"
                    "</InitiateMultipartUploadResult>",
                    id));
  }
  const auto it = uploads_.find(param(target.query, "uploadId"));
  if (it == uploads_.end() || it->second.key != target.key) return refusal(404, "NoSuchUpload");
  if (request.method == "DELETE") {
    uploads_.erase(it);
    return {.status = 204};
  }
  if (request.method == "POST") return complete(request, target);
  it->second.parts[std::atoi(param(target.query, "partNumber").c_str())] = request.body;
  return {.headers = {{"ETag", etag_of(request.body)}}};
}

SimAnswer S3Sim::complete(const SimRequest& request, const Target& target) {
  const std::string id = param(target.query, "uploadId");
  std::string data;
  std::string wanted;
  for (const auto& [number, part] : uploads_[id].parts) {
    wanted += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>", number,
                          etag_of(part));
    data += part;
  }
  std::string given = request.body;
  for (size_t at = 0; (at = given.find("&quot;")) != std::string::npos;) given.replace(at, 6, "\"");
  if (given.find(wanted) == std::string::npos) return refusal(400, "InvalidPart");
  objects_[target.key] = {std::make_shared<const std::string>(std::move(data)), now_ns(),
                          list_delay_};
  uploads_.erase(id);
  return xml("<CompleteMultipartUploadResult><ETag>\"x\"</ETag></CompleteMultipartUploadResult>");
}

}  // namespace hearth::test
