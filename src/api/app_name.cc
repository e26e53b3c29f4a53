#include "api/app_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace hearth::api {
namespace {

bool is_alnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}
bool is_app_char(char c) {
  return is_alnum(c) || c == '_' || c == '.' || c == '/' || c == '-';
}
bool is_key_char(char c) {
  return is_alnum(c) || c == '_' || c == '.';
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

Status add_label(AppName& name, std::string_view item) {
  const size_t equals = item.find('=');
  if (equals == std::string_view::npos) return {};
  const std::string_view key = trim(item.substr(0, equals));
  if (!std::ranges::all_of(key, is_key_char)) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("name: invalid character in label name \"{}\"", key));
  }
  if (key.empty()) return {};
  const auto same = std::ranges::find(name.labels, key, &Label::name);
  std::string value(trim(item.substr(equals + 1)));
  if (same != name.labels.end()) {
    same->value = std::move(value);
  } else {
    name.labels.push_back({std::string(key), std::move(value)});
  }
  return {};
}

struct SuffixRow {
  std::string_view suffix;
  TextMetric metric;
};
constexpr std::array kSuffixes{
    SuffixRow{"cpu", {"process_cpu", "samples", "count"}},
    SuffixRow{"itimer", {"process_cpu", "samples", "count"}},
    SuffixRow{"wall", {"wall", "samples", "count"}},
    SuffixRow{"seconds", {"wall", "samples", "count"}},
    SuffixRow{"milliseconds", {"wall", "samples", "count"}},
    SuffixRow{"microseconds", {"wall", "samples", "count"}},
    SuffixRow{"nanoseconds", {"wall", "samples", "count"}},
    SuffixRow{"inuse_objects", {"memory", "inuse_objects", "count"}},
    SuffixRow{"alloc_objects", {"memory", "alloc_objects", "count"}},
    SuffixRow{"inuse_space", {"memory", "inuse_space", "bytes"}},
    SuffixRow{"alloc_space", {"memory", "alloc_space", "bytes"}},
    SuffixRow{"bytes", {"memory", "samples", "bytes"}},
    SuffixRow{"goroutines", {"goroutine", "goroutines", "count"}},
    SuffixRow{"mutex_count", {"mutex", "contentions", "count"}},
    SuffixRow{"mutex_duration", {"mutex", "delay", "nanoseconds"}},
    SuffixRow{"block_count", {"block", "contentions", "count"}},
    SuffixRow{"lock_count", {"block", "contentions", "count"}},
    SuffixRow{"block_duration", {"block", "delay", "nanoseconds"}},
    SuffixRow{"lock_duration", {"block", "delay", "nanoseconds"}},
    SuffixRow{"alloc_in_new_tlab_objects", {"memory", "alloc_in_new_tlab_objects", "count"}},
    SuffixRow{"alloc_outside_tlab_objects", {"memory", "alloc_outside_tlab_objects", "count"}},
    SuffixRow{"alloc_in_new_tlab_bytes", {"memory", "alloc_in_new_tlab_bytes", "bytes"}},
    SuffixRow{"alloc_outside_tlab_bytes", {"memory", "alloc_outside_tlab_bytes", "bytes"}},
    SuffixRow{"live", {"memory", "live", "count"}},
    SuffixRow{"exceptions", {"exceptions", "samples", "count"}},
};

}  // namespace

std::string_view AppName::get(std::string_view key) const {
  const auto it = std::ranges::find(labels, key, &Label::name);
  return it == labels.end() ? std::string_view() : it->value;
}

Result<AppName> parse_app_name(std::string_view text) {
  const size_t open = std::min(text.find('{'), text.size());
  AppName name{.app = std::string(trim(text.substr(0, open))), .labels = {}};
  if (name.app.empty())
    return fail(ErrorCode::invalid_argument,
                "name: service name is required in the parameter 'name'");
  if (!std::ranges::all_of(name.app, is_app_char)) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("name: invalid character in application name \"{}\"", name.app));
  }
  std::string_view rest = text.substr(std::min(open + 1, text.size()));
  while (true) {
    const size_t end = rest.find_first_of(",}");
    if (end == std::string_view::npos) return name;
    HEARTH_RETURN_IF_ERROR(add_label(name, rest.substr(0, end)));
    if (rest[end] == '}') return name;
    rest.remove_prefix(end + 1);
  }
}

Result<TextApp> split_text_app(std::string_view app) {
  const size_t dot = app.rfind('.');
  const std::string_view suffix = dot == std::string_view::npos ? "cpu" : app.substr(dot + 1);
  const auto row = std::ranges::find(kSuffixes, suffix, &SuffixRow::suffix);
  if (row == kSuffixes.end()) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("name: unknown profile type \"{}\": the part after the last dot of "
                            "\"{}\" must name one",
                            suffix, app));
  }
  return TextApp{.metric = row->metric, .service = std::string(app.substr(0, dot))};
}

}  // namespace hearth::api
