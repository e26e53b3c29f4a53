#pragma once

#include <cstdint>
#include <string>

namespace hearth::query {

/// Where the code of a function is, as the page shows it: of all places that functions of one name
/// have, the one with the largest value. Empty texts and line 0 mean unknown.
struct Place {
  std::string file;
  std::string binary;   ///< File of the mapping.
  int64_t line = 0;     ///< The heaviest line of that file, not the function's first.
  uint32_t others = 0;  ///< Further (file, binary) pairs under the same name.
  bool operator==(const Place&) const = default;
};

}  // namespace hearth::query
