#include "cli/push_target.h"

#include <fmt/format.h>

#include <filesystem>

#include "net/target.h"

namespace hearth::cli {

Result<Label> parse_label(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    return fail(ErrorCode::invalid_argument, fmt::format("got \"{}\"; want KEY=VALUE", text));
  }
  if (text.find_first_of(",}") != std::string::npos) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("got \"{}\"; neither key nor value may contain ',' or '}}'", text));
  }
  return Label{text.substr(0, equals), text.substr(equals + 1)};
}

std::string service_of(const std::string& name, const std::vector<Label>& labels,
                       const std::string& file) {
  if (!name.empty()) return name;
  for (const Label& label : labels) {
    if (label.name == label::kServiceName) return label.value;
  }
  if (file == "-") return "stdin";
  std::string stem = std::filesystem::path(file).filename().string();
  // "cpu.pb.gz" → "cpu", but "v1.2.txt" → "v1.2".
  for (const char* ending : {".gz", ".pb", ".pprof", ".folded", ".txt", ".prof", ".collapsed"}) {
    if (stem.ends_with(ending)) stem.resize(stem.size() - std::string_view(ending).size());
  }
  for (char& c : stem) {
    constexpr std::string_view kAllowed = "_./-";
    const bool word = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (!word && kAllowed.find(c) == std::string_view::npos) c = '_';
  }
  return stem.empty() ? "profile" : stem;
}

Result<std::string> ingest_target(const std::string& service, const std::vector<Label>& labels) {
  if (service.find_first_of("{},") != std::string::npos) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("service name \"{}\": may not contain '{{', '}}' or ','", service));
  }
  std::string tags;
  for (const Label& label : labels) {
    if (label.name == label::kServiceName) continue;
    tags += fmt::format("{}{}={}", tags.empty() ? "" : ",", label.name, label.value);
  }
  return "/ingest?name=" + net::percent_encode(fmt::format("{}{{{}}}", service, tags));
}

}  // namespace hearth::cli
