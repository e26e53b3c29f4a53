#include "storage/sealed_rows.h"

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "base/log.h"
#include "storage/head_record.h"
#include "storage/keys.h"
#include "storage/profile_content.h"

namespace hearth::storage {
namespace {

struct HashId {
  size_t operator()(const Id128& id) const { return id.lo ^ id.hi; }
};

/// The rows of the head by what is known of their profiles.
struct HeadProfiles {
  std::unordered_map<Id128, std::string, HashId> by_id;
  /// The same content may have come more than once, under different ids.
  std::unordered_multimap<Id128, std::pair<std::string, Id128>, HashId> by_content;
  int64_t t_min_ns = INT64_MAX, t_max_ns = INT64_MIN;

  void add(std::string_view key, const std::string& tenant, const HeadRecord& record) {
    const ProfileContent content{tenant,          record.family,      record.series,
                                 record.start_ns, record.duration_ns, record.period,
                                 record.rows,     record.totals};
    by_id.emplace(record.id, key);
    by_content.emplace(content.hash(), std::pair(key, record.id));
    t_min_ns = std::min(t_min_ns, record.start_ns);
    t_max_ns = std::max(t_max_ns, record.start_ns);
  }
};

Result<HeadProfiles> read_head(const KvStore& store, const NameTable& tenants) {
  HeadProfiles out;
  const Status scanned = store.scan(KvFamily::head, kRowPrefix, prefix_end(kRowPrefix),
                                    [&](std::string_view key, std::string_view value) {
                                      const auto row = RowKey::decode(key);
                                      const std::string* tenant =
                                          row ? tenants.name(row->tenant) : nullptr;
                                      // What cannot be used is told by who recovers it.
                                      if (tenant == nullptr) return true;
                                      if (const auto record = HeadRecord::parse(std::string(value)))
                                        out.add(key, *tenant, **record);
                                      return true;
                                    });
  if (!scanned && scanned.error().code != ErrorCode::data_loss) {
    return tl::unexpected(scanned.error());
  }
  return out;
}

class Search {
 public:
  Search(const KvStore& store, HeadProfiles head) : store_(store), head_(std::move(head)) {}

  Status look_at(const SegmentEntry& entry, SegmentReaders& readers) {
    for (size_t i = 0; i < entry.parts.size(); ++i) {
      const SegmentEntry::Part& part = entry.parts[i];
      if (part.t_min_ns > head_.t_max_ns || part.t_max_ns < head_.t_min_ns) continue;
      const auto reader = readers.open(entry.segment);
      const Status looked =
          reader ? look_at(*(*reader)->dataset(i)) : Status(tl::unexpected(reader.error()));
      if (looked) continue;
      if (looked.error().code != ErrorCode::data_loss) return looked;
      log::warn("a damaged segment is not compared with the head",
                {{"segment", entry.segment.key}, {"error", looked.error().message}});
    }
    return {};
  }

  [[nodiscard]] RowIds take() { return std::move(found_); }

 private:
  Status look_at(const Dataset& dataset) {
    HEARTH_ASSIGN_OR_RETURN(const auto columns, dataset.profiles());
    for (const Id128& id : columns->ids) {
      const auto it = head_.by_id.find(id);
      if (it != head_.by_id.end()) found_.emplace(it->second, id);
    }
    return columns->ids.empty() ? look_without_ids(dataset, *columns) : Status{};
  }

  // Two profiles may be alike in all but their rows: those of the same moment and sum.
  Status look_without_ids(const Dataset& dataset, const ProfileColumns& columns) {
    HEARTH_ASSIGN_OR_RETURN(const auto series, dataset.series());
    HEARTH_ASSIGN_OR_RETURN(const auto contents, contents_of(dataset.info(), *series, columns));
    std::vector<uint32_t> alike;
    for (uint32_t p = 0; p < contents.size(); ++p) {
      if (head_.by_content.contains(contents[p])) alike.push_back(p);
    }
    HEARTH_ASSIGN_OR_RETURN(const auto rows, rows_of(dataset, alike));
    for (size_t i = 0; i < alike.size(); ++i)
      HEARTH_RETURN_IF_ERROR(take_equal(contents[alike[i]], rows[i]));
    return {};
  }

  Status take_equal(Id128 content, Id128 rows) {
    auto [it, end] = head_.by_content.equal_range(content);
    for (; it != end; ++it) {
      const std::string& key = it->second.first;
      HEARTH_ASSIGN_OR_RETURN(auto value, store_.get(KvFamily::head, key));
      const auto record = HeadRecord::parse(value ? std::move(*value) : std::string());
      const auto mine = record ? rows_of(**record) : Result<Id128>(Id128{});
      if (!record || !mine || *mine != rows) continue;
      found_.insert(it->second);
      head_.by_content.erase(it);
      return {};
    }
    return {};
  }

  const KvStore& store_;
  HeadProfiles head_;
  RowIds found_;
};

}  // namespace

Result<RowIds> find_sealed_rows(const KvStore& store, const NameTable& tenants,
                                SegmentReaders& readers, std::span<const SegmentEntry> segments) {
  HEARTH_ASSIGN_OR_RETURN(HeadProfiles head, read_head(store, tenants));
  if (head.by_id.empty()) return RowIds();
  Search search(store, std::move(head));
  for (const SegmentEntry& entry : segments) {
    HEARTH_RETURN_IF_ERROR(search.look_at(entry, readers));
  }
  return search.take();
}

}  // namespace hearth::storage
