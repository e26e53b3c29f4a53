#include "storage/segment_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "base/crc32c.h"
#include "base/zstd_codec.h"
#include "storage/cached_part.h"
#include "storage/segment_cover.h"
#include "storage/segment_dataset.h"
#include "storage/segment_directory.h"
#include "storage/segment_file.h"

namespace hearth::storage {
namespace {

/// Decoded series and profile columns that one open segment keeps.
constexpr size_t kDecodedBytesMax = 1U << 20U;

tl::unexpected<Error> damaged(std::string_view what) {
  return fail(ErrorCode::data_loss, fmt::format("read segment: {}", what));
}

/// Stored bytes of the directory: from the end already read, or by a second read.
Result<SharedBytes> directory_bytes(const ObjectReader& object, const DirectoryPointer& pointer,
                                    SharedBytes end, uint64_t end_offset) {
  if (pointer.offset < end_offset) return object.read(pointer.offset, pointer.stored);
  end.view = end.view.substr(pointer.offset - end_offset, pointer.stored);
  return end;
}

Status check_header(std::string_view header, const SegmentDirectory& directory) {
  HEARTH_ASSIGN_OR_RETURN(const HeaderFields fields, decode_header(header));
  if (fields.minor != directory.minor || fields.uuid != directory.uuid ||
      fields.level != directory.level) {
    return damaged("header and directory name different segments");
  }
  return {};
}

}  // namespace

Result<SegmentDirectory> read_segment_directory(const ObjectReader& object) {
  if (object.size() < kHeaderBytes + kTailBytes || object.size() > limit::kObjectBytes) {
    return damaged(fmt::format("{} bytes are too few or too many for a segment", object.size()));
  }
  const uint64_t end_bytes = std::min(object.size(), kSegmentEndBytes);
  const uint64_t end_offset = object.size() - end_bytes;
  HEARTH_ASSIGN_OR_RETURN(SharedBytes end, object.read(end_offset, end_bytes));
  HEARTH_ASSIGN_OR_RETURN(const DirectoryPointer pointer,
                          decode_tail(end.view.substr(end_bytes - kTailBytes), object.size()));
  HEARTH_ASSIGN_OR_RETURN(const SharedBytes stored,
                          directory_bytes(object, pointer, end, end_offset));
  if (crc32c(stored.view) != pointer.crc) return damaged("directory: wrong checksum");
  if (pointer.raw / kZstdMaxRatio > pointer.stored)
    return damaged("directory: cannot expand that far");
  std::string raw;
  HEARTH_RETURN_IF_ERROR(zstd_decompress(stored.view, pointer.raw, raw));
  HEARTH_ASSIGN_OR_RETURN(SegmentDirectory directory, decode_directory(raw, pointer.offset));
  directory.minor = pointer.minor;
  // Small objects were read whole; for others the header is left to `hearth verify`, because it
  // would cost a request.
  if (end_offset == 0)
    HEARTH_RETURN_IF_ERROR(check_header(end.view.substr(0, kHeaderBytes), directory));
  return directory;
}

namespace {

class SegmentFile final : public SegmentReader {
 public:
  SegmentFile(std::unique_ptr<ObjectReader> object, SegmentDirectory directory)
      : object_(std::move(object)), directory_(std::move(directory)), budget_(kDecodedBytesMax) {
    for (size_t i = 0; i < directory_.datasets.size(); ++i) {
      datasets_.emplace_back(*object_, directory_.datasets[i], directory_.label_bloom,
                             dataset_symbols_id(directory_.uuid, i), budget_,
                             fmt::format("segment {} dataset {}", directory_.object_key, i));
    }
    for (const DatasetRun& run : covered_runs(directory_.datasets)) add_cover(run);
  }

  [[nodiscard]] Id128 uuid() const override { return directory_.uuid; }
  [[nodiscard]] const std::string& object_key() const override { return directory_.object_key; }
  [[nodiscard]] uint8_t level() const override { return directory_.level; }
  [[nodiscard]] bool gone() const override { return object_->gone(); }
  [[nodiscard]] size_t dataset_count() const override { return datasets_.size(); }
  [[nodiscard]] const DatasetInfo& dataset_info(size_t index) const override {
    return datasets_[index].info();
  }
  [[nodiscard]] std::shared_ptr<const Dataset> dataset(size_t index) const override {
    return {shared_from_this(), &datasets_[index]};
  }

 private:
  void add_cover(const DatasetRun& run) {
    const auto parts = std::span(directory_.datasets).subspan(run.first, run.count);
    covers_.emplace_back(
        *object_, parts,
        dataset_symbols_id(directory_.uuid, directory_.datasets.size() + covers_.size()), budget_,
        fmt::format("segment {} rollup of datasets {} to {}", directory_.object_key, run.first,
                    run.first + run.count - 1));
    for (size_t i = 0; i < run.count; ++i)
      datasets_[run.first + i].set_cover({&covers_.back(), run.count});
  }

  const std::unique_ptr<ObjectReader> object_;
  const SegmentDirectory directory_;
  mutable CacheBudget budget_;
  std::deque<SegmentDataset> datasets_;  ///< Never moved: each has a mutex.
  std::deque<SegmentCover> covers_;      ///< Likewise.
};

}  // namespace

Id128 dataset_symbols_id(Id128 uuid, size_t index) {
  // Neighbouring datasets must differ and segments must not meet: random uuids leave all of the low
  // half to the index.
  return {uuid.hi, uuid.lo ^ (uint64_t{index} + 1) * 0x9e3779b97f4a7c15U};
}

Result<std::shared_ptr<const SegmentReader>> SegmentReader::open(
    std::unique_ptr<ObjectReader> object, const std::string& expected_key) {
  HEARTH_ASSIGN_OR_RETURN(SegmentDirectory directory, read_segment_directory(*object));
  if (!expected_key.empty() && directory.object_key != expected_key) {
    return damaged(fmt::format("the object's key is '{}'; it was written as '{}'", expected_key,
                               directory.object_key));
  }
  return std::make_shared<const SegmentFile>(std::move(object), std::move(directory));
}

}  // namespace hearth::storage
