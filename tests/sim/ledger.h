#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/world.h"
#include "storage/store.h"
#include "support/plain_profile.h"

namespace hearth::sim {

/// A profile that a client sent. No two start at the same time, which is therefore its name: it
/// outlives the ids, which day segments do not have.
struct Sent {
  enum class Fate : uint8_t {
    unknown,  ///< The answer was an error: it may be there or not.
    acked,    ///< It must be there.
    absent,   ///< It was not there after a restart, so it must never be.
  };
  std::string tenant;
  LabelSet series;
  ProfileBatch batch;
  std::optional<Id128> id;
  test::PlainProfile plain;
  size_t node = 0;  ///< To which process it was sent.
  Fate fate = Fate::unknown;
  uint64_t added_at = 0, acked_at = 0;  ///< Moments of the ledger.
  int64_t sent_ns = 0;                  ///< By the boot clock.
  uint64_t node_start = 0;              ///< Which start of that process it was.
  std::optional<int64_t> sealed_ns;     ///< Since when it is certainly in the bucket.
};

/// A deletion that somebody asked for.
struct Erased {
  std::string tenant;
  int64_t begin_ns = 0, last_ns = 0;    ///< Of start times, inclusive.
  size_t node = 0;                      ///< Who was asked,
  uint64_t node_start = 0;              ///< in which life.
  std::optional<uint64_t> answered_at;  ///< Moment of the ledger; before it, it may hold or not.
};

/// What was seen of the profiles in a look at some store.
struct Seen {
  uint64_t moment = 0;               ///< When the look began: what came later need not be in it.
  std::map<int64_t, int> times;      ///< By start time.
  std::vector<std::string> partial;  ///< What the store said was missing.
};

/// The naive model: a list of what was sent and what became of it.
class Ledger {
 public:
  explicit Ledger(World& world) : world_(world) {}

  Sent& add(Sent sent);
  void acknowledge(Sent& sent);
  [[nodiscard]] std::map<int64_t, Sent>& all() { return sent_; }
  size_t erase(Erased erased);
  void erased(size_t number) { erased_[number].answered_at = ++moment_; }
  [[nodiscard]] bool may_be_erased(const Sent& sent) const;
  /// Fails for every profile that was seen and that a deletion which `knows` accepts, answered
  /// before the look began, deletes.
  void expect_erased(const Seen& seen, const std::string& who,
                     const std::function<bool(const Erased&)>& knows);

  /// Reads all that the store shows; with `rows` each profile is compared to the last value, else
  /// its totals. Wrong, doubled and never sent profiles are failures. nullopt: it cannot be read
  /// now, which is no failure while there are faults.
  [[nodiscard]] std::optional<Seen> look(storage::Store& store, const std::string& who, bool rows);
  /// Whether retention may have taken it already, by the latest time that anybody believed in.
  [[nodiscard]] bool may_be_forgotten(const Sent& sent) const;
  /// Fails for every acknowledged profile that `wanted` accepts and that was not seen.
  template <class Wanted>
  void expect(const Seen& seen, const std::string& who, Wanted wanted) {
    for (const auto& [start, sent] : sent_) {
      if (sent.fate != Sent::Fate::acked || sent.acked_at > seen.moment) continue;
      if (!wanted(sent) || may_be_forgotten(sent) || may_be_erased(sent)) continue;
      if (!seen.times.contains(start)) world_.journal.fail(who + ": " + name(sent) + " is lost");
    }
  }
  [[nodiscard]] static std::string name(const Sent& sent);

 private:
  [[nodiscard]] Status look_at(const storage::Dataset& dataset, const std::string& who, bool rows,
                               Seen& seen);
  [[nodiscard]] bool is_hidden(const test::PlainProfile& profile) const;
  void count(const test::PlainProfile& profile, bool rows, const std::string& who, Seen& seen);

  World& world_;
  std::map<int64_t, Sent> sent_;
  std::vector<Erased> erased_;
  uint64_t moment_ = 0;
};

inline constexpr const char* kTenants[] = {"acme", "globex"};

}  // namespace hearth::sim
