#include "api/push.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "api/error_table.h"
#include "api/push_message.h"
#include "api/write_request.h"
#include "formats/pprof_decoder.h"
#include "push.pb.h"

namespace hearth::api {
namespace {

std::string_view service_of(const std::vector<Label>& labels) {
  const auto it = std::ranges::find(labels, label::kServiceName, &Label::name);
  return it == labels.end() ? std::string_view() : it->value;
}

struct Refusal {
  Error error;
  bool counted = false;  ///< By the write pipeline.
};

std::optional<Refusal> decode_and_add(WriteRequest& write, const PushSeries& series,
                                      std::string_view bytes, DecodeSlot& slot) {
  const auto raw = write.inflate(bytes, slot);
  if (!raw) return Refusal{raw.error()};
  if (auto decoded = formats::decode_pprof(*raw, write.decode_limits(), slot.batch); !decoded)
    return Refusal{std::move(decoded).error()};
  if (auto added = write.add(series.labels, slot, *raw, slot.batch.time_ns > 0); !added)
    return Refusal{std::move(added).error(), true};
  return std::nullopt;
}

std::optional<Refusal> add_profile(WriteRequest& write, const PushSeries& series,
                                   std::string_view bytes) {
  auto refusal = decode_and_add(write, series, bytes, write.next_slot());
  if (refusal) write.drop_slot();
  return refusal;
}

/// The first refusal decides the code; a few of the messages are joined.
class Refusals {
 public:
  explicit Refusals(WriteRequest& write) : write_(write) {}
  void add(Refusal refusal, std::string_view service, size_t index, std::string_view id) {
    write_.refuse(refusal.error, error_row(refusal.error.code).connect_status, service,
                  refusal.counted);
    constexpr size_t kShown = 5;
    if (++count_ > kShown) return;
    if (count_ == 1) first_ = refusal.error;
    text_ += fmt::format("{}push series with index {} and id {} failed: {}",
                         count_ == 1 ? "" : "\n", index, id, refusal.error.message);
  }
  [[nodiscard]] Status status() const {
    if (count_ == 0) return {};
    return tl::unexpected(Error{first_.code, text_, first_.reason});
  }

 private:
  WriteRequest& write_;
  size_t count_ = 0;
  Error first_;
  std::string text_;
};

// A refusal that concerns the request as a whole.
tl::unexpected<Error> refuse_all(WriteRequest& write, Error error, bool counted) {
  write.refuse(error, error_row(error.code).connect_status, "", counted);
  return tl::unexpected(std::move(error));
}

// Good series are stored although others fail: a client that drops a refused request loses no more
// than it must.
Status push_series(WriteRequest& write, const std::vector<PushSeries>& all) {
  Refusals refusals(write);
  for (size_t i = 0; i < all.size(); ++i) {
    const std::string_view service = service_of(all[i].labels);
    if (all[i].profiles.empty()) {
      refusals.add({{ErrorCode::invalid_argument, "no profiles received", "malformed_profile"}},
                   service, i, "");
    }
    for (const PushProfile& profile : all[i].profiles) {
      if (auto refusal = add_profile(write, all[i], profile.bytes))
        refusals.add(std::move(*refusal), service, i, profile.id);
    }
  }
  if (auto stored = write.commit(); !stored) {
    // Not discarded: the client is asked to come back.
    return refuse_all(write, std::move(stored).error(), true);
  }
  return refusals.status();
}

// JSON is rare here; it becomes protobuf first, so that there is one reader.
Result<std::string_view> as_protobuf(const Call& call, std::string& buffer) {
  if (call.codec == Codec::proto) return call.body;
  push::v1::PushRequest message;
  HEARTH_RETURN_IF_ERROR(decode_message(call.body, call.codec, message));
  HEARTH_ASSIGN_OR_RETURN(buffer, encode_message(message, Codec::proto));
  buffer.reserve(buffer.size() + 64);
  return std::string_view(buffer);
}

Result<std::string> push(App& app, const Call& call) {
  WriteRequest write(app, *call.http, call.tenant());
  std::string buffer;
  const auto message = as_protobuf(call, buffer);
  if (!message) return refuse_all(write, message.error(), false);
  const auto series = parse_push_message(*message);
  if (!series) return refuse_all(write, series.error(), false);
  if (series->empty()) {
    return refuse_all(
        write, {ErrorCode::invalid_argument, "no profiles received", "malformed_profile"}, false);
  }
  const auto pushed = push_series(write, *series);
  *call.durable = write.durable();
  HEARTH_RETURN_IF_ERROR(pushed);
  return std::string(call.codec == Codec::json ? "{}" : "");
}

}  // namespace

net::Route push_route(App& app) {
  return connect_route(app, {.path = "/push.v1.PusherService/Push",
                             .pool = net::Pool::ingest,
                             .tenants = TenantRule::one_writer,
                             .acknowledges = true,
                             .serve = [&app](const Call& call) { return push(app, call); }});
}

}  // namespace hearth::api
