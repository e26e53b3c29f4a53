#include "objstore/store_probe.h"

#include <fmt/format.h>

#include <optional>
#include <thread>
#include <vector>

namespace hearth::objstore {
namespace {

constexpr size_t kRacers = 4;
/// More than what an opened object brings along, so that a range is really asked for.
constexpr size_t kBodyBytes = (64U << 10U) + 1000;

using Outcome = ObjectStore::PutOutcome;

std::string body_of(char first) {
  std::string body(kBodyBytes, '\0');
  for (size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i % 19);
  body[0] = first;
  return body;
}

/// One run, with keys that nobody else uses.
class Probe {
 public:
  Probe(ObjectStore& store, Random& random)
      : store_(store), folder_(fmt::format("probe/{:016x}/", random.next_u64())) {}

  Result<Guarantees> run() {
    const Status done = all();
    // Also what a failed run has made; its failure is what counts.
    for (const std::string& key : {main_key(), race_key()}) (void)store_.remove(key);
    if (!done) return tl::unexpected(done.error());
    return found_;
  }

 private:
  std::string main_key() const { return folder_ + "a"; }
  std::string race_key() const { return folder_ + "b"; }

  Status all() {
    HEARTH_RETURN_IF_ERROR(try_conditions());
    HEARTH_RETURN_IF_ERROR(try_reads());
    HEARTH_RETURN_IF_ERROR(try_lists());
    return try_removal();
  }

  Result<std::string> read(const std::string& key) {
    HEARTH_ASSIGN_OR_RETURN(const auto object, store_.open(key));
    if (!object) return std::string();
    HEARTH_ASSIGN_OR_RETURN(const SharedBytes bytes, object->read(0, object->size()));
    return std::string(bytes.view);
  }

  Status try_conditions() {
    HEARTH_ASSIGN_OR_RETURN(const Outcome first, store_.put_if_absent(main_key(), body_of('1')));
    HEARTH_ASSIGN_OR_RETURN(const Outcome second, store_.put_if_absent(main_key(), body_of('2')));
    HEARTH_ASSIGN_OR_RETURN(const std::string kept, read(main_key()));
    HEARTH_ASSIGN_OR_RETURN(const size_t winners, race());
    // `first` may be `exists` when the answer to a successful try was lost.
    static_cast<void>(first);
    found_.create_if_absent = second == Outcome::exists && kept == body_of('1') && winners <= 1;
    return {};
  }

  // How many of several simultaneous creators were told that they made the object. None may be:
  // answers get lost.
  Result<size_t> race() {
    std::vector<std::optional<Result<Outcome>>> outcomes(kRacers);
    {
      std::vector<std::jthread> threads;
      for (size_t t = 0; t < kRacers; ++t) {
        threads.emplace_back(
            [&, t] { outcomes[t] = store_.put_if_absent(race_key(), std::to_string(t)); });
      }
    }
    size_t winners = 0;
    for (const auto& outcome : outcomes) {
      if (!*outcome) return tl::unexpected(outcome->error());
      winners += **outcome == Outcome::created ? 1U : 0U;
    }
    return winners;
  }

  Status try_reads() {
    const std::string body = body_of('3');
    HEARTH_RETURN_IF_ERROR(store_.put(main_key(), body));
    HEARTH_ASSIGN_OR_RETURN(const auto object, store_.open(main_key()));
    if (!object) return {};
    const auto start = object->read(0, 100);
    const auto middle = object->read(500, 700);
    for (const auto* part : {&start, &middle}) {
      if (!*part && part->error().code != ErrorCode::data_loss)
        return tl::unexpected(part->error());
    }
    found_.fresh_reads = object->size() == body.size() && start && start->view[0] == '3';
    found_.ranges = start && middle && start->view == body.substr(0, 100) &&
                    middle->view == body.substr(500, 700);
    return {};
  }

  Status try_lists() {
    HEARTH_ASSIGN_OR_RETURN(const auto all, store_.list(folder_, "", 10));
    HEARTH_ASSIGN_OR_RETURN(const auto after, store_.list(folder_, main_key(), 10));
    found_.fresh_lists = all.size() == 2 && all[0].key == main_key() && all[0].size == kBodyBytes &&
                         after.size() == 1 && after[0].key == race_key();
    return {};
  }

  Status try_removal() {
    HEARTH_RETURN_IF_ERROR(store_.remove(main_key()));
    HEARTH_ASSIGN_OR_RETURN(const auto object, store_.open(main_key()));
    found_.removes = object == nullptr;
    return {};
  }

  ObjectStore& store_;
  const std::string folder_;
  Guarantees found_;
};

}  // namespace

Result<Guarantees> probe_store(ObjectStore& store, Random& random) {
  return Probe(store, random).run();
}

Status check_guarantees(const Guarantees& guarantees) {
  const auto lacks = [](const char* what) -> Status {
    return fail(ErrorCode::unimplemented, fmt::format("probe the bucket: {}", what));
  };
  if (!guarantees.fresh_reads) return lacks("an object is not read as it was just written");
  if (!guarantees.ranges) return lacks("ranges of an object are not exact");
  if (!guarantees.fresh_lists) return lacks("a new object is not listed at once, or out of order");
  if (!guarantees.removes) return lacks("a removed object can still be read");
  return {};
}

}  // namespace hearth::objstore
