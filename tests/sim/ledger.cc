#include "sim/ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "hearth/tenant.h"
#include "storage/compaction_plan.h"

namespace hearth::sim {

Sent& Ledger::add(Sent sent) {
  const int64_t start = sent.plain.start_ns;
  sent.added_at = ++moment_;
  return sent_.insert_or_assign(start, std::move(sent)).first->second;
}

void Ledger::acknowledge(Sent& sent) {
  if (sent.fate != Sent::Fate::acked) sent.acked_at = ++moment_;
  sent.fate = Sent::Fate::acked;
}

std::string Ledger::name(const Sent& sent) {
  return fmt::format("profile {} of {} sent to node {}", sent.plain.start_ns,
                     sent.series.to_string(), sent.node);
}

bool Ledger::may_be_forgotten(const Sent& sent) const {
  const int64_t age = world_.settings.retention_ns;
  if (age == 0) return false;
  return storage::window_end(1, sent.plain.start_ns) <= world_.latest_wall_ns - age;
}

size_t Ledger::erase(Erased erased) {
  erased_.push_back(std::move(erased));
  return erased_.size() - 1;
}

namespace {

bool erases(const Erased& erased, const Sent& sent) {
  return erased.tenant == sent.tenant && sent.plain.start_ns >= erased.begin_ns &&
         sent.plain.start_ns <= erased.last_ns;
}

}  // namespace

bool Ledger::may_be_erased(const Sent& sent) const {
  return std::ranges::any_of(erased_, [&](const Erased& e) { return erases(e, sent); });
}

void Ledger::expect_erased(const Seen& seen, const std::string& who,
                           const std::function<bool(const Erased&)>& knows) {
  for (const Erased& erased : erased_) {
    if (!erased.answered_at || *erased.answered_at > seen.moment || !knows(erased)) continue;
    for (const auto& [start, times] : seen.times) {
      const Sent& sent = sent_.at(start);
      if (erases(erased, sent))
        world_.journal.fail(who + ": " + name(sent) + " was deleted and is seen");
    }
  }
}

// A dataset of which something is deleted shows that with totals of 0.
bool Ledger::is_hidden(const test::PlainProfile& profile) const {
  const auto it = sent_.find(profile.start_ns);
  return it != sent_.end() && may_be_erased(it->second) &&
         std::ranges::all_of(profile.totals, [](int64_t total) { return total == 0; });
}

void Ledger::count(const test::PlainProfile& profile, bool rows, const std::string& who,
                   Seen& seen) {
  if (is_hidden(profile)) return;
  const auto it = sent_.find(profile.start_ns);
  if (it == sent_.end()) {
    world_.journal.fail(fmt::format("{}: profile {} was never sent", who, profile.start_ns));
    return;
  }
  const Sent& sent = it->second;
  const bool same = rows ? profile == sent.plain
                         : profile.tenant == sent.tenant && profile.totals == sent.plain.totals;
  if (!same) world_.journal.fail(who + ": " + name(sent) + " is not what was sent");
  if (++seen.times[profile.start_ns] > 1)
    world_.journal.fail(who + ": " + name(sent) + " is counted twice");
  if (sent.fate == Sent::Fate::absent)
    world_.journal.fail(who + ": " + name(sent) + " had not been there and came back");
}

Status Ledger::look_at(const storage::Dataset& dataset, const std::string& who, bool rows,
                       Seen& seen) {
  const std::string& tenant = dataset.info().tenant;
  if (rows) {
    HEARTH_ASSIGN_OR_RETURN(const auto profiles, test::plain_profiles(tenant, dataset));
    for (const auto& named : profiles) count(named.profile, true, who, seen);
    return {};
  }
  HEARTH_ASSIGN_OR_RETURN(const auto columns, dataset.profiles());
  for (size_t p = 0; p < columns->size(); ++p) {
    test::PlainProfile profile;
    profile.tenant = tenant;
    profile.start_ns = columns->start_ns[p];
    for (const auto& totals : columns->totals) profile.totals.push_back(totals[p]);
    count(profile, false, who, seen);
  }
  return {};
}

std::optional<Seen> Ledger::look(storage::Store& store, const std::string& who, bool rows) {
  const uint64_t faults = world_.faults;
  Seen seen;
  seen.moment = moment_;
  for (const char* tenant : kTenants) {
    const auto view = store.view(*Tenant::parse(tenant), {});
    Status read;
    if (!view) read = tl::unexpected(view.error());
    for (size_t i = 0; read && i < view->datasets.size(); ++i) {
      const auto& dataset = *view->datasets[i];
      if (dataset.info().tenant != tenant)
        world_.journal.fail(
            fmt::format("{}: {} sees data of {}", who, tenant, dataset.info().tenant));
      read = look_at(dataset, who, rows, seen);
    }
    if (!read) {
      if (world_.faults == faults)
        world_.journal.fail(fmt::format("{}: cannot be read: {}", who, read.error().message));
      return std::nullopt;
    }
    seen.partial.insert(seen.partial.end(), view->partial.begin(), view->partial.end());
  }
  return seen;
}

}  // namespace hearth::sim
