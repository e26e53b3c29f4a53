#include "ingest/go_shapes.h"

#include <algorithm>
#include <array>
#include <unordered_map>

namespace hearth::ingest {
namespace {

constexpr std::string_view kShape = "[go.shape.";

enum class Language : uint8_t { unknown, go, other };

// Languages are tried in this order for each string; only Go matters, but an earlier string of
// another language decides.
Language language_of_string(std::string_view s) {
  constexpr std::array<std::string_view, 2> kGo = {".go", "/usr/local/go/"};
  constexpr std::array<std::string_view, 11> kOthers = {
      "java/",   "sun/",       ".rb", "gems/",   "./node_modules/", ".js",
      "System.", "Microsoft.", ".py", "main.rs", "core.rs"};
  const auto matches = [s](std::string_view pattern) {
    return s.starts_with(pattern) || s.ends_with(pattern);
  };
  if (std::any_of(kGo.begin(), kGo.end(), matches)) return Language::go;
  return std::any_of(kOthers.begin(), kOthers.end(), matches) ? Language::other : Language::unknown;
}

Language language_of_spy(std::string_view spy) {
  constexpr std::array<std::string_view, 8> kOthers = {
      "pyspy",     "rbspy",  "nodespy",     "javaspy", "grafana-agent.java",
      "dotnetspy", "phpspy", "pyroscope-rs"};
  if (spy == "gospy") return Language::go;
  return std::find(kOthers.begin(), kOthers.end(), spy) == kOthers.end() ? Language::unknown
                                                                         : Language::other;
}

// Offset behind the bracket that closes the one at `open`, or npos.
size_t end_of_group(std::string_view s, size_t open) {
  size_t depth = 0;
  for (size_t i = open; i < s.size(); ++i) {
    if (s[i] == '[') ++depth;
    if (s[i] == ']' && --depth == 0) return i + 1;
  }
  return std::string_view::npos;
}

}  // namespace

bool is_go_profile(const ProfileBatch& batch, std::span<const Label> labels) {
  for (const Label& l : labels) {
    if (l.name != label::kSpy) continue;
    if (const Language language = language_of_spy(l.value); language != Language::unknown)
      return language == Language::go;
  }
  for (const std::string_view s : batch.strings) {
    if (const Language language = language_of_string(s); language != Language::unknown)
      return language == Language::go;
  }
  return false;
}

std::string without_go_shapes(std::string_view name) {
  std::string out;
  while (true) {
    const size_t open = name.find(kShape);
    const size_t end = open == std::string_view::npos ? open : end_of_group(name, open);
    if (end == std::string_view::npos) return out.append(name);
    out.append(name.substr(0, open));
    name.remove_prefix(end);
  }
}

void strip_go_shapes(ProfileBatch& batch, std::span<const Label> labels) {
  const auto has_shape = [&](uint32_t string) {
    const std::string_view s = batch.strings[string];
    const size_t bracket = s.find('[');
    return bracket != std::string_view::npos && s.find(kShape, bracket) != std::string_view::npos;
  };
  ProfileBatch::Functions& functions = batch.functions;
  bool any = false;
  for (size_t f = 0; f < functions.size() && !any; ++f) {
    const uint32_t name = functions.name[f];
    const uint32_t system_name = functions.system_name[f];
    any = has_shape(name) || (system_name != name && has_shape(system_name));
  }
  if (!any) return;
  if (!is_go_profile(batch, labels)) return;
  std::unordered_map<uint32_t, uint32_t> stripped;  // Old string → new one.
  for (std::vector<uint32_t>* column : {&functions.name, &functions.system_name}) {
    for (uint32_t& string : *column) {
      if (!has_shape(string)) continue;
      const auto [it, added] = stripped.try_emplace(string);
      if (added) it->second = batch.add_string(without_go_shapes(batch.strings[string]));
      string = it->second;
    }
  }
}

}  // namespace hearth::ingest
