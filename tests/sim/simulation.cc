#include "sim/simulation.h"

#include <fmt/format.h>

#include <utility>

#include "query/engine.h"
#include "storage/compaction_plan.h"
#include "storage/deletion_verify.h"

namespace hearth::sim {
namespace {

constexpr size_t kDepthMax = 3;
constexpr uint64_t kReaderSeed = 7;
constexpr int kQueries = 6;

/// A bucket that never fails, for looks from outside.
class CalmBucket final : public ObjectStore {
 public:
  explicit CalmBucket(ObjectStore& inner) : inner_(inner) {}
  [[nodiscard]] Result<PutOutcome> put_if_absent(const std::string& key,
                                                 std::string_view data) override {
    return inner_.put_if_absent(key, data);
  }
  [[nodiscard]] Status put(const std::string& key, std::string_view data) override {
    return inner_.put(key, data);
  }
  [[nodiscard]] Result<std::unique_ptr<ObjectReader>> open(const std::string& key) override {
    return inner_.open(key);
  }
  [[nodiscard]] Result<std::vector<Entry>> list(const std::string& prefix,
                                                const std::string& start_after,
                                                size_t limit) override {
    return inner_.list(prefix, start_after, limit);
  }
  [[nodiscard]] Status remove(const std::string& key) override { return inner_.remove(key); }

 private:
  ObjectStore& inner_;
};

}  // namespace

Simulation::Simulation(uint64_t seed, bool print)
    : world_(seed, print),
      ledger_(world_),
      check_(world_, /*views_last=*/world_.shared()),
      reader_random_(seeded_random(kReaderSeed)) {
  const Settings& s = world_.settings;
  world_.note(fmt::format(
      "seed {}: {} nodes, listing lags {} s, retention {} h, epochs of {} nodes, segments of {} "
      "bytes, {} % faults",
      seed, s.nodes, s.list_delay_ns / kSecond, s.retention_ns / kHour, s.epoch_nodes,
      s.segment_bytes, s.fault_percent));
  reader_files_.set_space({uint64_t{1} << 40U, uint64_t{2} << 40U});
  for (size_t i = 0; i < s.nodes; ++i) nodes_.push_back(std::make_unique<Node>(world_, ledger_, i));
  world_.interleave = [this] {
    if (world_.depth < kDepthMax && world_.dice.percent(6)) act();
  };
}

Simulation::Outcome Simulation::run(int steps) {
  for (int i = 0; i < steps && !world_.journal.failure(); ++i) {
    act();
    check_.check();
  }
  if (!world_.journal.failure()) make_peace();
  nodes_.clear();
  world_.note(fmt::format("{} profiles", ledger_.all().size()));
  return {world_.journal.failure(), world_.journal.hash(), ledger_.all().size(),
          world_.bucket.keys("s/").size()};
}

void Simulation::act() {
  const bool top = world_.depth == 0;
  const uint64_t choice = world_.dice.below(100);
  if (choice < 8) return pass_time();
  if (choice < 13) return change_weather();
  if (top && choice < 18) return look_from_outside(false);
  Node& node = any_node();
  if (!node.is_open() || node.dying()) {
    if (!node.may_crash()) return;
    node.crash();
    if (world_.dice.percent(3)) node.lose_disk();
    return node.open();
  }
  const bool done = act_on(node, choice, top);
  if (done && top && !node.dying() && world_.dice.percent(30)) node.look(false);
}

bool Simulation::act_on(Node& node, uint64_t choice, bool top) {
  if (top && world_.dice.percent(6)) node.arm();
  if (choice < 48) {
    if (node.may_append()) node.append(1 + world_.dice.below(3));
  } else if (choice < 55) {
    if (node.may_append()) node.retry();
  } else if (choice < 65) {
    if (node.may_seal()) node.seal();
  } else if (choice < 72) {
    if (node.may_seal()) node.step();
  } else if (choice < 80) {
    if (node.may_compact()) node.compact_step();
  } else if (choice < 89) {
    // What others read may be deleted at once only where there are no others.
    if (node.may_compact()) node.compact(!world_.shared() && world_.dice.percent(50));
  } else if (choice < 93) {
    if (node.may_append()) node.look(false);
  } else if (choice < 95) {
    if (node.may_erase()) node.erase();
  } else if (node.may_crash()) {
    node.crash();
    node.open();
  }
  return node.is_open();
}

void Simulation::pass_time() {
  const uint64_t kind = world_.dice.below(10);
  int64_t by = static_cast<int64_t>(world_.dice.below(120)) * kSecond;
  if (kind >= 6) by = static_cast<int64_t>(world_.dice.below(180)) * kMinute;
  if (kind == 9) by = static_cast<int64_t>(world_.dice.below(30)) * kHour;
  world_.note(fmt::format("{} s pass", by / kSecond));
  world_.clock.advance(by);
}

void Simulation::change_weather() {
  switch (world_.dice.below(4)) {
    case 0: {
      const uint64_t percents[] = {0, 0, 5, 40, 100};
      world_.burst_percent = world_.dice.percent(50) ? 0 : percents[world_.dice.below(5)];
      return world_.note(fmt::format("{} % of calls fail", world_.burst_percent));
    }
    case 1: {
      Node& node = any_node();
      const bool full = world_.dice.percent(30);
      node.set_disk_full(full);
      return world_.note(
          fmt::format("{}: the disk is {}", node.name(), full ? "full" : "not full"));
    }
    case 2: {
      Node& node = any_node();
      const auto hours = static_cast<int64_t>(world_.dice.below(9)) - 4;
      node.clock().set_offset(world_.dice.percent(40) ? 0 : hours * kHour / 2);
      return world_.note(fmt::format("{}: somebody sets the clock, now {}", node.name(),
                                     node.clock().wall_ns() - world_.clock.wall_ns()));
    }
    default:
      world_.burst_percent = 0;
  }
}

std::unique_ptr<storage::Store> Simulation::open_reader(ObjectStore& bucket) {
  storage::Store::Options options;
  options.data_dir = "/";
  options.bucket = std::make_shared<CalmBucket>(bucket);
  options.files = &reader_files_;
  options.clock = &world_.clock;
  options.random = reader_random_.get();
  options.memory = &reader_memory_;
  options.writer_version = "reader";
  auto store = storage::open_store(
      options, std::make_unique<test::ModelKvStore>(std::make_shared<test::ModelKvDisk>()),
      "it only reads", {});
  if (store) return std::move(*store);
  world_.journal.fail("a reader cannot start: " + store.error().message);
  return nullptr;
}

// A process that starts from nothing but the bucket sees what was sealed, but for what is not
// listed yet.
void Simulation::look_from_outside(bool rows) {
  world_.note("a reader looks");
  const auto store = open_reader(world_.bucket);
  if (!store) return;
  const auto seen = ledger_.look(*store, "a reader", rows);
  if (!seen) return world_.journal.fail("a reader cannot read");
  if (!seen->partial.empty())
    return world_.journal.fail("a reader's view is partial: " + seen->partial.front());
  const int64_t listed_ns = world_.clock.boot_ns() - world_.settings.list_delay_ns;
  ledger_.expect(*seen, "a reader",
                 [&](const Sent& sent) { return sent.sealed_ns && *sent.sealed_ns <= listed_ns; });
  if (rows) compare_queries(*store);
}

// The query engine's totals, from rollups, rows or both, beside sums over what was sent.
void Simulation::compare_queries(storage::Store& store) {
  query::Engine engine({&store, &reader_memory_, 1 << 20, 1 << 20});
  for (int i = 0; i < kQueries; ++i) {
    query::ProfileQuery query;
    query.tenant = *Tenant::parse(kTenants[world_.dice.below(2)]);
    query.type = *ProfileType::parse("process_cpu:cpu:nanoseconds:cpu:nanoseconds");
    const int64_t unit = world_.dice.percent(60) ? kHour : kSecond;
    const auto back = static_cast<int64_t>(world_.dice.below(72)) * kHour;
    query.range.start_ns = storage::floor_time(world_.clock.wall_ns() - back, unit);
    query.range.end_ns =
        query.range.start_ns + static_cast<int64_t>(1 + world_.dice.below(48)) * kHour - 1;
    int64_t least = 0;
    int64_t most = 0;
    for (const auto& [start, sent] : ledger_.all()) {
      if (sent.tenant != query.tenant.id() || start < query.range.start_ns ||
          start > query.range.end_ns)
        continue;
      const bool sure = sent.fate == Sent::Fate::acked && sent.sealed_ns;
      if (sure && !ledger_.may_be_forgotten(sent) && !ledger_.may_be_erased(sent))
        least += sent.plain.totals[1];
      if (sent.fate != Sent::Fate::absent) most += sent.plain.totals[1];
    }
    const auto answer = engine.merge_tree(query, {});
    if (!answer) return world_.journal.fail("a query failed: " + answer.error().message);
    const int64_t total = answer->tree.total[0] + answer->tree.without_stack;
    if (total < least || total > most)
      world_.journal.fail(fmt::format("a query of [{}, {}] says {}; want {} to {}",
                                      query.range.start_ns, query.range.end_ns, total, least,
                                      most));
  }
}

// What was deleted is in no object any more.
void Simulation::check_deletions() {
  CalmBucket bucket(world_.bucket);
  const auto report = storage::verify_deletions(bucket);
  if (!report)
    return world_.journal.fail("deletions cannot be verified: " + report.error().message);
  for (const std::string& finding : report->findings) world_.journal.fail(finding);
  for (const storage::DeletionProof& proof : report->proofs) {
    if (!proof.gone())
      world_.journal.fail(fmt::format("deletion {}: {} profiles are live, {} wait",
                                      proof.deletion.id.uuid(), proof.live.profiles,
                                      proof.waiting.profiles));
  }
}

// Nothing fails any more and time passes: everything is sealed, merged to days, forgotten where it
// is due, and what nobody needs is collected.
void Simulation::make_peace() {
  world_.note("peace");
  world_.set_calm();
  for (const auto& node : nodes_) {
    node->clock().set_offset(0);
    node->set_disk_full(false);
    node->crash();
    node->open();
    if (!node->is_open()) return;
    node->step();
    node->seal();
    node->look(true);
    check_.check();
  }
  for (const int64_t wait : {world_.settings.list_delay_ns, kDay + 4 * kHour, kDay, kDay, kHour}) {
    world_.clock.advance(wait + 2 * kMinute);
    for (const auto& node : nodes_) {
      node->step();
      // Once for what others committed, once for the rest.
      node->compact_step();
      world_.clock.advance(2 * kMinute);
      node->compact_step();
      if (world_.journal.failure()) return;
    }
    check_.check();
  }
  for (const auto& node : nodes_) {
    node->look(true);
    if (const auto seen = ledger_.look(node->store(), node->name(), false))
      ledger_.expect_erased(*seen, node->name(), [](const Erased&) { return true; });
  }
  look_from_outside(true);
  check_deletions();
  check_.check_end();
  for (const auto& node : nodes_) {
    node->crash();
    if (node->memory().used() != 0)
      world_.journal.fail(
          fmt::format("{} keeps {} bytes charged", node->name(), node->memory().used()));
  }
  if (reader_memory_.used() != 0) world_.journal.fail("a reader keeps bytes charged");
}

}  // namespace hearth::sim
