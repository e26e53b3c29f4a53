#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace google::protobuf {
class Message;
}

namespace hearth::api {

/// The two forms of a message in Connect's unary protocol.
enum class Codec : unsigned char { proto, json };

/// Parses `body` into `message`. JSON: unknown fields and enum names are ignored, `null` is absent,
/// an empty body is an error.
[[nodiscard]] Status decode_message(std::string_view body, Codec codec,
                                    google::protobuf::Message& message);
/// JSON: lowerCamelCase, defaults left out, 64-bit integers as strings.
[[nodiscard]] Result<std::string> encode_message(const google::protobuf::Message& message,
                                                 Codec codec);

}  // namespace hearth::api
