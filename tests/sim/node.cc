#include "sim/node.h"

#include <fmt/format.h>

#include <numeric>
#include <utility>

#include "hearth/tenant.h"

namespace hearth::sim {
namespace {

constexpr const char* kServices[] = {"checkout", "cart", "ads"};
constexpr uint64_t kDiskBytes = uint64_t{100} << 30U;
/// Retries this long after the request are still recognised; fewer starts than the window has slots
/// lie in between, as each start begins a slot.
constexpr int64_t kRetryNs = 13 * kMinute;
constexpr uint64_t kRetryStarts = 8;
/// A process that looked for new snapshots less long ago than fresh objects outlive theirs sees all
/// of its view.
constexpr int64_t kStaleNs = 9 * kMinute;
constexpr int64_t kBackfill = 40 * kHour;

}  // namespace

/// Marks an operation as under way.
class Node::Running {
 public:
  Running(Node& node, bool* flag = nullptr) : node_(node), flag_(flag) {
    ++node_.running_;
    ++node_.world_.depth;
    if (flag_ != nullptr) *flag_ = true;
  }
  ~Running() {
    --node_.running_;
    --node_.world_.depth;
    if (flag_ != nullptr) *flag_ = false;
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

 private:
  Node& node_;
  bool* const flag_;
};

Node::Node(World& world, Ledger& ledger, size_t number)
    : world_(world),
      ledger_(ledger),
      number_(number),
      name_(fmt::format("node{}", number)),
      clock_(world),
      random_(seeded_random(world.dice.next())),
      gen_(world.dice.next(), {.samples = 4, .mean_depth = 4, .functions = 30, .mappings = 2}) {
  set_disk_full(false);
}

void Node::set_disk_full(bool full) {
  files_.set_space({full ? kDiskBytes / 100 : kDiskBytes / 2, kDiskBytes});
}

storage::Store::Options Node::options() {
  storage::Store::Options options;
  options.data_dir = "/";
  options.bucket = bucket_;
  options.files = &files_;
  options.clock = &clock_;
  options.random = random_.get();
  options.memory = &memory_;
  options.reserve_bytes = 0;
  options.seal_bytes = 4096;
  options.epoch_max_nodes = world_.settings.epoch_nodes;
  options.merged_segment_bytes = world_.settings.segment_bytes;
  options.retention.age_ns = world_.settings.retention_ns;
  options.writer_version = "sim";
  return options;
}

void Node::settle(const std::string& what, const Status& status, uint64_t faults, bool may_fail) {
  world_.note(fmt::format("{} {}: {}", name_, what, status ? "done" : status.error().message));
  const bool may =
      may_fail || world_.faults != faults || dying() || (kv_ != nullptr && kv_->fired());
  if (!status && !may)
    world_.journal.fail(
        fmt::format("{} {} failed without a fault: {}", name_, what, status.error().message));
}

void Node::open() {
  world_.note(name_ + " starts");
  const uint64_t faults = world_.faults;
  {
    const Running running(*this, &opening_);
    stopped_ = false;
    ++starts_;
    bucket_ = std::make_shared<NodeBucket>(world_, name_);
    auto kv =
        std::make_unique<test::ModelKvStore>(disk_, /*lose_unsynced=*/world_.dice.percent(70));
    kv_ = kv.get();
    bucket_->on_death([this] { kv_->fail_write(1); });
    if (!world_.calm() && world_.dice.percent(10)) arm();
    storage::StoreHooks hooks;
    hooks.fail_stop = [this](const Error&) {
      stopped_ = true;
      ++world_.faults;
      bucket_->kill();
    };
    auto store = storage::open_store(options(), std::move(kv), "", std::move(hooks));
    if (kv_ != nullptr && !store) {
      kv_ = nullptr;
      bucket_->kill();
    }
    if (store) store_ = std::move(*store);
    settle("start", store ? Status{} : tl::unexpected(store.error()), faults, false);
  }
  // With a fault it may have gone on with what it knew before.
  viewed_ns_ = world_.faults == faults ? world_.clock.boot_ns() : INT64_MIN / 2;
  const Running running(*this);
  if (is_open() && !dying()) settle_unknown();
}

std::optional<Seen> Node::view(const std::string& who, bool rows) {
  if (viewing_++ == 0) lists_before_view_ = bucket_->lists();
  auto seen = ledger_.look(*store_, who, rows);
  --viewing_;
  return seen;
}

// What a restart does not bring back of requests without an answer is gone for good; what it brings
// back stays.
void Node::settle_unknown() {
  const auto seen = view(name_ + " after a start", false);
  if (!seen || !seen->partial.empty()) return;
  for (auto& [start, sent] : ledger_.all()) {
    if (sent.node != number_ || sent.fate != Sent::Fate::unknown) continue;
    if (sent.added_at > seen->moment || ledger_.may_be_forgotten(sent)) continue;
    if (ledger_.may_be_erased(sent)) continue;
    if (seen->times.contains(start)) {
      ledger_.acknowledge(sent);
    } else {
      sent.fate = Sent::Fate::absent;
    }
  }
}

void Node::crash() {
  world_.note(name_ + " crashes");
  if (bucket_) bucket_->kill();
  store_.reset();
  kv_ = nullptr;
}

void Node::lose_disk() {
  crash();
  world_.note(name_ + " loses its disk");
  disk_ = std::make_shared<test::ModelKvDisk>();
  for (auto& [start, sent] : ledger_.all()) {
    if (sent.node == number_ && !sent.sealed_ns) sent.fate = Sent::Fate::unknown;
    // Nobody asks this machine for it any more.
    if (sent.node == number_) sent.node = SIZE_MAX;
  }
}

void Node::arm() {
  if (world_.dice.percent(60)) {
    bucket_->die_at(1 + world_.dice.below(20));
  } else {
    kv_->fail_write(1 + world_.dice.below(4), world_.dice.percent(50));
    ++world_.faults;
  }
}

Sent Node::make_profile() {
  Sent sent;
  sent.tenant = kTenants[world_.dice.below(2)];
  sent.series = *LabelSet::make({{"__name__", "process_cpu"},
                                 {"service_name", kServices[world_.dice.below(3)]},
                                 {"pod", fmt::format("pod-{}", world_.dice.below(3))}});
  sent.batch = gen_.next();
  const int64_t back =
      world_.dice.percent(50)
          ? 0
          : static_cast<int64_t>(world_.dice.below(static_cast<uint64_t>(kBackfill)));
  // The number makes it the only one that starts then.
  sent.batch.time_ns = (world_.clock.wall_ns() - back) / kSecond * kSecond +
                       static_cast<int64_t>(ledger_.all().size());
  if (world_.dice.percent(85)) sent.id = random_uuid(*random_);
  sent.plain = test::plain(sent.tenant, sent.series, sent.batch);
  sent.node = number_;
  sent.node_start = starts_;
  sent.sent_ns = world_.clock.boot_ns();
  return sent;
}

// What refuses profiles without harm: a full disk.
bool Node::is_refusing() const {
  return store_->not_ready_reason().has_value();
}

void Node::append(size_t profiles) {
  const Running running(*this);
  const uint64_t faults = world_.faults;
  std::vector<Sent*> sent;
  std::vector<storage::AppendProfile> request;
  std::vector<std::vector<uint32_t>> samples(profiles);
  Sent first = make_profile();
  const std::string tenant = first.tenant;
  for (size_t i = 0; i < profiles; ++i) {
    Sent next = i == 0 ? std::move(first) : make_profile();
    next.tenant = next.plain.tenant = tenant;
    sent.push_back(&ledger_.add(std::move(next)));
    samples[i].resize(sent[i]->batch.samples.size());
    std::iota(samples[i].begin(), samples[i].end(), 0U);
    request.push_back({&sent[i]->series, &sent[i]->batch, samples[i], sent[i]->id});
  }
  const bool refusing = is_refusing();
  const auto outcome = store_->append(*Tenant::parse(tenant), request);
  if (outcome && outcome->stored != profiles)
    world_.journal.fail(
        fmt::format("{}: {} of {} new profiles were stored", name_, outcome->stored, profiles));
  for (Sent* s : sent) {
    if (outcome) ledger_.acknowledge(*s);
    if (refusing) s->fate = Sent::Fate::absent;
  }
  settle(fmt::format("append {} from {}", profiles, sent.front()->plain.start_ns),
         outcome ? Status{} : tl::unexpected(outcome.error()), faults, refusing);
}

void Node::retry() {
  std::vector<Sent*> candidates;
  for (auto& [start, sent] : ledger_.all()) {
    if (sent.node == number_ && sent.id && sent.fate != Sent::Fate::absent &&
        world_.clock.boot_ns() - sent.sent_ns < kRetryNs &&
        starts_ - sent.node_start < kRetryStarts)
      candidates.push_back(&sent);
  }
  if (candidates.empty()) return;
  const Running running(*this);
  const uint64_t faults = world_.faults;
  Sent& sent = *candidates[world_.dice.below(candidates.size())];
  std::vector<uint32_t> samples(sent.batch.samples.size());
  std::iota(samples.begin(), samples.end(), 0U);
  const storage::AppendProfile profile{&sent.series, &sent.batch, samples, sent.id};
  const bool refusing = is_refusing();
  const auto outcome = store_->append(*Tenant::parse(sent.tenant), std::span(&profile, 1));
  if (outcome && sent.fate == Sent::Fate::acked && outcome->duplicates != 1)
    world_.journal.fail(name_ + ": a retry of " + Ledger::name(sent) + " was stored");
  if (outcome) ledger_.acknowledge(sent);
  settle(fmt::format("retry {}", sent.plain.start_ns),
         outcome ? Status{} : tl::unexpected(outcome.error()), faults, refusing);
}

void Node::seal() {
  const Running running(*this, &sealing_);
  const uint64_t faults = world_.faults;
  std::vector<Sent*> before;
  for (auto& [start, sent] : ledger_.all()) {
    if (sent.node == number_ && sent.fate == Sent::Fate::acked && !sent.sealed_ns)
      before.push_back(&sent);
  }
  const auto sealed = store_->seal();
  settle("seal", sealed ? Status{} : tl::unexpected(sealed.error()), faults, false);
  if (!sealed) return;
  for (Sent* sent : before) sent->sealed_ns = world_.clock.boot_ns();
}

void Node::step() {
  const Running running(*this, &sealing_);
  const uint64_t faults = world_.faults;
  settle("step", store_->step(), faults, false);
}

// Another process may commit first; a clock that is not listed yet cannot be read; a merge during
// which much time passed is given up.
bool Node::compaction_may_fail(int64_t began_ns) const {
  return world_.shared() || world_.settings.list_delay_ns > 0 ||
         world_.clock.boot_ns() - began_ns > kHour;
}

void Node::compact_step() {
  const Running running(*this, &compacting_);
  const uint64_t faults = world_.faults;
  const int64_t began_ns = world_.clock.boot_ns();
  const Status done = store_->compact_step({});
  settle("compact when due", done, faults, compaction_may_fail(began_ns));
}

void Node::compact(bool force) {
  const Running running(*this, &compacting_);
  const uint64_t faults = world_.faults;
  const int64_t began_ns = world_.clock.boot_ns();
  const bool refusing = is_refusing();
  const auto done = store_->compact(force, {});
  settle(force ? "compact all" : "compact", done ? Status{} : tl::unexpected(done.error()), faults,
         refusing || compaction_may_fail(began_ns));
  if (done) viewed_ns_ = began_ns;
}

void Node::erase() {
  if (ledger_.all().empty()) return;
  const Running running(*this, &erasing_);
  const uint64_t faults = world_.faults;
  const Sent& around =
      std::next(ledger_.all().begin(),
                static_cast<std::ptrdiff_t>(world_.dice.below(ledger_.all().size())))
          ->second;
  const int64_t by_ns =
      world_.dice.percent(60) ? 0 : static_cast<int64_t>(world_.dice.below(30)) * kMinute;
  const int64_t begin_ns = around.plain.start_ns - by_ns;
  const int64_t last_ns = around.plain.start_ns + by_ns;
  const size_t number = ledger_.erase({around.tenant, begin_ns, last_ns, number_, starts_, {}});
  auto deletion = storage::Deletion::make(around.tenant, "{}", begin_ns, last_ns);
  const auto added = store_->deletions()->add(std::move(*deletion));
  if (added) ledger_.erased(number);
  settle(fmt::format("delete {} to {}", begin_ns, last_ns),
         added ? Status{} : tl::unexpected(added.error()), faults, is_refusing());
}

void Node::look(bool rows) {
  const Running running(*this);
  const uint64_t faults = world_.faults;
  const bool compared_before = compared();
  const auto seen = view(name_, rows);
  const bool stale = world_.shared() && world_.clock.boot_ns() - viewed_ns_ > kStaleNs;
  world_.note(fmt::format(
      "{} shows {}", name_,
      seen ? fmt::format("{} profiles, {} parts missing", seen->times.size(), seen->partial.size())
           : "nothing"));
  if (!seen || dying()) return;
  if (!seen->partial.empty()) {
    if (world_.faults == faults && !stale && compared_before)
      world_.journal.fail(name_ + " is partial without a fault: " + seen->partial.front());
    return;
  }
  ledger_.expect(*seen, name_, [this](const Sent& sent) { return sent.node == number_; });
  // Others know of it with their next look at the bucket.
  ledger_.expect_erased(*seen, name_, [this](const Erased& erased) {
    return erased.node == number_ && erased.node_start == starts_;
  });
}

}  // namespace hearth::sim
