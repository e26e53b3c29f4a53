#include "storage/cluster_identity.h"

#include <fmt/format.h>

#include <optional>
#include <string>

#include "base/log.h"
#include "storage/keys.h"

namespace hearth::storage {
namespace {

constexpr const char* kClusterKeyInBucket = "cluster.json";
constexpr uint64_t kClusterBytesMax = 4096;
constexpr size_t kIdBytes = 36;

std::string cluster_json(const std::string& id) {
  return fmt::format("{{\"format\":1,\"cluster\":\"{}\"}}\n", id);
}

// The one member that counts; the text is what cluster_json() wrote.
std::optional<std::string> parse_cluster(std::string_view text) {
  constexpr std::string_view kMark = "\"cluster\":\"";
  const size_t at = text.find(kMark);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view id = text.substr(at + kMark.size(), kIdBytes);
  const size_t end = at + kMark.size() + kIdBytes;
  if (id.size() != kIdBytes || end >= text.size() || text[end] != '"') return std::nullopt;
  return std::string(id);
}

// nullopt: the bucket has none.
Result<std::optional<std::string>> read_cluster(ObjectStore& bucket) {
  HEARTH_ASSIGN_OR_RETURN(const auto object, bucket.open(kClusterKeyInBucket));
  if (!object) return std::nullopt;
  HEARTH_ASSIGN_OR_RETURN(const SharedBytes bytes,
                          object->read(0, std::min(object->size(), kClusterBytesMax)));
  if (auto id = parse_cluster(bytes.view)) return id;
  return fail(ErrorCode::conflict,
              fmt::format("read {} of the bucket: it names no cluster", kClusterKeyInBucket));
}

Status compare(const std::optional<std::string>& mine, const std::optional<std::string>& found,
               bool has_segments) {
  if (mine && found && *mine != *found) {
    return fail(
        ErrorCode::conflict,
        fmt::format("the bucket belongs to cluster {}, this data directory to {}: is it the "
                    "right bucket?",
                    *found, *mine));
  }
  if (mine && !found && has_segments) {
    return fail(
        ErrorCode::conflict,
        fmt::format("the bucket has no {}, but this data directory has segments in cluster {}: is "
                    "it the right bucket? To go on without them, put {} there",
                    kClusterKeyInBucket, *mine, cluster_json(*mine)));
  }
  return {};
}

}  // namespace

Status recognise_cluster(const KvStore& kv, ObjectStore& bucket, bool has_segments) {
  HEARTH_ASSIGN_OR_RETURN(const auto mine, kv.get(KvFamily::meta, kClusterKey));
  if (!mine) return {};
  const auto found = read_cluster(bucket);
  if (!found) {
    if (found.error().code == ErrorCode::conflict) return tl::unexpected(found.error());
    log::warn("the bucket's cluster cannot be read now", {{"error", found.error().message}});
    return {};
  }
  return compare(mine, *found, has_segments);
}

Result<std::string> join_cluster(const KvStore& kv, ObjectStore& bucket, Random& random,
                                 bool has_segments) {
  HEARTH_ASSIGN_OR_RETURN(const auto mine, kv.get(KvFamily::meta, kClusterKey));
  HEARTH_ASSIGN_OR_RETURN(auto found, read_cluster(bucket));
  HEARTH_RETURN_IF_ERROR(compare(mine, found, has_segments));
  if (!found) {
    const std::string id = mine ? *mine : random_uuid(random).uuid();
    HEARTH_RETURN_IF_ERROR(bucket.put_if_absent(kClusterKeyInBucket, cluster_json(id)));
    // Another process may have been faster.
    HEARTH_ASSIGN_OR_RETURN(found, read_cluster(bucket));
    HEARTH_RETURN_IF_ERROR(compare(mine, found, has_segments));
    if (!found) {
      return fail(
          ErrorCode::unavailable,
          fmt::format("create {} in the bucket: it is not there afterwards", kClusterKeyInBucket));
    }
  }
  return mine ? std::string() : *found;
}

}  // namespace hearth::storage
