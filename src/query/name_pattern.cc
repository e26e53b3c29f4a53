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
  bool any_case = false;
};

std::string_view trimmed(std::string_view s) {
  constexpr std::string_view kBlank = " \t\r\n";
  const size_t begin = s.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return s.substr(begin, s.find_last_not_of(kBlank) - begin + 1);
}

std::string decode_commas(std::string_view part) {
  std::string out;
  for (size_t i = 0; i < part.size(); ++i) {
    const std::string_view code = part.substr(i, 3);
    const bool comma = code == "%2C" || code == "%2c";
    out += comma ? ',' : part[i];
    if (comma) i += 2;
  }
  return out;
}

// An expression that finds `text` whatever the case of its ASCII letters, and of those only.
std::string literal(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool lower = c >= 'a' && c <= 'z';
    const bool upper = c >= 'A' && c <= 'Z';
    if (lower || upper) {
      const char other = static_cast<char>(c ^ 0x20);
      out += {'[', c, other, ']'};
    } else if ((c >= '!' && c <= '/') || (c >= ':' && c <= '~')) {
      out += {'\\', c};
    } else if (c == '\0') {
      out += "\\x00";
    } else {
      out += c;
    }
  }
  return out;
}

// What a part asks for: `/…/` and `/…/i` are expressions, a lone opening slash is an unfinished
// one, anything else is text.
Result<Term> read_part(std::string_view part, size_t offset) {
  const std::string text = decode_commas(part);
  if (text.front() == '/' && text.size() > 1) {
    const bool any_case = text.size() > 3 && text.ends_with("/i");
    const size_t close = text.size() - (any_case ? 2 : 1);
    if (text[close] == '/' && close >= 2) return Term{text.substr(1, close - 1), any_case};
    if (text.find('/', 1) == std::string::npos) {
      return fail(ErrorCode::invalid_argument,
                  fmt::format("search pattern at byte {}: '/' has no closing '/'", offset));
    }
  }
  return Term{literal(text), false};
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
  for (size_t begin = 0, end = 0; begin <= text.size(); begin = end + 1) {
    end = std::min(text.find(',', begin), text.size());
    const std::string_view part = trimmed(text.substr(begin, end - begin));
    if (part.empty()) continue;
    const auto offset = static_cast<size_t>(part.data() - text.data());
    if (pattern.terms_.size() == kMaxTerms) {
      return fail(ErrorCode::invalid_argument,
                  fmt::format("search pattern: got more than {} parts", kMaxTerms));
    }
    HEARTH_ASSIGN_OR_RETURN(const Term term, read_part(part, offset));
    HEARTH_ASSIGN_OR_RETURN(auto regex, compile(term, offset));
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
