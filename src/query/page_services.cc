#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/saturate.h"
#include "query/group_sums.h"
#include "query/label_queries.h"
#include "query/page_queries.h"

namespace hearth::query {
namespace {

constexpr size_t kServicesWithTop = 20;

struct Collected {
  std::set<std::string> types;
  std::set<std::string> series;  ///< Encoded label sets.
  int64_t newest_ns = INT64_MIN;
};

const std::string kServiceName{label::kServiceName};

// CPU time before any other type; of several, the first by id.
std::optional<ProfileType> default_type(const std::map<std::string, ProfileType>& types) {
  for (const auto& [id, type] : types) {
    if (type.sample == SampleType{"cpu", "nanoseconds"}) return type;
  }
  if (types.empty()) return std::nullopt;
  return types.begin()->second;
}

Status list_services(Engine& engine, const ServicesQuery& query, const CancelToken& token,
                     Services* out) {
  std::map<std::string, Collected> services;
  std::map<std::string, ProfileType> types;
  const auto restart = [&] {
    services.clear();
    types.clear();
  };
  const auto visit = [&](const SeenSeries& seen) {
    Collected& service = services[std::string(seen.series.get(kServiceName))];
    const std::string id = seen.series.type().id();
    types.try_emplace(id, seen.series.type());
    service.types.insert(id);
    service.series.insert(seen.series.stored().encode());
    service.newest_ns = std::max(service.newest_ns, seen.newest_ns);
  };
  HEARTH_RETURN_IF_ERROR(for_each_series(engine.impl(), query.tenant, query.selector, query.range,
                                         token, &out->cost, {restart, visit}));
  for (const auto& [id, type] : types) out->types.push_back(id);
  for (const auto& [name, s] : services) {
    ServiceRow row;
    row.name = name;
    row.types.assign(s.types.begin(), s.types.end());
    row.series = s.series.size();
    row.last_seen_ns = s.newest_ns;
    out->rows.push_back(std::move(row));
  }
  out->type = query.type ? query.type : default_type(types);
  return {};
}

ServiceRow* find_row(Services& services, const std::string& name) {
  const auto it =
      std::lower_bound(services.rows.begin(), services.rows.end(), name,
                       [](const ServiceRow& row, const std::string& n) { return row.name < n; });
  return it != services.rows.end() && it->name == name ? &*it : nullptr;
}

Status add_values(Engine& engine, const ServicesQuery& query, const ProfileQuery& profile,
                  const CancelToken& token, Services* out) {
  const int64_t first = floor_ms(query.range.start_ns);
  const int64_t length = floor_ms(query.range.end_ns) - first + 1;
  const auto buckets = static_cast<int64_t>(query.buckets);
  const auto bucket_of = [=](int64_t ms) -> GroupSums::Bucket {
    const int64_t i = (ms - first) * buckets / length;
    return {i, first + ((i + 1) * length - 1) / buckets};
  };
  GroupSums sums(engine.impl(), {kServiceName}, bucket_of);
  HEARTH_RETURN_IF_ERROR(sums.add(profile, token, &out->cost));
  for (const GroupSums::Group& group : sums.finish()) {
    ServiceRow* row = find_row(*out, group.values[0]);
    if (row == nullptr) continue;  // Came after the list was made.
    row->total = group.total;
    row->profiles = group.profiles;
    row->spark.resize(query.buckets);
    for (const GroupSums::Point& p : group.points)
      row->spark[static_cast<size_t>(p.bucket)] = p.sum;
  }
  return {};
}

Status add_previous(Engine& engine, ProfileQuery profile, const CancelToken& token, Services* out) {
  const TimeRange range = profile.range;
  const int64_t length = add_saturating(subtract_saturating(range.end_ns, range.start_ns), 1);
  profile.range = {subtract_saturating(range.start_ns, length),
                   subtract_saturating(range.start_ns, 1)};
  GroupSums sums(engine.impl(), {kServiceName}, [](int64_t) { return GroupSums::Bucket(); });
  HEARTH_RETURN_IF_ERROR(sums.add(profile, token, &out->cost));
  for (const GroupSums::Group& group : sums.finish()) {
    if (ServiceRow* row = find_row(*out, group.values[0])) row->previous = group.total;
  }
  return {};
}

Status add_top(Engine& engine, const ServicesQuery& query, const ProfileQuery& profile,
               const CancelToken& token, Services* out) {
  std::vector<ServiceRow*> largest;
  for (ServiceRow& row : out->rows) {
    if (row.total) largest.push_back(&row);
  }
  std::stable_sort(largest.begin(), largest.end(),
                   [](const ServiceRow* a, const ServiceRow* b) { return *a->total > *b->total; });
  largest.resize(std::min(largest.size(), kServicesWithTop));
  for (ServiceRow* row : largest) {
    ProfileQuery one = profile;
    HEARTH_ASSIGN_OR_RETURN(auto is_service,
                            Matcher::make(kServiceName, Matcher::Op::equal, row->name));
    one.selector.add(std::move(is_service));
    HEARTH_ASSIGN_OR_RETURN(const auto merged, engine.merge_tree(one, token));
    out->cost.scanned_bytes += merged.cost.scanned_bytes;
    out->cost.partial.insert(out->cost.partial.end(), merged.cost.partial.begin(),
                             merged.cost.partial.end());
    for (const FunctionRow& f : function_table(merged.tree)) {
      if (row->top.size() == query.top || f.self <= 0) break;
      row->top.push_back({merged.tree.names[f.name], f.self});
    }
  }
  return {};
}

}  // namespace

Result<Services> services(Engine& engine, const ServicesQuery& query, const CancelToken& token) {
  Services out;
  if (query.detail && (query.buckets < 1 || query.buckets > 200)) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("services: got {} buckets; want 1 to 200", query.buckets));
  }
  HEARTH_RETURN_IF_ERROR(list_services(engine, query, token, &out));
  HEARTH_ASSIGN_OR_RETURN(const auto extent, engine.extent(query.tenant, token));
  out.empty = !extent.has_value();
  if (!query.detail || !out.type) return out;
  const ProfileQuery profile{query.tenant, *out.type, query.selector, query.range, {}, {}};
  HEARTH_RETURN_IF_ERROR(add_values(engine, query, profile, token, &out));
  HEARTH_RETURN_IF_ERROR(add_previous(engine, profile, token, &out));
  if (query.top > 0) HEARTH_RETURN_IF_ERROR(add_top(engine, query, profile, token, &out));
  return out;
}

}  // namespace hearth::query
