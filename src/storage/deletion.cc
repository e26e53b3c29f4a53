#include "storage/deletion.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/crc32c.h"

namespace hearth::storage {
namespace {

constexpr std::string_view kMagic = "HEARTHDL";
constexpr uint16_t kMajor = 1;
constexpr uint16_t kMinor = 0;
constexpr size_t kHeader = 12;
constexpr size_t kTenantMax = 1024;

tl::unexpected<Error> damaged(std::string_view what) {
  return fail(ErrorCode::data_loss, fmt::format("read deletion: {}", what));
}

bool is_stored(std::string_view name) {
  constexpr std::array kDerived = {label::kProfileType, label::kType,
                                   label::kUnit,        label::kPeriodType,
                                   label::kPeriodUnit,  label::kServiceNamePrivate};
  return std::ranges::find(kDerived, name) == kDerived.end();
}

}  // namespace

Result<Deletion> Deletion::make(std::string tenant, std::string selector, int64_t begin_ns,
                                int64_t last_ns) {
  Deletion out;
  HEARTH_ASSIGN_OR_RETURN(out.selector, Selector::parse(selector));
  for (const Matcher& m : out.selector.matchers()) {
    if (is_stored(m.name())) continue;
    return fail(ErrorCode::invalid_argument,
                fmt::format("delete profiles: got a matcher of {}; want stored labels, such as "
                            "service_name or __name__",
                            m.name()));
  }
  if (begin_ns > last_ns) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("delete profiles: the range ends at {} ns, before it begins at {} ns",
                            last_ns, begin_ns));
  }
  out.tenant = std::move(tenant);
  out.selector_text = std::move(selector);
  out.begin_ns = begin_ns;
  out.last_ns = last_ns;
  return out;
}

bool Deletion::may_touch(std::string_view of_tenant, std::string_view service, int64_t t_min_ns,
                         int64_t t_max_ns) const {
  if (tenant != of_tenant || t_min_ns > last_ns || t_max_ns < begin_ns) return false;
  return std::ranges::all_of(selector.matchers(), [&](const Matcher& m) {
    return m.name() != label::kServiceName || m.matches(service);
  });
}

bool Deletion::covers(const DatasetInfo& info) const {
  return may_touch(info.tenant, info.service, info.t_min_ns, info.t_max_ns) &&
         begin_ns <= info.t_min_ns && last_ns >= info.t_max_ns &&
         std::ranges::all_of(selector.matchers(),
                             [](const Matcher& m) { return m.name() == label::kServiceName; });
}

std::string deletion_key(Id128 id) {
  return fmt::format("{}{}.del", kDeletionPrefix, id.uuid());
}

std::string encode_deletion(const Deletion& deletion) {
  std::string out(kMagic);
  put_le(out, kMajor);
  put_le(out, kMinor);
  put_be(out, deletion.id.hi);
  put_be(out, deletion.id.lo);
  put_svarint(out, deletion.asked_ns);
  put_str(out, deletion.tenant);
  put_str(out, deletion.selector_text);
  put_svarint(out, deletion.begin_ns);
  put_svarint(out, deletion.last_ns);
  put_le(out, crc32c(out));
  return out;
}

Result<Deletion> decode_deletion(std::string_view bytes) {
  if (bytes.size() < kHeader + sizeof(uint32_t) || !bytes.starts_with(kMagic))
    return damaged("it does not begin as one");
  const auto major = load_le<uint16_t>(bytes.data() + 8);
  if (major != kMajor) {
    return fail(ErrorCode::unimplemented,
                fmt::format("read deletion: got major version {}; want {}", major, kMajor));
  }
  const size_t end = bytes.size() - sizeof(uint32_t);
  if (crc32c(bytes.substr(0, end)) != load_le<uint32_t>(bytes.data() + end))
    return damaged("wrong checksum");
  ByteReader in(bytes.substr(kHeader, end - kHeader));
  const std::string_view id = in.bytes(16);
  const int64_t asked_ns = in.svarint();
  std::string tenant(in.str(kTenantMax));
  std::string selector(in.str(Selector::kMaxBytes));
  const int64_t begin_ns = in.svarint();
  const int64_t last_ns = in.svarint();
  const bool known = load_le<uint16_t>(bytes.data() + 10) == kMinor;
  if (!in.ok() || (known && !in.done())) return damaged("malformed");
  auto out = Deletion::make(std::move(tenant), std::move(selector), begin_ns, last_ns);
  if (!out) return damaged(out.error().message);
  out->id = {load_be<uint64_t>(id.data()), load_be<uint64_t>(id.data() + 8)};
  out->asked_ns = asked_ns;
  return out;
}

std::vector<const Deletion*> touching(std::span<const Deletion> all, std::string_view tenant,
                                      std::string_view service, int64_t t_min_ns,
                                      int64_t t_max_ns) {
  std::vector<const Deletion*> out;
  for (const Deletion& d : all) {
    if (d.may_touch(tenant, service, t_min_ns, t_max_ns)) out.push_back(&d);
  }
  return out;
}

DeletedProfiles find_deleted(std::span<const Deletion* const> deletions,
                             std::span<const LabelSet> series, std::span<const uint32_t> series_of,
                             std::span<const int64_t> start_ns) {
  DeletedProfiles out;
  out.flags.resize(series_of.size());
  std::vector<uint8_t> accepted(series.size());
  for (const Deletion* d : deletions) {
    for (size_t s = 0; s < series.size(); ++s) accepted[s] = d->selector.matches(series[s]) ? 1 : 0;
    for (size_t p = 0; p < series_of.size(); ++p) {
      const bool in_range = start_ns[p] >= d->begin_ns && start_ns[p] <= d->last_ns;
      if (in_range && accepted[series_of[p]] != 0) out.flags[p] = 1;
    }
  }
  out.count = static_cast<uint64_t>(std::ranges::count(out.flags, uint8_t{1}));
  return out;
}

Result<DeletedProfiles> find_deleted(std::span<const Deletion* const> deletions,
                                     const Dataset& dataset) {
  HEARTH_ASSIGN_OR_RETURN(const auto series, dataset.series());
  HEARTH_ASSIGN_OR_RETURN(const auto columns, dataset.profiles());
  return find_deleted(deletions, *series, columns->series, columns->start_ns);
}

}  // namespace hearth::storage
