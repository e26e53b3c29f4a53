#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "objstore/local_store.h"
#include "storage/store_impl.h"
#include "support/catch.h"
#include "support/faulty_file_system.h"
#include "support/manual_clock.h"
#include "support/model_kv_store.h"
#include "support/plain_profile.h"
#include "support/profile_gen.h"
#include "support/temp_dir.h"

namespace hearth::test {

inline LabelSet series_of(const std::string& service, const std::string& pod) {
  return *LabelSet::make({{"__name__", "process_cpu"}, {"service_name", service}, {"pod", pod}});
}

/// Everything a view shows, by profile id; an id that occurs twice is a failure.
inline void read_dataset(const std::string& tenant, const storage::Dataset& dataset,
                         std::map<Id128, PlainProfile>& out) {
  auto profiles = plain_profiles(tenant, dataset);
  REQUIRE(profiles);
  for (NamedProfile& named : *profiles) {
    CHECK(named.profile.start_ns >= dataset.info().t_min_ns);
    CHECK(named.profile.start_ns <= dataset.info().t_max_ns);
    const Id128 id = named.id ? *named.id : id_of_content(named.profile);
    const bool first = out.emplace(id, std::move(named.profile)).second;
    CHECK(first);
  }
}

/// `compared`: whether the store has read its bucket since it began; else it must say so.
inline std::map<Id128, PlainProfile> read_all(storage::Store& store, const Tenant& tenant,
                                              const storage::Store::ViewQuery& query = {},
                                              bool compared = true) {
  const auto view = store.view(tenant, query);
  REQUIRE(view);
  INFO("missing: " << (view->partial.empty() ? "nothing" : view->partial.front()));
  CHECK(view->partial.size() == (compared ? 0 : 1));
  std::map<Id128, PlainProfile> out;
  for (const auto& dataset : view->datasets) read_dataset(tenant.id(), *dataset, out);
  return out;
}

/// A store on a directory bucket and a model database, that can be crashed and opened again, next
/// to a naive model of what it acknowledged.
class StoreUnderTest {
 public:
  explicit StoreUnderTest(uint64_t seed = 1)
      : random_(seeded_random(seed)),
        gen_(seed, {.samples = 6,
                    .mean_depth = 5,
                    .functions = 40,
                    .labelled_percent = 20,
                    .side_percent = 15}) {
    options_.files = &files_;
    options_.clock = &clock_;
    options_.random = random_.get();
    options_.memory = &memory_;
    options_.data_dir = dir_.path();
    options_.writer_version = "test";
    options_.reserve_bytes = 1 << 16;
    options_.side_data_in_days = true;  // So that the model need not know of levels.
    REQUIRE(reopen());
  }

  storage::Store::Options& options() { return options_; }
  storage::Store& store() { return *store_; }
  bool is_open() const { return store_ != nullptr; }
  ManualClock& clock() { return clock_; }
  FaultyFileSystem& files() { return files_; }
  ModelKvStore& kv() { return *kv_; }
  ModelKvDisk& disk() { return *disk_; }
  ProfileGen& gen() { return gen_; }
  MemoryAccountant& memory() { return memory_; }
  const TempDir& dir() const { return dir_; }
  bool stopped() const { return stopped_; }

  /// Drops the store and what was not synced, then opens it again.
  Status reopen(uint64_t fail_kv_write = 0, bool survives = false) {
    close();
    if (make_bucket_) {
      HEARTH_ASSIGN_OR_RETURN(options_.bucket, make_bucket_());
    } else {
      HEARTH_ASSIGN_OR_RETURN(options_.bucket, objstore::open_local_store(files_, dir_ / "bucket"));
    }
    HEARTH_ASSIGN_OR_RETURN(auto kv, open_kv(fail_kv_write, survives));
    storage::StoreHooks hooks;
    hooks.fail_stop = [this](const Error&) { stopped_ = true; };
    stopped_ = false;
    auto store = storage::open_store(options_, std::move(kv), query_only_, std::move(hooks));
    if (!store) return tl::unexpected(store.error());
    store_ = std::move(*store);
    return {};
  }
  void close() {
    store_.reset();
    kv_ = nullptr;
  }
  /// Another bucket than the directory, from the next reopen() on; made anew by each.
  void set_bucket(std::function<Result<std::shared_ptr<ObjectStore>>()> make) {
    make_bucket_ = std::move(make);
  }
  /// Another database than the model, likewise. kv() and disk() mean nothing then.
  void set_kv(std::function<Result<std::unique_ptr<storage::KvStore>>()> open) {
    open_kv_ = std::move(open);
  }
  void set_query_only(std::string reason) { query_only_ = std::move(reason); }

  /// Appends one profile; the model learns what is certain and what is only possible.
  Status append(const std::string& tenant, const std::string& service, const std::string& pod,
                bool with_id = true) {
    return append_batch(tenant, series_of(service, pod), gen_.next(),
                        with_id ? std::optional(random_uuid(*random_)) : std::nullopt);
  }
  Status append_batch(const std::string& tenant, const LabelSet& series, ProfileBatch batch,
                      std::optional<Id128> id) {
    std::vector<uint32_t> samples(batch.samples.size());
    std::iota(samples.begin(), samples.end(), 0);
    const storage::AppendProfile profile{&series, &batch, samples, id};
    last_ = {tenant, series, id};
    if (id) possible_[*id] = plain(tenant, series, batch);
    const auto outcome = store_->append(*Tenant::parse(tenant), std::span(&profile, 1));
    if (!outcome) return tl::unexpected(outcome.error());
    if (id) {
      acked_[*id] = possible_[*id];
    } else {
      ++unnamed_;
    }
    last_batch_ = std::move(batch);
    return {};
  }
  /// Sends the last acknowledged profile with an id again.
  Result<storage::AppendOutcome> retry_last() {
    std::vector<uint32_t> samples(last_batch_.samples.size());
    std::iota(samples.begin(), samples.end(), 0);
    const storage::AppendProfile profile{&last_.series, &last_batch_, samples, last_.id};
    return store_->append(*Tenant::parse(last_.tenant), std::span(&profile, 1));
  }
  /// Whether there is one, sent with an id since the window began.
  bool has_last() const { return last_.id.has_value(); }
  void forget_last() { last_.id.reset(); }

  /// Every acknowledged profile is there once, as it was sent; nothing else is there but profiles
  /// whose outcome is unknown. `compared` as for read_all().
  void check(bool compared = true) {
    const std::map<Id128, PlainProfile> all = read_with_ids(compared);
    size_t unnamed = 0;
    for (const auto& [id, profile] : all) {
      const auto expected = possible_.find(id);
      if (expected == possible_.end()) {
        ++unnamed;
      } else {
        CHECK(profile == expected->second);
      }
    }
    for (const auto& [id, profile] : acked_) CHECK(all.contains(id));
    CHECK(unnamed == unnamed_);
    // An unknown outcome is known once it was seen after a restart.
    std::erase_if(possible_, [&](const auto& entry) { return !all.contains(entry.first); });
    acked_ = possible_;
  }
  size_t acked() const { return acked_.size() + unnamed_; }
  /// All that the store holds of the model's tenants, by the ids that were sent, also where the
  /// store no longer has them.
  std::map<Id128, PlainProfile> read_with_ids(bool compared = true) {
    std::map<Id128, PlainProfile> found;
    std::set<std::string> tenants;
    for (const auto& [id, profile] : possible_) tenants.insert(profile.tenant);
    for (const std::string& tenant : tenants)
      found.merge(read_all(*store_, *Tenant::parse(tenant), {}, compared));
    std::map<Id128, Id128> sent;
    for (const auto& [id, profile] : possible_) sent.emplace(id_of_content(profile), id);
    std::map<Id128, PlainProfile> out;
    for (auto& [id, profile] : found) {
      const auto known = is_id_of_content(id) ? sent.find(id) : sent.end();
      const bool first = out.emplace(known == sent.end() ? id : known->second, profile).second;
      CHECK(first);
    }
    return out;
  }

 private:
  struct Sent {
    std::string tenant;
    LabelSet series;
    std::optional<Id128> id;
  };
  Result<std::unique_ptr<storage::KvStore>> open_kv(uint64_t fail_write, bool survives) {
    if (open_kv_) return open_kv_();
    auto kv = std::make_unique<ModelKvStore>(disk_, /*lose_unsynced=*/true);
    kv->fail_write(fail_write, survives);
    kv_ = kv.get();
    return kv;
  }

  TempDir dir_{memory_directory()};
  std::function<Result<std::shared_ptr<ObjectStore>>()> make_bucket_;
  std::function<Result<std::unique_ptr<storage::KvStore>>()> open_kv_;
  FaultyFileSystem files_;
  ManualClock clock_;
  std::unique_ptr<Random> random_;
  MemoryAccountant memory_{size_t{1} << 30U};
  ProfileGen gen_;
  std::shared_ptr<ModelKvDisk> disk_ = std::make_shared<ModelKvDisk>();
  storage::Store::Options options_;
  std::string query_only_;
  std::unique_ptr<storage::Store> store_;
  ModelKvStore* kv_ = nullptr;
  bool stopped_ = false;
  Sent last_;
  ProfileBatch last_batch_;
  std::map<Id128, PlainProfile> acked_, possible_;
  size_t unnamed_ = 0;
};

/// What must hold after any fault: the start works, nothing acknowledged is lost or doubled, and
/// the store seals, takes profiles and comes back again.
inline void check_after_fault(StoreUnderTest& t) {
  REQUIRE(t.reopen());
  t.check();
  REQUIRE(t.store().seal());
  t.check();
  REQUIRE(t.append("acme", "svc0", "p"));
  REQUIRE(t.reopen());
  t.check();
}

}  // namespace hearth::test
