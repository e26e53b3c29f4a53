// The program itself, as it is installed: how soon it answers, what it holds when nothing happens,
// how soon it ends.
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <thread>
#include <vector>

#include "harness.h"
#include "scratch_dir.h"
#include "served.h"

namespace hearth::bench {
namespace {

void run_idle(Context& context) {
  if (!std::filesystem::exists(program())) {
    std::fprintf(stderr, "idle: no %s; left out\n", program().c_str());
    return;
  }
  std::vector<double> ready, again, rss, stop;
  for (size_t run = 0; run < 5; ++run) {
    const ScratchDir dir("idle");
    {
      Served first(dir.path());
      ready.push_back(first.ready_ms());
      std::this_thread::sleep_for(std::chrono::seconds(1));
      rss.push_back(first.memory_mib("VmRSS"));
      stop.push_back(first.stop_ms());
    }
    again.push_back(Served(dir.path()).ready_ms());
  }
  context.report("idle", {}, "MiB RSS", rss);
  context.report("idle", {{"directory", "empty"}}, "ms to ready", ready);
  context.report("idle", {{"directory", "of the run before"}}, "ms to ready", again);
  context.report("idle", {}, "ms to stop", stop);
}

const Registration kIdle("idle", run_idle);

}  // namespace
}  // namespace hearth::bench
