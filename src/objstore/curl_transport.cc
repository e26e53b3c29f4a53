#include "objstore/curl_transport.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <vector>

#include "objstore/curl_library.h"

namespace hearth::objstore {
namespace {

/// How soon a running call notices stop().
constexpr int kStopPollMs = 100;
constexpr size_t kReplyHeadMax = 64U << 10U;

/// What the callbacks of one call work on.
struct Transfer {
  std::string_view unsent;
  std::string_view body;
  uint64_t reply_max = 0;
  size_t head_bytes = 0;
  bool too_large = false;
  HttpReply reply = {};
};

size_t send_bytes(char* out, size_t size, size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const size_t n = std::min(size * count, transfer.unsent.size());
  std::memcpy(out, transfer.unsent.data(), n);
  transfer.unsent.remove_prefix(n);
  return n;
}

// libcurl sends again when a kept connection turns out to be closed.
int rewind_bytes(void* user, curl_off_t offset, int origin) {
  auto& transfer = *static_cast<Transfer*>(user);
  const auto at = static_cast<size_t>(offset);
  if (origin != SEEK_SET || at > transfer.body.size()) return CURL_SEEKFUNC_CANTSEEK;
  transfer.unsent = transfer.body.substr(at);
  return CURL_SEEKFUNC_OK;
}

size_t receive_bytes(char* data, size_t size, size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const size_t n = size * count;
  if (transfer.reply.body.size() + n > transfer.reply_max) {
    transfer.too_large = true;
    return 0;
  }
  if (transfer.reply.body.empty()) {
    const std::string length(field_value(transfer.reply.headers, "content-length"));
    transfer.reply.body.reserve(std::min(std::strtoull(length.c_str(), nullptr, 10),
                                         static_cast<unsigned long long>(transfer.reply_max)));
  }
  transfer.reply.body.append(data, n);
  return n;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && std::string_view(" \t\r\n").find(text.back()) != std::string_view::npos) {
    text.remove_suffix(1);
  }
  return text;
}

void add_field(std::string_view line, HttpReply& reply) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  std::string name(line.substr(0, colon));
  for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  reply.headers.emplace_back(std::move(name), trimmed(line.substr(colon + 1)));
}

size_t receive_head(char* data, size_t size, size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const std::string_view line(data, size * count);
  transfer.head_bytes += line.size();
  if (transfer.head_bytes > kReplyHeadMax) {
    transfer.too_large = true;
    return 0;
  }
  // An interim answer (100 Continue) is followed by the real one.
  if (line.starts_with("HTTP/")) {
    transfer.reply.headers.clear();
  } else {
    add_field(line, transfer.reply);
  }
  return line.size();
}

bool is_near(std::string_view url) {
  for (const std::string_view host : {"127.", "localhost", "[::1]", "169.254."}) {
    if (url.starts_with(std::string("http://").append(host))) return true;
    if (url.starts_with(std::string("https://").append(host))) return true;
  }
  return false;
}

/// A handle and its kept connections. Used by one call at a time.
struct Slot {
  CURL* easy = nullptr;
  CURLM* multi = nullptr;
};

class CurlTransport final : public HttpTransport {
 public:
  CurlTransport(const CurlLibrary& curl, CurlOptions options)
      : curl_(curl), options_(std::move(options)) {}
  ~CurlTransport() override;
  CurlTransport(const CurlTransport&) = delete;
  CurlTransport& operator=(const CurlTransport&) = delete;

  Result<HttpReply> send(const HttpCall& call) override;
  void stop() override;

 private:
  Result<Slot> acquire();
  void release(Slot slot);
  void prepare(const Slot& slot, const HttpCall& call, Transfer& transfer, curl_slist* headers,
               char* error);
  curl_slist* header_list(const HttpCall& call) const;
  CURLcode perform(const Slot& slot);
  Result<HttpReply> conclude(const Slot& slot, const HttpCall& call, CURLcode code,
                             Transfer& transfer, const char* detail) const;

  const CurlLibrary& curl_;
  const CurlOptions options_;
  std::atomic<bool> stopping_ = false;

  std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<Slot> idle_;
  size_t busy_ = 0;
};

CurlTransport::~CurlTransport() {
  for (const Slot& slot : idle_) {
    curl_.easy_cleanup(slot.easy);
    curl_.multi_cleanup(slot.multi);
  }
}

tl::unexpected<Error> stopped(const HttpCall& call) {
  return fail(ErrorCode::unavailable, fmt::format("{} {}: shutting down", call.method, call.url),
              "stopped");
}

Result<Slot> CurlTransport::acquire() {
  std::unique_lock lock(mutex_);
  freed_.wait(lock, [this] { return stopping_ || busy_ < options_.connections_max; });
  // The most recently used handle has the warmest connection.
  Slot slot;
  if (!idle_.empty()) {
    slot = idle_.back();
    idle_.pop_back();
  } else {
    slot = {curl_.easy_init(), curl_.multi_init()};
  }
  if (slot.easy == nullptr || slot.multi == nullptr) {
    return fail(ErrorCode::unavailable, "make a libcurl handle: out of memory");
  }
  ++busy_;
  return slot;
}

void CurlTransport::release(Slot slot) {
  {
    const std::lock_guard lock(mutex_);
    idle_.push_back(slot);
    --busy_;
  }
  freed_.notify_one();
}

void CurlTransport::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  freed_.notify_all();
}

curl_slist* CurlTransport::header_list(const HttpCall& call) const {
  // Without an answer to "Expect: 100-continue" libcurl waits a second.
  curl_slist* list = curl_.slist_append(nullptr, "Expect:");
  for (const auto& [name, value] : call.headers) {
    list = curl_.slist_append(list, (name + ": " + value).c_str());
  }
  return list;
}

void CurlTransport::prepare(const Slot& slot, const HttpCall& call, Transfer& transfer,
                            curl_slist* headers, char* error) {
  const auto set = [&](CURLoption option, auto value) {
    curl_.easy_setopt(slot.easy, option, value);
  };
  curl_.easy_reset(slot.easy);
  set(CURLOPT_URL, call.url.c_str());
  set(CURLOPT_PATH_AS_IS, 1L);
  set(CURLOPT_CUSTOMREQUEST, call.method.c_str());
  set(CURLOPT_HTTPHEADER, headers);
  set(CURLOPT_ERRORBUFFER, error);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(call.timeout_ms));
  set(CURLOPT_CONNECTTIMEOUT_MS,
      static_cast<long>(std::min(call.timeout_ms, options_.connect_timeout_ms)));
  set(CURLOPT_WRITEFUNCTION, &receive_bytes);
  set(CURLOPT_WRITEDATA, static_cast<void*>(&transfer));
  set(CURLOPT_HEADERFUNCTION, &receive_head);
  set(CURLOPT_HEADERDATA, static_cast<void*>(&transfer));
  if (!options_.ca_file.empty()) set(CURLOPT_CAINFO, options_.ca_file.c_str());
  if (is_near(call.url)) set(CURLOPT_NOPROXY, "*");
  if (call.method == "HEAD") set(CURLOPT_NOBODY, 1L);
  if (!call.has_body) return;
  set(CURLOPT_UPLOAD, 1L);
  set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
  set(CURLOPT_READFUNCTION, &send_bytes);
  set(CURLOPT_READDATA, static_cast<void*>(&transfer));
  set(CURLOPT_SEEKFUNCTION, &rewind_bytes);
  set(CURLOPT_SEEKDATA, static_cast<void*>(&transfer));
}

// The loop of curl_easy_perform, with a look at stop() in between.
CURLcode CurlTransport::perform(const Slot& slot) {
  if (curl_.multi_add_handle(slot.multi, slot.easy) != CURLM_OK) return CURLE_FAILED_INIT;
  int running = 1;
  while (running > 0 && !stopping_) {
    if (curl_.multi_perform(slot.multi, &running) != CURLM_OK) break;
    if (running > 0) curl_.multi_poll(slot.multi, nullptr, 0, kStopPollMs, nullptr);
  }
  CURLcode code = CURLE_ABORTED_BY_CALLBACK;
  int left = 0;
  while (const CURLMsg* message = curl_.multi_info_read(slot.multi, &left)) {
    if (message->msg == CURLMSG_DONE) code = message->data.result;
  }
  curl_.multi_remove_handle(slot.multi, slot.easy);
  return code;
}

Result<HttpReply> CurlTransport::conclude(const Slot& slot, const HttpCall& call, CURLcode code,
                                          Transfer& transfer, const char* detail) const {
  if (code == CURLE_OK) {
    long status = 0;
    curl_.easy_getinfo(slot.easy, CURLINFO_RESPONSE_CODE, &status);
    transfer.reply.status = static_cast<int>(status);
    return std::move(transfer.reply);
  }
  if (stopping_) return stopped(call);
  const std::string what =
      fmt::format("{} {}", call.method, call.url.substr(0, call.url.find('?')));
  if (transfer.too_large) {
    return fail(ErrorCode::too_large,
                fmt::format("{}: answer over {} bytes", what, transfer.reply_max));
  }
  // A certificate does not become better by asking again.
  const bool untrusted = code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE;
  return fail(untrusted ? ErrorCode::permission_denied : ErrorCode::unavailable,
              fmt::format("{}: {}", what, *detail != '\0' ? detail : curl_.easy_strerror(code)),
              code == CURLE_OPERATION_TIMEDOUT ? "timeout" : "");
}

Result<HttpReply> CurlTransport::send(const HttpCall& call) {
  HEARTH_ASSIGN_OR_RETURN(const Slot slot, acquire());
  Transfer transfer{.unsent = call.body, .body = call.body, .reply_max = call.reply_max_bytes};
  std::array<char, CURL_ERROR_SIZE> error{};
  curl_slist* headers = header_list(call);
  prepare(slot, call, transfer, headers, error.data());
  const CURLcode code = perform(slot);
  auto reply = conclude(slot, call, code, transfer, error.data());
  curl_.slist_free_all(headers);
  release(slot);
  return reply;
}

}  // namespace

Result<std::unique_ptr<HttpTransport>> make_curl_transport(CurlOptions options) {
  HEARTH_ASSIGN_OR_RETURN(const CurlLibrary* curl, CurlLibrary::load());
  return std::make_unique<CurlTransport>(*curl, std::move(options));
}

}  // namespace hearth::objstore
