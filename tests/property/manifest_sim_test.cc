// Writers, two compactors, readers and the collection of garbage on one bucket, cut short, failing
// and running into each other at every call. Profiles are numbers; a fresh object lists some, a
// merged one those of its inputs. Invariants: every acknowledged number is seen exactly once by
// every reader; what a reader saw can be read for as long as is promised.
#include <map>
#include <set>
#include <sstream>

#include "storage/garbage.h"
#include "storage/manifest.h"
#include "support/catch.h"
#include "support/manual_clock.h"
#include "support/memory_bucket.h"
#include "support/profile_gen.h"

namespace hearth::storage {
namespace {

using test::Dice;
using test::MemoryBucket;
using Fault = MemoryBucket::Fault;

constexpr int64_t kMinute = 60'000'000'000;
constexpr int64_t kListDelay = kMinute;
constexpr size_t kDepthMax = 3;

struct Died {};

class Simulation {
 public:
  explicit Simulation(uint64_t seed) : dice_(seed), random_(seeded_random(seed)) {
    bucket_.delay_listing(kListDelay);
    for (auto& compactor : compactors_) compactor = make();
    bucket_.watch([this](std::string_view, const std::string&, bool done) { return at(done); });
  }

  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      act();
      check_reader();
    }
    // In the end nothing fails, and every number is in a merged object.
    calm_ = true;
    clock_.advance(kListDelay);
    REQUIRE(compactors_[0]->refresh());
    REQUIRE(compact(*compactors_[0]));
    clock_.advance(kListDelay);
    check_reader();
    (void)collect_tombstones(bucket_, *compactors_[0], {});  // Its clock may not be listed yet.
    clock_.advance(2 * 60 * kMinute);
    REQUIRE(collect_tombstones(bucket_, *compactors_[0], {}));
    check_reader();
    CHECK(compactors_[0]->current()->tombstones.empty());
  }

 private:
  std::unique_ptr<Manifest> make() {
    return std::make_unique<Manifest>(bucket_, *random_, clock_, "sim");
  }

  /// Before and after every call on the bucket.
  Fault at(bool done) {
    if (calm_ || depth_ == 0) return Fault::none;
    if (depth_ < kDepthMax && dice_.percent(12)) act();
    if (dice_.percent(3)) throw Died();
    if (done || !dice_.percent(8)) return Fault::none;
    return dice_.percent(50) ? Fault::refused : Fault::lost_answer;
  }

  /// Somebody does something, and may die of it.
  void act() {
    ++depth_;
    const size_t i = dice_.below(2);
    try {
      const uint64_t choice = dice_.below(100);
      if (choice < 35) {
        write();
      } else if (choice < 60) {
        if (compactors_[i]->refresh()) (void)compact(*compactors_[i]);
      } else if (choice < 70) {
        (void)compact(*compactors_[i]);  // With what it last knew.
      } else if (choice < 80) {
        (void)collect_tombstones(bucket_, *compactors_[i], {});
      } else if (choice < 83) {
        (void)collect_orphans(bucket_, *compactors_[i], {});
      } else if (choice < 86) {
        replay();
      } else {
        clock_.advance(static_cast<int64_t>(dice_.below(dice_.percent(20) ? 1800 : 60)) *
                       (kMinute / 60));
      }
    } catch (const Died&) {
      if (depth_ == 1) compactors_[i] = make();
      --depth_;
      if (depth_ > 0) throw;
      return;
    }
    --depth_;
  }

  void write() {
    std::string text;
    std::vector<int> numbers;
    for (size_t n = 1 + dice_.below(3); n > 0; --n) {
      numbers.push_back(next_++);
      text += std::to_string(numbers.back()) + " ";
    }
    const std::string key = fresh_key(dice_.percent(50) ? "one" : "two", sequence_++);
    written_[key] = text;
    const auto put = bucket_.put_if_absent(key, text);
    if (!put || *put != ObjectStore::PutOutcome::created) return;
    for (const int n : numbers) acked_[n] = clock_.boot_ns();
  }

  /// A writer that has not heard the answer sends the same object again, long after.
  void replay() {
    if (written_.empty()) return;
    auto it = written_.begin();
    std::advance(it, static_cast<ptrdiff_t>(dice_.below(written_.size())));
    (void)bucket_.put_if_absent(it->first, it->second);
  }

  Result<std::string> read(const std::string& key) {
    HEARTH_ASSIGN_OR_RETURN(const auto object, bucket_.open(key));
    if (!object) return fail(ErrorCode::not_found, key);
    HEARTH_ASSIGN_OR_RETURN(const auto bytes, object->read(0, object->size()));
    return std::string(bytes.view);
  }

  /// Merges some fresh objects, and sometimes all merged ones, into one.
  Status compact(Manifest& manifest) {
    HEARTH_ASSIGN_OR_RETURN(const auto listed, bucket_.list("l0/", "", 1000));
    const auto snapshot = manifest.current();
    Manifest::Change change;
    for (const auto& entry : listed) {
      if (!snapshot->absorbed.contains(entry.key) && (calm_ || dice_.percent(80)))
        change.removed.push_back(entry.key);
    }
    if (change.removed.empty()) return {};
    if (dice_.percent(30)) {
      for (const auto& s : snapshot->segments) change.removed.push_back(s.key);
    }
    std::string text;
    for (const std::string& key : change.removed) {
      HEARTH_ASSIGN_OR_RETURN(const std::string part, read(key));
      text += part;
    }
    const Id128 uuid = random_uuid(*random_);
    const std::string key = "m/t/day/" + uuid.uuid() + ".seg";
    HEARTH_ASSIGN_OR_RETURN(const auto put, bucket_.put_if_absent(key, text));
    (void)put;
    change.added.push_back({key, uuid, text.size(), 1, 0, 1, 1, 1});
    HEARTH_ASSIGN_OR_RETURN(const auto outcome, manifest.commit(change));
    (void)outcome;
    return {};
  }

  /// Lists fresh objects, then finds the newest snapshot, then reads all.
  void check_reader() {
    const size_t depth = std::exchange(depth_, 0);
    const auto listed = bucket_.list("l0/", "", 10'000);
    const auto manifest = make();
    REQUIRE(manifest->refresh());
    const auto snapshot = manifest->current();
    View view{clock_.boot_ns(), {}};
    for (const auto& s : snapshot->segments) view.keys.push_back(s.key);
    for (const auto& entry : *listed) {
      if (!snapshot->absorbed.contains(entry.key)) view.keys.push_back(entry.key);
    }
    std::map<int, int> seen;
    for (const std::string& key : view.keys) {
      const auto text = read(key);
      INFO(key);
      REQUIRE(text);
      std::istringstream numbers(*text);
      for (int n = 0; numbers >> n;) ++seen[n];
    }
    for (const auto& [n, count] : seen) REQUIRE(count == 1);
    for (const auto& [n, since] : acked_) {
      INFO("number " << n);
      if (clock_.boot_ns() - since >= kListDelay) REQUIRE(seen.contains(n));
    }
    check_old_views();
    if (dice_.percent(20)) views_.push_back(std::move(view));
    depth_ = depth;
  }

  void check_old_views() {
    std::erase_if(views_, [&](const View& v) { return clock_.boot_ns() - v.at_ns >= 9 * kMinute; });
    for (const View& view : views_) {
      for (const std::string& key : view.keys) REQUIRE(bucket_.has(key));
    }
  }

  struct View {
    int64_t at_ns = 0;
    std::vector<std::string> keys;
  };
  Dice dice_;
  test::ManualClock clock_;
  MemoryBucket bucket_{clock_};
  std::unique_ptr<Random> random_;
  std::array<std::unique_ptr<Manifest>, 2> compactors_;
  std::map<int, int64_t> acked_;
  std::map<std::string, std::string> written_;
  std::vector<View> views_;
  int next_ = 1;
  uint64_t sequence_ = 0;
  size_t depth_ = 0;
  bool calm_ = false;
};

}  // namespace

TEST_CASE("no number is lost, doubled or dangling, whoever dies when", "[compact]") {
  for (uint64_t seed = 1; seed <= 400; ++seed) {
    INFO("seed " << seed);
    Simulation(seed).run(60);
  }
}

}  // namespace hearth::storage
