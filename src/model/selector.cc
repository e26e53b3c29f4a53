#include "model/selector.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "model/quoted_string.h"

namespace hearth {
namespace {

constexpr int64_t kMaxProgramBytes = 1 << 20;

Result<std::shared_ptr<const void>> compile(const std::string& name, const std::string& pattern) {
  if (pattern.size() > Matcher::kMaxPatternBytes) {
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("matcher of label '{}': got a regular expression of {} bytes; want at most {}",
                    name, pattern.size(), Matcher::kMaxPatternBytes));
  }
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_max_mem(kMaxProgramBytes);
  options.set_dot_nl(true);
  options.set_never_capture(true);
  auto regex = std::make_shared<const re2::RE2>(pattern, options);
  if (!regex->ok()) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("matcher of label '{}': regular expression '{}': {}", name, pattern,
                            regex->error()));
  }
  return regex;
}

// Recursive descent over the text; every method leaves pos_ behind what it read, or at the byte
// that it could not read.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Selector> run() {
    skip_space();
    HEARTH_RETURN_IF_ERROR(metric());
    if (!at_end() && text_[pos_] == '{') HEARTH_RETURN_IF_ERROR(braces());
    skip_space();
    if (!at_end()) return error("want the end of the selector");
    if (!complete_) return error("want a metric name or '{'");
    return std::move(selector_);
  }

 private:
  [[nodiscard]] bool at_end() const { return pos_ >= text_.size(); }
  [[nodiscard]] tl::unexpected<Error> error(std::string_view what) const {
    const std::string got = at_end() ? "the end" : fmt::format("'{}'", text_[pos_]);
    return fail(ErrorCode::invalid_argument,
                fmt::format("parse selector at byte {}: got {}; {}", pos_, got, what));
  }
  void skip_space() {
    while (!at_end() && std::string_view(" \t\r\n").find(text_[pos_]) != std::string_view::npos)
      ++pos_;
  }
  bool accept(std::string_view token) {
    if (text_.substr(pos_, token.size()) != token) return false;
    pos_ += token.size();
    return true;
  }

  // [a-zA-Z_][a-zA-Z0-9_]*, with colons for metrics; empty when there is none.
  std::string_view identifier(bool colons) {
    const size_t begin = pos_;
    for (; !at_end(); ++pos_) {
      const char c = text_[pos_];
      const bool letter =
          (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (colons && c == ':');
      if (!letter && (pos_ == begin || c < '0' || c > '9')) break;
    }
    return text_.substr(begin, pos_ - begin);
  }

  Result<std::string> quoted() {
    size_t used = 0;
    auto value = read_quoted(text_.substr(pos_), &used);
    pos_ += used;
    if (!value) return error(value.error().message);
    return value;
  }

  Status add(size_t at, std::string name, Matcher::Op op, std::string value) {
    auto matcher = Matcher::make(std::move(name), op, std::move(value));
    if (!matcher)
      return fail(matcher.error().code,
                  fmt::format("parse selector at byte {}: {}", at, matcher.error().message));
    if (selector_.matchers().size() == Selector::kMaxMatchers) {
      return fail(ErrorCode::invalid_argument,
                  fmt::format("parse selector at byte {}: got more than {} matchers", at,
                              Selector::kMaxMatchers));
    }
    selector_.add(std::move(*matcher));
    return {};
  }
  Status add_metric(size_t at, std::string name) {
    if (metric_seen_)
      return fail(ErrorCode::invalid_argument,
                  fmt::format("parse selector at byte {}: got a second metric name", at));
    metric_seen_ = true;
    return add(at, std::string(label::kName), Matcher::Op::equal, std::move(name));
  }

  Status metric() {
    const size_t at = pos_;
    const std::string_view name = identifier(true);
    if (name.empty()) return {};
    complete_ = true;
    HEARTH_RETURN_IF_ERROR(add_metric(at, std::string(name)));
    skip_space();
    return {};
  }

  Status braces() {
    complete_ = true;
    accept("{");
    skip_space();
    while (!accept("}")) {
      HEARTH_RETURN_IF_ERROR(matcher());
      skip_space();
      if (accept("}")) return {};
      if (!accept(",")) return error("want ',' or '}'");
      skip_space();
    }
    return {};
  }

  Status matcher() {
    const size_t at = pos_;
    const bool is_quoted =
        !at_end() && std::string_view("\"'`").find(text_[pos_]) != std::string_view::npos;
    std::string name;
    if (is_quoted) {
      HEARTH_ASSIGN_OR_RETURN(name, quoted());
    } else {
      name = identifier(false);
      if (name.empty()) return error("want a label name");
    }
    skip_space();
    // A quoted name without an operator is the metric: {"my.metric", a="b"}.
    if (is_quoted && !at_end() && (text_[pos_] == ',' || text_[pos_] == '}'))
      return add_metric(at, std::move(name));
    Matcher::Op op = Matcher::Op::equal;
    if (!read_op(&op)) return error("want one of = != =~ !~");
    skip_space();
    HEARTH_ASSIGN_OR_RETURN(std::string value, quoted());
    return add(at, std::move(name), op, std::move(value));
  }

  bool read_op(Matcher::Op* op) {
    static constexpr std::pair<std::string_view, Matcher::Op> kOps[] = {
        {"=~", Matcher::Op::regex},
        {"!~", Matcher::Op::not_regex},
        {"!=", Matcher::Op::not_equal},
        {"=", Matcher::Op::equal}};
    for (const auto& [text, value] : kOps) {
      *op = value;
      if (accept(text)) return true;
    }
    return false;
  }

  std::string_view text_;
  size_t pos_ = 0;
  bool complete_ = false;
  bool metric_seen_ = false;
  Selector selector_;
};

}  // namespace

Result<Matcher> Matcher::make(std::string name, Op op, std::string value) {
  if (name.empty()) return fail(ErrorCode::invalid_argument, "matcher: the label name is empty");
  Matcher m;
  if (op == Op::regex || op == Op::not_regex) {
    HEARTH_ASSIGN_OR_RETURN(m.regex_, compile(name, value));
  }
  m.name_ = std::move(name);
  m.value_ = std::move(value);
  m.op_ = op;
  return m;
}

bool Matcher::matches(std::string_view value) const {
  if (!regex_) return (value == value_) == (op_ == Op::equal);
  const auto* regex = static_cast<const re2::RE2*>(regex_.get());
  return re2::RE2::FullMatch(re2::StringPiece(value.data(), value.size()), *regex) ==
         (op_ == Op::regex);
}

Result<Selector> Selector::parse(std::string_view text) {
  if (text.size() > kMaxBytes) {
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("parse selector: got {} bytes; want at most {}", text.size(), kMaxBytes));
  }
  return Parser(text).run();
}

bool Selector::matches(const LabelSet& labels) const {
  return std::all_of(matchers_.begin(), matchers_.end(),
                     [&labels](const Matcher& m) { return m.matches(labels.get(m.name())); });
}

std::optional<std::string> Selector::exact(std::string_view name) const {
  for (const Matcher& m : matchers_) {
    if (m.op() == Matcher::Op::equal && m.name() == name) return m.value();
  }
  return std::nullopt;
}

}  // namespace hearth
