#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "model/selector.h"

using namespace hearth;

namespace {

// Every byte as an escape, so that nothing depends on how quotes are read the second time.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  return out + '"';
}

std::string printed(const Selector& selector) {
  static constexpr std::string_view kOps[] = {"=", "!=", "=~", "!~"};
  std::string out = "{";
  for (const Matcher& m : selector.matchers()) {
    out +=
        quoted(m.name()) + std::string(kOps[static_cast<size_t>(m.op())]) + quoted(m.value()) + ",";
  }
  return out + "}";
}

}  // namespace

// Any bytes as a selector: no crash; what is accepted says the same when it is printed and read
// again, and can be asked.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto selector = Selector::parse({reinterpret_cast<const char*>(data), size});
  if (!selector) return 0;
  const auto again = Selector::parse(printed(*selector));
  if (!again || again->matchers().size() != selector->matchers().size()) std::abort();
  for (size_t i = 0; i < again->matchers().size(); ++i) {
    const Matcher& a = selector->matchers()[i];
    const Matcher& b = again->matchers()[i];
    if (a.name() != b.name() || a.value() != b.value() || a.op() != b.op()) std::abort();
    if (a.matches("some-value") != b.matches("some-value")) std::abort();
  }
  const bool all_match_nothing = selector->matches(LabelSet());
  for (const Matcher& m : selector->matchers()) {
    if (all_match_nothing && !m.matches("")) std::abort();
  }
  return 0;
}
