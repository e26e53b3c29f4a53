#include "query/name_pattern.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <utility>

namespace hearth::query {
namespace {

constexpr int64_t kMaxProgramBytes = 1 << 20;

struct Term {
  std::string expression;
  bool any_case = true;
};

std::string_view trimmed(std::string_view s) {
  constexpr std::string_view kBlank = " \t\r\n";
  const size_t begin = s.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return s.substr(begin, s.find_last_not_of(kBlank) - begin + 1);
}

// Length of `s` up to the next comma, blanks at its end left out of account by the caller.
size_t to_comma(std::string_view s) {
  return std::min(s.find(','), s.size());
}

// `text` starts with '/'. An expression ends at the first '/' behind which nothing but flags stands
// before a comma or the end.
bool read_expression(std::string_view text, Term* term, size_t* used) {
  for (size_t slash = text.find('/', 1); slash != std::string_view::npos;
       slash = text.find('/', slash + 1)) {
    const std::string_view rest = text.substr(slash + 1);
    const size_t length = to_comma(rest);
    const std::string_view flags = trimmed(rest.substr(0, length));
    if (text[slash - 1] == '\\' || (!flags.empty() && flags != "i")) continue;
    *term = {std::string(text.substr(1, slash - 1)), flags == "i"};
    *used = slash + 1 + length;
    return true;
  }
  return false;
}

Result<std::shared_ptr<const void>> compile(const Term& term, size_t offset) {
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_max_mem(kMaxProgramBytes);
  options.set_never_capture(true);
  options.set_case_sensitive(!term.any_case);
  auto regex = std::make_shared<const re2::RE2>(term.expression, options);
  if (!regex->ok()) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("search pattern at byte {}: regular expression '{}': {}", offset,
                            term.expression, regex->error()));
  }
  return regex;
}

}  // namespace

Result<NamePattern> NamePattern::parse(std::string_view text) {
  if (text.size() > kMaxBytes) {
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("search pattern: got {} bytes; want at most {}", text.size(), kMaxBytes));
  }
  NamePattern pattern;
  for (size_t at = 0; at < text.size(); ++at) {  // Each round ends on a comma or the end.
    at = std::min(text.find_first_not_of(" \t\r\n", at), text.size());
    const std::string_view rest = text.substr(at);
    Term term;
    size_t used = to_comma(rest);
    const size_t begin = at;
    if (!rest.empty() && rest.front() == '/') {
      if (!read_expression(rest, &term, &used)) {
        return fail(ErrorCode::invalid_argument,
                    fmt::format("search pattern at byte {}: '/' has no closing '/'", at));
      }
    } else {
      term.expression = re2::RE2::QuoteMeta(std::string(trimmed(rest.substr(0, used))));
    }
    at += used;
    if (term.expression.empty()) continue;
    if (pattern.terms_.size() == kMaxTerms) {
      return fail(ErrorCode::invalid_argument,
                  fmt::format("search pattern: got more than {} terms", kMaxTerms));
    }
    HEARTH_ASSIGN_OR_RETURN(auto regex, compile(term, begin));
    pattern.terms_.push_back(std::move(regex));
  }
  return pattern;
}

bool NamePattern::matches(std::string_view name) const {
  const re2::StringPiece text(name.data(), name.size());
  return std::any_of(
      terms_.begin(), terms_.end(), [&text](const std::shared_ptr<const void>& term) {
        return re2::RE2::PartialMatch(text, *static_cast<const re2::RE2*>(term.get()));
      });
}

}  // namespace hearth::query
