#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <utility>

#include "base/executor.h"
#include "net/hop_count.h"

namespace hearth::net {

/// Calls `finished` once, on any thread, perhaps after it has returned.
using LongWork = std::function<void(std::function<void()> finished)>;

/// What waits on a pool: the work, and the coroutine that sleeps until it is done.
template <class Handler>
struct Hop {
  Handler handler;
  LongWork work;
};

/// Resumes the coroutine on its own executor. Nothing of the hop is left on this thread afterwards.
template <class Handler>
void resume(std::shared_ptr<Hop<Handler>> hop, bool ran) {
  const auto executor = boost::asio::get_associated_executor(hop->handler);
  boost::asio::post(executor, [hop = std::move(hop), ran] {
    auto handler = std::move(hop->handler);
    handler(ran);
  });
}

/// Starts `work` on `pool` while the awaiting coroutine sleeps, and resumes it on its own executor
/// when the work says that it has finished. Yields false, without running `work`, when the pool's
/// queue is full. `work` must not throw. The coroutine may be over before the pool's thread has
/// left post(), so the io_context must not be destroyed before `hops` has counted down to none.
inline boost::asio::awaitable<bool> run_on(Executor& pool, std::shared_ptr<HopCount> hops,
                                           LongWork work) {
  namespace asio = boost::asio;
  const auto start = [&pool, hops = std::move(hops)](auto handler, LongWork task) {
    using Handler = decltype(handler);
    // Executor takes copyable tasks, completion handlers only move.
    auto hop = std::make_shared<Hop<Handler>>(Hop<Handler>{std::move(handler), std::move(task)});
    hops->begin();
    const bool taken = pool.try_submit([hop, hops]() mutable {
      const LongWork run = std::move(hop->work);
      run([hop = std::move(hop), hops]() mutable {
        resume(std::move(hop), true);
        hops->end();
      });
    });
    if (taken) return;
    resume(std::move(hop), false);
    hops->end();
  };
  return asio::async_initiate<const asio::use_awaitable_t<>&, void(bool)>(
      start, asio::use_awaitable, std::move(work));
}

}  // namespace hearth::net
