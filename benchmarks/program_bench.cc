// The program itself, as it is installed: how soon it answers, what it holds when nothing happens,
// how soon it ends.
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "harness.h"
#include "load.h"
#include "process_stats.h"
#include "scratch_dir.h"

namespace hearth::bench {
namespace {

/// The program that was built with this one.
std::filesystem::path program() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path() / "src" /
         "cli" / "hearth";
}

/// `hearth serve` on a free port, from its start to its answers.
class Served {
 public:
  explicit Served(const std::string& data) {
    const std::string path = program();
    std::array<int, 2> out{};
    if (::pipe2(out.data(), O_CLOEXEC) != 0) give_up("pipe");
    begin_ = wall_seconds();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(out[1], STDOUT_FILENO);
      ::execl(path.c_str(), "hearth", "serve", "--listen", "127.0.0.1:0", "--data", data.c_str(),
              "--log.level", "error", nullptr);
      ::_exit(127);
    }
    ::close(out[1]);
    wait_for_line(out[0]);
    ready_ms_ = (wall_seconds() - begin_) * 1e3;
    ::close(out[0]);
  }
  ~Served() {
    if (pid_ > 0) stop_ms();
  }
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;

  /// From the call of the program to "listening on", which is printed when requests are answered.
  [[nodiscard]] double ready_ms() const { return ready_ms_; }
  [[nodiscard]] double rss_mib() const {
    std::ifstream status(fmt::format("/proc/{}/status", pid_));
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("VmRSS:")) return std::stod(line.substr(6)) / 1024;
    }
    return 0;
  }
  /// From SIGTERM to the end.
  double stop_ms() {
    const double begin = wall_seconds();
    ::kill(pid_, SIGTERM);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    if (status != 0) give_up("hearth serve ended with an error");
    return (wall_seconds() - begin) * 1e3;
  }

 private:
  static void wait_for_line(int fd) {
    char piece[256];
    std::string line;
    while (line.find('\n') == std::string::npos) {
      const ssize_t n = ::read(fd, piece, sizeof piece);
      if (n <= 0) give_up("hearth serve did not start; is src/cli/hearth built?");
      line.append(piece, static_cast<size_t>(n));
    }
  }
  pid_t pid_ = -1;
  double begin_ = 0;
  double ready_ms_ = 0;
};

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
      rss.push_back(first.rss_mib());
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
