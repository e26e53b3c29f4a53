#include "ingest/label_split.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <string>
#include <string_view>
#include <unordered_map>

#include "ingest/side_labels.h"

namespace hearth::ingest {
namespace {

bool is_go_heap(const ProfileBatch& batch) {
  constexpr std::array<std::string_view, 4> kTypes = {"alloc_objects", "alloc_space",
                                                      "inuse_objects", "inuse_space"};
  return std::all_of(
      batch.sample_types.begin(), batch.sample_types.end(), [&](const ProfileBatch::ValueType& t) {
        return std::find(kTypes.begin(), kTypes.end(), batch.strings[t.type]) != kTypes.end();
      });
}

// What becomes of the labels with one key string. Worked out once per key.
enum class Fate : uint8_t { unknown, series_label, span, trace, row_key };

struct Pair {
  uint32_t key = 0, value = 0;
  auto operator<=>(const Pair&) const = default;
};

class Splitter {
 public:
  Splitter(ProfileBatch& batch, const SplitLimits& limits)
      : batch_(batch),
        limits_(limits),
        keeps_bytes_(is_go_heap(batch)),
        fates_(batch.strings.size()),
        side_(batch) {}

  /// True when every label belongs to its row's key, as in a Go heap profile: nothing is to be
  /// split or dropped.
  bool only_row_keys() {
    return std::all_of(batch_.samples.labels.begin(), batch_.samples.labels.end(),
                       [this](const ProfileBatch::SampleLabel& l) {
                         return l.str == 0 && l.num != 0 && fate_of(l.key) == Fate::row_key;
                       });
  }
  Result<std::vector<LabelGroup>> run() {
    ProfileBatch::Samples& s = batch_.samples;
    for (size_t i = 0, label = 0; i < s.size(); ++i) {
      pairs_.clear();
      side_.begin_sample(static_cast<uint32_t>(i));
      for (const size_t end = s.label_begin[i + 1]; label < end; ++label) take(s.labels[label]);
      side_.end_sample();
      s.label_begin[i + 1] = static_cast<uint32_t>(kept_);
      std::sort(pairs_.begin(), pairs_.end());
      group().samples.push_back(static_cast<uint32_t>(i));
      if (over_limit_ || (limits_.groups_max != 0 && groups_.size() > limits_.groups_max)) break;
      if (text_bytes_ > limits_.text_max_bytes) return too_much_text();
    }
    s.labels.resize(kept_);
    side_.finish();
    return std::move(groups_);
  }

 private:
  Fate fate_of(uint32_t key) {
    Fate& fate = fates_[key];
    if (fate != Fate::unknown) return fate;
    const std::string_view name = batch_.strings[key];
    const SideLabel side = side_label(name);
    if (side != SideLabel::none) return fate = side == SideLabel::span ? Fate::span : Fate::trace;
    return fate = keeps_bytes_ && name == "bytes" ? Fate::row_key : Fate::series_label;
  }

  static bool over(std::string_view text, size_t max) { return max != 0 && text.size() > max; }

  tl::unexpected<Error> too_much_text() const {
    return fail(
        ErrorCode::resource_exhausted,
        fmt::format("the sample labels of one profile make more than {} bytes of series labels",
                    limits_.text_max_bytes),
        "series_limit");
  }

  void take(const ProfileBatch::SampleLabel& label) {
    const Fate fate = fate_of(label.key);
    const bool is_text = label.str != 0;
    if (is_text && (fate == Fate::span || fate == Fate::trace)) {
      side_.add(fate == Fate::span ? SideLabel::span : SideLabel::trace, batch_.strings[label.str]);
    } else if (is_text) {
      if (!batch_.strings[label.str].empty()) pairs_.push_back({label.key, label.str});
      over_limit_ |= over(batch_.strings[label.key], limits_.name_max_bytes) ||
                     over(batch_.strings[label.str], limits_.value_max_bytes);
    } else if (label.num != 0 && fate == Fate::row_key) {
      batch_.samples.labels[kept_++] = label;
    } else if (label.num != 0) {
      ++batch_.repairs.numeric_labels_dropped;
    }
  }

  // The group of the sample whose pairs are in pairs_. Neighbours mostly share one.
  LabelGroup& group() {
    if (!groups_.empty() && pairs_ == last_pairs_) return groups_[last_];
    const auto* bytes = reinterpret_cast<const char*>(pairs_.data());
    const auto [it, added] =
        index_.try_emplace(std::string(bytes, pairs_.size() * sizeof(Pair)), groups_.size());
    last_ = it->second;
    last_pairs_ = pairs_;
    if (added) groups_.push_back({labels(), {}});
    return groups_[last_];
  }
  std::vector<Label> labels() {
    std::vector<Label> out;
    for (const Pair& p : pairs_) {
      // Of several values for one name the first counts; a sorted list makes it the same for every
      // sample.
      const bool again = !out.empty() && out.back().name == batch_.strings[p.key];
      if (again) continue;
      out.push_back({std::string(batch_.strings[p.key]), std::string(batch_.strings[p.value])});
      text_bytes_ += out.back().name.size() + out.back().value.size();
    }
    return out;
  }

  ProfileBatch& batch_;
  const SplitLimits limits_;
  const bool keeps_bytes_;
  std::vector<Fate> fates_;  // By key string.
  SideDataBuilder side_;
  std::vector<Pair> pairs_, last_pairs_;
  size_t last_ = 0;
  size_t text_bytes_ = 0;
  bool over_limit_ = false;
  size_t kept_ = 0;  // Labels that stay, packed at the front.
  std::unordered_map<std::string, size_t> index_;
  std::vector<LabelGroup> groups_;
};

}  // namespace

Result<std::vector<LabelGroup>> split_by_labels(ProfileBatch& batch, const SplitLimits& limits) {
  if (batch.samples.size() == 0) return std::vector<LabelGroup>();
  if (!batch.samples.labels.empty()) {
    Splitter splitter(batch, limits);
    if (!splitter.only_row_keys()) return splitter.run();
  }
  LabelGroup all;
  all.samples.resize(batch.samples.size());
  std::iota(all.samples.begin(), all.samples.end(), 0U);
  std::vector<LabelGroup> groups;
  groups.push_back(std::move(all));
  return groups;
}

}  // namespace hearth::ingest
