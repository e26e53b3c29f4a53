#pragma once

#include <memory>
#include <string>
#include <vector>

#include "storage/segment_reader.h"
#include "storage/segment_writer.h"
#include "support/dictionary_store.h"
#include "support/memory_object.h"
#include "support/segment_gen.h"

namespace hearth::test {

/// A store that shows the datasets of another one as segments of one dataset each.
class SegmentView final : public QueryOnlyStore {
 public:
  /// Writes and opens the segments; with a rollup and a group of it for each pod, or without.
  void fill(DictionaryStore& from, bool rollups) {
    datasets_.clear();
    const auto view = from.view(Tenant::anonymous(), {});
    HEARTH_CHECK(view.has_value(), "view");
    for (const auto& dataset : view->datasets) {
      auto input = read_back(*dataset);
      HEARTH_CHECK(input.has_value(), "read a dataset");
      datasets_.push_back(segment_of(*input, rollups));
    }
  }
  [[nodiscard]] const auto& datasets() const { return datasets_; }

  [[nodiscard]] Result<View> view(const Tenant& tenant, const ViewQuery& query) override {
    return View{shown(datasets_, tenant, query), {}};
  }

 private:
  std::shared_ptr<const storage::Dataset> segment_of(const storage::DatasetInput& input,
                                                     bool rollups) {
    std::string bytes;
    storage::SegmentWriter::Options options;
    options.object_key = "segments/test";
    options.uuid = {7, ++segments_};
    options.window_length_ns = 3'600'000'000'000;
    options.writer_version = "test";
    options.rollup = rollups;
    options.rollup_labels = {"pod"};
    storage::SegmentWriter writer(options, [&](std::string_view part) {
      bytes += part;
      return Status{};
    });
    HEARTH_CHECK(writer.add(input).has_value(), "write a dataset");
    HEARTH_CHECK(writer.finish().has_value(), "finish a segment");
    auto reader =
        storage::SegmentReader::open(std::make_unique<MemoryObject>(std::move(bytes)), "");
    HEARTH_CHECK(reader.has_value(), "open a segment");
    HEARTH_CHECK((*reader)->dataset(0)->has_rollup() == rollups, "the rollup is there");
    return (*reader)->dataset(0);
  }

  std::vector<std::shared_ptr<const storage::Dataset>> datasets_;
  uint64_t segments_ = 0;
};

}  // namespace hearth::test
