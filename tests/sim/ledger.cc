#include "sim/ledger.h"

#include <fmt/format.h>

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

void Ledger::count(const test::PlainProfile& profile, bool rows, const std::string& who,
                   Seen& seen) {
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
