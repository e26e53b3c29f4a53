#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/random.h"
#include "base/result.h"
#include "hearth/labels.h"
#include "hearth/profile.h"
#include "storage/dataset.h"
#include "support/symbol_text.h"

namespace hearth::test {

/// A profile as a reader sees it, in a form that does not depend on any numbering.
struct PlainProfile {
  std::string tenant;
  LabelSet series;
  int64_t start_ns = 0, duration_ns = 0, period = 0;
  std::vector<int64_t> totals;
  std::map<std::string, std::vector<int64_t>> rows;  ///< Text of the sample → value per type.
  /// Span and text of the sample → value per type: of what has one of the two spans that a
  /// ProfileGen gives.
  std::map<std::string, std::vector<int64_t>> side;
  bool operator==(const PlainProfile&) const = default;
};

inline std::string side_text(uint64_t span, const std::string& sample) {
  return "span " + std::to_string(span) + " " + sample;
}

inline PlainProfile plain(const std::string& tenant, const LabelSet& series,
                          const ProfileBatch& batch) {
  PlainProfile out{tenant, series, batch.time_ns, batch.duration_ns, batch.period, {}, {}, {}};
  out.totals.assign(batch.types(), 0);
  for (size_t s = 0; s < batch.samples.size(); ++s) {
    auto& row = out.rows[text_of(batch, s)];
    row.resize(batch.types());
    for (size_t t = 0; t < batch.types(); ++t) {
      row[t] += batch.value(s, t);
      out.totals[t] += batch.value(s, t);
    }
  }
  for (const ProfileBatch::SideData& data : batch.samples.side) {
    if (data.span_id == 0) continue;
    auto& row = out.side[side_text(data.span_id, text_of(batch, data.sample))];
    row.resize(batch.types());
    for (size_t t = 0; t < batch.types(); ++t) row[t] += batch.value(data.sample, t);
  }
  std::erase_if(out.rows, [](const auto& row) {
    return std::ranges::all_of(row.second, [](int64_t v) { return v == 0; });
  });
  return out;
}

/// Stands in for the id of a profile in a day segment, which has none: made of what it says.
inline Id128 id_of_content(const PlainProfile& profile) {
  std::string text = profile.tenant + profile.series.to_string();
  for (const int64_t v : {profile.start_ns, profile.duration_ns, profile.period})
    text += ' ' + std::to_string(v);
  for (const auto& [stack, values] : profile.rows) {
    text += stack;
    for (const int64_t v : values) text += ' ' + std::to_string(v);
  }
  return {UINT64_MAX, hash64(text)};
}
inline bool is_id_of_content(Id128 id) {
  return id.hi == UINT64_MAX;
}

/// With its id, where the dataset still has ids.
struct NamedProfile {
  std::optional<Id128> id;
  PlainProfile profile;
};

/// What the spans of a ProfileGen hold of one profile; `texts` are those of the keys that its rows
/// have.
inline Status read_side(const storage::Dataset& dataset, uint32_t profile,
                        const std::vector<std::string>& texts, PlainProfile& out) {
  const size_t types = dataset.info().family.types.size();
  for (uint64_t span = 1; span <= 2; ++span) {
    for (size_t t = 0; t < types; ++t) {
      std::vector<int64_t> by_key(texts.size());
      HEARTH_RETURN_IF_ERROR(
          dataset.add_side_rows(std::span(&profile, 1), t, {{span}, {}}, by_key));
      for (size_t key = 0; key < by_key.size(); ++key) {
        if (by_key[key] == 0) continue;
        auto& row = out.side[side_text(span, texts[key])];
        row.resize(types);
        row[t] += by_key[key];
      }
    }
  }
  return {};
}

/// Every profile of a dataset; an error when a part of it cannot be read.
inline Result<std::vector<NamedProfile>> plain_profiles(const std::string& tenant,
                                                        const storage::Dataset& dataset) {
  HEARTH_ASSIGN_OR_RETURN(const auto columns, dataset.profiles());
  HEARTH_ASSIGN_OR_RETURN(const auto series, dataset.series());
  HEARTH_ASSIGN_OR_RETURN(const auto tables, dataset.symbols());
  const size_t types = dataset.info().family.types.size();
  std::vector<std::string> texts(tables->keys());
  std::vector<NamedProfile> out;
  for (uint32_t p = 0; p < columns->size(); ++p) {
    NamedProfile& named = out.emplace_back();
    PlainProfile& profile = named.profile;
    profile.tenant = tenant;
    profile.series = (*series)[columns->series[p]];
    profile.start_ns = columns->start_ns[p];
    profile.duration_ns = columns->duration_ns[p];
    profile.period = columns->period[p];
    if (!columns->ids.empty()) named.id = columns->ids[p];
    for (size_t t = 0; t < types; ++t) {
      profile.totals.push_back(columns->totals[t][p]);
      std::vector<int64_t> by_key(tables->keys());
      HEARTH_RETURN_IF_ERROR(dataset.add_rows(std::span(&p, 1), t, by_key));
      for (uint32_t key = 0; key < by_key.size(); ++key) {
        if (by_key[key] == 0) continue;
        if (texts[key].empty()) texts[key] = text_of(*tables, key);
        auto& row = profile.rows[texts[key]];
        row.resize(types);
        row[t] += by_key[key];
      }
    }
    if (dataset.has_side()) HEARTH_RETURN_IF_ERROR(read_side(dataset, p, texts, profile));
  }
  return out;
}

}  // namespace hearth::test
