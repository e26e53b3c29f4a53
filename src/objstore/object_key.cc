#include "objstore/object_key.h"

#include <fmt/format.h>

namespace hearth::objstore {
namespace {

constexpr size_t kKeyMax = 1024;
constexpr size_t kComponentMax = 255;

bool is_key_byte(char c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  return c != '\0' && std::string_view("!-_.*'()/").find(c) != std::string_view::npos;
}

const char* component_fault(std::string_view component) {
  if (component.empty()) return "an empty component";
  if (component == "." || component == "..") return "a component that is \".\" or \"..\"";
  if (component.size() > kComponentMax) return "a component of more than 255 bytes";
  return nullptr;
}

}  // namespace

Status check_key(std::string_view key) {
  const auto refuse = [&](std::string_view why) -> Status {
    return fail(ErrorCode::invalid_argument,
                fmt::format("object key \"{}\": {}", key.substr(0, 100), why));
  };
  if (key.size() > kKeyMax) return refuse("more than 1024 bytes");
  for (const char c : key) {
    if (!is_key_byte(c)) return refuse("a byte outside A-Za-z0-9!-_.*'()/");
  }
  for (size_t begin = 0; begin <= key.size();) {
    const size_t end = std::min(key.find('/', begin), key.size());
    if (const char* fault = component_fault(key.substr(begin, end - begin))) return refuse(fault);
    begin = end + 1;
  }
  return {};
}

}  // namespace hearth::objstore
