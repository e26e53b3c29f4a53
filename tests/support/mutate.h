#pragma once

#include <iterator>
#include <string>
#include <vector>

#include "support/profile_gen.h"

namespace hearth::test {

/// One random change to `s`, of the kinds that fuzzers make: bits, odd bytes, pieces removed,
/// doubled, cut off, or taken from another entry of `corpus` (which is not empty). The same dice
/// give the same changes.
inline void mutate(std::string& s, const std::vector<std::string>& corpus, Dice& dice) {
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

}  // namespace hearth::test
