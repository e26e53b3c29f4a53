#pragma once

#include <memory>
#include <string>

#include "hearth/object_store.h"
#include "objstore/s3_client.h"

namespace hearth::objstore {

/// A bucket, or a prefix of one, at an S3-compatible service. Opening an object costs one request,
/// which brings its last 64 KiB along: a segment's directory, or all of a small object. Makes no
/// request before the first call.
class S3Store final : public ObjectStore {
 public:
  S3Store(const S3Options& options, S3Address address, S3Client::Parts parts);

  /// One request, whatever the size: conditions on uploads in parts are ignored by some stores.
  Result<PutOutcome> put_if_absent(const std::string& key, std::string_view data) override;
  Status put(const std::string& key, std::string_view data) override;
  Result<std::unique_ptr<ObjectReader>> open(const std::string& key) override;
  /// Costs no request; that the object is missing, or has another size, shows when it is read.
  Result<std::unique_ptr<ObjectReader>> open_sized(const std::string& key, uint64_t size) override;
  Result<std::vector<Entry>> list(const std::string& prefix, const std::string& start_after,
                                  size_t limit) override;
  Status remove(const std::string& key) override;
  Status remove_leftovers(int64_t age_min_ns) override;
  void shut_down() override { client_->stop(); }

  [[nodiscard]] BucketStats stats() const { return client_->stats(); }
  /// Another client found that nobody answers.
  void note_away() { client_->note_away(); }

 private:
  [[nodiscard]] std::string full_key(const std::string& key) const { return prefix_ + key; }

  const S3Options options_;
  const std::string prefix_;  ///< Empty, or ends in '/'.
  const Clock& clock_;
  const std::shared_ptr<S3Client> client_;  ///< Shared with the readers that open() gave.
};

/// A store over libcurl with the credentials that find_credentials() finds.
/// `variables`: process_variables(). Errors: `invalid_argument` for the options, `unavailable`
/// without libcurl; the bucket is not asked.
[[nodiscard]] Result<std::shared_ptr<S3Store>> open_s3_store(const S3Options& options,
                                                             const Variables& variables,
                                                             const Clock& clock, Random& random);

}  // namespace hearth::objstore
