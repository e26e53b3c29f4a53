#include "formats/multipart.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace hearth::formats {
namespace {

tl::unexpected<Error> refuse(std::string why) {
  return fail(ErrorCode::invalid_argument, "multipart: " + std::move(why), "malformed_profile");
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trim(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

// The value before the first ';' of a header such as `form-data; name="profile"`.
std::string_view main_value(std::string_view header) {
  return trim(header.substr(0, header.find(';')));
}

// Takes a token or a quoted string with backslash escapes off the front of `s`.
std::string take_value(std::string_view& s) {
  std::string value;
  if (s.empty() || s[0] != '"') {
    const size_t end = std::min(s.find(';'), s.size());
    value = trim(s.substr(0, end));
    s.remove_prefix(end);
    return value;
  }
  size_t i = 1;
  for (; i < s.size() && s[i] != '"'; ++i) {
    // Browsers send a Windows path with plain backslashes: only an escaped quote or backslash is an
    // escape.
    if (s[i] == '\\' && i + 1 < s.size() && (s[i + 1] == '"' || s[i + 1] == '\\')) ++i;
    value.push_back(s[i]);
  }
  s.remove_prefix(std::min(i + 1, s.size()));
  return value;
}

// The parameter `name` of a header value, such as boundary of `multipart/form-data; boundary=x`.
std::optional<std::string> parameter(std::string_view header, std::string_view name) {
  size_t semicolon = header.find(';');
  while (semicolon != std::string_view::npos) {
    header = trim(header.substr(semicolon + 1));
    const size_t equals = header.find_first_of("=;");
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string_view key = trim(header.substr(0, equals));
    header.remove_prefix(equals);
    std::string value;
    if (header[0] == '=') {
      header = trim(header.substr(1));
      value = take_value(header);
    }
    if (equal_ignoring_case(key, name)) return value;
    semicolon = header.find(';');
  }
  return std::nullopt;
}

Result<std::string> boundary_of(std::string_view content_type) {
  if (!is_multipart_form(content_type))
    return refuse("the content type is not multipart/form-data");
  std::optional<std::string> boundary = parameter(content_type, "boundary");
  if (!boundary || boundary->empty()) return refuse("the content type names no boundary");
  if (boundary->size() > kMultipartBoundaryMax) {
    return refuse(fmt::format("boundary of {} bytes; want at most {}", boundary->size(),
                              kMultipartBoundaryMax));
  }
  return *boundary;
}

Status parse_header(std::string_view line, MultipartPart& part) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return refuse("a header line without a colon");
  const std::string_view name = trim(line.substr(0, colon));
  const std::string_view value = trim(line.substr(colon + 1));
  if (equal_ignoring_case(name, "content-disposition")) {
    if (!equal_ignoring_case(main_value(value), "form-data"))
      return refuse("a part's disposition is not form-data");
    part.name = parameter(value, "name").value_or("");
    std::optional<std::string> filename = parameter(value, "filename");
    part.has_filename = filename.has_value();
    part.filename = std::move(filename).value_or("");
  } else if (equal_ignoring_case(name, "content-type")) {
    part.content_type = value;
  }
  return {};
}

// Reads the headers of a part and leaves `rest` at its body.
Status parse_headers(std::string_view& rest, MultipartPart& part) {
  size_t used = 0;
  for (;;) {
    const size_t end = rest.find("\r\n");
    if (end == std::string_view::npos || used + end > kMultipartHeadersMax) {
      return refuse(
          fmt::format("headers of a part do not end within {} bytes", kMultipartHeadersMax));
    }
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 2);
    used += end + 2;
    if (line.empty()) break;
    HEARTH_RETURN_IF_ERROR(parse_header(line, part));
  }
  if (part.name.empty()) return refuse("a part without a name");
  return {};
}

// What follows a delimiter: "--" ends the body, else optional blanks and a line end come before the
// next part.
Result<bool> next_part_follows(std::string_view& rest) {
  if (rest.starts_with("--")) return false;
  const size_t end = rest.find("\r\n");
  if (end == std::string_view::npos || !trim(rest.substr(0, end)).empty())
    return refuse("a boundary is not followed by a line end");
  rest.remove_prefix(end + 2);
  return true;
}

}  // namespace

bool is_multipart_form(std::string_view content_type) {
  return equal_ignoring_case(main_value(content_type), "multipart/form-data");
}

Result<std::vector<MultipartPart>> parse_multipart(std::string_view content_type,
                                                   std::string_view body) {
  HEARTH_ASSIGN_OR_RETURN(const std::string boundary, boundary_of(content_type));
  const std::string delimiter = "\r\n--" + boundary;
  std::string_view rest = body;
  if (rest.starts_with(std::string_view(delimiter).substr(2))) {
    rest.remove_prefix(delimiter.size() - 2);
  } else {
    const size_t first = rest.find(delimiter);
    if (first == std::string_view::npos) return refuse("the boundary does not occur in the body");
    rest.remove_prefix(first + delimiter.size());
  }
  std::vector<MultipartPart> parts;
  for (;;) {
    HEARTH_ASSIGN_OR_RETURN(const bool another, next_part_follows(rest));
    if (!another) return parts;
    if (parts.size() == kMultipartPartsMax)
      return refuse(fmt::format("more than {} parts", kMultipartPartsMax));
    MultipartPart& part = parts.emplace_back();
    HEARTH_RETURN_IF_ERROR(parse_headers(rest, part));
    // An empty part has its delimiter right behind the blank line, whose line end belongs to both.
    if (rest.starts_with(std::string_view(delimiter).substr(2))) {
      rest.remove_prefix(delimiter.size() - 2);
      continue;
    }
    const size_t end = rest.find(delimiter);
    if (end == std::string_view::npos)
      return refuse(fmt::format("part '{}' has no end", part.name));
    part.body = rest.substr(0, end);
    rest.remove_prefix(end + delimiter.size());
  }
}

}  // namespace hearth::formats
