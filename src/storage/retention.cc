#include "storage/retention.h"

#include <fmt/format.h>

#include <algorithm>

namespace hearth::storage {
namespace {

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

}  // namespace

int64_t Retention::age_of(std::string_view tenant, std::string_view service) const {
  const RetentionRule* best = nullptr;
  const auto weight = [](const RetentionRule& r) {
    return (r.service.empty() ? 0 : 2) + (r.tenant.empty() ? 0 : 1);
  };
  for (const RetentionRule& rule : rules) {
    if (!rule.tenant.empty() && rule.tenant != tenant) continue;
    if (!rule.service.empty() && rule.service != service) continue;
    if (best == nullptr || weight(rule) > weight(*best)) best = &rule;
  }
  return best == nullptr ? age_ns : best->age_ns;
}

int64_t Retention::longest_age_ns() const {
  int64_t longest = age_ns;
  for (const RetentionRule& rule : rules) {
    if (rule.age_ns == 0) return 0;
    longest = longest == 0 ? 0 : std::max(longest, rule.age_ns);
  }
  return longest;
}

Result<std::vector<RetentionRule>> parse_retention_rules(
    std::string_view text, Result<int64_t> (*parse_duration)(std::string_view)) {
  std::vector<RetentionRule> rules;
  while (!trimmed(text).empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    const std::string_view part = trimmed(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
    const size_t equals = part.rfind('=');
    if (equals == std::string_view::npos || equals == 0) {
      return fail(ErrorCode::invalid_argument,
                  fmt::format("got \"{}\"; want TENANT[/SERVICE]=DURATION", part));
    }
    const std::string_view who = trimmed(part.substr(0, equals));
    const size_t slash = who.find('/');
    RetentionRule rule;
    rule.tenant = who.substr(0, slash);
    if (rule.tenant == "*") rule.tenant.clear();
    if (slash != std::string_view::npos) rule.service = who.substr(slash + 1);
    HEARTH_ASSIGN_OR_RETURN(rule.age_ns, parse_duration(trimmed(part.substr(equals + 1))));
    rules.push_back(std::move(rule));
  }
  return rules;
}

}  // namespace hearth::storage
