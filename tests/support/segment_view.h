#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "storage/segment_reader.h"
#include "storage/segment_writer.h"
#include "support/dictionary_store.h"
#include "support/memory_object.h"
#include "support/segment_gen.h"

namespace hearth::test {

/// A store that shows the datasets of another one as segments.
class SegmentView final : public QueryOnlyStore {
 public:
  enum class Form : unsigned char {
    plain,    ///< One dataset each.
    rollups,  ///< Each with a rollup and a group of it for each pod.
    covers,   ///< Likewise, one segment for those with equal keys and a rollup of them all.
  };

  /// Writes and opens the segments.
  void fill(DictionaryStore& from, Form form) {
    datasets_.clear();
    const auto view = from.view(Tenant::anonymous(), {});
    HEARTH_CHECK(view.has_value(), "view");
    std::map<std::pair<std::string, Family>, std::vector<storage::DatasetInput>> by_key;
    for (const auto& dataset : view->datasets) {
      auto input = read_back(*dataset);
      HEARTH_CHECK(input.has_value(), "read a dataset");
      if (form == Form::covers) {
        by_key[{input->service, input->family}].push_back(std::move(*input));
      } else {
        add_segment(std::span(&*input, 1), form);
      }
    }
    for (const auto& [key, inputs] : by_key) add_segment(inputs, form);
  }
  [[nodiscard]] const auto& datasets() const { return datasets_; }
  /// Datasets that a rollup of several covers.
  [[nodiscard]] size_t covered() const {
    return static_cast<size_t>(std::ranges::count_if(
        datasets_, [](const auto& dataset) { return dataset->cover().rollup != nullptr; }));
  }

  [[nodiscard]] Result<View> view(const Tenant& tenant, const ViewQuery& query) override {
    return View{shown(datasets_, tenant, query), {}};
  }

 private:
  void add_segment(std::span<const storage::DatasetInput> inputs, Form form) {
    storage::SegmentWriter::Options options;
    options.object_key = "segments/test";
    options.uuid = {7, ++segments_};
    options.window_length_ns = 3'600'000'000'000;
    options.writer_version = "test";
    options.rollup = form != Form::plain;
    options.rollup_labels = {"pod"};
    std::string bytes;
    storage::SegmentWriter writer(options, [&](std::string_view part) {
      bytes += part;
      return Status{};
    });
    if (form == Form::covers) writer.open_cover(1U << 20U);
    for (const auto& input : inputs) HEARTH_CHECK(writer.add(input).has_value(), "write a dataset");
    HEARTH_CHECK(writer.close_cover().has_value(), "write a cover");
    HEARTH_CHECK(writer.finish().has_value(), "finish a segment");
    auto reader =
        storage::SegmentReader::open(std::make_unique<MemoryObject>(std::move(bytes)), "");
    HEARTH_CHECK(reader.has_value(), "open a segment");
    for (size_t i = 0; i < inputs.size(); ++i) {
      HEARTH_CHECK((*reader)->dataset(i)->has_rollup() == options.rollup, "the rollup is there");
      datasets_.push_back((*reader)->dataset(i));
    }
  }

  std::vector<std::shared_ptr<const storage::Dataset>> datasets_;
  uint64_t segments_ = 0;
};

}  // namespace hearth::test
