#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/app.h"
#include "api/decode_slot.h"
#include "api/durable.h"
#include "base/result.h"
#include "formats/decode_limits.h"
#include "hearth/profile.h"
#include "ingest/pipeline.h"

namespace hearth::api {

/// One write of any dialect: profiles are decoded and prepared one by one, then stored in one
/// durable batch. Lives on the worker's stack while the request's body is there, not until that is
/// written. Waits until it may decode; one per thread at a time.
class WriteRequest {
 public:
  WriteRequest(App& app, net::Request& request, Tenant tenant);
  ~WriteRequest();
  WriteRequest(const WriteRequest&) = delete;
  WriteRequest& operator=(const WriteRequest&) = delete;

  /// Buffers for the next profile; its own until commit().
  DecodeSlot& next_slot();
  /// Takes back the slot handed out last, whose profile was refused, with what it grew to.
  void drop_slot();
  /// `bytes` when they are no gzip, else what they inflate to, in the slot; kReadSlack bytes follow
  /// either. `too_large`: the profile or all profiles of the request together are over their limit.
  [[nodiscard]] Result<std::string_view> inflate(std::string_view bytes, DecodeSlot& slot);
  /// Runs the write pipeline on a decoded profile; what it accepts waits for commit().
  [[nodiscard]] Status add(std::vector<Label> labels, DecodeSlot& slot, std::string_view raw,
                           bool has_time);
  /// Takes a place in the commit queue for what was accepted, which durable() tells the end of;
  /// nothing accepted is success. The slots go to other requests.
  [[nodiscard]] Status commit();
  /// For hold(); nullptr when there is nothing to wait for.
  [[nodiscard]] const std::shared_ptr<Durable>& durable() const { return durable_; }

  /// Notes a refused profile in the counters and in the list the page shows. `counted`: the
  /// pipeline has counted it.
  void refuse(const Error& error, int status, std::string_view service, bool counted);
  /// What a decoder may accept from this tenant.
  [[nodiscard]] formats::DecodeLimits decode_limits(bool dotnet = false) const;

 private:
  void give_back(std::unique_ptr<DecodeSlot> slot);
  void end_decoding();

  App& app_;
  net::Request& request_;
  const Tenant tenant_;
  const ingest::Limits limits_;
  std::vector<std::unique_ptr<DecodeSlot>> slots_;
  bool decoding_ = true;  ///< Has passed App::decoding and not left it.
  size_t inflated_bytes_ = 0;
  uint64_t index_ = 0;
  MemoryCharge charge_;
  std::vector<ingest::Prepared> prepared_;
  std::shared_ptr<Durable> durable_;
};

/// `n` bytes as people write sizes, in powers of 1000: 1048576 is "1.0 MB".
std::string decimal_size(uint64_t n);

}  // namespace hearth::api
