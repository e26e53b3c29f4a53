#include "formats/folded_writer.h"

#include <fmt/format.h>

#include <iterator>
#include <map>

namespace hearth::formats {
namespace {

void append_frame(std::string& line, std::string_view name) {
  if (!line.empty()) line.push_back(';');
  for (const char c : name) line.push_back(c == ';' ? ':' : c == '\n' || c == '\r' ? ' ' : c);
}

void append_location(std::string& line, const ProfileBatch& batch, uint32_t location) {
  const size_t begin = batch.locations.line_begin[location];
  const size_t end = batch.locations.line_begin[location + 1];
  if (begin == end) append_frame(line, fmt::format("{:#x}", batch.locations.address[location]));
  for (size_t l = end; l-- > begin;)
    append_frame(line, batch.strings[batch.functions.name[batch.lines.function[l]]]);
}

}  // namespace

std::string write_folded(const ProfileBatch& batch, size_t type) {
  std::map<std::string, uint64_t> sums;
  std::string line;
  for (size_t i = 0; i < batch.samples.size(); ++i) {
    line.clear();
    const auto stack = batch.stack(i);
    for (size_t f = stack.size(); f-- > 0;) append_location(line, batch, stack[f]);
    sums[line] += static_cast<uint64_t>(batch.value(i, type));
  }
  std::string out;
  for (const auto& [stack, sum] : sums) {
    if (sum != 0)
      fmt::format_to(std::back_inserter(out), "{} {}\n", stack, static_cast<int64_t>(sum));
  }
  return out;
}

}  // namespace hearth::formats
