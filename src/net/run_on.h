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

namespace hearth::net {

/// Runs `work` on `pool` while the awaiting coroutine sleeps, and resumes it on its own executor.
/// Yields false, without running `work`, when the pool's queue is full. `work` must not throw.
inline boost::asio::awaitable<bool> run_on(Executor& pool, std::function<void()> work) {
  namespace asio = boost::asio;
  const auto start = [&pool](auto handler, std::function<void()> task) {
    // Executor takes copyable tasks, completion handlers only move.
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    auto executor = asio::get_associated_executor(*shared);
    const auto finish = [shared, executor](bool ran) {
      asio::post(executor, [shared, ran] {
        auto resume = std::move(*shared);
        resume(ran);
      });
    };
    const bool taken = pool.try_submit([task = std::move(task), finish] {
      task();
      finish(true);
    });
    if (!taken) finish(false);
  };
  return asio::async_initiate<const asio::use_awaitable_t<>&, void(bool)>(
      start, asio::use_awaitable, std::move(work));
}

}  // namespace hearth::net
