// s3sim: an S3 service in memory for end-to-end tests and benchmarks.
//
//   s3sim [--port N] [--latency 30ms] [--bucket NAME] [--access-key K] [--secret-key S]
//         [--region R] [--error-percent N]
//
// Prints `listening on http://127.0.0.1:PORT` and serves until SIGTERM. `GET /-/counts` counts
// requests; `POST /-/set?down=1&latency_ms=30&error_percent=10&access_key=…` changes its mood.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "support/s3sim/s3_sim.h"

int main(int count, char** arguments) {
  std::map<std::string, std::string> flags;
  for (int i = 1; i + 1 < count; i += 2) flags[arguments[i]] = arguments[i + 1];
  hearth::test::S3SimOptions options;
  const auto take = [&](const char* flag, std::string& field) {
    if (flags.contains(flag)) field = flags[flag];
    flags.erase(flag);
  };
  std::string port = "0";
  std::string latency = "0";
  std::string errors = "0";
  take("--port", port);
  take("--latency", latency);
  take("--error-percent", errors);
  take("--bucket", options.bucket);
  take("--region", options.region);
  take("--access-key", options.access_key);
  take("--secret-key", options.secret_key);
  if (!flags.empty() || count % 2 == 0) {
    std::fprintf(stderr, "s3sim: unknown flag or a flag without its value; see the source\n");
    return 2;
  }
  options.port = static_cast<uint16_t>(std::atoi(port.c_str()));
  options.latency_ms = std::atoi(latency.c_str());

  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  hearth::test::S3Sim sim(options);
  sim.set_error_percent(std::atoi(errors.c_str()));
  std::printf("listening on %s\n", sim.endpoint().c_str());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  return 0;
}
