#include "objstore/json.h"

#include <nlohmann/json.hpp>

namespace hearth::objstore {
namespace {

constexpr int kDepthMax = 8;

}  // namespace

Result<std::map<std::string, std::string>> json_strings(std::string_view text) {
  bool too_deep = false;
  const auto keep = [&](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    too_deep = too_deep || depth > kDepthMax;
    return !too_deep;
  };
  const auto parsed = nlohmann::json::parse(text, keep, /*allow_exceptions=*/false);
  if (too_deep || !parsed.is_object()) {
    return fail(ErrorCode::invalid_argument, "not a JSON object");
  }
  std::map<std::string, std::string> out;
  for (const auto& [name, value] : parsed.items()) {
    if (value.is_string()) out[name] = value.get<std::string>();
  }
  return out;
}

}  // namespace hearth::objstore
