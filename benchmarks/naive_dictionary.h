#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "hearth/profile.h"

namespace hearth::bench {

/// What a dictionary is without tricks, to compare with: one stock map a table, each entry looked
/// up when it is met, and a stack found by walking down the tree, one lookup a frame.
class NaiveDictionary {
 public:
  void map(const ProfileBatch& b, std::vector<uint32_t>& keys) {
    map_tables(b);
    keys.resize(b.samples.size());
    for (size_t s = 0; s < keys.size(); ++s) {
      const auto stack = b.stack(s);
      uint32_t node = 0;
      for (size_t i = stack.size(); i-- > 0;)
        node = id_of(nodes_, uint64_t{node} << 32U | location_ids_[stack[i]]);
      const auto labels = b.labels_of(s);
      const int64_t number = labels.empty() ? 0 : labels[0].num;
      keys[s] = id_of(keys_, std::pair(node, number));
    }
  }

 private:
  using Function = std::tuple<uint32_t, uint32_t, uint32_t, int64_t>;
  using Location = std::tuple<uint64_t, std::vector<std::pair<uint32_t, int64_t>>>;
  template <class Key>
  using Map = boost::unordered_flat_map<Key, uint32_t>;

  template <class Table, class Key>
  static uint32_t id_of(Table& table, Key&& key) {
    return table.try_emplace(std::forward<Key>(key), static_cast<uint32_t>(table.size()) + 1)
        .first->second;
  }

  void map_tables(const ProfileBatch& b) {
    string_ids_.clear();
    for (const std::string_view s : b.strings) {
      const auto found = strings_.find(s);
      string_ids_.push_back(found != strings_.end() ? found->second
                                                    : id_of(strings_, std::string(s)));
    }
    function_ids_.clear();
    for (size_t f = 0; f < b.functions.size(); ++f) {
      function_ids_.push_back(
          id_of(functions_,
                Function(string_ids_[b.functions.name[f]], string_ids_[b.functions.system_name[f]],
                         string_ids_[b.functions.file[f]], b.functions.start_line[f])));
    }
    location_ids_.clear();
    for (size_t l = 0; l < b.locations.size(); ++l) {
      Location location(b.locations.address[l], {});
      for (uint32_t i = b.locations.line_begin[l]; i < b.locations.line_begin[l + 1]; ++i)
        std::get<1>(location).emplace_back(function_ids_[b.lines.function[i]], b.lines.line[i]);
      location_ids_.push_back(id_of(locations_, std::move(location)));
    }
  }

  struct StringHash {
    using is_transparent = void;
    size_t operator()(std::string_view s) const { return boost::hash<std::string_view>()(s); }
  };
  boost::unordered_flat_map<std::string, uint32_t, StringHash, std::equal_to<>> strings_;
  Map<Function> functions_;
  Map<Location> locations_;
  Map<uint64_t> nodes_;
  Map<std::pair<uint32_t, int64_t>> keys_;
  std::vector<uint32_t> string_ids_, function_ids_, location_ids_;
};

}  // namespace hearth::bench
