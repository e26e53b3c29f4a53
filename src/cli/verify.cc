#include "cli/verify.h"

#include <fmt/format.h>

#include <iostream>

#include "base/file_system.h"
#include "cli/bucket_argument.h"
#include "cli/command.h"
#include "cli/time_argument.h"
#include "objstore/local_store.h"
#include "storage/bucket_verify.h"
#include "storage/deletion_verify.h"
#include "storage/file_object.h"
#include "storage/segment_format.h"
#include "storage/segment_verify.h"

namespace hearth::cli {
namespace {

struct Totals {
  uint64_t segments = 0, profiles = 0, rows = 0, bytes = 0, findings = 0;
  uint64_t deletions = 0, deletions_waiting = 0;
};

std::string describe(const storage::DeletionProof& proof) {
  const storage::Deletion& d = proof.deletion;
  std::string out =
      fmt::format("deletion {}: {} of tenant {}", d.id.uuid(), d.selector_text, d.tenant);
  if (d.begin_ns != INT64_MIN) out += " from " + format_time(d.begin_ns);
  out += " until " + format_time(d.last_ns) + ": ";
  if (proof.gone()) return out + "gone, no object has any of it";
  return out +
         fmt::format("waiting, {} profiles in {} live segments, {} in {} that wait to be deleted",
                     proof.live.profiles, proof.live.objects, proof.waiting.profiles,
                     proof.waiting.objects);
}

class Verifier {
 public:
  Verifier(const objstore::S3Options& s3, std::ostream& out, std::ostream& err)
      : s3_(s3), out_(out), err_(err) {}
  [[nodiscard]] const Totals& totals() const { return totals_; }

  /// A file given by name is a segment, whatever it begins with and wherever it was copied to.
  void verify_path(const std::string& path) {
    if (objstore::is_s3_location(path)) return verify_remote(path);
    if (const auto entries = files_.list(path)) {
      verify_snapshot(files_.list(path + "/bucket") ? path + "/bucket" : path);
      return verify_directory(path, *entries);
    }
    verify_file(path, false);
  }

 private:
  /// A directory without snapshots has nothing that could be missing.
  void verify_snapshot(const std::string& bucket) {
    const auto store = objstore::view_local_store(files_, bucket);
    for (const std::string& line : storage::verify_bucket(*store)) add_finding(bucket, line);
    verify_deletions(bucket, *store);
  }

  void verify_deletions(const std::string& location, ObjectStore& store) {
    const auto report = storage::verify_deletions(store);
    if (!report) return add_finding(location, report.error().message);
    for (const std::string& line : report->findings) add_finding(location, line);
    for (const storage::DeletionProof& proof : report->proofs) {
      out_ << describe(proof) << "\n";
      ++totals_.deletions;
      if (!proof.gone()) ++totals_.deletions_waiting;
    }
  }

  void verify_remote(const std::string& location) {
    const auto bucket = open_bucket_argument(location, s3_, true);
    if (!bucket) return add_finding(location, bucket.error().message);
    ObjectStore& store = *(*bucket)->store();
    for (const std::string& line : storage::verify_bucket(store)) add_finding(location, line);
    verify_deletions(location, store);
    for (const char* prefix : {"l0/", "m/"}) {
      if (const Status listed = verify_objects(store, prefix); !listed)
        add_finding(location, listed.error().message);
    }
  }

  Status verify_objects(ObjectStore& store, const std::string& prefix) {
    constexpr size_t kListPage = 1000;
    std::string after;
    for (;;) {
      HEARTH_ASSIGN_OR_RETURN(const auto page, store.list(prefix, after, kListPage));
      for (const ObjectStore::Entry& entry : page) {
        if (!entry.key.ends_with(".seg")) continue;
        const auto object = store.open(entry.key);
        if (!object) {
          add_finding(entry.key, object.error().message);
        } else if (*object != nullptr) {  // A running server deletes what it has merged.
          add_report(entry.key, storage::verify_segment(**object, entry.key));
        }
      }
      if (page.size() < kListPage) return {};
      after = page.back().key;
    }
  }

  void verify_directory(const std::string& path, const std::vector<FileSystem::Entry>& entries) {
    for (const FileSystem::Entry& entry : entries) {
      // What a put that was cut short left; it is no object, and goes at a later start.
      if (entry.name.starts_with('~')) continue;
      const std::string child = path + "/" + entry.name;
      if (entry.directory) {
        if (const auto below = files_.list(child)) {
          verify_directory(child, *below);
        } else {
          add_finding(child, below.error().message);
        }
      } else {
        verify_file(child, true);
      }
    }
  }

  void verify_file(const std::string& path, bool in_directory) {
    const auto object = storage::FileObject::open(files_, path);
    // A running server deletes what it has merged.
    if (!object && in_directory && object.error().code == ErrorCode::not_found) return;
    if (!object) return add_finding(path, object.error().message);
    const std::string_view magic = storage::kSegmentMagic;
    if (in_directory) {
      // A bucket and a data directory hold other files, too.
      const auto begin = (*object)->read(0, magic.size());
      if (!begin || begin->view != magic) return;
    }
    const storage::VerifyReport report = storage::verify_segment(**object, "");
    add_report(path, report);
    if (in_directory && !report.object_key.empty() && !path.ends_with("/" + report.object_key)) {
      add_finding(path, fmt::format("was written as '{}'", report.object_key));
    }
  }

  void add_report(const std::string& path, const storage::VerifyReport& report) {
    totals_.segments += 1;
    totals_.profiles += report.profiles;
    totals_.rows += report.rows;
    totals_.bytes += report.bytes;
    for (const std::string& line : report.findings) add_finding(path, line);
  }

  void add_finding(const std::string& path, const std::string& line) {
    ++totals_.findings;
    err_ << path << ": " << line << "\n";
  }

  FileSystem& files_ = posix_file_system();
  const objstore::S3Options& s3_;
  std::ostream& out_;
  std::ostream& err_;
  Totals totals_;
};

}  // namespace

int run_verify(const VerifyOptions& options, std::ostream& out, std::ostream& err) {
  if (options.paths.empty()) {
    err << "verify: no path; want segment files, bucket directories or data directories\n";
    return kUsage;
  }
  Verifier verifier(options.s3, out, err);
  for (const std::string& path : options.paths) verifier.verify_path(path);
  const Totals& t = verifier.totals();
  if (t.deletions > 0) {
    out << fmt::format("deletions: {} asked, {} waiting, {} gone\n", t.deletions,
                       t.deletions_waiting, t.deletions - t.deletions_waiting);
  }
  out << fmt::format("{} segments, {} profiles, {} rows, {} bytes: {}\n", t.segments, t.profiles,
                     t.rows, t.bytes,
                     t.findings == 0 ? "no findings" : fmt::format("{} findings", t.findings));
  return t.findings == 0 ? kOk : kFailed;
}

int verify_command(const Arguments& arguments) {
  const server::CommandText text = {
      "hearth verify [FLAGS] PATH|s3://BUCKET/PREFIX…",
      "Reads segment files, or all segments of a bucket or data directory, and checks every\n"
      "checksum, reference, order and sum in them, that the newest snapshot misses none, and\n"
      "what is left of profiles that were deleted.\n"};
  VerifyOptions options;
  int exit_code = kOk;
  server::ConfigSources sources;
  const std::vector<server::Flag> flags = s3_flags(sources);
  if (!parse_command(text, flags, arguments, options.paths, exit_code)) return exit_code;
  auto s3 = s3_options(sources);
  if (!s3) {
    print_error(s3.error().message);
    return kUsage;
  }
  options.s3 = std::move(*s3);
  return run_verify(options, std::cout, std::cerr);
}

}  // namespace hearth::cli
