#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hearth/object_store.h"

namespace hearth::test {

/// A bucket that can be away.
class MoodyBucket final : public ObjectStore {
 public:
  explicit MoodyBucket(std::shared_ptr<ObjectStore> inner, const std::atomic<bool>& away)
      : inner_(std::move(inner)), away_(away) {}
  Result<PutOutcome> put_if_absent(const std::string& key, std::string_view data) override {
    if (away_) return fail(ErrorCode::unavailable, "put: the bucket is away", kBucketAway);
    return inner_->put_if_absent(key, data);
  }
  Status put(const std::string& key, std::string_view data) override {
    return inner_->put(key, data);
  }
  Result<std::unique_ptr<ObjectReader>> open(const std::string& key) override {
    if (away_) return fail(ErrorCode::unavailable, "open: the bucket is away", kBucketAway);
    return inner_->open(key);
  }
  Result<std::vector<Entry>> list(const std::string& prefix, const std::string& start_after,
                                  size_t limit) override {
    if (away_) return fail(ErrorCode::unavailable, "list: the bucket is away", kBucketAway);
    return inner_->list(prefix, start_after, limit);
  }
  Status remove(const std::string& key) override { return inner_->remove(key); }

 private:
  std::shared_ptr<ObjectStore> inner_;
  const std::atomic<bool>& away_;
};

}  // namespace hearth::test
