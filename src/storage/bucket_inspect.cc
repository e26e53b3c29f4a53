#include "storage/bucket_inspect.h"

#include <fmt/format.h>

#include <array>
#include <set>
#include <string>

#include "base/random.h"
#include "storage/manifest.h"

namespace hearth::storage {
namespace {

constexpr size_t kListPage = 1000;
constexpr std::array<const char*, 3> kLevels = {"0 fresh", "1 hour", "2 day"};

struct Sum {
  uint64_t objects = 0, bytes = 0;
  void add(uint64_t size) {
    ++objects;
    bytes += size;
  }
};

/// Sorts the objects of a bucket by what the newest snapshot makes of them.
class Census {
 public:
  explicit Census(const Snapshot& snapshot) : snapshot_(snapshot) {
    for (const Tombstone& t : snapshot.tombstones) buried_.insert(t.key);
    for (const SnapshotSegment& s : snapshot.segments) add_live(s.key, s.level, s.size);
  }

  void add(const ObjectStore::Entry& entry) {
    ++seen_;
    if (buried_.contains(entry.key)) return replaced_.add(entry.size);
    if (snapshot_.find(entry.key) != nullptr) return;
    const auto fresh = parse_fresh_key(entry.key);
    if (fresh && !snapshot_.absorbed.contains(*fresh)) return add_live(entry.key, 0, entry.size);
    orphans_.add(entry.size);
  }

  [[nodiscard]] bool empty() const { return seen_ == 0 && snapshot_.number == 0; }

  std::vector<InspectTable> tables() {
    InspectTable snapshot{"snapshot", {"number", "created_ns", "writer", "tombstones"}, {}};
    snapshot.rows.push_back({snapshot_.number, snapshot_.created_ns, snapshot_.writer_version,
                             uint64_t{snapshot_.tombstones.size()}});
    InspectTable levels{"levels", {"level", "objects", "bytes"}, {}};
    for (size_t i = 0; i < kLevels.size(); ++i)
      levels.rows.push_back({kLevels[i], levels_[i].objects, levels_[i].bytes});
    levels.rows.push_back({"replaced", replaced_.objects, replaced_.bytes});
    levels.rows.push_back({"orphans", orphans_.objects, orphans_.bytes});
    return {std::move(snapshot), std::move(levels), std::move(segments_)};
  }

 private:
  void add_live(const std::string& key, uint8_t level, uint64_t size) {
    levels_[std::min<size_t>(level, kLevels.size() - 1)].add(size);
    segments_.rows.push_back({key, uint64_t{level}, size});
  }

  const Snapshot& snapshot_;
  std::set<std::string, std::less<>> buried_;
  std::array<Sum, 3> levels_;
  Sum replaced_, orphans_;
  uint64_t seen_ = 0;
  InspectTable segments_{"segments", {"object", "level", "bytes"}, {}};
};

/// A text member of a claim, as claims are written; "" when there is none.
std::string member(std::string_view claim, std::string_view name) {
  const std::string mark = fmt::format("\"{}\":\"", name);
  const size_t at = claim.find(mark);
  if (at == std::string_view::npos) return {};
  const size_t begin = at + mark.size();
  return std::string(claim.substr(begin, claim.find('"', begin) - begin));
}

/// Who put fresh segments here: one line per start of a process that sealed something.
Result<InspectTable> writers_table(ObjectStore& bucket) {
  constexpr uint64_t kClaimBytesMax = 4096;
  InspectTable out{"writers", {"writer", "role", "host", "version"}, {}};
  std::string after;
  for (;;) {
    HEARTH_ASSIGN_OR_RETURN(const auto page, bucket.list("w/", after, kListPage));
    for (const auto& entry : page) {
      HEARTH_ASSIGN_OR_RETURN(const auto object, bucket.open(entry.key));
      if (!object) continue;
      HEARTH_ASSIGN_OR_RETURN(const SharedBytes claim,
                              object->read(0, std::min(object->size(), kClaimBytesMax)));
      const std::string role = member(claim.view, "role");
      out.rows.push_back({entry.key.substr(2), role.empty() ? "all" : role,
                          member(claim.view, "host"), member(claim.view, "version")});
    }
    if (page.size() < kListPage) return out;
    after = page.back().key;
  }
}

Status for_each_segment(ObjectStore& bucket, const char* prefix,
                        std::vector<ObjectStore::Entry>& out) {
  std::string after;
  for (;;) {
    HEARTH_ASSIGN_OR_RETURN(const auto page, bucket.list(prefix, after, kListPage));
    for (const auto& entry : page) {
      if (entry.key.ends_with(".seg")) out.push_back(entry);
    }
    if (page.size() < kListPage) return {};
    after = page.back().key;
  }
}

}  // namespace

Result<std::vector<InspectTable>> inspect_bucket(ObjectStore& bucket) {
  std::vector<ObjectStore::Entry> listed;
  for (const char* prefix : {"l0/", "m/"})
    HEARTH_RETURN_IF_ERROR(for_each_segment(bucket, prefix, listed));
  const auto random = seeded_random(0);
  Manifest manifest(bucket, *random, system_clock(), "");
  HEARTH_RETURN_IF_ERROR(manifest.refresh());
  const auto snapshot = manifest.current();
  Census census(*snapshot);
  for (const ObjectStore::Entry& entry : listed) census.add(entry);
  if (census.empty()) {
    return fail(ErrorCode::not_found, "inspect bucket: it holds neither a snapshot nor a segment");
  }
  HEARTH_ASSIGN_OR_RETURN(auto writers, writers_table(bucket));
  std::vector<InspectTable> tables = census.tables();
  tables.push_back(std::move(writers));
  return tables;
}

}  // namespace hearth::storage
