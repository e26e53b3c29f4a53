#pragma once

#include <cstdlib>
#include <string>

namespace hearth::test {

/// %XX as bytes (RFC 3986, section 2.1); anything else stays as it is, also a lone %.
inline std::string percent_decode(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      out += static_cast<char>(std::strtol(text.substr(i + 1, 2).c_str(), nullptr, 16));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace hearth::test
