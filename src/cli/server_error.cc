#include "cli/server_error.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace hearth::cli {

std::string describe_refusal(const net::ClientResponse& answer) {
  std::string message = answer.body.substr(0, 2000);
  const auto json = nlohmann::json::parse(answer.body, nullptr, false);
  if (json.is_object() && json.contains("message") && json["message"].is_string()) {
    message = json["message"].get<std::string>();
  }
  while (!message.empty() && message.back() == '\n') message.pop_back();
  return fmt::format("the server answered status {}: {}", answer.status, message);
}

}  // namespace hearth::cli
