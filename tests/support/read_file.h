#pragma once

#include <fstream>
#include <iterator>
#include <string>

#include "base/check.h"

namespace hearth::test {

/// A whole file of the source tree; ends the test program when there is none.
inline std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  HEARTH_CHECK(in.good(), "read a file of the source tree");
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace hearth::test
