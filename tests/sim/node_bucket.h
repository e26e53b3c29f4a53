#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hearth/object_store.h"
#include "sim/world.h"

namespace hearth::sim {

/// The bucket as one life of a process sees it: calls take time, fail, apply and seem to fail, are
/// interrupted by what others do, and may be the last that this life makes.
class NodeBucket final : public ObjectStore {
 public:
  NodeBucket(World& world, std::string name) : world_(world), name_(std::move(name)) {}

  /// The power goes at the n-th moment from now: two moments a call, before and after it applies.
  void die_at(uint64_t n) { moments_left_ = n; }
  /// Nothing reaches the bucket any more.
  void kill() { dead_ = true; }
  [[nodiscard]] bool dead() const { return dead_; }
  /// How often it was asked what there is.
  [[nodiscard]] uint64_t lists() const { return lists_; }
  /// Called when the power goes.
  void on_death(std::function<void()> hook) { on_death_ = std::move(hook); }

  [[nodiscard]] Result<PutOutcome> put_if_absent(const std::string& key,
                                                 std::string_view data) override {
    return call<PutOutcome>("create", key, [&] { return world_.bucket.put_if_absent(key, data); });
  }
  [[nodiscard]] Status put(const std::string& key, std::string_view data) override {
    return call<void>("put", key, [&] { return world_.bucket.put(key, data); });
  }
  [[nodiscard]] Result<std::unique_ptr<ObjectReader>> open(const std::string& key) override {
    auto reader =
        call<std::unique_ptr<ObjectReader>>("open", key, [&] { return world_.bucket.open(key); });
    if (!reader || !*reader) return reader;
    return std::make_unique<Reader>(*this, std::move(*reader));
  }
  [[nodiscard]] Result<std::vector<Entry>> list(const std::string& prefix,
                                                const std::string& start_after,
                                                size_t limit) override {
    ++lists_;
    return call<std::vector<Entry>>("list", prefix,
                                    [&] { return world_.bucket.list(prefix, start_after, limit); });
  }
  [[nodiscard]] Status remove(const std::string& key) override {
    return call<void>("remove", key, [&] { return world_.bucket.remove(key); });
  }

 private:
  /// Objects outlive the call that opened them; reads fail like calls.
  class Reader final : public ObjectReader {
   public:
    Reader(NodeBucket& owner, std::unique_ptr<ObjectReader> inner)
        : owner_(owner), inner_(std::move(inner)) {}
    [[nodiscard]] uint64_t size() const override { return inner_->size(); }
    [[nodiscard]] Result<SharedBytes> read(uint64_t offset, uint64_t length) const override {
      if (owner_.dead_ || owner_.draw_fault()) return tl::unexpected(owner_.away("read"));
      return inner_->read(offset, length);
    }

   private:
    NodeBucket& owner_;
    const std::unique_ptr<ObjectReader> inner_;
  };

  [[nodiscard]] static Error away(const std::string& call) {
    return {ErrorCode::unavailable, call + ": injected fault", kBucketAway};
  }
  [[nodiscard]] bool draw_fault() {
    if (world_.calm()) return false;
    const bool fault =
        world_.dice.percent(std::max(world_.burst_percent, world_.settings.fault_percent));
    if (fault) ++world_.faults;
    return fault;
  }
  void pass_moment() {
    if (moments_left_ == 0 || --moments_left_ > 0) return;
    world_.note(name_ + " loses power");
    ++world_.faults;
    dead_ = true;
    if (on_death_) on_death_();
  }
  template <class T, class Act>
  Result<T> call(const std::string& name, const std::string& key, Act act) {
    if (!world_.calm() && world_.interleave) world_.interleave();
    pass_moment();
    if (dead_) return tl::unexpected(away(name));
    const bool fault = draw_fault();
    const bool applies = !fault || world_.dice.percent(50);
    world_.note(name_ + " " + name + " " + key +
                (!fault    ? ""
                 : applies ? " (answer lost)"
                           : " (refused)"));
    if (!world_.calm() && world_.dice.percent(5))
      world_.clock.advance(static_cast<int64_t>(world_.dice.below(30)) * kSecond);
    if (!applies) return tl::unexpected(away(name));
    Result<T> result = act();
    if (!world_.calm() && world_.interleave) world_.interleave();
    pass_moment();
    if (dead_ || fault) return tl::unexpected(away(name));
    return result;
  }

  World& world_;
  const std::string name_;
  uint64_t moments_left_ = 0;
  uint64_t lists_ = 0;
  bool dead_ = false;
  std::function<void()> on_death_;
};

}  // namespace hearth::sim
