#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "query/name_pattern.h"

using hearth::query::NamePattern;

// Any bytes as a search pattern, the part before the first line feed, over the rest as a name: no
// crash, and plain text finds itself.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view text = input.substr(0, input.find('\n'));
  const auto pattern = NamePattern::parse(text);
  if (!pattern) return 0;
  static_cast<void>(pattern->matches(input));
  const bool plain =
      !text.empty() && text.find_first_not_of("abcXYZ09._*()") == std::string_view::npos;
  if (plain && !pattern->matches(input)) std::abort();
  return 0;
}
