#include "storage/segment_merge.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <optional>
#include <set>

#include "base/hash.h"
#include "base/saturate.h"
#include "storage/compaction_plan.h"
#include "storage/cover_builder.h"
#include "storage/segment_writer.h"

namespace hearth::storage {
namespace {

/// Memory of a dataset while it is merged: decoded rows, and nodes before equal ones are one.
constexpr uint64_t kNodeBytes = 64;
/// Of the nodes that a merge may have in memory, those of a rollup over several datasets.
constexpr uint64_t kCoverShare = 8;
uint64_t memory_of(const MergeLimits& limits, uint64_t rows, uint64_t nodes, size_t types) {
  return std::min(rows, limits.rows) * (sizeof(uint32_t) + types * sizeof(int64_t)) +
         std::min(nodes, limits.nodes) * kNodeBytes;
}

std::string day_text(int64_t time_ns) {
  const std::chrono::sys_days day(std::chrono::days(floor_time(time_ns, kDayNs) / kDayNs));
  const std::chrono::year_month_day date(day);
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

std::string merged_key(const std::string& tenant, int64_t start_ns, Id128 uuid) {
  return fmt::format("m/{}/{}/{:016x}{:016x}.seg", tenant, day_text(start_ns), uuid.hi, uuid.lo);
}

int64_t last_of_window(int64_t start_ns, int64_t length_ns) {
  return add_saturating(start_ns, length_ns - 1);
}

}  // namespace

/// The segment that is being written; begun when something is added, ended when it is full.
class SegmentMerge::Output {
 public:
  Output(const Options& options, const Emit& emit, std::string tenant, int64_t start_ns,
         uint64_t bytes_expected)
      : options_(options),
        emit_(emit),
        tenant_(std::move(tenant)),
        start_ns_(start_ns),
        bytes_expected_(std::min(bytes_expected, options.output_max_bytes)) {}

  /// The datasets from here to end_service() are of one service, and one rollup may cover them.
  void begin_service(size_t cover_nodes) {
    cover_nodes_ = cover_nodes;
    if (writer_) writer_->open_cover(cover_nodes);
  }
  Status end_service() {
    cover_nodes_.reset();
    return writer_ ? writer_->close_cover() : Status{};
  }

  Status add(const ServiceKey& service, const CanonicalDataset& dataset) {
    if (!writer_) begin();
    HEARTH_RETURN_IF_ERROR(writer_->add(tenant_, service.first, service.second, dataset));
    // What is reserved and not written is no memory yet.
    charge_ = options_.memory->must_charge(merged_.bytes.size());
    const auto [t_min, t_max] = std::ranges::minmax(dataset.profiles.start_ns);
    merged_.entry.parts.push_back({tenant_, service.first, t_min, t_max, dataset.profiles.size()});
    merged_.listed.profiles += dataset.profiles.size();
    return merged_.bytes.size() >= options_.output_max_bytes ? finish() : Status{};
  }

  Status finish() {
    if (!writer_) return {};
    HEARTH_RETURN_IF_ERROR(writer_->close_cover());
    HEARTH_RETURN_IF_ERROR(writer_->finish());
    writer_.reset();
    merged_.entry.segment.size = merged_.listed.size = merged_.bytes.size();
    merged_.entry.segment.datasets = merged_.listed.datasets = merged_.entry.parts.size();
    Status done = emit_(std::move(merged_));
    charge_ = {};
    return done;
  }

 private:
  void begin() {
    SegmentWriter::Options writer;
    writer.uuid = random_uuid(*options_.random);
    writer.object_key = merged_key(tenant_, start_ns_, writer.uuid);
    writer.level = options_.level;
    writer.window_start_ns = start_ns_;
    writer.window_length_ns = static_cast<uint64_t>(options_.window_ns);
    writer.writer_version = options_.writer_version;
    writer.rollup = true;
    merged_ = {};
    merged_.bytes.reserve(bytes_expected_);
    merged_.entry.segment = {writer.object_key, writer.uuid, 0, writer.level, 0};
    merged_.listed = {writer.object_key,       writer.uuid, 0, writer.level, start_ns_,
                      writer.window_length_ns, 0,           0};
    writer_ = std::make_unique<SegmentWriter>(std::move(writer), [this](std::string_view bytes) {
      merged_.bytes.append(bytes);
      return Status{};
    });
    if (cover_nodes_) writer_->open_cover(*cover_nodes_);
  }

  const Options& options_;
  const Emit& emit_;
  const std::string tenant_;
  const int64_t start_ns_;
  const uint64_t bytes_expected_;
  std::optional<size_t> cover_nodes_;  ///< Of the service that is being added.
  std::unique_ptr<SegmentWriter> writer_;
  MergedSegment merged_;
  MemoryCharge charge_;
};

SegmentMerge::SegmentMerge(std::vector<Input> inputs, Options options, Emit emit)
    : inputs_(std::move(inputs)), options_(std::move(options)), emit_(std::move(emit)) {}
SegmentMerge::~SegmentMerge() = default;

Result<std::vector<int64_t>> SegmentMerge::windows_of(const SegmentDataset& dataset) const {
  const DatasetInfo& info = dataset.info();
  const int64_t first = floor_time(info.t_min_ns, options_.window_ns);
  if (first == floor_time(info.t_max_ns, options_.window_ns)) return std::vector{first};
  HEARTH_ASSIGN_OR_RETURN(const auto index, dataset.profile_index());
  std::set<int64_t> windows;
  for (const int64_t start : index->profiles.start_ns)
    windows.insert(floor_time(start, options_.window_ns));
  return std::vector<int64_t>(windows.begin(), windows.end());
}

Status SegmentMerge::group() {
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const OpenSegment& segment = *inputs_[i].segment;
    for (size_t d = 0; d < segment.datasets(); ++d) {
      const SegmentDataset& dataset = segment.dataset(d);
      const DatasetInfo& info = dataset.info();
      if (options_.drop && options_.drop(info.tenant, info.service)) {
        dropped_ += info.profiles;
        continue;
      }
      const auto windows = windows_of(dataset);
      if (!windows) {
        failed_input_ = inputs_[i].key;
        return tl::unexpected(windows.error());
      }
      for (const int64_t start : *windows) {
        windows_[{info.tenant, start}][{info.service, info.family}].emplace_back(&dataset, i);
      }
    }
  }
  return {};
}

Status SegmentMerge::merge_service(const std::string& tenant, const ServiceKey& service,
                                   const Datasets& datasets, int64_t start_ns, Output& output) {
  HEARTH_RETURN_IF_ERROR(options_.cancel.check());
  std::vector<const SegmentDataset*> sources;
  uint64_t rows = 0;
  uint64_t nodes = 0;
  for (const auto& [dataset, input] : datasets) {
    sources.push_back(dataset);
    rows += dataset->info().rows;
    nodes += dataset->info().nodes;
    if (!options_.keep_side || !dataset->has_side()) continue;
    const auto side = dataset->side();
    if (!side) {
      if (side.error().code == ErrorCode::data_loss) failed_input_ = inputs_[input].key;
      return tl::unexpected(side.error());
    }
    rows += side->entries() * kRowsOfSideEntry;
  }
  HEARTH_ASSIGN_OR_RETURN(
      const MemoryCharge charge,
      options_.memory->charge(memory_of(options_.limits, rows, nodes, service.second.types.size()),
                              "compaction"));
  DatasetMerge merge;
  DatasetMerge::Options options;
  options.begin_ns = start_ns;
  options.last_ns = last_of_window(start_ns, options_.window_ns);
  options.keep_ids = options_.keep_ids;
  options.keep_side = options_.keep_side;
  options.limits = options_.limits;
  if (options_.deletions != nullptr) {
    options.deletions =
        touching(*options_.deletions, tenant, service.first, options.begin_ns, options.last_ns);
  }
  const auto failed = [&](const Error& error) -> Status {
    if (error.code == ErrorCode::data_loss)
      failed_input_ = inputs_[datasets[merge.failed_source()].second].key;
    return tl::unexpected(error);
  };
  if (const Status opened = merge.open(std::move(sources), options); !opened)
    return failed(opened.error());
  const size_t cover_nodes = options_.limits.nodes / kCoverShare;
  Result<MemoryCharge> cover = MemoryCharge();
  if (merge.parts() > 1) {
    cover = options_.memory->charge(std::min(nodes, cover_nodes) * CoverBuilder::kNodeBytes,
                                    "compaction");
    // The datasets can do without.
    if (cover) output.begin_service(cover_nodes);
  }
  for (size_t i = 0; i < merge.parts(); ++i) {
    const auto part = merge.part(i);
    if (!part) return failed(part.error());
    HEARTH_RETURN_IF_ERROR(output.add(service, *part));
  }
  HEARTH_RETURN_IF_ERROR(output.end_service());
  profiles_ += merge.profiles();
  duplicates_ += merge.duplicates();
  deleted_ += merge.deleted();
  return {};
}

// Services go to ranges of their hashes, so that the next level's ranges cover whole ones of this.
Status SegmentMerge::merge_window(const std::string& tenant, int64_t start_ns,
                                  const std::map<ServiceKey, Datasets>& services) {
  uint64_t bytes = 0;
  for (const auto& [service, datasets] : services) {
    for (const auto& [dataset, input] : datasets) bytes += dataset->stored_bytes();
  }
  const uint64_t ranges = std::bit_ceil(std::max<uint64_t>(bytes / options_.output_bytes, 1));
  for (uint64_t range = 0; range < ranges; ++range) {
    Output output(options_, emit_, tenant, start_ns, bytes / ranges);
    for (const auto& [service, datasets] : services) {
      __extension__ using uint128 = unsigned __int128;
      const auto in = static_cast<uint64_t>(uint128{hash64(service.first)} * ranges >> 64U);
      if (in == range)
        HEARTH_RETURN_IF_ERROR(merge_service(tenant, service, datasets, start_ns, output));
    }
    HEARTH_RETURN_IF_ERROR(output.finish());
  }
  return {};
}

Status SegmentMerge::run() {
  HEARTH_RETURN_IF_ERROR(group());
  for (const auto& [window, services] : windows_) {
    HEARTH_RETURN_IF_ERROR(merge_window(window.first, window.second, services));
  }
  uint64_t expected = 0;
  for (const Input& input : inputs_) {
    for (size_t d = 0; d < input.segment->datasets(); ++d)
      expected += input.segment->dataset(d).info().profiles;
  }
  if (profiles_ + duplicates_ + dropped_ + deleted_ == expected) return {};
  return fail(ErrorCode::internal,
              fmt::format("merge segments: of {} profiles {} came out, {} repeat one, {} expired, "
                          "{} are deleted",
                          expected, profiles_, duplicates_, dropped_, deleted_));
}

}  // namespace hearth::storage
