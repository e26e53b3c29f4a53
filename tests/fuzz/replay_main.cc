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

#include "support/mutate.h"

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
    for (size_t n = 1 + dice.below(6); n > 0; --n) hearth::test::mutate(input, corpus, dice);
    input.resize(std::min(input.size(), kLargest));
    run(std::move(input));
  }
  std::printf("%zu seeds, %zu mutations\n", corpus.size(), kMutationsTotal);
  return 0;
}
