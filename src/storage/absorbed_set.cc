#include "storage/absorbed_set.h"

#include <fmt/format.h>

#include <charconv>

namespace hearth::storage {
namespace {

constexpr std::string_view kPrefix = "l0/";
constexpr std::string_view kSuffix = ".seg";
constexpr size_t kWriterMax = 255;

}  // namespace

std::string fresh_key(std::string_view writer, uint64_t sequence) {
  return fmt::format("{}{}/{:010}{}", kPrefix, writer, sequence, kSuffix);
}

std::optional<FreshKey> parse_fresh_key(std::string_view key) {
  if (!key.starts_with(kPrefix) || !key.ends_with(kSuffix)) return std::nullopt;
  const size_t slash = key.rfind('/');
  if (slash <= kPrefix.size()) return std::nullopt;
  FreshKey out{std::string(key.substr(kPrefix.size(), slash - kPrefix.size())), 0};
  const char* const begin = key.data() + slash + 1;
  const char* const end = key.data() + key.size() - kSuffix.size();
  const auto [stop, error] = std::from_chars(begin, end, out.sequence);
  if (error != std::errc() || stop != end || fresh_key(out.writer, out.sequence) != key) {
    return std::nullopt;
  }
  return out;
}

void AbsorbedSet::add(const FreshKey& key) {
  Ranges& ranges = ranges_[key.writer];
  auto next = ranges.upper_bound(key.sequence);
  if (next != ranges.begin()) {
    const auto before = std::prev(next);
    if (key.sequence <= before->second) return;
    if (key.sequence == before->second + 1) {
      before->second = key.sequence;
      if (next == ranges.end() || next->first != key.sequence + 1) return;
      before->second = next->second;
      ranges.erase(next);
      return;
    }
  }
  uint64_t last = key.sequence;
  if (next != ranges.end() && next->first == key.sequence + 1) {
    last = next->second;
    ranges.erase(next);
  }
  ranges.emplace(key.sequence, last);
}

bool AbsorbedSet::contains(const FreshKey& key) const {
  const auto writer = ranges_.find(key.writer);
  if (writer == ranges_.end()) return false;
  const auto next = writer->second.upper_bound(key.sequence);
  return next != writer->second.begin() && key.sequence <= std::prev(next)->second;
}

bool AbsorbedSet::contains(std::string_view key) const {
  const auto fresh = parse_fresh_key(key);
  return fresh && contains(*fresh);
}

void AbsorbedSet::encode(std::string& out) const {
  put_varint(out, ranges_.size());
  for (const auto& [writer, ranges] : ranges_) {
    put_str(out, writer);
    put_varint(out, ranges.size());
    uint64_t behind = 0;
    for (const auto& [first, last] : ranges) {
      put_varint(out, first - behind);
      put_varint(out, last - first);
      behind = last + 1;
    }
  }
}

AbsorbedSet AbsorbedSet::decode(ByteReader& in) {
  AbsorbedSet out;
  const size_t writers = in.count(SIZE_MAX);
  for (size_t w = 0; w < writers && in.ok(); ++w) {
    const std::string writer(in.str(kWriterMax));
    if (!out.ranges_.empty() && writer <= out.ranges_.rbegin()->first) in.set_error();
    Ranges& ranges = out.ranges_[writer];
    const size_t n = in.count(SIZE_MAX);
    if (n == 0) in.set_error();
    uint64_t behind = 0;
    for (size_t i = 0; i < n && in.ok(); ++i) {
      const uint64_t gap = in.varint();
      const uint64_t length = in.varint();
      uint64_t first;
      uint64_t last;
      // Adjacent ranges are one, and the end of the numbers has no successor.
      if (__builtin_add_overflow(behind, gap, &first) ||
          __builtin_add_overflow(first, length, &last) || last == UINT64_MAX ||
          (i > 0 && gap == 0)) {
        in.set_error();
        break;
      }
      ranges.emplace(first, last);
      behind = last + 1;
    }
  }
  return out;
}

}  // namespace hearth::storage
