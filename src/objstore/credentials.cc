#include "objstore/credentials.h"

#include <unistd.h>

#include <utility>

#include "base/log.h"

extern char** environ;

namespace hearth::objstore {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kRenewBefore = 300 * kSecond;
constexpr int64_t kAskAgainAfter = 10 * kSecond;

bool same(const Credentials& a, const Credentials& b) {
  return a.access_key == b.access_key && a.secret_key.reveal() == b.secret_key.reveal() &&
         a.session_token.reveal() == b.session_token.reveal();
}

}  // namespace

Variables process_variables() {
  Variables out;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string_view entry(*at);
    const size_t mark = entry.find('=');
    if (mark == std::string_view::npos) continue;
    const std::string_view name = entry.substr(0, mark);
    if (name.starts_with("AWS_") || name == "HOME") {
      out[std::string(name)] = entry.substr(mark + 1);
    }
  }
  return out;
}

Status CredentialCache::load_locked() {
  asked_boot_ns_ = clock_.boot_ns();
  auto loaded = load_();
  if (!loaded) return tl::unexpected(std::move(loaded).error());
  if (!current_ || !same(*current_, *loaded)) {
    current_ = std::make_shared<const Credentials>(std::move(*loaded));
  }
  return {};
}

Result<std::shared_ptr<const Credentials>> CredentialCache::get() {
  const std::lock_guard lock(mutex_);
  const int64_t now = clock_.wall_ns();
  const bool ending = current_ && current_->expires_wall_ns - kRenewBefore <= now;
  const bool asked_lately =
      asked_boot_ns_ != INT64_MIN && clock_.boot_ns() - asked_boot_ns_ < kAskAgainAfter;
  if (current_ && (!ending || asked_lately)) return current_;
  const Status loaded = load_locked();
  if (!loaded && !(current_ && now < current_->expires_wall_ns)) {
    return tl::unexpected(loaded.error());
  }
  if (!loaded) log::warn("renew S3 credentials", {{"error", loaded.error().message}});
  return current_;
}

bool CredentialCache::renew_after_refusal(const std::shared_ptr<const Credentials>& used) {
  const std::lock_guard lock(mutex_);
  if (current_ != used) return true;
  if (clock_.boot_ns() - asked_boot_ns_ < kAskAgainAfter) return false;
  if (const Status loaded = load_locked(); !loaded) {
    log::warn("read S3 credentials again", {{"error", loaded.error().message}});
    return false;
  }
  return current_ != used;
}

}  // namespace hearth::objstore
