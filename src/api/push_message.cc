#include "api/push_message.h"

#include "base/bytes.h"
#include "base/utf8.h"

namespace hearth::api {
namespace {

/// One field of a protobuf message.
struct Field {
  uint64_t number = 0;
  std::string_view bytes;  ///< Of length-delimited fields; else empty.
  bool delimited = false;
};

Field next_field(ByteReader& in) {
  const uint64_t tag = in.varint_max(UINT32_MAX);
  Field field{.number = tag >> 3U, .bytes = {}, .delimited = (tag & 7U) == 2};
  switch (tag & 7U) {
    case 0:
      in.varint();
      break;
    case 1:
      in.u64();
      break;
    case 2:
      field.bytes = in.str();
      break;
    case 5:
      in.u32();
      break;
    default:
      in.set_error();
  }
  if (field.number == 0) in.set_error();
  return field;
}

/// Calls `visit(number, bytes)` for every length-delimited field; false when the message is
/// malformed or a visit said so.
template <class Visit>
bool for_each_field(std::string_view message, Visit visit) {
  ByteReader in(message);
  while (in.left() > 0) {
    const Field field = next_field(in);
    if (!in.ok()) return false;
    if (field.delimited && !visit(field.number, field.bytes)) return false;
  }
  return true;
}

bool parse_label(std::string_view message, Label& label) {
  return for_each_field(message, [&label](uint64_t number, std::string_view bytes) {
    if (number == 1) label.name = bytes;
    if (number == 2) label.value = bytes;
    return number > 2 || is_utf8(bytes);
  });
}

bool parse_profile(std::string_view message, PushProfile& profile) {
  return for_each_field(message, [&profile](uint64_t number, std::string_view bytes) {
    if (number == 1) profile.bytes = bytes;
    if (number == 2) profile.id = bytes;
    return number != 2 || is_utf8(bytes);
  });
}

bool parse_series(std::string_view message, PushSeries& series) {
  return for_each_field(message, [&series](uint64_t number, std::string_view bytes) {
    if (number == 1) return parse_label(bytes, series.labels.emplace_back());
    if (number == 2) return parse_profile(bytes, series.profiles.emplace_back());
    return true;
  });
}

}  // namespace

Result<std::vector<PushSeries>> parse_push_message(std::string_view message) {
  std::vector<PushSeries> series;
  const bool ok = for_each_field(message, [&series](uint64_t number, std::string_view bytes) {
    return number != 1 || parse_series(bytes, series.emplace_back());
  });
  if (!ok)
    return fail(ErrorCode::invalid_argument, "unmarshal push.v1.PushRequest: malformed protobuf",
                "malformed_profile");
  return series;
}

}  // namespace hearth::api
