#include "storage/profile_section.h"

#include "base/wrap.h"
#include "storage/column_codec.h"
#include "storage/segment_format.h"

namespace hearth::storage {
namespace {

constexpr uint8_t kIds = 1;
constexpr uint8_t kAttributes = 2;
constexpr size_t kIdBytes = 16;

tl::unexpected<Error> damaged(std::string_view what) {
  return section_damaged(SectionKind::profiles, what);
}

/// Profile i is the k-th of its series; calls f(i, k).
template <class F>
void for_each_in_series(std::span<const uint32_t> series, F f) {
  size_t k = 0;
  for (size_t i = 0; i < series.size(); ++i) {
    k = i > 0 && series[i] == series[i - 1] ? k + 1 : 0;
    f(i, k);
  }
}

std::vector<int64_t> start_deltas(const ProfileTable& p) {
  std::vector<int64_t> out(p.size());
  for_each_in_series(p.series, [&](size_t i, size_t k) {
    const int64_t delta =
        k > 0 ? subtract_wrapping(p.start_ns[i], p.start_ns[i - 1]) : p.start_ns[i];
    out[i] = k > 1
                 ? subtract_wrapping(delta, subtract_wrapping(p.start_ns[i - 1], p.start_ns[i - 2]))
                 : delta;
  });
  return out;
}

void restore_starts(ProfileTable& p) {
  for_each_in_series(p.series, [&](size_t i, size_t k) {
    if (k > 1)
      p.start_ns[i] =
          add_wrapping(p.start_ns[i], subtract_wrapping(p.start_ns[i - 1], p.start_ns[i - 2]));
    if (k > 0) p.start_ns[i] = add_wrapping(p.start_ns[i], p.start_ns[i - 1]);
  });
}

void put_deltas(std::span<const int64_t> values, std::string& out) {
  std::vector<int64_t> deltas(values.begin(), values.end());
  for (size_t i = deltas.size(); i-- > 1;) deltas[i] = subtract_wrapping(deltas[i], deltas[i - 1]);
  put_zigzag_vcol(out, deltas);
}

bool read_deltas(ByteReader& reader, size_t n, std::vector<int64_t>& out) {
  if (!read_zigzag_vcol(reader, n, out)) return false;
  for (size_t i = 1; i < n; ++i) out[i] = add_wrapping(out[i], out[i - 1]);
  return true;
}

/// Profiles per series → series of each profile. False unless they add up to `profiles` and none is
/// 0.
bool restore_series(std::span<const uint32_t> counts, size_t profiles, std::vector<uint32_t>& out) {
  out.clear();
  out.reserve(profiles);
  for (size_t s = 0; s < counts.size(); ++s) {
    if (counts[s] == 0 || counts[s] > profiles - out.size()) return false;
    out.insert(out.end(), counts[s], static_cast<uint32_t>(s));
  }
  return out.size() == profiles;
}

void put_ids(std::span<const Id128> ids, std::string& out) {
  put_varint(out, ids.size() * kIdBytes);
  for (const Id128& id : ids) {
    const auto bytes = id.bytes();
    out.append(as_text(bytes));
  }
}

bool read_ids(ByteReader& reader, size_t n, std::vector<Id128>& out) {
  const std::string_view raw = reader.str();
  if (!reader.ok() || raw.size() != n * kIdBytes) return false;
  out.resize(n);
  for (size_t i = 0; i < n; ++i) {
    out[i] = {load_be<uint64_t>(raw.data() + kIdBytes * i),
              load_be<uint64_t>(raw.data() + kIdBytes * i + 8)};
  }
  return true;
}

bool in_order(const ProfileTable& p) {
  for (size_t i = 1; i < p.size(); ++i) {
    if (p.series[i] != p.series[i - 1]) continue;
    if (p.start_ns[i] < p.start_ns[i - 1]) return false;
    if (p.start_ns[i] == p.start_ns[i - 1] && !p.ids.empty() && p.ids[i] < p.ids[i - 1])
      return false;
  }
  return true;
}

}  // namespace

size_t ProfileTable::memory_bytes() const {
  const size_t fixed = 2 * sizeof(uint32_t) + (3 + totals.size()) * sizeof(int64_t);
  return sizeof *this + size() * fixed + ids.size() * sizeof(Id128);
}

Status encode_profiles(const ProfileTable& profiles, size_t series, std::string& out) {
  if (profiles.size() > limit::kProfiles)
    return section_too_large(SectionKind::profiles, "more than 2^22 profiles");
  std::vector<uint32_t> counts(series);
  for (const uint32_t s : profiles.series) ++counts[s];
  out.push_back(static_cast<char>(profiles.ids.empty() ? 0 : kIds));
  put_vcol(out, counts);
  put_zigzag_vcol(out, start_deltas(profiles));
  put_deltas(profiles.duration_ns, out);
  put_deltas(profiles.period, out);
  put_vcol(out, profiles.rows);
  for (const auto& total : profiles.totals) put_zigzag_vcol(out, total);
  if (!profiles.ids.empty()) put_ids(profiles.ids, out);
  return {};
}

Status decode_profiles(std::string_view raw, size_t profiles, size_t series, size_t types,
                       ProfileTable& out) {
  ByteReader reader(raw);
  const uint8_t flags = reader.u8();
  if (flags > (kIds | kAttributes)) return damaged("unknown flags");
  std::vector<uint32_t> counts;
  if (!read_vcol(reader, series, limit::kProfiles, counts)) return damaged("profiles per series");
  if (!read_zigzag_vcol(reader, profiles, out.start_ns)) return damaged("start times");
  if (!restore_series(counts, profiles, out.series)) return damaged("profiles per series");
  if (!read_deltas(reader, profiles, out.duration_ns)) return damaged("durations");
  if (!read_deltas(reader, profiles, out.period)) return damaged("periods");
  if (!read_vcol(reader, profiles, limit::kBlockRowsRead, out.rows)) return damaged("row counts");
  out.totals.resize(types);
  for (auto& total : out.totals) {
    if (!read_zigzag_vcol(reader, profiles, total)) return damaged("totals");
  }
  if ((flags & kIds) != 0 && !read_ids(reader, profiles, out.ids)) return damaged("ids");
  if ((flags & kAttributes) != 0) reader.str();
  if (!reader.done()) return damaged("bytes left over");
  restore_starts(out);
  return in_order(out) ? Status{} : damaged("profiles out of order");
}

std::shared_ptr<const ProfileColumns> share_profiles(std::shared_ptr<const ProfileTable> profiles,
                                                     std::span<const uint32_t> row_blocks) {
  auto columns = std::make_shared<ProfileColumns>();
  columns->series = profiles->series;
  columns->start_ns = profiles->start_ns;
  columns->duration_ns = profiles->duration_ns;
  columns->period = profiles->period;
  columns->rows = profiles->rows;
  columns->ids = profiles->ids;
  for (const auto& total : profiles->totals) columns->totals.emplace_back(total);
  columns->row_blocks = row_blocks;
  columns->owner = std::move(profiles);
  return columns;
}

}  // namespace hearth::storage
