#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "hearth/clock.h"
#include "hearth/labels.h"
#include "hearth/profile.h"
#include "hearth/tenant.h"
#include "ingest/limits.h"
#include "storage/store.h"

namespace hearth::ingest {

/// One decoded profile of a request, before the write pipeline.
struct Incoming {
  std::vector<Label> labels;         ///< As sent, plus what the dialect adds (`__name__`, `pyroscope_spy`, …).
  ProfileBatch* batch = nullptr;     ///< Decoded; prepare() changes it in place. Outlives the Prepared.
  std::string_view raw;              ///< Bytes the identity is taken over (after decompression).
  bool has_time = true;              ///< Payload or URL gave a time: without one, and without a key, nothing is deduplicated.
  std::optional<Id128> profile_id;   ///< OTLP's profile_id.
  std::string idempotency_key;       ///< Header; empty: none. `index` makes it unique per profile of the request.
  uint64_t index = 0;
};

/// A profile ready to be appended: normalised, split by sample labels, validated.
struct Prepared {
  struct Group {
    LabelSet series;
    std::vector<uint32_t> samples;
    std::optional<Id128> id;
  };
  const ProfileBatch* batch = nullptr;
  std::vector<Group> groups;  ///< Empty: nothing to store, which is success.
};

/// The write pipeline (docs/write_pipeline.md): validation, normalisation, splitting by sample
/// labels, label rules, identity. Thread-safe.
class Pipeline {
 public:
  Pipeline(storage::Store& store, const Clock& clock, Limits defaults);
  ~Pipeline();

  [[nodiscard]] Limits limits(const Tenant& tenant) const;
  /// Errors carry the field and, in `reason`, Pyroscope's discard reason; they are counted.
  [[nodiscard]] Result<Prepared> prepare(const Tenant& tenant, const Incoming& incoming);
  /// One durable batch for all of them.
  [[nodiscard]] Result<storage::AppendOutcome> commit(const Tenant& tenant,
                                                      std::span<const Prepared> profiles);
  /// The same without waiting, see Store::append_later().
  [[nodiscard]] Status commit_later(const Tenant& tenant, std::span<const Prepared> profiles,
                                    const std::function<void()>& encoded,
                                    storage::Store::AppendDone done);

  /// Counts a refusal that happened before prepare() (decode error, size).
  void count_discarded(const Tenant& tenant, std::string_view reason, uint64_t profiles, uint64_t bytes);
  struct Discarded {
    std::string tenant;
    std::string reason;
    uint64_t profiles = 0;
    uint64_t bytes = 0;
  };
  [[nodiscard]] std::vector<Discarded> discarded() const;
  /// Repairs and drops inside accepted profiles, summed.
  [[nodiscard]] ProfileBatch::Repairs repairs() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hearth::ingest
