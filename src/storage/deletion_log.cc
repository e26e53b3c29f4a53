#include "storage/deletion_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/fault_point.h"
#include "base/log.h"
#include "storage/keys.h"

namespace hearth::storage {
namespace {

constexpr size_t kListPage = 1000;
constexpr int64_t kRefreshEvery = 30'000'000'000;
constexpr size_t kCleanMax = 100'000;
constexpr uint64_t kObjectBytesMax = 1 << 20;

Result<Deletion> read_deletion(ObjectStore& bucket, const std::string& key) {
  HEARTH_ASSIGN_OR_RETURN(const auto object, bucket.open(key));
  if (!object) return fail(ErrorCode::not_found, fmt::format("{}: no such object", key));
  HEARTH_ASSIGN_OR_RETURN(const SharedBytes bytes,
                          object->read(0, std::min(object->size(), kObjectBytesMax)));
  HEARTH_ASSIGN_OR_RETURN(Deletion deletion, decode_deletion(bytes.view));
  if (deletion_key(deletion.id) != key)
    return fail(ErrorCode::data_loss, fmt::format("{}: it is another deletion", key));
  return deletion;
}

bool is_damage(const Error& error) {
  return error.code == ErrorCode::data_loss || error.code == ErrorCode::unimplemented;
}

std::set<Id128> ids_of(std::span<const Deletion> list) {
  std::set<Id128> out;
  for (const Deletion& d : list) out.insert(d.id);
  return out;
}

}  // namespace

Result<FoundDeletions> read_deletions(ObjectStore& bucket, std::span<const Deletion> known) {
  FoundDeletions out;
  std::map<std::string, const Deletion*> by_key;
  for (const Deletion& d : known) by_key.emplace(deletion_key(d.id), &d);
  std::string after;
  for (;;) {
    HEARTH_ASSIGN_OR_RETURN(const auto page,
                            bucket.list(std::string(kDeletionPrefix), after, kListPage));
    for (const ObjectStore::Entry& entry : page) {
      if (const auto it = by_key.find(entry.key); it != by_key.end()) {
        out.list.push_back(*it->second);
        continue;
      }
      auto read = read_deletion(bucket, entry.key);
      if (read) {
        out.list.push_back(std::move(*read));
      } else if (is_damage(read.error())) {
        out.damaged.push_back(fmt::format("{}: {}", entry.key, read.error().message));
      } else if (read.error().code != ErrorCode::not_found) {  // Else withdrawn meanwhile.
        return tl::unexpected(read.error());
      }
    }
    if (page.size() < kListPage) return out;
    after = page.back().key;
  }
}

DeletionLog::DeletionLog(Options options) : options_(std::move(options)) {}

std::shared_ptr<const DeletionLog::List> DeletionLog::current() const {
  const std::lock_guard lock(mutex_);
  return list_;
}

Status DeletionLog::load(const KvStore& store) {
  List list;
  HEARTH_RETURN_IF_ERROR(store.scan(
      KvFamily::catalog, kDeletionCopyPrefix, prefix_end(kDeletionCopyPrefix),
      [&](std::string_view, std::string_view value) {
        auto deletion = decode_deletion(value);
        if (deletion) {
          list.push_back(std::move(*deletion));
        } else {
          log::warn("copy of a deletion left out", {{"error", deletion.error().message}});
        }
        return true;
      }));
  const std::lock_guard lock(mutex_);
  list_ = std::make_shared<const List>(std::move(list));
  return {};
}

// Under change_mutex_. The copy before the list: what queries leave out stays left out.
Status DeletionLog::replace(List next) {
  const auto before = current();
  const std::set<Id128> ids_before = ids_of(*before);
  const std::set<Id128> ids_next = ids_of(next);
  KvBatch batch;
  bool changed = false;
  for (const Deletion& d : *before) {
    if (ids_next.contains(d.id)) continue;
    batch.remove(KvFamily::catalog, deletion_copy_key(d.id));
    changed = true;
  }
  for (const Deletion& d : next) {
    if (ids_before.contains(d.id)) continue;
    batch.put(KvFamily::catalog, deletion_copy_key(d.id), encode_deletion(d));
    changed = true;
  }
  if (!changed) return {};
  HEARTH_RETURN_IF_ERROR(options_.durable_write(batch));
  const std::lock_guard lock(mutex_);
  list_ = std::make_shared<const List>(std::move(next));
  return {};
}

Status DeletionLog::refresh() {
  const std::lock_guard changing(change_mutex_);
  const auto known = current();
  HEARTH_ASSIGN_OR_RETURN(FoundDeletions found, read_deletions(*options_.bucket, *known));
  if (damaged_.exchange(found.damaged.size()) < found.damaged.size()) {
    for (const std::string& why : found.damaged)
      log::error("what a damaged deletion deletes is not known", {{"error", why}});
  }
  // A listing may lag: what it does not show is gone only when its object is.
  const std::set<Id128> listed = ids_of(found.list);
  for (const Deletion& d : *known) {
    if (listed.contains(d.id)) continue;
    HEARTH_ASSIGN_OR_RETURN(const auto object, options_.bucket->open(deletion_key(d.id)));
    if (object) found.list.push_back(d);
  }
  return replace(std::move(found.list));
}

Status DeletionLog::refresh_when_due() {
  const int64_t now_ns = options_.clock->boot_ns();
  {
    const std::lock_guard lock(mutex_);
    if (now_ns < next_refresh_ns_) return {};
  }
  HEARTH_RETURN_IF_ERROR(refresh());
  const std::lock_guard lock(mutex_);
  next_refresh_ns_ = now_ns + kRefreshEvery;
  return {};
}

Status DeletionLog::check_may_change() const {
  if (options_.read_only_reason.empty()) return {};
  return fail(ErrorCode::unavailable,
              fmt::format("delete profiles: this process only answers queries ({}); ask one with "
                          "--role all or write that can write to its folder",
                          options_.read_only_reason));
}

Result<Deletion> DeletionLog::add(Deletion deletion) {
  HEARTH_RETURN_IF_ERROR(check_may_change());
  deletion.id = random_uuid(*options_.random);
  deletion.asked_ns = options_.clock->wall_ns();
  const std::lock_guard changing(change_mutex_);
  HEARTH_KILL_POINT("delete.before_put");
  HEARTH_ASSIGN_OR_RETURN(
      const auto put,
      options_.bucket->put_if_absent(deletion_key(deletion.id), encode_deletion(deletion)));
  (void)put;  // The id is fresh: who finds it taken meets an attempt of its own.
  HEARTH_KILL_POINT("delete.after_put");
  List next = *current();
  next.push_back(deletion);
  HEARTH_RETURN_IF_ERROR(replace(std::move(next)));
  HEARTH_KILL_POINT("delete.after_copy");
  log::info("profiles are deleted", {{"deletion", deletion.id.uuid()},
                                     {"tenant", deletion.tenant},
                                     {"selector", deletion.selector_text}});
  return deletion;
}

Status DeletionLog::withdraw(std::string_view id) {
  HEARTH_RETURN_IF_ERROR(check_may_change());
  const std::lock_guard changing(change_mutex_);
  List next = *current();
  const auto it = std::ranges::find_if(next, [&](const Deletion& d) { return d.id.uuid() == id; });
  if (it == next.end()) {
    return fail(ErrorCode::not_found, fmt::format("withdraw {}: there is no such deletion", id));
  }
  HEARTH_RETURN_IF_ERROR(options_.bucket->remove(deletion_key(it->id)));
  next.erase(it);
  HEARTH_RETURN_IF_ERROR(replace(std::move(next)));
  log::info("a deletion is withdrawn", {{"deletion", id}});
  return {};
}

bool DeletionLog::is_clean(Id128 dataset, Id128 deletion) const {
  const std::lock_guard lock(mutex_);
  return clean_.contains({dataset, deletion});
}

void DeletionLog::note_clean(Id128 dataset, Id128 deletion) {
  const std::lock_guard lock(mutex_);
  if (clean_.size() >= kCleanMax) clean_.clear();
  clean_.emplace(dataset, deletion);
}

}  // namespace hearth::storage
