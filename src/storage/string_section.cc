#include "storage/string_section.h"

#include <algorithm>
#include <cstring>

#include "storage/column_codec.h"
#include "storage/segment_format.h"

namespace hearth::storage {
namespace {

size_t common_prefix(std::string_view a, std::string_view b) {
  return static_cast<size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

tl::unexpected<Error> damaged(std::string_view what) {
  return section_damaged(SectionKind::strings, what);
}

/// The lengths alone decide how much memory the table takes: every shared prefix lies inside the
/// previous string, so sixteen strings of a run expand to at most sixteen times their suffixes.
bool lengths_add_up(std::span<const uint32_t> shared, std::span<const uint32_t> suffix,
                    uint64_t expanded, uint64_t suffix_bytes) {
  uint64_t total = 0;
  uint64_t suffixes = 0;
  uint64_t previous = 0;
  for (size_t i = 0; i < shared.size(); ++i) {
    if (shared[i] > (i % kStringRestart == 0 ? 0 : previous)) return false;
    previous = uint64_t{shared[i]} + suffix[i];
    if (previous > limit::kStringBytes) return false;
    total += previous;
    suffixes += suffix[i];
  }
  return total == expanded && suffixes == suffix_bytes;
}

/// Strictly ascending, and no longer prefix could have been shared.
bool in_order(std::string_view previous, std::string_view current, size_t shared, bool restart) {
  if (restart) return previous < current;
  if (current.size() == shared) return false;
  return previous.size() == shared ||
         static_cast<unsigned char>(previous[shared]) < static_cast<unsigned char>(current[shared]);
}

bool expand(std::span<const uint32_t> shared, std::span<const uint32_t> suffix, const char* from,
            StringColumn& out) {
  char* to = out.bytes.data();
  std::string_view previous;
  for (size_t i = 0; i < shared.size(); ++i) {
    if (shared[i] != 0) std::memcpy(to, previous.data(), shared[i]);
    if (suffix[i] != 0) std::memcpy(to + shared[i], from, suffix[i]);
    const std::string_view current(to, size_t{shared[i]} + suffix[i]);
    if (i == 0 ? !current.empty()
               : !in_order(previous, current, shared[i], i % kStringRestart == 0))
      return false;
    out.views[i] = current;
    previous = current;
    from += suffix[i];
    to += current.size();
  }
  return true;
}

}  // namespace

Status encode_strings(std::span<const std::string_view> strings, std::string& out) {
  if (strings.size() > limit::kStrings)
    return section_too_large(SectionKind::strings, "more than 2^24 strings");
  std::vector<uint32_t> shared(strings.size());
  std::vector<uint32_t> suffix(strings.size());
  std::string suffixes;
  uint64_t expanded = 0;
  for (size_t i = 0; i < strings.size(); ++i) {
    const std::string_view s = strings[i];
    if (s.size() > limit::kStringBytes)
      return section_too_large(SectionKind::strings, "a string over 65535 bytes");
    const size_t prefix = i % kStringRestart == 0 ? 0 : common_prefix(strings[i - 1], s);
    shared[i] = static_cast<uint32_t>(prefix);
    suffix[i] = static_cast<uint32_t>(s.size() - prefix);
    suffixes += s.substr(prefix);
    expanded += s.size();
  }
  if (expanded > limit::kExpandedBytes)
    return section_too_large(SectionKind::strings, "more than 1 GiB of strings");
  put_varint(out, strings.size());
  put_varint(out, expanded);
  put_vcol(out, shared);
  put_vcol(out, suffix);
  put_str(out, suffixes);
  return {};
}

Status decode_strings(ByteReader& reader, StringColumn& out) {
  const size_t n = reader.count(limit::kStrings);
  const uint64_t expanded = reader.varint_max(limit::kExpandedBytes);
  std::vector<uint32_t> shared;
  std::vector<uint32_t> suffix;
  if (!read_vcol(reader, n, limit::kStringBytes, shared)) return damaged("shared lengths");
  if (!read_vcol(reader, n, limit::kStringBytes, suffix)) return damaged("suffix lengths");
  const std::string_view suffixes = reader.str();
  if (!reader.ok() || n == 0) return damaged("no strings, or cut short");
  if (!lengths_add_up(shared, suffix, expanded, suffixes.size()))
    return damaged("lengths do not add up");
  out.bytes.resize(expanded);
  out.views.resize(n);
  if (!expand(shared, suffix, suffixes.data(), out)) return damaged("strings out of order");
  return {};
}

}  // namespace hearth::storage
