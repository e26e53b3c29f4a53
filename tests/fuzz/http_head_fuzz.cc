#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "net/answer.h"
#include "net/head_check.h"
#include "net/target.h"

using namespace hearth::net;

// Any bytes as a request head: no crash, and what is accepted as a whole was never refused while it
// arrived.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const HeadLimits limits{.head_max_bytes = 2048, .target_max_bytes = 256, .fields_max = 10};
  static_cast<void>(parse_target(text));
  static_cast<void>(accepts_encoding(text, "gzip"));
  if (check_head(text, limits).status != 0) return 0;
  // An accepted head ends where the server looks for its end, and nowhere before.
  if (text.find("\r\n\r\n") + 4 != size) std::abort();
  for (size_t length = 0; length + 1 < size; ++length) {
    if (check_partial_head(text.substr(0, length), limits).status != 0) std::abort();
  }
  return 0;
}
