#include "served.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "need.h"
#include "process_stats.h"

namespace hearth::bench {

std::filesystem::path program() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path() / "src" /
         "cli" / "hearth";
}

Served::Served(const std::string& data, const std::vector<std::string>& flags) {
  const std::string path = program();
  std::vector<std::string> words = {"hearth", "serve", "--listen",    "127.0.0.1:0",
                                    "--data", data,    "--log.level", "error"};
  words.insert(words.end(), flags.begin(), flags.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::array<int, 2> out{};
  if (::pipe2(out.data(), O_CLOEXEC) != 0) give_up("pipe");
  begin_ = wall_seconds();
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // A benchmark that gives up leaves nothing behind.
    ::dup2(out[1], STDOUT_FILENO);
    ::execv(path.c_str(), arguments.data());
    ::_exit(127);
  }
  ::close(out[1]);
  wait_until_it_listens(out[0]);
  ready_ms_ = (wall_seconds() - begin_) * 1e3;
  ::close(out[0]);
}

Served::~Served() {
  if (pid_ > 0) stop_ms();
}

double Served::memory_mib(const std::string& line) const {
  std::ifstream status(fmt::format("/proc/{}/status", pid_));
  for (std::string text; std::getline(status, text);) {
    if (text.starts_with(line + ":")) return std::stod(text.substr(line.size() + 1)) / 1024;
  }
  return 0;
}

void Served::reset_peak() const {
  std::ofstream(fmt::format("/proc/{}/clear_refs", pid_)) << 5;
}

// The fields are counted behind the program's name, which stands in brackets; proc(5).
double Served::cpu_seconds() const {
  std::ifstream file(fmt::format("/proc/{}/stat", pid_));
  std::string text;
  std::getline(file, text);
  std::istringstream fields(text.substr(text.rfind(')') + 1));
  std::string field;
  for (int i = 3; i < 14; ++i) fields >> field;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double Served::stop_ms() {
  const double begin = wall_seconds();
  ::kill(pid_, SIGTERM);
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  if (status != 0) give_up("hearth serve ended with an error");
  return (wall_seconds() - begin) * 1e3;
}

void Served::wait_until_it_listens(int fd) {
  char piece[256];
  std::string line;
  while (line.find('\n') == std::string::npos) {
    const ssize_t n = ::read(fd, piece, sizeof piece);
    if (n <= 0) give_up("hearth serve did not start; is src/cli/hearth built?");
    line.append(piece, static_cast<size_t>(n));
  }
  constexpr std::string_view kAddress = "http://127.0.0.1:";
  const size_t address = line.find(kAddress);
  if (address == std::string::npos) give_up("hearth serve says: " + line);
  port_ = static_cast<uint16_t>(std::atoi(&line[address + kAddress.size()]));
}

}  // namespace hearth::bench
