#include "api/media_type.h"

#include <algorithm>

namespace hearth::api {
namespace {

constexpr std::string_view kSpace = " \t\r\n\v\f";
constexpr std::string_view kSeparators = "()<>@,;:\\\"/[]?=";

bool is_token_char(char c) {
  return c > 0x20 && c < 0x7f && kSeparators.find(c) == std::string_view::npos;
}

void skip_space(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
}

std::string_view trim(std::string_view text) {
  skip_space(text);
  return text.substr(0, text.find_last_not_of(kSpace) + 1);
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string_view take_token(std::string_view& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_token_char);
  const std::string_view token = text.substr(0, static_cast<size_t>(end - text.begin()));
  text.remove_prefix(token.size());
  return token;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

// A quoted string with its backslash escapes undone; false when it does not end or holds a line
// break.
bool take_quoted(std::string_view& text, std::string& value) {
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return true;
    }
    if (text[i] == '\r' || text[i] == '\n') return false;
    if (text[i] == '\\' && i + 1 < text.size() && !is_token_char(text[i + 1])) ++i;
    value += text[i];
  }
  return false;
}

// One `; name=value`; false when there is none or it is malformed.
bool take_param(std::string_view& text, std::pair<std::string, std::string>& param) {
  skip_space(text);
  if (!take(text, ';')) return false;
  skip_space(text);
  param.first = lower(take_token(text));
  skip_space(text);
  if (param.first.empty() || !take(text, '=')) return false;
  skip_space(text);
  if (!text.empty() && text.front() == '"') return take_quoted(text, param.second);
  param.second = take_token(text);
  return !param.second.empty();
}

Status parse_params(std::string_view rest, MediaType& media) {
  while (!trim(rest).empty()) {
    if (trim(rest) == ";") return {};  // A trailing semicolon is tolerated.
    std::pair<std::string, std::string> param;
    if (!take_param(rest, param))
      return fail(ErrorCode::invalid_argument, "mime: invalid media parameter");
    const auto same =
        std::ranges::find(media.params, param.first, &std::pair<std::string, std::string>::first);
    if (same != media.params.end() && same->second != param.second) {
      return fail(ErrorCode::invalid_argument, "mime: duplicate parameter name");
    }
    media.params.push_back(std::move(param));
  }
  return {};
}

}  // namespace

std::string_view MediaType::param(std::string_view name) const {
  const auto it = std::ranges::find(params, name, &std::pair<std::string, std::string>::first);
  return it == params.end() ? std::string_view() : it->second;
}

Result<MediaType> parse_media_type(std::string_view text) {
  const size_t base_end = std::min(text.find(';'), text.size());
  std::string_view base = trim(text.substr(0, base_end));
  MediaType media{.type = lower(base), .params = {}};
  if (take_token(base).empty()) return fail(ErrorCode::invalid_argument, "mime: no media type");
  if (!base.empty()) {
    if (!take(base, '/'))
      return fail(ErrorCode::invalid_argument, "mime: expected slash after first token");
    if (take_token(base).empty())
      return fail(ErrorCode::invalid_argument, "mime: expected token after slash");
    if (!base.empty())
      return fail(ErrorCode::invalid_argument, "mime: unexpected content after media subtype");
  }
  HEARTH_RETURN_IF_ERROR(parse_params(text.substr(base_end), media));
  return media;
}

Result<Accept> parse_accept(std::span<const std::string_view> values) {
  Accept accept;
  for (std::string_view value : values) {
    if (value.empty()) continue;
    while (true) {
      const size_t comma = value.find(',');
      HEARTH_ASSIGN_OR_RETURN(const MediaType media,
                              parse_media_type(trim(value.substr(0, comma))));
      if (media.param("allow-utf8-labelnames") == "true") accept.utf8_label_names = true;
      if (comma == std::string_view::npos) break;
      value.remove_prefix(comma + 1);
    }
  }
  return accept;
}

}  // namespace hearth::api
