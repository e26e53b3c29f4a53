#include "api/message_codec.h"

#include <fmt/format.h>
#include <google/protobuf/message.h>
#include <google/protobuf/util/json_util.h>

namespace hearth::api {

Status decode_message(std::string_view body, Codec codec, google::protobuf::Message& message) {
  if (codec == Codec::proto) {
    if (message.ParseFromArray(body.data(), static_cast<int>(body.size()))) return {};
    return fail(ErrorCode::invalid_argument,
                fmt::format("unmarshal {}: malformed protobuf", message.GetTypeName()));
  }
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;  // Unknown enum names too.
  const auto status = google::protobuf::util::JsonStringToMessage(
      google::protobuf::StringPiece(body.data(), body.size()), &message, options);
  if (status.ok()) return {};
  return fail(ErrorCode::invalid_argument,
              fmt::format("unmarshal {} from JSON: {}", message.GetTypeName(),
                          std::string(status.message())));
}

Result<std::string> encode_message(const google::protobuf::Message& message, Codec codec) {
  std::string out;
  if (codec == Codec::proto) {
    if (message.SerializeToString(&out)) return out;
    return fail(ErrorCode::internal, fmt::format("marshal {}", message.GetTypeName()));
  }
  const auto status = google::protobuf::util::MessageToJsonString(message, &out);
  if (status.ok()) return out;
  return fail(ErrorCode::internal, fmt::format("marshal {} to JSON: {}", message.GetTypeName(),
                                               std::string(status.message())));
}

}  // namespace hearth::api
