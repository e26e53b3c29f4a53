#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "hearth/result.h"

namespace hearth::bench {

/// A benchmark that cannot be made ends the run: a number of something else would be worse.
[[noreturn]] inline void give_up(const std::string& what) {
  std::fprintf(stderr, "hearth_bench: %s\n", what.c_str());
  std::exit(1);
}

/// The value of a result that must be one.
template <class T>
T need(Result<T> result) {
  if (!result) give_up(result.error().message);
  return *std::move(result);
}

}  // namespace hearth::bench
