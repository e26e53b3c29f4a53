// Runs a fuzz target as a plain test: every file of the corpus folders given, then a fixed number
// of mutations of each, the same on every machine. A failure of the target ends the process; the
// input that did it is left in fuzz-failure.bin.

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "support/profile_gen.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

using hearth::test::Dice;

constexpr size_t kMutationsTotal = 4000;
constexpr size_t kLargest = 64 * 1024;

std::string current_input;

void save_input(int) {
  std::ofstream("fuzz-failure.bin", std::ios::binary) << current_input;
  std::_Exit(1);
}

void run(std::string input) {
  current_input = std::move(input);
  // A heap copy of the exact size, so that sanitizers see reads past the end.
  const std::vector<uint8_t> exact(current_input.begin(), current_input.end());
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

void mutate_once(std::string& s, const std::vector<std::string>& corpus, Dice& dice) {
  static constexpr unsigned char kOdd[] = {0x00, 0x01, 0x7f, 0x80, 0xff,
                                           0x0a, 0x12, '"',  ';',  '\r'};
  const size_t at = s.empty() ? 0 : dice.below(s.size());
  const size_t length = s.empty() ? 0 : 1 + dice.skewed(s.size() - at);
  switch (dice.below(7)) {
    case 0:
      if (!s.empty()) s[at] = static_cast<char>(s[at] ^ 1 << dice.below(8));
      return;
    case 1:
      if (!s.empty()) s[at] = static_cast<char>(kOdd[dice.below(std::size(kOdd))]);
      return;
    case 2:
      s.insert(at, 1 + dice.below(4), static_cast<char>(kOdd[dice.below(std::size(kOdd))]));
      return;
    case 3:
      s.erase(at, length);
      return;
    case 4:
      s.insert(at, s.substr(at, length));
      return;
    case 5:
      s.resize(at);
      return;
    default: {
      const std::string& other = corpus[dice.below(corpus.size())];
      s = s.substr(0, at) + other.substr(other.empty() ? 0 : dice.below(other.size()));
      return;
    }
  }
}

std::vector<std::string> read_corpus(int folders, char** names) {
  std::vector<std::filesystem::path> files;
  for (int i = 0; i < folders; ++i) {
    for (const auto& entry : std::filesystem::directory_iterator(names[i]))
      files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<std::string> corpus{""};
  for (const auto& file : files) {
    std::ifstream in(file, std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return corpus;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGABRT, save_input);
  std::signal(SIGSEGV, save_input);
  const std::vector<std::string> corpus = read_corpus(argc - 1, argv + 1);
  for (const std::string& seed : corpus) run(seed);
  Dice dice(1);
  for (size_t i = 0; i < kMutationsTotal; ++i) {
    std::string input = corpus[i % corpus.size()];
    for (size_t n = 1 + dice.below(6); n > 0; --n) mutate_once(input, corpus, dice);
    input.resize(std::min(input.size(), kLargest));
    run(std::move(input));
  }
  std::printf("%zu seeds, %zu mutations\n", corpus.size(), kMutationsTotal);
  return 0;
}
