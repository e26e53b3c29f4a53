#include "sim/bucket_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "storage/absorbed_set.h"
#include "storage/open_segment.h"
#include "storage/segment_verify.h"

namespace hearth::sim {
namespace {

/// Fresh objects stay this long after the snapshot that absorbs them, merged ones longer.
constexpr int64_t kViewLasts = 9 * kMinute;

}  // namespace

storage::Snapshot BucketCheck::newest() {
  const auto keys = world_.bucket.keys(std::string(storage::kSnapshotPrefix));
  if (keys.empty()) return {};
  auto snapshot = storage::decode_snapshot(world_.bucket.bytes(keys.back()));
  if (snapshot) return std::move(*snapshot);
  world_.journal.fail("snapshot " + keys.back() + ": " + snapshot.error().message);
  return {};
}

void BucketCheck::check_segment(const std::string& key, const Id128* uuid, uint64_t size) {
  if (!world_.bucket.has(key)) return world_.journal.fail("a live segment is gone: " + key);
  if (verified_.contains(key)) return;
  const std::string& bytes = world_.bucket.bytes(key);
  const auto opened = storage::OpenSegment::open(std::make_unique<test::MemoryObject>(bytes), key);
  if (!opened) return world_.journal.fail(key + ": " + opened.error().message);
  if (uuid != nullptr && ((*opened)->directory().uuid != *uuid || bytes.size() != size))
    world_.journal.fail("the snapshot names another segment than " + key);
  const auto report = storage::verify_segment(test::MemoryObject(bytes), key);
  if (!report.findings.empty()) world_.journal.fail(key + ": " + report.findings.front());
  verified_.insert(key);
}

void BucketCheck::check() {
  const storage::Snapshot snapshot = newest();
  View view{world_.clock.boot_ns(), {}};
  for (const auto& segment : snapshot.segments) {
    check_segment(segment.key, &segment.uuid, segment.size);
    view.keys.push_back(segment.key);
  }
  for (const std::string& key : world_.bucket.keys("l0/")) fresh_.insert(key);
  for (const std::string& key : fresh_) {
    if (snapshot.absorbed.contains(key)) continue;
    check_segment(key, nullptr, 0);
    view.keys.push_back(key);
  }
  if (!views_last_) return;
  std::erase_if(views_, [&](const View& v) { return view.at_ns - v.at_ns > kViewLasts; });
  for (const View& old : views_) {
    for (const std::string& key : old.keys) {
      if (!world_.bucket.has(key))
        world_.journal.fail("an object went while a reader may need it: " + key);
    }
  }
  if (snapshot.number == viewed_number_) return;
  viewed_number_ = snapshot.number;
  views_.push_back(std::move(view));
}

void BucketCheck::check_end() {
  const storage::Snapshot snapshot = newest();
  std::map<std::string, uint64_t> last;
  for (const std::string& key : fresh_) {
    const auto fresh = storage::parse_fresh_key(key);
    last[fresh->writer] = std::max(last[fresh->writer], fresh->sequence);
  }
  for (const auto& [writer, sequence] : last) {
    for (uint64_t i = 0; i <= sequence; ++i) {
      const std::string key = storage::fresh_key(writer, i);
      if (!world_.bucket.has(key) && !snapshot.absorbed.contains(key))
        world_.journal.fail("a hole in the numbers of a writer: " + key);
    }
  }
  for (const std::string& key : world_.bucket.keys("m/")) {
    if (snapshot.find(key) == nullptr) world_.journal.fail("nobody refers to " + key);
  }
}

}  // namespace hearth::sim
